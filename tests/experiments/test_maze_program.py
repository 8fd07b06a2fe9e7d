"""`experiments.maze` as its users start it."""

import json
import re
import subprocess
import sys

import pytest
from PIL import Image


def run(*arguments):
    command = [sys.executable, "-m", "experiments.maze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def rows_of(table):
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]


def test_it_shows_the_maze_and_walks_through_it():
    result = run("--show=3", "--size=5", "--depth=2")
    assert result.returncode == 0, result.stderr
    drawing, *walks = result.stdout.strip("\n").split("\n\n")
    assert len(drawing.splitlines()) == 11 and drawing.count("<>") == 1
    assert len(walks) == 3
    for walk in walks:
        lines = walk.splitlines()
        assert len(lines) == 10 and walk.count("WITHHELD") == 2
        for line in lines:
            assert re.fullmatch(r"(LEFT|RIGHT|UP|DOWN), (\1|UNCHANGED|WITHHELD) +[0-4] +[0-4]", line), line


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--depth=9", "--moves=8"], "--depth=9: of 8 results 9 cannot be withheld"),
        (["--depth=1"], "--depth=1: there are not 51000 different walks of 5 moves"),
    ],
)
def test_walks_that_there_are_not_are_named_in_one_line(arguments, message, tmp_path):
    result = run(*arguments, f"--out={tmp_path}")
    assert (result.returncode, result.stderr) == (1, f"error: {message}\n")


@pytest.mark.slow
def test_an_lstm_learns_what_a_sum_cannot_and_what_is_done_is_left_alone(tmp_path):
    arguments = ["--mixer=sum,lstm", "--size=5", "--depth=4", "--moves=12", "--minutes=0.01", f"--out={tmp_path}"]
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    table = (tmp_path / "maze.md").read_text()
    assert result.stdout.endswith(table + "\n")
    accuracies = {row[0]: float(row[8]) for row in rows_of(table)[2:]}
    counted = float(re.search(r"withheld results taken for done +([0-9.]+)%", table)[1]) / 100
    assert counted < 0.5 and accuracies["sum"] < 0.6 and accuracies["lstm"] > 0.7, table
    folders = [path.parent for path in tmp_path.glob("*/result.json")]
    assert len(folders) == 2
    for folder in folders:
        measured = json.loads((folder / "result.json").read_bytes())
        assert abs(measured["validation"] - accuracies[measured["config"]["model"]["mixer"]]) <= 0.00005
        assert Image.open(folder / "walk.png").size == (840, 912)
        assert (folder / "walks.txt").read_text() in table
        by_depth = measured["validation_by_depth"]
        assert list(by_depth) == ["0", "1", "2", "3", "4"] and by_depth["0"] > by_depth["4"]
        assert f"- {measured['config']['model']['mixer']}, d_model 64: L = 1: " in table
    assert all((tmp_path / f"{name}.png").exists() for name in ("maze", "criticality"))
    again = run(*arguments)
    assert again.stdout == table + "\n"


@pytest.mark.slow
def test_a_sum_is_enough_where_nothing_is_withheld(tmp_path):
    result = run("--mixer=sum", "--size=5", "--depth=0", "--moves=12", f"--out={tmp_path}")
    assert result.returncode == 0, result.stderr
    [row] = rows_of((tmp_path / "maze.md").read_text())[2:]
    assert row[:7] == ["sum", "1", "64", "0", "5 x 5", "12", "0"] and row[8] == "1.0000"
