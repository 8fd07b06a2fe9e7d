"""`experiments.frjt`: its table and criticality from results with known numbers, and the program as users start it."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from data_gen.errors import UserError
from experiments.diagnostics import by_depth, frjt_report
from experiments.diagnostics.runs import Result, is_done, make_config, read_results, run_folder
from rcfam_jax.diagnostics.mixers import MIXERS


def result(mixer, layers, accuracies, **changes):
    """A result whose accuracies at depths 1, 2, ... are given."""
    told = {str(depth): accuracy for depth, accuracy in enumerate(accuracies, 1)}
    config = make_config({"max_depth": len(accuracies)}, mixer, layers, "cpu", seed=0)
    fields = {
        **{"config": config.to_dict(), "step": 500, "best_step": 250, "converged": True, "training": 1.0},
        **{"validation": sum(accuracies) / len(accuracies), "training_by_depth": told},
        **{"validation_by_depth": told, "parameters": 10, "seconds": 90.0, "compiled_share": 0.95},
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
    assert lines[2] == "| transformer | 1 | 64 | 0 | 4 | 1.0000 | 0.8350 | 0.9812 | 0.6564 | 500 | 1.5 of 45 |"
    assert lines[4].endswith("| 4 | 1.0000 | 0.9825 | 0.9990 | 0.9598 | 500 | 1.5 of 45 (not converged) |")
    fitted = "depth = 2.00 L by least squares over 2 points, off by at most 0.0"
    assert f"- transformer, d_model 64: L = 1: 2, L = 2: 4 ({fitted})" in lines
    assert "- lstm, d_model 64: L = 1: 4 or more" in lines
    text = "\n".join(lines)
    assert (
        "Made on 2 x CPU, at least 95.0% of the time in compiled steps" in text
        and "experiments.frjt --mixer=lstm\n" in text
    )


def test_a_depth_is_exceeded_where_any_run_tried_deeper_ones_and_widths_stay_apart():
    wide = result("lstm", 1, [0.99] * 3)
    wide.config["model"]["width"] = 256
    runs = [result("lstm", 1, [0.99] * 4), result("lstm", 1, [0.99, 0.99, 0.8, 0.8, 0.7]), wide]
    assert by_depth.criticality(runs) == {"lstm, d_model 64": {1: (4, True)}, "lstm, d_model 256": {1: (3, False)}}
    unsolved = [result("sum", layers, [0.6, 0.5]) for layers in (1, 2)]
    assert list(by_depth.criticality_lines(unsolved))[2:] == ["- sum, d_model 64: L = 1: 0, L = 2: 0"]
    uneven = [result("gru", layers, [0.99] * depth + [0.5]) for layers, depth in ((1, 2), (2, 1))]
    assert list(by_depth.criticality_lines(uneven))[2].endswith(
        "L = 1: 2, L = 2: 1 (depth = 0.80 L by least squares over 2 points, off by at most 1.2)"
    )


def test_plots_are_drawn(tmp_path):
    by_depth.plot_accuracy(RESULTS, str, "blocks", tmp_path / "accuracy.png")
    by_depth.plot_criticality(RESULTS, tmp_path / "criticality.png")
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
    faster = config.copy_and_resolve_references()
    faster.train.learning_rate *= 2
    with pytest.raises(UserError, match=r"another configuration: train.learning_rate: 0.002 -> 0.004"):
        is_done(tmp_path, faster)


@pytest.mark.parametrize("content", ["", "{}", '{"config": {', "[1]"])
def test_a_broken_result_is_named(content, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "result.json").write_text(content)
    with pytest.raises(UserError, match=r"run/result.json is no result of a run .*: delete it"):
        read_results(tmp_path)


def run(*arguments, timeout=300):
    command = [sys.executable, "-m", "experiments.frjt", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def test_programs_are_shown_and_wrong_flags_named():
    shown = run("--show=2", "--max_depth=3,5", "--seed=5")
    assert shown.returncode == 0 and shown.stdout.count("halts in") == 4 and "> L0: r = r " in shown.stdout
    assert shown.stdout.count(" L2: ") == 4 and shown.stdout.count(" L4: ") == 2
    assert shown.stdout.startswith(run("--show=2", "--max_depth=3", "--seed=5").stdout)
    wrong = run("--mixer=lstm,mambo")
    assert wrong.returncode == 1 and wrong.stderr.startswith("error: --mixer: there is no 'mambo'; there are lstm, gru")
    wrong = run("--layers=1,two")
    assert wrong.returncode == 1 and wrong.stderr == "error: --layers: 'two' is not a whole number from 1 on\n"
    for flag, rest in (("--layers", ""), ("--mixer", f"; there are {', '.join(MIXERS)}"), ("--max_depth", "")):
        wrong = run(f"{flag}=")
        assert wrong.returncode == 1 and wrong.stderr == f"error: {flag} lists nothing{rest}\n"
    for minutes in ("0", "nan"):
        wrong = run(f"--minutes={minutes}")
        assert wrong.returncode == 1 and "minutes" in wrong.stderr and "must be more than 0" in wrong.stderr


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
