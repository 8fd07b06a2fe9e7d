"""A film as an asciicast, version 2, which `asciinema play` and its web player show."""

import json

from data_gen.cells import CURSOR
from data_gen.viewing.film import Film, milliseconds
from data_gen.viewing.paint import ansi


def asciicast(film: Film, speed: float) -> bytes:
    """The file: a header, then for each frame that differs from the one before what changed in it.

    The cursor is the terminal's own. Commits are markers. The time between frames follows from the actions.
    """
    header = {"version": 2, "width": film.columns, "height": film.rows, "title": film.name}
    lines = [json.dumps(header)]
    elapsed = 0
    before = None
    place = ""
    markers = {commit.frame: str(commit) for commit in film.commits}
    for number, action, codepoints_RxC, styles_RxC in film:
        seconds = round(elapsed / 1000 / speed, 6)
        if number in markers:
            lines.append(json.dumps([seconds, "m", markers[number]]))
        plain_RxC = styles_RxC & (CURSOR - 1)
        output = ansi(codepoints_RxC, plain_RxC, before)
        cursor = divmod(int((styles_RxC >= CURSOR).argmax()), film.columns)
        previous_place, place = place, f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H"
        if output or place != previous_place:
            lines.append(json.dumps([seconds, "o", output + place]))
        before = codepoints_RxC, plain_RxC
        elapsed += milliseconds(action)
    return "\n".join([*lines, ""]).encode()
