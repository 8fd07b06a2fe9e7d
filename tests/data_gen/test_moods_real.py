"""Sessions in many moods, over random histories with odd paths: real bash, Vim and tmux show and write the same."""

import pathlib
import random
import shutil
import subprocess

import pytest
from real_programs import typed_beside_real_programs

from data_gen.record import Settings, record_history
from data_gen.replay import desk, session, typist
from data_gen.texz.recording import Recording

PATHS = [
    *("-x", "+y", "a b", "it's", "$(x)", "~", "~root", "#x", "%", "%:h", "!x", "[a]", "{a,b}", "*", "=x", "x=y", "@"),
    *("a:b", ":x", ":(top)x", "a\\b", ".vimrc", "plain", "tab,x", '"q"', "|", "&", "`x`", "^x", "<x>", "scp:x"),
    *("d/-x", "d/+y", "d/#", "d/a;b", "-d/e", "+d/f", "d/long-name-of-a-folder/g", "e/f/g/h", "e/f/i", "e/j", "e/'"),
]
WORDS = ["foo", "bar(x)", "é", "\x02", "\x16", "日本", "=", "if x:", "\tq", "", "\x1b", "O"]
MESSAGES = ["msg", "-m x", 'it\'s "q"', "$(x)\n\nbody\n# c", "\x02x", "- a"]


def git(folder: pathlib.Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


class Author:
    """Makes random commits."""

    def __init__(self, seed: int, folder: pathlib.Path):
        self._random = random.Random(seed)
        self._folder = folder
        self._paths = self._random.sample(PATHS, 30)
        self._lines: dict[str, list[str]] = {}

    def commit(self) -> None:
        for _ in range(self._random.randrange(1, 5)):
            path = self._random.choice(sorted(self._lines) or self._paths)
            change = self._random.choice([self._write] * 6 + [self._remove, self._move, self._change_mode, self._link])
            change(path if path in self._lines and change != self._write else self._random.choice(self._paths))
        git(self._folder, "add", "--all", ".")
        git(self._folder, "commit", "--quiet", "--allow-empty", "-m", self._random.choice(MESSAGES))

    def _is_free(self, path: str) -> bool:
        return not any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in self._lines)

    def _write(self, path: str) -> None:
        if self._is_free(path):
            lines = [line for line in self._lines.get(path, []) if self._random.random() > 0.2]
            for _ in range(self._random.randrange(4)):
                words = " ".join(self._random.choices(WORDS, k=self._random.randrange(6)))
                lines.insert(self._random.randrange(len(lines) + 1), self._random.choice(["", "\t", "  "]) + words)
            self._lines[path] = lines
            (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / path).unlink(missing_ok=True)
            (self._folder / path).write_text("\n".join(lines) + self._random.choice(["\n", "\n", ""]))

    def _remove(self, path: str) -> None:
        if self._lines.pop(path, None) is not None:
            (self._folder / path).unlink()

    def _move(self, path: str) -> None:
        target = self._random.choice(self._paths)
        if path in self._lines and target not in self._lines and self._is_free(target):
            shutil.rmtree(self._folder / target, ignore_errors=True)
            (self._folder / target).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / path).rename(self._folder / target)
            self._lines[target] = self._lines.pop(path)

    def _change_mode(self, path: str) -> None:
        if path in self._lines and not (self._folder / path).is_symlink():
            (self._folder / path).chmod(self._random.choice([0o644, 0o755]))

    def _link(self, path: str) -> None:
        if path in self._lines:
            self._lines[path] = []
            (self._folder / path).unlink()
            (self._folder / path).symlink_to(self._random.choice(["x", "-t", "a b/../c"]))


@pytest.fixture
def moody(monkeypatch) -> None:
    """Do often what a session does now and then."""
    monkeypatch.setattr(session, "_STAY_SHARE", 0.7)
    monkeypatch.setattr(session, "_CD_SHARE", 0.3)
    monkeypatch.setattr(session, "_STATUS_SHARE", 0.4)
    monkeypatch.setattr(desk, "_SHARES", {"window": 0.15, "beside": 0.2, "above": 0.15})
    monkeypatch.setattr(typist, "_MIN_KEYS_TO_SAVE", 20)
    monkeypatch.setattr(typist, "_SAVE_SHARE", 0.4)
    monkeypatch.setattr(typist, "_REOPEN_SHARE", 0.6)


@pytest.mark.slow
@pytest.mark.usefixtures("moody")
@pytest.mark.parametrize(
    ("rows", "columns", "style"), [(24, 80, "vim"), (12, 30, "arrows"), (13, 60, "vim"), (24, 54, "arrows")]
)
def test_real_programs_agree_with_a_moody_session(rows, columns, style, tmp_path):
    (tmp_path / "repository").mkdir()
    git(tmp_path / "repository", "init", "--quiet")
    author = Author(columns, tmp_path / "repository")
    for _ in range(30):
        author.commit()
    settings = Settings(rows=rows, columns=columns, style=style, frames_per_record=256)
    entry = record_history(tmp_path / "repository", "moody", tmp_path / "moody", settings, lambda progress: None)
    recording = Recording(tmp_path / "moody", entry, settings.frames_per_record)
    both = typed_beside_real_programs(recording, rows, columns)
    assert both.screens > 200
    assert both.differences == []
