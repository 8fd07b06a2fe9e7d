"""`experiments.frjt`: its table and criticality from results with known numbers, and the program as users start it."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from experiments.diagnostics import frjt_report
from experiments.diagnostics.runs import Result, is_done, make_config, run_folder


def result(mixer, layers, accuracies, **changes):
    """A result whose accuracies at depths 1, 2, ... are given."""
    by_depth = {str(depth): accuracy for depth, accuracy in enumerate(accuracies, 1)}
    config = make_config({"max_depth": len(accuracies)}, mixer, layers, "cpu", seed=0)
    fields = {
        **{"config": config.to_dict(), "step": 500, "best_step": 250, "converged": True, "training": 1.0},
        **{"validation": sum(accuracies) / len(accuracies), "training_by_depth": by_depth},
        **{"validation_by_depth": by_depth, "parameters": 10, "seconds": 90.0, "compiled_share": 0.95},
        **{"hardware": "2 x CPU", "command": f"python -m experiments.frjt --mixer={mixer}"},
        **changes,
    }
    return Result(**fields)


RESULTS = [
    result("transformer", 1, [0.99, 0.95, 0.8, 0.6]),
    result("transformer", 2, [0.99, 0.98, 0.97, 0.92, 0.8, 0.7]),
    result("lstm", 1, [0.99, 0.99, 0.98, 0.97], converged=False),
]


def test_results_stand_beside_the_papers():
    lines = frjt_report.table(RESULTS)
    assert lines[2] == "| transformer | 1 | 4 | 1.0000 | 0.8350 | 0.9812 | 0.6564 | 500 | 1.5 |"
    assert lines[4] == "| lstm | 1 | 4 | 1.0000 | 0.9825 | 0.9990 | 0.9598 | 500 | 1.5 (not converged) |"
    assert "- transformer: L = 1: 2, L = 2: 4 (depth = 2.00 L by least squares)" in lines
    assert "- lstm: L = 1: 4 or more" in lines
    text = "\n".join(lines)
    assert "at least 95.0% of them in compiled steps" in text and "experiments.frjt --mixer=lstm\n" in text


def test_plots_are_drawn(tmp_path):
    frjt_report.plot_accuracy(RESULTS, tmp_path / "accuracy.png")
    frjt_report.plot_criticality(RESULTS, tmp_path / "criticality.png")
    assert all(Image.open(tmp_path / f"{name}.png").width > 400 for name in ("accuracy", "criticality"))


def test_runs_have_folders_of_their_own(tmp_path):
    configs = [
        make_config({"max_depth": depth}, mixer, layers, preset, seed)
        for depth in (4, 8)
        for mixer in ("lstm", "mamba")
        for layers in (1, 2)
        for preset in ("cpu", "paper")
        for seed in (0, 1)
    ]
    assert len({run_folder(tmp_path, config) for config in configs}) == 32


def test_a_run_is_done_unless_more_of_a_budget_could_help(tmp_path):
    config = make_config({"max_depth": 4}, "lstm", 1, "cpu", seed=0)
    assert not is_done(tmp_path, config)
    longer = config.copy_and_resolve_references()
    longer.train.minutes *= 2
    for converged in (True, False):
        spent = result("lstm", 1, [0.9] * 4, converged=converged)
        (tmp_path / "result.json").write_text(json.dumps(spent._asdict()))
        assert is_done(tmp_path, config) and is_done(tmp_path, longer) == converged


def run(*arguments, timeout=300):
    command = [sys.executable, "-m", "experiments.frjt", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def test_programs_are_shown_and_wrong_flags_named():
    shown = run("--show=2", "--max_depth=3,5", "--seed=5")
    assert shown.returncode == 0 and shown.stdout.count("halts in") == 4 and "> L0: r = r " in shown.stdout
    assert shown.stdout.count(" L2: ") == 4 and shown.stdout.count(" L4: ") == 2
    assert shown.stdout.startswith(run("--show=2", "--max_depth=3", "--seed=5").stdout)
    wrong = run("--mixer=lstm,mambo")
    assert wrong.returncode == 1 and wrong.stderr.startswith("error: there is no mixer 'mambo'; there are lstm, gru")
    wrong = run("--layers=1,two")
    assert wrong.returncode == 1 and wrong.stderr == "error: --layers: 'two' is not a whole number from 1 on\n"


@pytest.mark.slow
def test_a_run_ends_in_a_table_and_is_done_only_once(tmp_path):
    arguments = ("--mixer=lstm,sum", "--max_depth=1", "--minutes=0.2", f"--out={tmp_path}")
    first = run(*arguments)
    assert first.returncode == 0, first.stderr
    assert "8,000 programs to learn from and 800 held out" in first.stdout and ": majority " in first.stdout
    assert "  blocks executed by depth, and their share: 1.0 (100%)\n" in first.stdout
    results = {path.parent.name.split("_")[0]: json.loads(path.read_text()) for path in tmp_path.glob("*/result.json")}
    assert results.keys() == {"lstm", "sum"} and results["lstm"]["step"] >= 250
    assert results["lstm"]["validation_by_depth"] == {"1": results["lstm"]["validation"]}
    again = run(*arguments)
    assert again.stdout.endswith((tmp_path / "frjt.md").read_text() + "\n")
    assert again.stdout in first.stdout and "step/s" not in again.stderr
