"""Plots written so that they appear whole or not at all, and drawn without a display wherever this is imported."""

import io
import pathlib

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from data_gen.atomic import write_file

matplotlib.use("Agg")


def write_figure(figure: Figure, path: pathlib.Path) -> None:
    """Write a figure as a PNG, which does not name the version of matplotlib, and close it."""
    with io.BytesIO() as content:
        figure.savefig(content, format="png", dpi=120, metadata={"Software": None})
        write_file(path, content.getvalue())
    plt.close(figure)
