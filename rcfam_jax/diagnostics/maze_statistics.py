"""What walks through a maze are like, and how often predictors are right that do not follow them.

A diagnostic is worth only what lies above these. Two predictors count moves, as a sum over time can. Observers who
know the maze see the last moves alone: walls that are hit, and ways that are open, show where one is, so the more moves
they see, the less there is to remember.
"""

from collections.abc import Iterator

import numpy as np

from rcfam_jax.diagnostics.maze import TOLD, UNCHANGED, WITHHELD, Maze, STEPS_4x2, Walks

_WINDOWS = (8, 16, 32)
_OBSERVED_WALKS = 256


def statistics(maze: Maze, training: Walks, validation: Walks) -> Iterator[str]:
    """The walks and the predictors' accuracies, a line each."""
    _, told_PxM = _moves(training)
    cells_PxM = _cells(maze, training)
    before_PxM = np.insert(cells_PxM[:, :-1], 0, maze.start, axis=1)
    visits_N = np.bincount(cells_PxM.ravel(), minlength=maze.size**2)
    shares = visits_N[visits_N > 0] / visits_N.sum()
    evenly = np.exp(-(shares * np.log(shares)).sum())
    yield f"{len(told_PxM):,} walks to learn from, {len(validation.tokens_PxT):,} others to validate with"
    yield f"{told_PxM.shape[1]} moves, {(told_PxM[0] == WITHHELD).sum()} results withheld"
    yield f"moves that hit a wall: {(cells_PxM == before_PxM).mean():.1%}"
    yield f"cells visited: {len(shares)} of {maze.size**2}, as evenly as {evenly:.0f} of equal share"
    yield "right without following the walk:"
    for name, accuracy in shortcut_floor(maze, training, validation).items():
        yield f"  {name:<41}{accuracy:6.1%}"


def shortcut_floor(maze: Maze, training: Walks, validation: Walks) -> dict[str, float]:
    """The accuracy of each predictor on validation walks, the observers' after the last move."""
    seen_PxM, cells_PxM = _cells(maze, training), _cells(maze, validation)
    often_M = np.array([np.bincount(seen_P).argmax() for seen_P in seen_PxM.T])
    floor = {
        "the most visited cell": float((cells_PxM == np.bincount(seen_PxM.ravel()).argmax()).mean()),
        "the most visited after so many moves": float((cells_PxM == often_M).mean()),
        "withheld results taken for done": _counting(maze, validation, True),
        "withheld results taken for UNCHANGED": _counting(maze, validation, False),
    }
    for window in _WINDOWS:
        if window < cells_PxM.shape[1]:
            floor[f"the maze and the last {window} moves"] = _observing(maze, validation, window)
    return floor


def _moves(walks: Walks) -> tuple[np.ndarray, np.ndarray]:
    """What is tried and what is told of each move, each [P, M]."""
    return walks.tokens_PxT[:, ::2], walks.tokens_PxT[:, 1::2]


def _cells(maze: Maze, walks: Walks) -> np.ndarray:
    """The number of the cell after each move, [P, M]."""
    return walks.positions_PxMx2 @ np.array([maze.size, 1])


def _counting(maze: Maze, walks: Walks, withheld_done: bool) -> float:
    """The accuracy of adding up the moves that are told, and all withheld ones or none."""
    tries_PxM, told_PxM = _moves(walks)
    done_PxM = np.where(told_PxM == WITHHELD, withheld_done, told_PxM != UNCHANGED)
    start = np.array(divmod(maze.start, maze.size))
    positions_PxMx2 = start + (STEPS_4x2[tries_PxM] * done_PxM[..., None]).cumsum(axis=1)
    return float((positions_PxMx2 == walks.positions_PxMx2).all(axis=2).mean())


def _observing(maze: Maze, walks: Walks, window: int) -> float:
    """The accuracy of the likeliest cell, by Bayes' rule, for one who sees the last moves and knows no cell before."""
    tries_PxM, told_PxM = (part[:_OBSERVED_WALKS, -window:] for part in _moves(walks))
    cell_N, row_Px1 = np.arange(maze.size**2), np.arange(len(tries_PxM))[:, None]
    belief_PxN = np.ones((len(row_Px1), len(cell_N)))
    for try_P, told_P in zip(tries_PxM.T, told_PxM.T, strict=True):
        arrivals_PxN = maze.arrivals_Nx4[:, try_P].T
        expected_PxN = np.where(arrivals_PxN == cell_N, UNCHANGED, try_P[:, None] + TOLD)
        agrees_PxN = (told_P[:, None] == WITHHELD) | (told_P[:, None] == expected_PxN)
        moved_PxN = np.zeros_like(belief_PxN)
        np.add.at(moved_PxN, (row_Px1, arrivals_PxN), belief_PxN * agrees_PxN)
        belief_PxN = moved_PxN
    return float((belief_PxN.argmax(axis=1) == _cells(maze, walks)[:_OBSERVED_WALKS, -1]).mean())
