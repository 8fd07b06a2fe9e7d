"""Accuracy by depth over many runs: its plot, and up to what depth mixers solve a task (paper, section 5)."""

import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from matplotlib.figure import Figure

from experiments.diagnostics.runs import Result
from rcfam_jax.analysis.figures import write_figure
from rcfam_jax.diagnostics.criticality import THRESHOLD, constant, greatest_depth


class Reach(NamedTuple):
    """How deep a mixer with so many layers still solves a task."""

    depth: int  # up to which held-out accuracy exceeds the threshold, in the best of its runs
    exceeded: bool  # whether deeper ones were tried


def criticality(results: list[Result]) -> dict[str, dict[int, Reach]]:
    """The reach of each mixer and width, by layers."""

    def kind(result: Result) -> tuple[str, int, int]:
        model = result.config["model"]
        return model["mixer"], model["width"], model["layers"]

    found: dict[str, dict[int, Reach]] = {}
    for (mixer, width, layers), runs in itertools.groupby(sorted(results, key=kind), kind):
        accuracies = [{int(d): a for d, a in run.validation_by_depth.items()} for run in runs]
        depth = max(map(greatest_depth, accuracies))
        reach = Reach(depth, depth < max(map(max, accuracies)))
        found.setdefault(f"{mixer}, d_model {width}", {})[layers] = reach
    return found


def criticality_lines(results: list[Result]) -> Iterator[str]:
    """The reaches in words, and the constant of equation 5 for mixers of which several were exceeded."""
    yield f"Greatest depth up to which held-out accuracy exceeds {THRESHOLD:.0%}, by layers:"
    yield ""
    for mixer, by_layers in criticality(results).items():
        reaches = [
            f"L = {layers}: {reach.depth}" if reach.exceeded else f"L = {layers}: {reach.depth} or more"
            for layers, reach in sorted(by_layers.items())
        ]
        yield f"- {mixer}: {', '.join(reaches)}{_fitted(by_layers)}"


def _fitted(by_layers: dict[int, Reach]) -> str:
    known = {layers: reach.depth for layers, reach in by_layers.items() if reach.exceeded and reach.depth}
    if len(known) < 2:
        return ""
    k = constant(known)
    worst = max(abs(depth - k * layers) for layers, depth in known.items())
    return f" (depth = {k:.2f} L by least squares over {len(known)} points, off by at most {worst:.1f})"


def plot_accuracy(results: list[Result], task: Callable[[dict], str], xlabel: str, path: pathlib.Path) -> None:
    """Held-out accuracy by depth, a panel for each task; `task` names that of a configuration."""
    tasks = list(dict.fromkeys(task(result.config["task"]) for result in results))
    colours = {label: f"C{number}" for number, label in enumerate(dict.fromkeys(map(Result.label, results)))}
    lines = {}
    figure = Figure(figsize=(4.5 * len(tasks) + 1.5, 4), layout="constrained")
    panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)
    for panel, name in zip(panels[0], tasks, strict=True):
        for result in results:
            if task(result.config["task"]) == name:
                by_depth, label = result.validation_by_depth, result.label()
                depths = [int(depth) for depth in by_depth]
                (lines[label],) = panel.plot(depths, list(by_depth.values()), ".-", color=colours[label])
        panel.set(title=name, xlabel=xlabel)
        panel.locator_params(axis="x", integer=True)
        panel.grid(alpha=0.3)
    panels[0, 0].set(ylabel="held-out accuracy")
    figure.legend(lines.values(), lines.keys(), loc="outside right upper", fontsize="small")
    write_figure(figure, path)


def plot_criticality(results: list[Result], path: pathlib.Path) -> None:
    """The reaches over the layers; an arrow where deeper ones were not tried."""
    figure = Figure(figsize=(5, 4), layout="constrained")
    panel = figure.subplots()
    for mixer, by_layers in criticality(results).items():
        layers = sorted(by_layers)
        (line,) = panel.plot(layers, [by_layers[number].depth for number in layers], "o-", label=mixer)
        for number in layers:
            depth, exceeded = by_layers[number]
            if not exceeded:
                panel.annotate("", (number, depth + 1), (number, depth), arrowprops={"color": line.get_color()})
    panel.set(xlabel="layers L", ylabel=f"greatest depth above {THRESHOLD:.0%}", ylim=(0, None))
    panel.locator_params(integer=True)
    panel.legend()
    write_figure(figure, path)
