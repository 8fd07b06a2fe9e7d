"""A film as an animated GIF."""

import io

from data_gen.errors import UserError
from data_gen.viewing.film import Film, milliseconds
from data_gen.viewing.paint import picture

MAX_FRAMES = 1000
_TICK = 10
"""Milliseconds: the unit of a GIF's times."""

_SHORTEST = 20
"""Milliseconds: what is shorter, browsers show for 100."""


def gif(film: Film, speed: float) -> bytes:
    """The file, without frames that would be shown for less than a browser can; `UserError` if they are too many."""
    if len(film) > MAX_FRAMES:
        raise UserError(f"{len(film):,} frames are too many for a GIF: choose at most {MAX_FRAMES:,} with --frames")
    shown, durations = _schedule([milliseconds(film.action(n)) / speed for n in range(film.first, film.end)])
    frames = (film.frame(film.first + position) for position in shown)
    first, *others = (picture(frame.codepoints_RxC, frame.styles_RxC) for frame in frames)
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
    return file.getvalue()


def _schedule(delays: list[float]) -> tuple[list[int], list[int]]:
    """Which frames to show and for how long, in milliseconds: of those that follow too soon on another, the last."""
    shown: list[int] = []
    starts: list[int] = []
    elapsed = 0.0
    for position, delay in enumerate(delays):
        start = round(elapsed / _TICK) * _TICK
        if shown and start - starts[-1] < _SHORTEST:
            shown[-1] = position
        else:
            shown.append(position)
            starts.append(start)
        elapsed += delay
    end = max(round(elapsed / _TICK) * _TICK, starts[-1] + _SHORTEST)
    return shown, [after - before for before, after in zip(starts, [*starts[1:], end], strict=True)]
