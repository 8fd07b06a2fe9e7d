"""Play a recording in the terminal, or save one of its frames as a picture.

  python -m data_gen.play --data=DIR
  python -m data_gen.play --data=DIR --recording=NAME --start=1000 --speed=4
  python -m data_gen.play --data=DIR --start=1000 --png=frame.png

Ctrl-C stops. Where the output is no terminal, the frames' text is printed without colours and without waiting.
"""

import pathlib
import sys
import time
from collections.abc import Iterator

import numpy as np
from absl import flags

from data_gen import paint
from data_gen.actions import describe
from data_gen.dataset import Dataset
from data_gen.errors import UserError
from data_gen.program import run
from data_gen.texz.recording import Recording

_DATA = flags.DEFINE_string("data", None, "The dataset's folder.", required=True)
_RECORDING = flags.DEFINE_string("recording", None, "The recording's name. By default the dataset's first.")
_START = flags.DEFINE_integer("start", 0, "The first frame to show.", lower_bound=0)
_FRAMES = flags.DEFINE_integer("frames", None, "How many frames to show. By default all to the end.", lower_bound=1)
_SPEED = flags.DEFINE_float("speed", 1.0, "How fast to play: 1 is 25 actions a second.", lower_bound=0.01)
_PNG = flags.DEFINE_string("png", None, "Write frame START to this file as a picture instead of playing.")

_ACTIONS_PER_SECOND = 25
_CHUNK = 64


def main() -> None:
    """Play, or write one picture."""
    recording = _chosen(Dataset(pathlib.Path(_DATA.value)))
    if _PNG.value:
        codepoints_1xRxC, styles_1xRxC = recording.read(np.array([_START.value]))
        paint.picture(codepoints_1xRxC[0], styles_1xRxC[0]).save(_PNG.value, format="PNG")
        print(f"{_PNG.value}: frame {_START.value} of {recording.name}")
    elif sys.stdout.isatty():
        play(recording, _START.value, _end(recording), _SPEED.value)
    else:
        for frame, action, codepoints_RxC, _ in frames(recording, _START.value, _end(recording)):
            print(f"--- frame {frame}, then {describe([action])}\n{paint.plain_text(codepoints_RxC)}")


def play(recording: Recording, start: int, end: int, speed: float) -> None:
    """Show frames [start, end) in this terminal, each with the action that follows it, and leave the screen clean."""
    delay = 1 / (_ACTIONS_PER_SECOND * speed)
    write = sys.stdout.write
    write("\x1b[?1049h\x1b[?25l\x1b[2J")  # the alternate screen, without a cursor
    due = time.monotonic()
    try:
        for frame, action, codepoints_RxC, styles_RxC in frames(recording, start, end):
            caption = f"{recording.name}  {frame + 1:,}/{recording.frames:,}  {describe([action])}"
            write(f"\x1b[H{paint.ansi(codepoints_RxC, styles_RxC)}\r\n\x1b[K{caption}")
            sys.stdout.flush()
            due += delay
            time.sleep(max(0.0, due - time.monotonic()))
    finally:
        write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()


def frames(recording: Recording, start: int, end: int) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Frame numbers, actions, codepoints_RxC and styles_RxC of frames [start, end)."""
    for first in range(start, end, _CHUNK):
        numbers = np.arange(first, min(end, first + _CHUNK))
        codepoints_FxRxC, styles_FxRxC = recording.read(numbers)
        records = numbers // recording.frames_per_record
        actions_of = {int(record): recording.record_actions(int(record)) for record in np.unique(records)}
        for number, record, codepoints_RxC, styles_RxC in zip(
            numbers, records, codepoints_FxRxC, styles_FxRxC, strict=True
        ):
            action = actions_of[int(record)][number % recording.frames_per_record]
            yield int(number), int(action), codepoints_RxC, styles_RxC


def _chosen(dataset: Dataset) -> Recording:
    name = _RECORDING.value or next(iter(dataset.recordings))
    if name not in dataset.recordings:
        raise UserError(f"no recording {name!r} in {_DATA.value}: there are {', '.join(dataset.recordings)}")
    recording = dataset.recordings[name]
    if _START.value >= recording.frames:
        raise UserError(f"--start={_START.value}: {name} has frames 0 to {recording.frames - 1}")
    return recording


def _end(recording: Recording) -> int:
    return min(recording.frames, _START.value + (_FRAMES.value or recording.frames))


if __name__ == "__main__":
    run(main)
