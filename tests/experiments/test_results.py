"""The results that are kept: their tables are what the programs make of them, and each run is as it says."""

import pathlib

import pytest

from experiments.diagnostics import frjt_report, maze_report
from experiments.diagnostics.runs import read_results

RESULTS = pathlib.Path(__file__).parents[2] / "experiments" / "results"
TABLES = {
    "frjt": lambda out: frjt_report.table(read_results(out)),
    "maze": lambda out: maze_report.table(out, read_results(out)),
}
KEPT = sorted(path.name for path in RESULTS.iterdir() if path.is_dir())


@pytest.mark.parametrize("task", KEPT)
def test_tables_are_those_of_the_results(task):
    out = RESULTS / task
    assert "\n".join(TABLES[task](out)) + "\n" == (out / f"{task}.md").read_text()


@pytest.mark.parametrize("task", KEPT)
def test_runs_kept_their_budget_and_computed_nearly_all_the_time(task):
    results = read_results(RESULTS / task)
    assert results
    for result in results:
        train = result.config["train"]
        assert result.command.startswith(f"python -m experiments.{task} --out=experiments/results/{task} ")
        assert result.compiled_share > 0.9
        assert result.converged or result.step == train["steps"] or result.seconds > 0.9 * 60 * train["minutes"]
        assert train["minutes"] <= 45 and result.seconds <= 60 * 45
