"""The Maze Position Tracking Task: where somebody is who walks through a known maze (paper, 8.1.2 to 8.1.4).

The maze is the same for all walks, and they all start in its middle. A move is two tokens: which way is tried, then
what is told of it: the same way again, UNCHANGED if a wall was there, or WITHHELD. A withheld result follows only from
where one is, and so, in turn, from all withheld results before it. Their number is the walk's depth.

Results that are told show an observer who knows the maze where the walker may be, too. So the depth that is needed is
bounded, however many results are withheld: `maze_statistics` measures how soon the moves alone tell the cell.

Walls. A random spanning tree connects the cells; of the walls that it leaves, a quarter are opened too. A move then
hits a wall as often as not: a withheld result is worth a whole bit, and counting it as done or as not done is equally
wrong. In the tree alone, walks stay in one branch and see less than half of the cells; with most walls gone, counting
moves is nearly right.

Walks do not look where they go, so a try tells nothing of how those before it went. No try undoes the one before it:
such pairs cancel each other, mostly, and a walk full of them stays near its start.
"""

import enum
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rcfam_jax.diagnostics.distinct import distinct


class Way(enum.IntEnum):
    """The ways clockwise, as tokens; the one told of a move is `Way + TOLD`."""

    LEFT = 0
    UP = 1
    RIGHT = 2
    DOWN = 3


TOLD = 4
UNCHANGED, WITHHELD = 8, 9
VOCABULARY_SIZE = 10
STEPS_4x2 = np.array([[0, -1], [-1, 0], [0, 1], [1, 0]])
"""What each way adds to row and column."""

MAX_SIZE = 256
_OPENED_SHARE = 0.25


class Maze(NamedTuple):
    """R x R cells, each with a wall or none on each side, in the order of `Way`."""

    walls_RxRx4: np.ndarray  # bool

    @property
    def size(self) -> int:
        """How many rows and columns there are, R."""
        return len(self.walls_RxRx4)

    @property
    def start(self) -> int:
        """The cell in the middle. Cells are numbered row by row."""
        return (self.size // 2) * self.size + self.size // 2

    @property
    def arrivals_Nx4(self) -> np.ndarray:
        """The cell that each of the N cells is left for by each way: itself if a wall is there."""
        cells_Nx1 = np.arange(self.size**2)[:, None]
        return np.where(self.walls_RxRx4.reshape(-1, 4), cells_Nx1, cells_Nx1 + STEPS_4x2 @ [self.size, 1])


class Walks(NamedTuple):
    """P walks of M moves each."""

    tokens_PxT: np.ndarray  # uint8; T = 2 M: of each move what is tried, then what is told
    positions_PxMx2: np.ndarray  # uint8: row and column after each move


def draw_maze(size: int, seed: int) -> Maze:
    """A random maze of size x size cells, each of which can be reached from each other. At most `MAX_SIZE`."""
    rng = np.random.default_rng(seed)
    walls_RxRx4 = np.ones((size, size, 4), np.bool_)
    regions_RxR = np.arange(size**2).reshape(size, size)
    inner = [(row, column, Way.RIGHT) for row in range(size) for column in range(size - 1)]
    inner += [(row, column, Way.DOWN) for row in range(size - 1) for column in range(size)]
    for number in rng.permutation(len(inner)):
        row, column, way = inner[number]
        here, there = (row, column), (row + (way == Way.DOWN), column + (way == Way.RIGHT))
        if regions_RxR[here] != regions_RxR[there] or rng.random() < _OPENED_SHARE:
            regions_RxR[regions_RxR == regions_RxR[there]] = regions_RxR[here]
            walls_RxRx4[here][way] = walls_RxRx4[there][(way + 2) % 4] = False
    return Maze(walls_RxRx4)


def draw_tries(rng: np.random.Generator, count: int, moves: int) -> np.ndarray:
    """The ways that so many walks try, uint8 [P, M]: straight on, left or right of the one before."""
    turns_PxM = rng.integers(-1, 2, size=(count, moves))
    turns_PxM[:, 0] = rng.integers(4, size=count)
    return (turns_PxM.cumsum(axis=1) % 4).astype(np.uint8)


def follow(maze: Maze, tries_PxM: np.ndarray, withheld_PxM: np.ndarray) -> Walks:
    """Walk from the start, with the results withheld where it is said so."""
    count, moves = tries_PxM.shape
    arrivals_Nx4 = maze.arrivals_Nx4
    cells_PxM = np.empty((count, moves), np.int64)
    told_PxM = np.empty((count, moves), np.uint8)
    cell_P = np.full(count, maze.start)
    for move, try_P in enumerate(tries_PxM.T):
        arrival_P = arrivals_Nx4[cell_P, try_P]
        told_PxM[:, move] = np.where(arrival_P == cell_P, UNCHANGED, try_P + TOLD)
        cells_PxM[:, move] = cell_P = arrival_P
    told_PxM[withheld_PxM] = WITHHELD
    return Walks(
        np.stack([tries_PxM, told_PxM], axis=2).reshape(count, 2 * moves),
        np.stack(np.divmod(cells_PxM, maze.size), axis=2).astype(np.uint8),
    )


def build(maze: Maze, moves: int, depth: int, training: int, validation: int, seed: int) -> tuple[Walks, Walks]:
    """So many walks to learn from and to validate with, each with exactly `depth` withheld results, at random.

    No two of them try the same, so none is in both parts. `ValueError` if there are too few or a walk is too short.
    """
    if depth > moves:
        raise ValueError(f"of {moves} results {depth} cannot be withheld")
    rng = np.random.default_rng(seed)
    [tries_PxM] = distinct(
        lambda count: [draw_tries(rng, count, moves)], training + validation, f"walks of {moves} moves"
    )
    withheld_PxM = rng.random(tries_PxM.shape).argsort(axis=1) < depth
    walks = follow(maze, tries_PxM, withheld_PxM)
    return Walks(*(array[:training] for array in walks)), Walks(*(array[training:] for array in walks))


def drawing(maze: Maze) -> Iterator[str]:
    """The maze as text, its start marked."""
    for row, walls_Rx4 in enumerate(maze.walls_RxRx4):
        yield "+" + "".join("--+" if wall else "  +" for wall in walls_Rx4[:, Way.UP])
        cells = ("<>" if row * maze.size + column == maze.start else "  " for column in range(maze.size))
        sides = ("|" if wall else " " for wall in walls_Rx4[:, Way.RIGHT])
        yield "|" + "".join(cell + side for cell, side in zip(cells, sides, strict=True))
    yield "+" + "--+" * maze.size


def listing(walks: Walks, number: int) -> Iterator[str]:
    """A walk as text: of each move what is tried and what is told, as in the paper, then row and column after it."""
    for (tried, told), (row, column) in zip(
        walks.tokens_PxT[number].reshape(-1, 2), walks.positions_PxMx2[number], strict=True
    ):
        result = {UNCHANGED: "UNCHANGED", WITHHELD: "WITHHELD"}.get(int(told)) or Way(told - TOLD).name
        yield f"{f'{Way(tried).name}, {result}':<18}{row:3} {column:3}"
