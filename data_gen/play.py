"""Look at a recording: play it in the terminal, or export a part of it.

  python -m data_gen.play --data=DIR
  python -m data_gen.play --data=DIR --recording=NAME --commit=3 --speed=4
  python -m data_gen.play --data=DIR --start=1000 --export=png --out=frame.png
  python -m data_gen.play --data=DIR --commit=2f1ab34 --frames=500 --export=gif --out=commit.gif
  python -m data_gen.play --data=DIR --export=asciicast --out=recording.cast
  python -m data_gen.play --data=DIR --tokenizer=FILE --export=html --out=recording.html

In a terminal, ? shows the keys. Where the input or the output is no terminal, the frames' text is printed without
colours and without waiting.
"""

import pathlib
import signal
import sys

from absl import flags

from data_gen.actions import describe
from data_gen.atomic import write_file
from data_gen.errors import UserError
from data_gen.program import run
from data_gen.tokenizer import Tokenizer
from data_gen.viewing.asciicast import asciicast
from data_gen.viewing.film import Film, open_film
from data_gen.viewing.gif import gif
from data_gen.viewing.page import DEFAULT_FRAMES, page
from data_gen.viewing.paint import plain_text
from data_gen.viewing.player import play
from data_gen.viewing.png import png

_DATA = flags.DEFINE_string("data", None, "The dataset's folder.", required=True)
_RECORDING = flags.DEFINE_string("recording", None, "The recording's name. By default the dataset's first.")
_START = flags.DEFINE_integer("start", None, "The first frame to show.", lower_bound=0)
_COMMIT = flags.DEFINE_string("commit", None, "The commit to begin with: its number, from 1 on, or how its id begins.")
_FRAMES = flags.DEFINE_integer("frames", None, "How many frames to show. By default all to the end.", lower_bound=1)
_SPEED = flags.DEFINE_float("speed", 1.0, "How fast to play: 1 is about 25 actions a second.", lower_bound=0.01)
_EXPORT = flags.DEFINE_enum(
    "export",
    None,
    ["png", "gif", "asciicast", "html"],
    "Write --out instead of playing: the first frame as a picture, an animation, a terminal session for asciinema, or "
    f"a page to play and step through in a browser, of {DEFAULT_FRAMES:,} frames unless --frames says otherwise.",
)
_OUT = flags.DEFINE_string("out", None, "The file that --export writes.")
_TOKENIZER = flags.DEFINE_string("tokenizer", None, "A tokenizer's file: the page then also steps by token.")


def main() -> None:
    """Play, export or print."""
    _check_flags()
    film = open_film(pathlib.Path(_DATA.value), _RECORDING.value)
    start = film.find_commit(_COMMIT.value).frame if _COMMIT.value else _START.value or 0
    film.cut(start, DEFAULT_FRAMES if _EXPORT.value == "html" and not _FRAMES.value else _FRAMES.value)
    if _EXPORT.value and _OUT.value:
        content = _exported(film)
        write_file(pathlib.Path(_OUT.value), content)
        what = f"frame {film.first:,}" if _EXPORT.value == "png" else f"frames {film.first:,} to {film.end - 1:,}"
        print(f"{_OUT.value}: {what} of the {film.total:,} of {film.name}, {len(content):,} bytes")
    elif sys.stdin.isatty() and sys.stdout.isatty():
        play(film, _SPEED.value)
    else:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when a reader such as `head` has seen enough
        for number, action, codepoints_RxC, _ in film:
            print(f"--- frame {number}, then {describe([action])}\n{plain_text(codepoints_RxC)}")


def _check_flags() -> None:
    if _START.value is not None and _COMMIT.value:
        raise UserError("--start and --commit both say where to begin: give one of them")
    if (_EXPORT.value is None) != (_OUT.value is None):
        raise UserError("--export says what to write and --out to which file: give both or none of them")
    if _TOKENIZER.value and _EXPORT.value != "html":
        raise UserError("--tokenizer is for --export=html")


def _exported(film: Film) -> bytes:
    """The content of the file to write."""
    if _EXPORT.value == "png":
        return png(film)
    if _EXPORT.value == "gif":
        return gif(film, _SPEED.value)
    if _EXPORT.value == "asciicast":
        return asciicast(film, _SPEED.value)
    tokenizer = Tokenizer.load(pathlib.Path(_TOKENIZER.value)) if _TOKENIZER.value else None
    return page(film, tokenizer, _SPEED.value)


if __name__ == "__main__":
    run(main)
