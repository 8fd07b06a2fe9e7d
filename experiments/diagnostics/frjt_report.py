"""What runs on the Forward-Referencing Jumps Task came to: table, accuracy by depth, criticality (paper, section 5)."""

import pathlib

from data_gen.atomic import write_file
from experiments.diagnostics import paper_tables
from experiments.diagnostics.by_depth import criticality_lines, plot_accuracy, plot_criticality
from experiments.diagnostics.runs import Result, budget, footnotes, read_results


def write_report(out: pathlib.Path) -> None:
    """Write the table and the plots of all results."""
    results = read_results(out)
    write_file(out / "frjt.md", ("\n".join(table(results)) + "\n").encode())
    plot_accuracy(
        results, lambda task: f"trained up to depth {task['max_depth']}", "blocks of a program", out / "frjt.png"
    )
    plot_criticality(results, out / "criticality.png")


def table(results: list[Result]) -> list[str]:
    """The results beside the paper's, in Markdown."""
    lines = [
        "| mixer | layers | d_model | seed | max. depth | training | validation | paper: training | validation | steps "
        "| minutes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        model, train = result.config["model"], result.config["train"]
        row = paper_tables.Row(model["mixer"], model["layers"], result.config["task"]["max_depth"])
        paper = [f"{accuracy:.4f}" for accuracy in paper_tables.FRJT.get(row, ())] or ["", ""]
        cells = [str(model["width"]), str(train["seed"]), str(row.depth)]
        cells += [f"{result.training:.4f}", f"{result.validation:.4f}", *paper, budget(result)]
        lines.append(f"| {row.mixer} | {row.layers} | {' | '.join(cells)} |")
    return [*lines, "", *criticality_lines(results), "", *footnotes(results)]
