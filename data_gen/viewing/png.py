"""The first frame of a film as a PNG picture."""

import io

from data_gen.viewing.film import Film
from data_gen.viewing.paint import picture


def png(film: Film) -> bytes:
    """The file."""
    frame = film.frame(film.first)
    file = io.BytesIO()
    picture(frame.codepoints_RxC, frame.styles_RxC).save(file, "PNG")
    return file.getvalue()
