"""Plots written so that they appear whole or not at all, and drawn without a display."""

import io
import pathlib

from matplotlib.figure import Figure

from data_gen.atomic import write_file


def write_figure(figure: Figure, path: pathlib.Path) -> None:
    """Write a figure, made without pyplot, as a PNG that does not name the version of matplotlib."""
    with io.BytesIO() as content:
        figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
        write_file(path, content.getvalue())
