"""A walk through a maze as a picture: the path that was gone and the one that a model says."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from rcfam_jax.diagnostics.maze import WITHHELD, Maze, Walks


def picture(maze: Maze, walks: Walks, number: int, predicted_Mx2: np.ndarray) -> Figure:
    """A walk and what was predicted after each of its moves, not rounded."""
    path_Mx2 = walks.positions_PxMx2[number].astype(float)
    withheld_M = walks.tokens_PxT[number, 1::2] == WITHHELD
    wrong_M = (np.round(predicted_Mx2) != path_Mx2).any(axis=1)
    figure = Figure(figsize=(7, 7.6), layout="constrained")
    axes = figure.subplots()
    _draw_walls(axes, maze)
    start = np.array(divmod(maze.start, maze.size), float)
    _draw_path(axes, np.vstack([start, path_Mx2]), color="tab:blue", linewidth=6, alpha=0.3, label="the walk")
    _draw_path(axes, path_Mx2[withheld_M], "o", color="tab:blue", mfc="none", markersize=9, label="result withheld")
    _draw_path(axes, predicted_Mx2, ".-", color="tab:orange", linewidth=1, markersize=4, label="predicted")
    _draw_path(axes, predicted_Mx2[wrong_M], "x", color="tab:red", label="in the wrong cell")
    _draw_path(axes, start[None], "s", color="black", markersize=8, label="start")
    title = f"{len(path_Mx2)} moves, {withheld_M.sum()} results withheld: {(~wrong_M).mean():.1%} in the right cell"
    axes.set(title=title, aspect="equal", xlim=(-0.6, maze.size - 0.4), ylim=(maze.size - 0.4, -0.6))
    axes.axis("off")
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    return figure


def _draw_path(axes: Axes, places_Mx2: np.ndarray, *style: str, **options: Any) -> None:
    axes.plot(places_Mx2[:, 1], places_Mx2[:, 0], *style, **options)


def _draw_walls(axes: Axes, maze: Maze) -> None:
    """Each wall as a line on its side of the cell; columns go right and rows down."""
    corners_4x2x2 = np.array([[(-1, 1), (-1, -1)], [(-1, -1), (1, -1)], [(1, -1), (1, 1)], [(1, 1), (-1, 1)]]) / 2
    rows, columns, ways = np.nonzero(maze.walls_RxRx4)
    walls_Wx2x2 = np.stack([columns, rows], axis=1)[:, None] + corners_4x2x2[ways]
    axes.add_collection(LineCollection(list(walls_Wx2x2), colors="black", linewidths=2, capstyle="round"))
