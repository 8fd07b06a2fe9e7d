"""Accuracy over the number of patches, for each model and number of context lines: a plot and a table.

  python -m benchmarks.diff_inflate_bench.report LOGS --out=DIR

Reads Inspect's logs in the folder LOGS, writes accuracy.png and report.md to DIR and prints the table.
"""

import pathlib
from collections.abc import Sequence

from absl import flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.diff_inflate_bench.results import Point, Proportion, Result, agreement, points, read_results
from benchmarks.diff_inflate_bench.samples import CONTEXTS
from data_gen.atomic import write_file
from data_gen.program import run
from rcfam_jax.analysis.figures import write_figure

_OUT = flags.DEFINE_string("out", None, "Where the report is written.", required=True)

_HEADER = (
    "| result | context | patches | exact | normalised | judge | similarity | samples | truncated"
    " | tokens in | tokens out | cost |"
)


def main(logs: str) -> None:
    """Read, plot, write, print."""
    results = read_results(pathlib.Path(logs))
    folder = pathlib.Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join([*table(results), *judge_table(results)])
    plot(results, folder / "accuracy.png")
    write_file(folder / "report.md", f"{text}\n\n![accuracy over the number of patches](accuracy.png)\n".encode())
    print(text)


def table(results: Sequence[Result]) -> list[str]:
    """A row for each result and number of patches, as Markdown; those that lack samples are named at the end."""
    rows = [_row(result, point) for result in results for point in points(result)]
    lacking = [
        f"{result.name} with U{result.context} has answered {len(result.samples)} of {result.expected} samples."
        for result in results
        if len(result.samples) < result.expected
    ]
    return [_HEADER, "|---|---|" + "---:|" * (_HEADER.count("|") - 3), *rows, *(["", *lacking] if lacking else [])]


def judge_table(results: Sequence[Result]) -> list[str]:
    """How the judge agrees with the deterministic scorers, as Markdown; nothing where there was no judge."""
    rows = []
    for result in results:
        for scorer in ("exact", "normalised"):
            counts = agreement(result.samples, scorer)
            if total := sum(counts):
                agree = Proportion(counts.both + counts.neither, total)
                cells = (result.name, f"U{result.context}", result.judge, scorer, *map(str, counts), _share(agree))
                rows.append("| " + " | ".join(cells) + " |")
    header = "| result | context | judge | scorer | both right | judge only | scorer only | neither | agreement |"
    return ["", header, "|---|---|---|---|" + "---:|" * 5, *rows] if rows else []


def plot(results: Sequence[Result], path: pathlib.Path) -> None:
    """A panel for each number of context lines; the judge's accuracy where there is one, else the normalised one."""
    contexts = [context for context in CONTEXTS if any(result.context == context for result in results)]
    names = sorted({result.name for result in results})
    figure = Figure(figsize=(1 + 3.4 * len(contexts), 3.6), layout="constrained")
    grid = figure.subplots(1, len(contexts), sharey=True, squeeze=False)
    for axes, context in zip(grid[0], contexts, strict=True):
        for result in results:
            if result.context == context:
                _plot_result(axes, result, f"C{names.index(result.name)}")
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set(title=f"U{context}", xlabel="patches", ylim=(-0.03, 1.03))
    grid[0][0].set_ylabel("accuracy")
    handles = {text: line for axes in grid[0] for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(contexts), frameon=False)
    write_figure(figure, path)


def _plot_result(axes: Axes, result: Result, colour: str) -> None:
    scorer = "judge" if result.judge else "normalised"
    shown = [point for point in points(result) if point.scores[scorer].total]
    shares = [point.scores[scorer].hits / point.scores[scorer].total for point in shown]
    intervals = [point.scores[scorer].wilson() for point in shown]
    below = [share - low for share, (low, _) in zip(shares, intervals, strict=True)]
    above = [high - share for share, (_, high) in zip(shares, intervals, strict=True)]
    patches = [point.patches for point in shown]
    label = f"{result.name}, " + (f"judged by {result.judge}" if result.judge else scorer)
    axes.errorbar(patches, shares, (below, above), color=colour, marker="o", capsize=3, label=label)


def _row(result: Result, point: Point) -> str:
    cells = [result.name, f"U{result.context}", str(point.patches)]
    cells += [_share(point.scores[name]) if name in point.scores else "" for name in ("exact", "normalised", "judge")]
    cells += ["" if point.similarity is None else f"{point.similarity:.3f}", str(point.samples), str(point.truncated)]
    cells += [f"{point.input_tokens:,}", f"{point.output_tokens:,}", "" if point.cost is None else f"${point.cost:.3f}"]
    return "| " + " | ".join(cells) + " |"


def _share(proportion: Proportion) -> str:
    """A share in percent with its 95% interval."""
    if not proportion.total:
        return "none scored"
    low, high = proportion.wilson()
    return f"{proportion.hits / proportion.total:.0%} ({low:.0%} to {high:.0%}) of {proportion.total}"


if __name__ == "__main__":
    run(main, "LOGS")
