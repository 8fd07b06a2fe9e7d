"""The recording of a hostile history, with commits, files, wide characters and escape sequences, made once."""

import dataclasses
import pathlib

import pytest
from histories import Builder

from data_gen.dataset import recording_folder, write_manifest
from data_gen.record import Settings, record_history
from data_gen.viewing.film import Film, open_film

HOSTILE = b"\x1b[2J\x1b]0;owned\x07\x9b31m <script>document.title='owned'</script><img src=x onerror=alert(1)> &amp;"


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A dataset's folder."""
    folder = tmp_path_factory.mktemp("hostile")
    repo = Builder(folder / "repository")
    repo.write(b"hello.py", b"def main():\n\tprint('hello')\n\n\nmain()\n")
    repo.write(b"wide.txt", "漢字 and 🙂 and größe\n\te\u0301 \u202e\n".encode())
    repo.commit(b"Begin\n")
    repo.write(b"<script>document.title='owned'<" + b"/script>.html", HOSTILE.replace(b"\x9b", b"\xc2\x9b") + b"\n")
    repo.write(b"esc\x1b[31m", b"left out\n")
    repo.commit(HOSTILE + b"\n")
    repo.write(b"hello.py", b"def main(name):\n\tprint('hello', name)\n\n\nmain('you')\n")
    repo.write(b"wide.txt", "漢 and 🙃 and größer\n".encode())
    repo.commit(b"Greet by name\n")
    settings = Settings(rows=10, columns=44, frames_per_record=64)
    entry = record_history(repo.folder, "hostile", recording_folder(folder, "hostile"), settings, lambda _: None)
    write_manifest(folder, 10, 44, 64, dataclasses.asdict(settings), [entry])
    return folder


@pytest.fixture
def film(dataset: pathlib.Path) -> Film:
    """All of its recording."""
    return open_film(dataset, None)
