"""Plots written so that they appear whole or not at all."""

import io
import pathlib

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from data_gen.atomic import write_file


def write_figure(figure: Figure, path: pathlib.Path) -> None:
    """Write a figure as a PNG and close it."""
    with io.BytesIO() as content:
        figure.savefig(content, format="png", dpi=120)
        write_file(path, content.getvalue())
    plt.close(figure)
