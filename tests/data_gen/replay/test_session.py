"""Sessions: what they type rebuilds every history, in the in-process terminal and in real bash and git."""

import pathlib
import re
import subprocess

import numpy as np
import pytest
from histories import BUILDERS, Builder

from data_gen.actions import to_bytes
from data_gen.replay.history import Commit, History
from data_gen.replay.proof import ReplayError, check, check_tree
from data_gen.replay.session import MAX_MESSAGE_BYTES, Session
from data_gen.replay.typist import Typist
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.screen import FrameLog, clear_log
from data_gen.terminal.words import quote

DOTFILES = pathlib.Path(__file__).parents[3] / "data_gen" / "terminal" / "dotfiles"


ONE_WINDOW = 15
"""Columns that have no room for the names of two windows."""


def forget(log: FrameLog) -> FrameLog:
    clear_log(log)
    return log


def replay(history: History, session: Session, terminal: Terminal) -> Commit:
    """Replay all of `history`, checked after every commit; the last commit."""
    for commit in history:
        terminal.type(session.script(commit).actions)
        check(terminal.filesystem, commit, history, session.left_out.keys())
        check_tree(terminal.filesystem, commit, history, session.left_out.keys())
        assert terminal.message == with_newline(commit.message)
    return commit


def with_newline(message: bytes) -> bytes:
    return message if message.endswith(b"\n") or not message else message + b"\n"


@pytest.mark.parametrize("name", BUILDERS)
def test_a_replay_rebuilds_every_commit(repositories, name):
    with History(repositories[name]) as history:
        session = Session(0, history, Typist(0), 24, 80)
        replay(history, session, Terminal(24, 80, name, forget, 1024))


class FileTypist(Typist):
    """Instead of keys types one mark for each file, and keeps what the file should hold."""

    MARK = 1

    def __init__(self) -> None:
        super().__init__(0)
        self.contents: list[bytes] = []

    def edit(self, old: bytes | None, new: bytes) -> list[np.ndarray]:
        self.contents.append(new)
        return [np.array([self.MARK], np.uint16)]


@pytest.mark.parametrize("name", BUILDERS)
def test_real_bash_and_git_accept_what_is_typed(repositories, name, tmp_path):
    typist = FileTypist()
    keys, expected = b"", []
    with History(repositories[name]) as history:
        session = Session(0, history, typist, 24, ONE_WINDOW)
        for commit in history:
            keys += to_bytes(session.script(commit).actions)
            files = history.tree_files(commit.id).items()
            expected.append((commit.message, {path: file for path, file in files if path not in session.left_out}))
    for number, content in enumerate(typist.contents):
        (tmp_path / f"content-{number}").write_bytes(content)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    environment["GIT_CONFIG_GLOBAL"] = str(DOTFILES / "gitconfig")
    project = tmp_path / "project"
    subprocess.run(["git", "init", "--quiet", project], env=environment, check=True)
    begin = f"source {DOTFILES}/bashrc 2>{tmp_path}/complaints; set -o errexit; number=0\n"
    begin += f'vim() {{ cat "{tmp_path}/content-$number" > "$1"; number=$((number + 1)); }}\n'
    script = begin.encode() + keys.replace(b"\r", b"\n").replace(bytes([typist.MARK]), b"")
    script = re.sub(rb"(?m)^(:w|:q|:wq)\n", b"", script)
    script = re.sub(rb"(?m)^:e ", b"vim ", script)
    bash = subprocess.run(
        ["bash", "--norc", "--noprofile"], input=script, cwd=project, env=environment, capture_output=True
    )
    assert (bash.returncode, bash.stderr) == (0, b"")
    with History(project) as history:
        replayed = [(commit.message, history.tree_files(commit.id)) for commit in history]
    assert replayed == [(with_newline(message), files) for message, files in expected]


def test_the_same_seed_types_the_same(repositories):
    def keys(seed: int) -> list[int]:
        with History(repositories["odd_kinds"]) as history:
            session = Session(seed, history, Typist(seed), 24, 80)
            return [action for commit in history for action in session.script(commit).actions.tolist()]

    assert keys(1) == keys(1)


