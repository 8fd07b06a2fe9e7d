"""Intervals, and the report program on logs of the reference solvers."""

import contextlib
import pathlib
import subprocess
import sys

import pytest
from PIL import Image
from scipy.stats import binomtest

pytest.importorskip("inspect_ai", reason="needs inspect-ai (extra bench)")

from inspect_ai import eval as run_eval

from benchmarks.diff_inflate_bench.reference import copy_first, oracle
from benchmarks.diff_inflate_bench.results import Proportion, read_results
from benchmarks.diff_inflate_bench.samples import write_samples
from benchmarks.diff_inflate_bench.selection import Choice, choose_samples
from data_gen.errors import UserError

ROOT = pathlib.Path(__file__).parents[3]


def report(*arguments):
    command = [sys.executable, "-m", "benchmarks.diff_inflate_bench.report", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("hits, total", [(0, 48), (1, 48), (24, 48), (47, 48), (48, 48), (0, 1), (3, 7)])
def test_intervals_are_those_of_scipy(hits, total):
    expected = binomtest(hits, total).proportion_ci(0.95, method="wilson")
    assert Proportion(hits, total).wilson() == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_nothing_may_be_anything():
    assert Proportion(0, 0).wilson() == (0, 1)


def test_the_report_has_a_row_for_each_point(moved, tmp_path):
    samples, logs, out = tmp_path / "samples.jsonl", tmp_path / "logs", tmp_path / "out"
    write_samples(samples, choose_samples(str(moved.folder), Choice(patches=(1, 2))))
    for solver, context in ((oracle(), 3), (copy_first(), 3), (copy_first(), 1)):
        arguments = {"samples": str(samples), "context": context}
        with contextlib.chdir(ROOT):
            run_eval(
                "benchmarks/diff_inflate_bench/task.py", task_args=arguments, model="none", solver=solver,
                log_dir=str(logs), display="none",
            )  # fmt: skip
    result = report(logs, f"--out={out}")
    assert result.returncode == 0, result.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in result.stdout.splitlines()]
    assert [(row[:3], row[3].partition(" ")[0]) for row in rows[2:]] == [
        (["copy_first", "U3", "1"], "100%"), (["copy_first", "U3", "2"], "0%"),
        (["copy_first", "U1", "1"], "100%"), (["copy_first", "U1", "2"], "0%"),
        (["oracle", "U3", "1"], "100%"), (["oracle", "U3", "2"], "100%"),
    ]  # fmt: skip
    assert all(len(row) == 12 and row[7:9] == ["1", "0"] for row in rows[2:])
    assert (out / "report.md").read_text().startswith(result.stdout.rstrip("\n"))
    with Image.open(out / "accuracy.png") as picture:
        assert picture.width > picture.height


def test_without_logs_there_is_one_line(tmp_path):
    result = report(tmp_path / "logs", f"--out={tmp_path}/out")
    assert result.returncode == 1
    assert result.stderr == f"error: {tmp_path}/logs: no such folder\n"


def test_the_folder_of_logs_has_to_be_given(tmp_path):
    result = report(f"--out={tmp_path}/out")
    assert result.returncode == 1
    assert result.stderr == "error: LOGS is missing (see --help)\n"


@pytest.mark.parametrize("name, content", [("x.eval", b"PK"), ("x.json", b"{"), ("x.json", b"{}"), ("x.eval", b"")])
def test_a_damaged_log_is_named(tmp_path, name, content):
    name = f"2026-01-01T00-00-00-00-00_diff-inflate-bench_{name}"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name}: not a log that Inspect can read"):
        read_results(tmp_path)


def test_a_folder_without_logs_of_the_benchmark_is_named(tmp_path):
    (tmp_path / "2026-01-01T00-00-00-00-00_arithmetic_x.json").write_bytes(b"{}")
    with pytest.raises(UserError, match="no logs of diff_inflate_bench"):
        read_results(tmp_path)
