"""The picture of a walk, looked at pixel by pixel."""

import numpy as np
from PIL import Image

from experiments.diagnostics.maze_picture import picture
from rcfam_jax.analysis.figures import write_figure
from rcfam_jax.diagnostics import maze


def test_walls_and_paths_are_where_the_maze_and_the_walk_have_them(tmp_path):
    field = maze.draw_maze(6, 3)
    walks, _ = maze.build(field, 20, 4, 3, 1, seed=0)
    predicted_Mx2 = walks.positions_PxMx2[1] + np.array([0.0, 0.25])
    write_figure(picture(field, walks, 1, predicted_Mx2), tmp_path / "walk.png")
    pixels = np.asarray(Image.open(tmp_path / "walk.png").convert("RGB")).astype(int)
    is_dark = pixels.max(axis=2) < 100
    rows = np.flatnonzero(is_dark.mean(axis=1) > 0.8)
    columns = np.flatnonzero(is_dark[rows[0] : rows[-1]].mean(axis=0) > 0.8)

    def pixel(row: float, column: float) -> tuple[slice, slice]:
        """The surroundings of a place in the maze: the outer walls are half a cell beyond its first and last cells."""
        y = rows[0] + (rows[-1] - rows[0]) * (row + 0.5) / field.size
        x = columns[0] + (columns[-1] - columns[0]) * (column + 0.5) / field.size
        return slice(round(y) - 3, round(y) + 4), slice(round(x) - 3, round(x) + 4)

    steps = {maze.Way.LEFT: (0, -0.5), maze.Way.UP: (-0.5, 0), maze.Way.RIGHT: (0, 0.5), maze.Way.DOWN: (0.5, 0)}
    for row, column in np.ndindex(field.size, field.size):
        for way, (down, right) in steps.items():
            assert is_dark[pixel(row + down, column + right)].any() == field.walls_RxRx4[row, column, way]
    is_blue = pixels[..., 2] - pixels[..., 0] > 30
    is_orange = pixels[..., 0] - pixels[..., 2] > 100
    visited = {tuple(cell) for cell in walks.positions_PxMx2[1].tolist()}
    for cell in np.ndindex(field.size, field.size):
        if cell != divmod(field.start, field.size):  # on which a black square lies
            assert is_blue[pixel(*cell)].any() == (cell in visited)
    for row, column in predicted_Mx2:
        assert is_orange[pixel(row, column)].any()
