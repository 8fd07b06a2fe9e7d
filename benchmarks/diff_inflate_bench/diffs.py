"""The diffs of a chain, as git prints them.

The states are committed one after the other to a repository of their own, so that the text depends on them alone: not
on the configuration of the repository that they come from, and not on the number of its objects, by which git chooses
how many digits of their names it prints.
"""

import os
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence


def git_diffs(path: bytes, mode: int, states: Sequence[bytes], context: int) -> list[str]:
    """What `git diff -U{context}` prints from each state of the file at `path` to the next; the first creates it."""
    with tempfile.TemporaryDirectory(prefix="chain-") as folder:
        for name in ("objects", "refs"):
            pathlib.Path(folder, name).mkdir()
        pathlib.Path(folder, "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
        _git(folder, "fast-import", "--quiet", stdin=_import_stream(path, mode, states))
        log = _git(folder, "log", "--reverse", "--patch", f"--unified={context}", "--format=%x00", "main")
    return [patch.strip(b"\n").decode("utf-8") + "\n" for patch in log.split(b"\0")[1:]]


def _import_stream(path: bytes, mode: int, states: Sequence[bytes]) -> bytes:
    """A commit for each state, as `git fast-import` reads it."""
    return b"".join(
        b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 0\nM %o inline %s\ndata %d\n%s\n"
        % (second, mode, path, len(state), state)
        for second, state in enumerate(states)
    )


def _git(folder: str, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "HOME": folder,
        "GIT_DIR": folder,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return subprocess.run(
        ["git", "-c", "core.fsync=none", *arguments],
        cwd=folder,
        env=environment,
        input=stdin,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
