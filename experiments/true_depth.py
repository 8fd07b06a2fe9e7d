"""Measure how the true depth of each sequence mixer grows with the length of its sequence (paper, section 2).

  python -m experiments.true_depth [--reductions=log|unit] [--mixers=lstm,mamba] [--out=DIR]

Prints a table: the depth of a mixer over 16 and 1,024 steps, forwards and of the gradient, and the growth that 16, 32,
..., 1,024 show. Writes it to DIR as true_depth.md, with a plot of all lengths, true_depth.png.
"""

import pathlib
from typing import NamedTuple

import jax
from absl import flags
from flax import nnx
from matplotlib import colormaps
from matplotlib.figure import Figure

from data_gen.atomic import write_file
from data_gen.program import run
from experiments.diagnostics.list_flags import mixers
from rcfam_jax.analysis.figures import write_figure
from rcfam_jax.analysis.growth import growth
from rcfam_jax.diagnostics.mixer_depth import forward_depth, gradient_depth
from rcfam_jax.diagnostics.mixers import MIXERS, MixerConfig

_REDUCTIONS = flags.DEFINE_enum(
    "reductions", "log", ["log", "unit"], "What a sum of n values counts: its tree, log2 n, or one step."
)
_MIXERS = flags.DEFINE_list("mixers", list(MIXERS), "Which mixers, by name.")
_OUT = flags.DEFINE_string("out", None, "A folder for the table and the plot.")

LENGTHS = tuple(2**power for power in range(4, 11))


class Depths(NamedTuple):
    """The depths of a mixer at each of `LENGTHS`."""

    forward: list[int]
    gradient: list[int]


def measure(name: str, unit_reductions: bool) -> Depths:
    """The depths of the mixer of that name, at the width of the paper's diagnostics."""
    config = MixerConfig()

    def build() -> nnx.Module:
        return MIXERS[name](config, rngs=nnx.Rngs(0))

    inputs = [jax.ShapeDtypeStruct((1, length, config.width), config.dtype) for length in LENGTHS]
    return Depths(
        [forward_depth(build, x_BxTxD, unit_reductions=unit_reductions) for x_BxTxD in inputs],
        [gradient_depth(build, x_BxTxD, unit_reductions=unit_reductions) for x_BxTxD in inputs],
    )


def table(measured: dict[str, Depths]) -> str:
    """The measurement as a table in Markdown."""
    ends = f"depth at {LENGTHS[0]:,} | at {LENGTHS[-1]:,} | growth"
    lines = [f"| mixer | forward {ends} | gradient {ends} |", "|---|--:|--:|---|--:|--:|---|"]
    for name, depths in measured.items():
        cells = [f"{of[0]:,} | {of[-1]:,} | {growth(of)}" for of in depths]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(measured: dict[str, Depths]) -> Figure:
    """The measurement as a picture: mixers of linear growth in solid lines, the others dashed."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    colours = colormaps["tab20"]
    for panel, direction in zip(panels, Depths._fields, strict=True):
        for index, (name, depths) in enumerate(measured.items()):
            of = getattr(depths, direction)
            panel.loglog(LENGTHS, of, "o-" if growth(of) == "linear" else ".--", label=name, color=colours(index))
        panel.set(title=direction, xlabel="steps T", xticks=LENGTHS, xticklabels=LENGTHS)
        panel.minorticks_off()
    panels[0].set(ylabel="true depth")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def main() -> None:
    """Measure as the flags say."""
    measured = {name: measure(name, _REDUCTIONS.value == "unit") for name in mixers(_MIXERS)}
    print(table(measured))
    if _OUT.value is not None:
        out = pathlib.Path(_OUT.value)
        out.mkdir(parents=True, exist_ok=True)
        write_file(out / "true_depth.md", (table(measured) + "\n").encode())
        write_figure(plot(measured), out / "true_depth.png")


if __name__ == "__main__":
    run(main)
