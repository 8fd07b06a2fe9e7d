"""Small datasets with any text in their cells and paths, also what no honest generator writes."""

import pathlib

from data_gen.dataset import recording_folder, write_manifest
from data_gen.terminal.screen import log_frame, new_log, new_screen
from data_gen.texz.recording import Event, RecordingWriter

ROWS, COLUMNS = 10, 44


def write_film(
    folder: pathlib.Path, frames: int, frames_per_record: int, path: bytes = b"file", text: str = "text"
) -> None:
    """A dataset in which `text` is typed over and over, cell by cell, with one commit and one file from frame 0 on."""
    writer = RecordingWriter(recording_folder(folder, "typed"), frames_per_record)
    screen = new_screen(ROWS, COLUMNS)
    for first in range(0, frames, frames_per_record):
        log = new_log(frames_per_record, ROWS, COLUMNS)
        screen.dirty_R[:] = True
        for frame in range(first, min(frames, first + frames_per_record)):
            row, column = divmod(frame, COLUMNS)
            log_frame(screen, log, 0x61 + frame % 26)
            screen.codepoints_RxC[row % ROWS, column] = ord(text[frame % len(text)])
            screen.dirty_R[row % ROWS] = True
            screen.cursor_2[:] = row % ROWS, column
        ids = "ab" * 20, "cd" * 20
        events = [Event(0, "commit", *ids, b""), Event(0, "file", *ids, path)] if first == 0 else []
        writer.add(log, events)
    entry = {"name": "typed", "head": "ab" * 20, "commits": 1, "files_edited": 1, "skipped": {}, **writer.close()}
    write_manifest(folder, ROWS, COLUMNS, frames_per_record, {"seed": 0}, [entry])
