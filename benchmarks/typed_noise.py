"""A dataset of one recording of random keys, typed on a bare screen that is cleared when it is full."""

import pathlib

import numpy as np

from data_gen.dataset import recording_folder, write_manifest
from data_gen.terminal.screen import clear_log, log_frame, log_is_full, new_log, new_screen
from data_gen.texz.recording import RecordingWriter

ROWS, COLUMNS, FRAMES_PER_RECORD = 8, 40, 1024


def write_noise(folder: pathlib.Path, frames: int, seed: int = 0) -> None:
    """Write so many frames, each with the key that is typed next, into `folder`."""
    writer = RecordingWriter(recording_folder(folder, "noise"), FRAMES_PER_RECORD)
    screen, log = new_screen(ROWS, COLUMNS), new_log(FRAMES_PER_RECORD, ROWS, COLUMNS)
    keys = np.random.default_rng(seed).integers(33, 127, frames)
    for frame, key in enumerate(keys.tolist()):
        log_frame(screen, log, key)
        row, column = divmod(frame % (ROWS * COLUMNS), COLUMNS)
        if row == column == 0:
            screen.codepoints_RxC[:] = ord(" ")
            screen.dirty_R[:] = True
        screen.codepoints_RxC[row, column] = key
        screen.styles_RxC[row, column] = key % 64
        screen.cursor_2[:] = row, column
        screen.dirty_R[row] = True
        if log_is_full(log):
            writer.add(log, [])
            clear_log(log)
    if log.size_2[0]:
        writer.add(log, [])
    write_manifest(folder, ROWS, COLUMNS, FRAMES_PER_RECORD, {"seed": seed}, [{"name": "noise", **writer.close()}])
