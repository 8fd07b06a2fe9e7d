"""`experiments.true_depth` as its users start it."""

import io
import pathlib
import subprocess
import sys

import pytest
from PIL import Image


def run(*arguments):
    command = [sys.executable, "-m", "experiments.true_depth", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_it_prints_a_table_and_writes_it_with_a_plot_the_same_every_time(tmp_path):
    folders = tmp_path / "first", tmp_path / "second"
    results = [run("--mixers=lstm,sum", "--reductions=unit", f"--out={folder}") for folder in folders]
    assert results[0].returncode == 0, results[0].stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in results[0].stdout.splitlines()]
    # An LSTM: the input's product and bias, then seven operations a step; the sum: a sum, then the product with W_o.
    assert rows[2][:4] == ["lstm", f"{2 + 7 * 16}", f"{2 + 7 * 1024:,}", "linear"]
    assert rows[3] == ["sum", "2", "2", "constant", "2", "2", "constant"]
    assert (folders[0] / "true_depth.md").read_text() == results[0].stdout
    pictures = [(folder / "true_depth.png").read_bytes() for folder in folders]
    assert pictures[0] == pictures[1]
    assert Image.open(io.BytesIO(pictures[0])).size == (1200, 600)


@pytest.mark.parametrize("mixers, complaint", [("lstm,mambo", ": there is no 'mambo'"), ("", " lists nothing")])
def test_mixers_that_there_are_not_are_named_in_one_line(mixers, complaint):
    result = run(f"--mixers={mixers}")
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: --mixers{complaint}; there are lstm, gru")
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("reductions", ["unit", "log"])
def test_the_documentation_shows_what_the_program_prints(reductions):
    documentation = pathlib.Path(__file__).parents[2] / "docs" / "true_depth.md"
    assert run(f"--reductions={reductions}").stdout in documentation.read_text()
