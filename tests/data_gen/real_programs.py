"""A recording typed into the terminal and into real bash, Vim and tmux at the same time."""

from typing import Any

import pytest

from data_gen.texz.recording import Recording
from data_gen.verification.retyping import commits_of


def typed_beside_real_programs(recording: Recording, rows: int, columns: int) -> Any:
    """The `RealSession` after all commits; the test is skipped, naming what is missing, where there are none."""
    real = pytest.importorskip("data_gen.verification.against_real", reason="pexpect or pyte is not installed")
    if missing := pytest.importorskip("data_gen.terminal.real").missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    session = real.RealSession(recording, rows, columns)
    try:
        for commit in commits_of(recording):
            session.type(commit)
    finally:
        session.close()
    return session
