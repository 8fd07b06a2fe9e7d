"""What runs on the Forward-Referencing Jumps Task came to: table, accuracy by depth, criticality (paper, section 5)."""

import pathlib

from matplotlib import pyplot as plt

from data_gen.atomic import write_file
from experiments.diagnostics import paper_tables
from experiments.diagnostics.runs import Result, budget, footnotes, read_results
from rcfam_jax.analysis.figures import write_figure
from rcfam_jax.diagnostics.criticality import THRESHOLD, constant, greatest_depth


def write_report(out: pathlib.Path) -> None:
    """Write the table and the plots of all results."""
    results = read_results(out)
    write_file(out / "frjt.md", ("\n".join(table(results)) + "\n").encode())
    plot_accuracy(results, out / "frjt.png")
    plot_criticality(results, out / "criticality.png")


def table(results: list[Result]) -> list[str]:
    """The results beside the paper's, in Markdown."""
    lines = [
        "| mixer | layers | max. depth | training | validation | paper: training | validation | steps | minutes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        row = paper_tables.Row(
            result.config["model"]["mixer"], result.config["model"]["layers"], result.config["task"]["max_depth"]
        )
        paper = [f"{accuracy:.4f}" for accuracy in paper_tables.FRJT.get(row, ())] or ["", ""]
        cells = [f"{result.training:.4f}", f"{result.validation:.4f}", *paper, budget(result)]
        lines.append(f"| {row.mixer} | {row.layers} | {row.depth} | {' | '.join(cells)} |")
    return [*lines, "", *criticality_lines(results), "", *footnotes(results)]


def criticality(results: list[Result]) -> dict[str, dict[int, tuple[int, bool]]]:
    """For each mixer and number of layers the greatest depth, and whether deeper programs were there to be tried."""
    found: dict[str, dict[int, tuple[int, bool]]] = {}
    for result in results:
        model, accuracies = result.config["model"], {int(d): a for d, a in result.validation_by_depth.items()}
        depth = greatest_depth(accuracies)
        by_layers = found.setdefault(model["mixer"], {})
        by_layers[model["layers"]] = max(by_layers.get(model["layers"], (0, False)), (depth, depth < max(accuracies)))
    return found


def criticality_lines(results: list[Result]) -> list[str]:
    """The greatest depths in words, and the constant of equation 5 for the mixers whose depths were exceeded."""
    lines = [f"Greatest depth up to which held-out accuracy exceeds {THRESHOLD:.0%}, by layers:", ""]
    for mixer, by_layers in criticality(results).items():
        depths = [
            f"L = {layers}: {depth}" if exceeded else f"L = {layers}: {depth} or more"
            for layers, (depth, exceeded) in sorted(by_layers.items())
        ]
        known = {layers: depth for layers, (depth, exceeded) in by_layers.items() if exceeded}
        fitted = f" (depth = {constant(known):.2f} L by least squares)" if len(known) > 1 else ""
        lines.append(f"- {mixer}: {', '.join(depths)}{fitted}")
    return lines


def plot_accuracy(results: list[Result], path: pathlib.Path) -> None:
    """Held-out accuracy by depth, a panel for each maximal depth."""
    depths = sorted({result.config["task"]["max_depth"] for result in results})
    figure, panels = plt.subplots(
        1, len(depths), figsize=(4.5 * len(depths), 4), sharey=True, squeeze=False, layout="constrained"
    )
    for panel, max_depth in zip(panels[0], depths, strict=True):
        for result in results:
            if result.config["task"]["max_depth"] == max_depth:
                by_depth = result.validation_by_depth
                panel.plot([int(depth) for depth in by_depth], list(by_depth.values()), ".-", label=result.label())
        panel.axhline(0.5, color="grey", linewidth=0.8)
        panel.set(title=f"trained up to depth {max_depth}", xlabel="blocks of a program", ylim=(0.45, 1.01))
        panel.locator_params(axis="x", integer=True)
        panel.legend(fontsize="small")
    panels[0, 0].set(ylabel="held-out accuracy")
    write_figure(figure, path)


def plot_criticality(results: list[Result], path: pathlib.Path) -> None:
    """The greatest depths over the layers; an arrow where deeper programs were not tried."""
    figure, panel = plt.subplots(figsize=(5, 4), layout="constrained")
    for mixer, by_layers in criticality(results).items():
        layers = sorted(by_layers)
        (line,) = panel.plot(layers, [by_layers[number][0] for number in layers], "o-", label=mixer)
        for number in layers:
            depth, exceeded = by_layers[number]
            if not exceeded:
                panel.annotate("", (number, depth + 1), (number, depth), arrowprops={"color": line.get_color()})
    panel.set(xlabel="layers L", ylabel=f"greatest depth above {THRESHOLD:.0%}", ylim=(0, None))
    panel.locator_params(integer=True)
    panel.legend()
    write_figure(figure, path)
