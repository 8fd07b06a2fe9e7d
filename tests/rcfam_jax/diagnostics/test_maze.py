"""Mazes and walks against a plain interpreter that reads what is printed of them."""

import numpy as np
import pytest
import scipy.sparse.csgraph
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from rcfam_jax.diagnostics import maze, maze_statistics
from rcfam_jax.diagnostics.maze_objective import make_objective

SIZES, SEEDS = st.integers(2, 12), st.integers(0, 10_000)
WAYS = {"LEFT": (0, -1), "UP": (-1, 0), "RIGHT": (0, 1), "DOWN": (1, 0)}


def is_open(drawn: list[str], row: int, column: int, way: str) -> bool:
    """Whether nothing is drawn between two cells: each is two characters wide and one line high."""
    down, right = WAYS[way]
    return drawn[2 * row + 1 + down][3 * column + 1 + (2 if right > 0 else -1 if right else 0)] == " "


def start_of(drawn: list[str]) -> tuple[int, int]:
    [(line, character)] = [(number, line.index("<>")) for number, line in enumerate(drawn) if "<>" in line]
    return line // 2, character // 3


def walk(drawn: list[str], lines: list[str]) -> list[tuple[int, int]]:
    """Walk through a drawing as a listing says, and check what it tells of each move on the way."""
    (row, column), positions = start_of(drawn), []
    for line in lines:
        way, result = line[:18].strip().split(", ")
        if is_open(drawn, row, column, way):
            row, column = row + WAYS[way][0], column + WAYS[way][1]
            assert result in (way, "WITHHELD")
        else:
            assert result in ("UNCHANGED", "WITHHELD")
        positions.append((row, column))
    return positions


@given(SIZES, SEEDS, st.integers(5, 40), st.data())
def test_walks_go_where_a_plain_interpreter_goes(size, seed, moves, data):
    depth = data.draw(st.integers(0, moves))
    field = maze.draw_maze(size, seed)
    walks, _ = maze.build(field, moves, depth, 3, 2, seed)
    drawn = list(maze.drawing(field))
    for number in range(3):
        lines = list(maze.listing(walks, number))
        positions = walk(drawn, lines)
        assert positions == [tuple(position) for position in walks.positions_PxMx2[number].tolist()]
        assert [tuple(map(int, line[18:].split())) for line in lines] == positions
        assert sum("WITHHELD" in line for line in lines) == depth and len(lines) == moves