def test_events_point_at_what_begins(repositories):
    with History(repositories["ordinary"]) as history:
        session = Session(0, history, Typist(0), 24, 80)
        for commit in history:
            script = session.script(commit)
            assert script.events[0] == (0, "commit", b"", "")
            assert [kind for _, kind, _, _ in script.events].count("message") == 1
            for offset, kind, path, _ in script.events:
                rest = to_bytes(script.actions[offset:])
                if kind == "file":
                    assert re.match(rb"(vim|:e) ([^\r]+/)?" + re.escape(path.rpartition(b"/")[2]) + rb"\r", rest)
                if kind == "message":
                    assert rest.startswith(quote(commit.message[:-1]).split(b"\n")[0] + b"\r")


def test_what_cannot_be_typed_is_left_out_and_counted(tmp_path):
    repo = Builder(tmp_path / "repo")
    repo.write(b"binary", b"a\0b")
    repo.write(b"latin", b"\xe9")
    repo.write(b"large", b"x" * 2000)
    repo.write(b"many\nkeys", b"")
    repo.write(b"many", b"x" * 900)
    repo.write(b"good", b"good\n")
    repo.git("update-index", "--add", "--cacheinfo", "160000," + "1" * 40 + ",module")
    repo.commit(b"m" * (MAX_MESSAGE_BYTES + 1))
    repo.move(b"latin", b"moved")
    repo.write(b"good", b"b\0d\n")
    repo.commit()
    repo.write(b"moved", b"text now\n")
    repo.write(b"good", b"good again\n")
    repo.remove(b"binary")
    repo.commit()
    repo.write(b"binary", b"text\n")
    repo.commit()
    with History(repo.folder, max_blob_bytes=1000) as history:
        session = Session(0, history, Typist(0, max_actions=500), 10, 40)
        terminal = Terminal(10, 40, "repo", forget, 64)
        left_out = []
        for commit in history:
            terminal.type(session.script(commit).actions)
            check_tree(terminal.filesystem, commit, history, session.left_out.keys())
            left_out.append(session.left_out.keys() - {b"large", b"many", b"many\nkeys"})
    assert left_out == [{b"binary", b"latin"}, {b"binary", b"moved", b"good"}, {b"moved", b"good"}, {b"moved", b"good"}]
    assert dict(terminal.filesystem.entries()).keys() == {b"binary"}
    assert session.skipped == {
        "binary": 2,
        "not UTF-8": 1,
        "too large": 1,
        "too many actions": 1,
        "unprintable path": 1,
        "end of a long message": 1,
    }


def test_a_difference_is_found_and_named(repositories):
    folder = repositories["ordinary"]
    with History(folder) as history:
        session = Session(0, history, Typist(0), 24, 80)
        terminal = Terminal(24, 80, "ordinary", forget, 1024)
        last = replay(history, session, terminal)
        begin = next(iter(history))
        files = terminal.filesystem
        files.write(b"lib/main.py", b"changed")
        with pytest.raises(ReplayError, match=rf"{folder}: {last.id}: b'lib/main.py' is Entry.*, but git has Entry"):
            check_tree(files, last, history, set())
        with pytest.raises(ReplayError, match=rf"{begin.id}: b'README.md' is None, but git has Entry"):
            check(files, begin, history, set())
        files.remove(b"lib/main.py")
        check_tree(files, last, history, {b"lib/main.py"})
        files.write(b"extra", b"")
        with pytest.raises(ReplayError, match=r"b'extra' is Entry.*, but git has None"):
            check_tree(files, last, history, {b"lib/main.py"})
        files.remove(b"extra")
        with pytest.raises(ReplayError, match=r"b'gone' was left out, but git does not have it"):
            check_tree(files, last, history, {b"lib/main.py", b"gone"})


def test_a_mode_is_compared(repositories):
    with History(repositories["ordinary"]) as history:
        terminal = Terminal(24, 80, "ordinary", forget, 1024)
        last = replay(history, Session(0, history, Typist(0), 24, 80), terminal)
        terminal.filesystem.set_executable(b"lib/main.py", False)
        with pytest.raises(ReplayError, match=rf"main.py' is Entry\(mode={0o100644}.* git has Entry\(mode={0o100755}"):
            check_tree(terminal.filesystem, last, history, set())
