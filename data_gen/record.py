"""One git history replayed into one recording, from where an interrupted run left it."""

import concurrent.futures
import dataclasses
import json
import pathlib
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from data_gen.atomic import write_file
from data_gen.dataset import to_json, write_entry
from data_gen.replay.history import Commit, History, HistoryError
from data_gen.replay.proof import check, check_tree
from data_gen.replay.session import Session
from data_gen.replay.typist import Typist
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.screen import FrameLog, clear_log, new_log
from data_gen.texz.record import Codec
from data_gen.texz.recording import Event, RecordingWriter

_SOURCE = "source.json"
"""In a recording's folder: the commit that HEAD was when the recording was begun, be it in the recording or not."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a recording's bytes beside the history itself."""

    rows: int = 48
    columns: int = 160
    seed: int = 0
    max_commits: int | None = None  # the oldest so many
    max_frames: int | None = None  # stop after the commit in which so many are reached
    style: str = "vim"  # of typing: one of `typist.STYLES`
    max_actions: int = 100_000  # a file whose change needs more is left out from then on
    frames_per_record: int = 1024
    codec: str = "columnar"  # a `Codec`'s name


class Progress(NamedTuple):
    """How far a recording has come."""

    planned: int  # commits
    commits: int
    actions: int


class _Sink:
    """Takes full logs from the terminal and has them encoded and written on a thread, while the next one fills."""

    def __init__(self, writer: RecordingWriter, settings: Settings):
        self._writer = writer
        self._spare = new_log(settings.frames_per_record, settings.rows, settings.columns)
        self._events: list[Event] = []
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "encoder")
        self._writing: concurrent.futures.Future | None = None
        self._logged = 0

    def announce(self, events: Iterable[Event]) -> None:
        """Events of frames that are about to be logged, in order."""
        self._events.extend(events)

    def __call__(self, log: FrameLog) -> FrameLog:
        """Have `log` written, and return an empty one to go on with."""
        self._logged += int(log.size_2[0])
        within = [event for event in self._events if event.frame < self._logged]
        self._events = self._events[len(within) :]
        self.wait()
        self._writing = self._thread.submit(self._writer.add, log, within)
        self._spare, spare = log, self._spare
        clear_log(spare)
        return spare

    def wait(self) -> None:
        """Return when nothing is being written; raise what went wrong."""
        if self._writing is not None:
            self._writing.result()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def record_history(
    repository: pathlib.Path,
    name: str,
    folder: pathlib.Path,
    settings: Settings,
    on_commit: Callable[[Progress], None],
) -> dict:
    """Replay `repository` into the recording `name` in `folder`, and complete it with its entry in the manifest,
    which is returned.

    After each commit every file that it changed is compared with git's, and at the end the whole tree: `ReplayError` if
    one differs. `on_commit` hears of the progress after each. A recording that was begun is continued: everything is
    typed again, but full files are kept; `HistoryError` if HEAD is no longer the commit that it was begun with.
    """
    writer = RecordingWriter(folder, settings.frames_per_record, codec=Codec[settings.codec.upper()])
    sink = _Sink(writer, settings)
    try:
        with History(repository, settings.max_commits) as history:
            check_head(folder, history)
            planned = history.count()
            write_file(folder / _SOURCE, to_json({"head": history.head}))
            terminal = Terminal(settings.rows, settings.columns, name, sink, settings.frames_per_record)
            typist = Typist(_seed(settings.seed, name, "typist"), settings.max_actions, settings.style)
            session = Session(_seed(settings.seed, name, "session"), history, typist, settings.rows, settings.columns)
            frames = commits = files = 0
            for commit in history:
                script = session.script(commit)
                sink.announce(_events(script.events, frames, commit))
                terminal.type(script.actions)
                check(terminal.filesystem, commit, history, session.left_out.keys())
                frames += len(script.actions)
                commits += 1
                files += sum(kind == "file" for _, kind, _, _ in script.events)
                on_commit(Progress(planned, commits, frames))
                if settings.max_frames is not None and frames >= settings.max_frames:
                    break
            check_tree(terminal.filesystem, commit, history, session.left_out.keys())
            terminal.close()
            sink.wait()
            entry = {
                "name": name,
                "head": commit.id,
                "commits": commits,
                "files_edited": files,
                "skipped": dict(sorted(session.skipped.items())),
                **writer.close(),
            }
            write_entry(folder, entry)
            return entry
    finally:
        sink.close()


def check_head(folder: pathlib.Path, history: History) -> None:
    """`HistoryError` if the recording in `folder` was begun when HEAD was another commit."""
    if (folder / _SOURCE).is_file():
        head = json.loads((folder / _SOURCE).read_bytes())["head"]
        if head != history.head:
            raise HistoryError(
                f"{history.path}: HEAD was {head} when the recording was begun, but is {history.head} now: "
                f"move it back, or remove {folder} to record it anew"
            )


def _events(events: Iterable[tuple[int, str, bytes, str]], first_frame: int, commit: Commit) -> list[Event]:
    return [Event(first_frame + event[0], event[1], commit.id, commit.tree, *event[2:]) for event in events]


def _seed(seed: int, name: str, part: str) -> int:
    """A seed for one part of one recording that does not depend on the other recordings."""
    words = [seed, zlib.crc32(name.encode()), zlib.crc32(part.encode())]
    return int(np.random.SeedSequence(words).generate_state(1)[0])
