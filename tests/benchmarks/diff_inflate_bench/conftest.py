"""Repositories made by hand."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[2] / "data_gen"))

from histories import Builder
from moved_lines import STATES, lines


@pytest.fixture
def moved(tmp_path):
    """A repository with one chain whose lines change and move; `lines` of `STATES` are the states of its file."""
    repo = Builder(tmp_path / "moved")
    for state in STATES:
        repo.write(b"moved.py", lines(state).encode())
        repo.commit()
    return repo
