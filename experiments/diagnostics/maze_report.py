"""What runs in the maze came to: table, accuracy by results withheld, criticality (paper, sections 8.1.3 and 8.1.4)."""

import pathlib

from ml_collections import ConfigDict

from data_gen.atomic import write_file
from experiments.diagnostics import paper_tables
from experiments.diagnostics.by_depth import criticality_lines, plot_accuracy, plot_criticality
from experiments.diagnostics.runs import Result, budget, footnotes, read_results, run_folder

UNWITHHELD_MOVES = 160
"""The moves of walks of which nothing is withheld; the paper does not say."""

_PAPER_WITHHELD = 0.2


def write_report(out: pathlib.Path) -> None:
    """Write the table and the plots of all results; the plots are of walks of which something is withheld."""
    results = read_results(out)
    write_file(out / "maze.md", ("\n".join(table(out, results)) + "\n").encode())
    if withheld := [result for result in results if result.config["task"]["depth"]]:
        plot_accuracy(withheld, _title, "results withheld so far", out / "maze.png")
        plot_criticality(withheld, out / "criticality.png")


def _title(task: dict) -> str:
    return f"{task['depth']} of {task['moves']} results withheld, maze {task['size']} x {task['size']}"


def table(out: pathlib.Path, results: list[Result]) -> list[str]:
    """The results under `out` beside the paper's, in Markdown, and what their walks are like."""
    lines = [
        "| mixer | layers | d_model | seed | maze | moves | withheld | training | validation | paper | steps "
        "| minutes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    walks: dict[str, None] = {}
    for result in results:
        model, task = result.config["model"], result.config["task"]
        row = paper_tables.Row(model["mixer"], model["layers"], task["depth"])
        paper_moves = round(row.depth / _PAPER_WITHHELD) or UNWITHHELD_MOVES
        is_paper = task["moves"] == paper_moves and row in paper_tables.MAZE
        paper = f"{paper_tables.MAZE[row]:.4f}" if is_paper else ""
        cells = [str(model["width"]), str(result.config["train"]["seed"]), f"{task['size']} x {task['size']}"]
        cells += [str(task["moves"]), str(row.depth), f"{result.training:.4f}", f"{result.validation:.4f}"]
        lines.append(f"| {row.mixer} | {row.layers} | {' | '.join(cells)} | {paper} | {budget(result)} |")
        walks.setdefault((run_folder(out, ConfigDict(result.config)) / "walks.txt").read_text())
    withheld = [result for result in results if result.config["task"]["depth"]]
    lines += ["", *criticality_lines(withheld)] if withheld else []
    return [*lines, "", *(line for text in walks for line in ("```", text.rstrip(), "```", "")), *footnotes(results)]
