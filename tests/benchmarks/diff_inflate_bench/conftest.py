"""Repositories made by hand."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[2] / "data_gen"))

from histories import Builder

STATES = (
    "a b r c d r e",
    "a X b r c d r e",
    "a X b r c d r E",
    "t1 t2 t3 t4 a X b r c d r E",
)


def lines(words):
    return "".join(f"{word}\n" for word in words.split())


@pytest.fixture
def moved(tmp_path):
    """A repository with one chain whose lines change and move; `lines` of `STATES` are the states of its file."""
    repo = Builder(tmp_path / "moved")
    for state in STATES:
        repo.write(b"moved.py", lines(state).encode())
        repo.commit()
    return repo