@given(SIZES, SEEDS)
def test_every_cell_of_a_maze_can_be_reached(size, seed):
    field = maze.draw_maze(size, seed)
    drawn = list(maze.drawing(field))
    assert start_of(drawn) == (size // 2, size // 2)
    graph = np.zeros((size**2, size**2))
    for row, column in np.ndindex(size, size):
        for way, (down, right) in WAYS.items():
            if is_open(drawn, row, column, way):
                graph[row * size + column, (row + down) * size + column + right] = 1
    assert scipy.sparse.csgraph.connected_components(graph, directed=True, connection="strong")[0] == 1
    np.testing.assert_array_equal(graph, graph.T)


def test_a_quarter_of_the_walls_that_a_tree_leaves_are_open():
    passages = [np.sum(~maze.draw_maze(32, seed).walls_RxRx4) / 2 for seed in range(8)]
    assert abs((np.mean(passages) - (32**2 - 1)) / 31**2 - 0.25) < 0.02


def test_nobody_turns_back_and_all_else_is_as_likely():
    tries_PxM = maze.draw_tries(np.random.default_rng(0), 3000, 20)
    turns = np.bincount(((tries_PxM[:, 1:] - tries_PxM[:, :-1]) % 4).ravel(), minlength=4) / (3000 * 19)
    np.testing.assert_allclose(turns, [1 / 3, 1 / 3, 0, 1 / 3], atol=0.01)
    np.testing.assert_allclose(np.bincount(tries_PxM.ravel(), minlength=4) / tries_PxM.size, 0.25, atol=0.01)


def test_any_result_may_be_withheld():
    walks, _ = maze.build(maze.draw_maze(8, 0), 40, 8, 4000, 1, seed=0)
    withheld_PxM = walks.tokens_PxT[:, 1::2] == maze.WITHHELD
    np.testing.assert_allclose(withheld_PxM.mean(axis=0), 0.2, atol=0.03)


def test_no_walk_is_in_both_parts_and_the_same_seed_gives_the_same_bytes():
    field = maze.draw_maze(6, 0)
    training, validation = maze.build(field, 7, 2, 1500, 300, seed=3)
    assert len(training.tokens_PxT) == len(training.positions_PxMx2) == 1500 and len(validation.tokens_PxT) == 300
    tries = np.concatenate([training.tokens_PxT, validation.tokens_PxT])[:, ::2]
    assert len(np.unique(tries, axis=0)) == 1800
    again = maze.build(maze.draw_maze(6, 0), 7, 2, 1500, 300, seed=3)
    for part, same in zip((training, validation), again, strict=True):
        assert [array.tobytes() for array in part] == [array.tobytes() for array in same]
    assert (maze.build(field, 7, 2, 1500, 300, seed=4)[0].tokens_PxT != training.tokens_PxT).any()
    assert (maze.draw_maze(6, 1).walls_RxRx4 != field.walls_RxRx4).any()


def test_what_there_is_not_is_refused():
    field = maze.draw_maze(4, 0)
    with pytest.raises(ValueError, match="not 13 different walks of 2 moves"):
        maze.build(field, 2, 0, 12, 1, seed=0)
    with pytest.raises(ValueError, match="of 5 results 6 cannot be withheld"):
        maze.build(field, 5, 6, 1, 1, seed=0)


def test_counting_is_right_where_nothing_is_withheld_or_nothing_is_in_the_way():
    field = maze.draw_maze(10, 0)
    floor = maze_statistics.shortcut_floor(field, *maze.build(field, 30, 0, 50, 50, seed=0))
    assert floor["withheld results taken for done"] == floor["withheld results taken for UNCHANGED"] == 1
    empty = maze.Maze(np.zeros((100, 100, 4), np.bool_))  # so large that nobody comes to its edge
    for edge in (0, 99):
        empty.walls_RxRx4[edge] = empty.walls_RxRx4[:, edge] = True
    floor = maze_statistics.shortcut_floor(empty, *maze.build(empty, 40, 20, 50, 50, seed=0))
    assert floor["withheld results taken for done"] == 1 and floor["withheld results taken for UNCHANGED"] < 0.2
    blocked = maze.Maze(np.ones((9, 9, 4), np.bool_))
    floor = maze_statistics.shortcut_floor(blocked, *maze.build(blocked, 40, 20, 50, 50, seed=0))
    assert floor["withheld results taken for UNCHANGED"] == floor["the most visited cell"] == 1


@given(SEEDS, st.integers(9, 12))
def test_an_observer_takes_the_cell_in_which_most_walks_end_that_agree(seed, moves):
    """Against all beginnings of the last 8 moves, tried one after the other in the drawing."""
    field = maze.draw_maze(3, seed)
    walks, _ = maze.build(field, moves, 3, 4, 1, seed)
    drawn = list(maze.drawing(field))
    chances = []
    for number in range(4):
        ends = np.zeros((3, 3))
        for row, column in np.ndindex(3, 3):
            for line in list(maze.listing(walks, number))[-8:]:
                way, result = line[:18].strip().split(", ")
                goes = is_open(drawn, row, column, way)
                if result not in ("WITHHELD", way if goes else "UNCHANGED"):
                    break
                row, column = row + goes * WAYS[way][0], column + goes * WAYS[way][1]
            else:
                ends[row, column] += 1
        best = np.argwhere(ends == ends.max()).tolist()
        right = walks.positions_PxMx2[number, -1].tolist()
        assert ends[tuple(right)] > 0
        chances.append((right in best, right in best and len(best) == 1))
    floor = maze_statistics.shortcut_floor(field, walks, walks)["the maze and the last 8 moves"]
    assert np.mean([certain for _, certain in chances]) <= floor <= np.mean([possible for possible, _ in chances])


def test_the_statistics_say_what_the_walks_are_like():
    field = maze.draw_maze(16, 0)
    training, validation = maze.build(field, 160, 32, 4000, 400, seed=0)
    lines = list(maze_statistics.statistics(field, training, validation))
    assert lines[:2] == [
        "4,000 walks to learn from, 400 others to validate with",
        "160 moves, 32 results withheld",
    ]
    told_PxM = training.tokens_PxT[:, 1::2]
    hits = (told_PxM == maze.UNCHANGED).sum() / (told_PxM != maze.WITHHELD).sum()
    assert 0.45 < hits < 0.55 and abs(float(lines[2].removeprefix("moves that hit a wall: ")[:-1]) - 100 * hits) < 1
    visits = np.unique(training.positions_PxMx2.reshape(-1, 2), axis=0, return_counts=True)[1]
    evenly = np.exp(scipy.stats.entropy(visits))
    assert lines[3] == f"cells visited: {len(visits)} of 256, as evenly as {evenly:.0f} of equal share"
    floor = maze_statistics.shortcut_floor(field, training, validation)
    assert max(floor[name] for name in list(floor)[:5]) < 0.2, floor


@given(st.integers(2, 9), SEEDS)
def test_an_answer_is_right_within_half_a_cell_both_ways(size, seed):
    field, rng = maze.draw_maze(size, seed), np.random.default_rng(seed)
    _, walks = maze.build(field, 6, 2, 1, 3, seed)
    errors_BxMx2 = rng.normal(0, 0.5, (3, 6, 2))
    outputs_BxTx2 = rng.normal(size=(3, 12, 2))  # what is said where a move is only tried does not count
    for walk, move, axis in np.ndindex(3, 6, 2):
        said = walks.positions_PxMx2[walk, move, axis] + errors_BxMx2[walk, move, axis]
        outputs_BxTx2[walk, 2 * move + 1, axis] = (said - size // 2) * 4 / size
    objective = make_objective(field)
    right = [[max(abs(error)) < 0.5 for error in errors_Mx2] for errors_Mx2 in errors_BxMx2]
    np.testing.assert_array_equal(objective.correct(outputs_BxTx2, walks.positions_PxMx2), right)
    expected = np.mean([(error * 4 / size) ** 2 for error in errors_BxMx2.flat])
    np.testing.assert_allclose(objective.loss(outputs_BxTx2, walks.positions_PxMx2), expected, rtol=1e-5)
