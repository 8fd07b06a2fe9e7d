"""What runs in the maze came to, as a table (paper, sections 8.1.3 and 8.1.4)."""

import pathlib

from ml_collections import ConfigDict

from data_gen.atomic import write_file
from experiments.diagnostics import paper_tables
from experiments.diagnostics.runs import budget, footnotes, read_results, run_folder

UNWITHHELD_MOVES = 160
"""The moves of walks of which nothing is withheld; the paper does not say."""

_PAPER_WITHHELD = 0.2


def write_report(out: pathlib.Path) -> None:
    """Write the table of all results."""
    write_file(out / "maze.md", ("\n".join(table(out)) + "\n").encode())


def table(out: pathlib.Path) -> list[str]:
    """All results under `out` beside the paper's, in Markdown, and what their walks are like."""
    results = read_results(out)
    lines = [
        "| mixer | layers | maze | moves | withheld | training | validation | paper | steps | minutes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    walks: dict[str, None] = {}
    for result in results:
        model, task = result.config["model"], result.config["task"]
        row = paper_tables.Row(model["mixer"], model["layers"], task["depth"])
        paper_moves = round(row.depth / _PAPER_WITHHELD) or UNWITHHELD_MOVES
        is_paper = task["moves"] == paper_moves and row in paper_tables.MAZE
        paper = f"{paper_tables.MAZE[row]:.4f}" if is_paper else ""
        cells = [f"{task['size']} x {task['size']}", str(task["moves"]), str(row.depth)]
        cells += [f"{result.training:.4f}", f"{result.validation:.4f}", paper, budget(result)]
        lines.append(f"| {row.mixer} | {row.layers} | {' | '.join(cells)} |")
        walks.setdefault((run_folder(out, ConfigDict(result.config)) / "walks.txt").read_text())
    return [*lines, "", *(line for text in walks for line in ("```", text.rstrip(), "```", "")), *footnotes(results)]
