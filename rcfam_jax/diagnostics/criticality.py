"""Input aggregation criticality: up to what depth a mixer of L layers still solves a task (paper, section 5)."""

from collections.abc import Mapping

THRESHOLD = 0.9
"""The accuracy that has to be exceeded."""


def greatest_depth(accuracies: Mapping[int, float]) -> int:
    """The greatest depth up to which every depth's accuracy exceeds the threshold; 0 if there is none."""
    greatest = 0
    for depth in sorted(accuracies):
        if accuracies[depth] <= THRESHOLD:
            break
        greatest = depth
    return greatest


def constant(depths: Mapping[int, int]) -> float:
    """k of equation 5, depth = k L, by least squares over the greatest depths for each number of layers, L."""
    return sum(layers * depth for layers, depth in depths.items()) / sum(layers**2 for layers in depths)
