"""Programs of the Forward-Referencing Jumps Task against a plain interpreter that reads their tokens or their text."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcfam_jax.diagnostics import frjt, shortcuts


def run(lines: list[str]) -> tuple[str, list[int]]:
    """Execute a listing line by line: where it halts, and the blocks on the way."""
    register = int(lines[0].split("=")[1])
    pattern = re.compile(r"[> ] L(\d+): r = r (.) (\d+); if r < (\d+): (L\d+|halt [AB]) else (L\d+|halt [AB])")
    blocks = [pattern.fullmatch(line).groups() for line in lines[1:-1]]
    place, visited = "L0", []
    while place.startswith("L"):
        number, symbol, operand, bound, less, not_less = blocks[int(place[1:])]
        visited.append(int(number))
        operand = int(operand)
        register = (register + operand if symbol == "+" else register - operand) % 64
        place = less if register < int(bound) else not_less
    return place, visited


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_programs_run_as_their_text_says(seed, blocks):
    programs = frjt.draw(np.random.default_rng(seed), 3, blocks)
    outcomes = frjt.execute(programs)
    for number in range(3):
        lines = list(frjt.listing(programs, number))
        halt, visited = run(lines)
        assert halt == "halt " + "AB"[outcomes.halts_P[number]] and lines[-1].endswith(halt[-1])
        assert visited == np.flatnonzero(outcomes.executed_PxN[number]).tolist()
        assert [block for block, line in enumerate(lines[1:-1]) if line.startswith(">")] == visited


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(0, 5))
def test_tokens_hold_the_whole_program(seed, blocks, more):
    vocabulary = frjt.Vocabulary(blocks + more)
    programs = frjt.draw(np.random.default_rng(seed), 2, blocks)
    tokens_PxT = vocabulary.encode(programs)
    assert tokens_PxT.shape == (2, vocabulary.length) and tokens_PxT.max() < vocabulary.size
    numbers, operations, labels = 2, 66, 68
    for row, number in zip(tokens_PxT.tolist(), range(2), strict=True):
        start = len(row) - 2 - 6 * blocks
        assert set(row[:start]) <= {0} and row[-1] == 1
        assert row[start] - numbers == programs.start_P[number]
        lines = np.array(row[start + 1 : -1]).reshape(blocks, 6)
        assert (lines[:, 0] - labels).tolist() == list(range(blocks))
        np.testing.assert_array_equal(lines[:, 1] - operations, programs.operations_PxN[number])
        np.testing.assert_array_equal(lines[:, 2] - numbers, programs.operands_PxN[number])
        np.testing.assert_array_equal(lines[:, 3] - numbers, programs.bounds_PxN[number])
        targets = lines[:, 4:] - labels
        np.testing.assert_array_equal(
            np.where(targets >= blocks + more, targets - more, targets), programs.targets_PxNx2[number]
        )


def test_jumps_go_forward_to_two_targets_and_the_last_block_halts():
    programs = frjt.draw(np.random.default_rng(0), 5000, 8)
    assert (programs.targets_PxNx2 > np.arange(8)[:, None]).all()
    first, second = np.moveaxis(programs.targets_PxNx2[:, :-1], 2, 0)
    assert ((first != second) | (first >= 7)).all()  # alike only where both are cut off, or halt
    assert (programs.targets_PxNx2[:, -1] == [8, 9]).all()


def test_nearer_targets_are_likelier():
    programs = frjt.draw(np.random.default_rng(1), 5000, 64)
    targets = np.sort(programs.targets_PxNx2[:, :32], axis=2)  # far from the last block, where targets are cut off
    near, far = np.moveaxis(targets[targets[..., 1] < 64], 1, 0)
    block = np.broadcast_to(np.arange(32), targets.shape[:2])[targets[..., 1] < 64]
    for gaps in (near - block, far - near):
        shares = np.bincount(gaps, minlength=6)[:6] / len(gaps)
        np.testing.assert_allclose(shares, [0, 3 / 4, 3 / 16, 3 / 64, 3 / 256, 3 / 1024], atol=0.004)  # 3.7 sigma
    is_nearer = programs.targets_PxNx2[..., 1] < programs.targets_PxNx2[..., 0]
    assert abs(is_nearer[:, :32].mean() - 0.5) < 0.005


@pytest.mark.parametrize("blocks", [2, 8, 32])
def test_a_program_has_four_tenths_of_an_early_exit(blocks):
    programs = frjt.draw(np.random.default_rng(2), 20_000, blocks)
    early = programs.targets_PxNx2[:, :-1]
    exits = (early >= blocks).sum(axis=(1, 2))
    assert abs(exits.mean() - 0.4 * (blocks - 1) / blocks) < 0.015  # 3.4 sigma
    assert abs((early[early >= blocks] == blocks).mean() - 0.5) < 0.03


def reached(blocks):
    """The chance of each block to be executed, from the chances of gaps and exits alone."""
    single = [0.0] + [0.75 * 0.25**more for more in range(60)]
    double = np.convolve(single, single)
    stays = 1 - 0.4 / (2 * blocks)
    chances = np.zeros(blocks)
    chances[0] = 1
    for block in range(blocks - 1):
        for gap in range(1, 60):
            target = min(block + gap, blocks - 1)
            chances[target] += chances[block] * stays * (single[gap] + double[gap]) / 2
    return chances


@pytest.mark.parametrize("blocks", [2, 8, 32])
def test_blocks_are_executed_as_often_as_gaps_and_exits_say(blocks):
    executed_PxN = frjt.execute(frjt.draw(np.random.default_rng(3), 20_000, blocks)).executed_PxN
    np.testing.assert_allclose(executed_PxN.mean(axis=0), reached(blocks), atol=0.014)


def test_half_of_a_deep_program_is_executed():
    executed_PxN = frjt.execute(frjt.draw(np.random.default_rng(4), 20_000, 32)).executed_PxN
    assert abs(executed_PxN.mean() - 0.5) < 0.01


def test_a_dataset_is_balanced_covered_and_has_no_program_twice():
    training, validation = frjt.build(8, 2000, seed=3)
    assert np.bincount(training.depths_P).tolist() == [0] + [2000] * 8
    assert np.bincount(validation.depths_P).tolist() == [0] + [200] * 8
    rows = np.concatenate([training.tokens_PxT, validation.tokens_PxT])
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert abs(training.halts_P.mean() - 0.5) < 0.02
    assert 0.4 < training.coverage_P[training.depths_P == 8].mean() < 0.7
    again, _ = frjt.build(8, 2000, seed=3)
    np.testing.assert_array_equal(again.tokens_PxT, training.tokens_PxT)
    other, _ = frjt.build(8, 2000, seed=4)
    assert (other.tokens_PxT != training.tokens_PxT).any()


def test_too_many_programs_are_refused():
    with pytest.raises(ValueError, match="not 90000 different programs of 1 blocks"):
        frjt.build(1, 90_000, seed=0, validation_share=0.0)


@pytest.mark.parametrize(("max_depth", "per_depth", "depths"), [(1, 8000, [1]), (4, 500, [4]), (10, 500, [8, 9, 10])])
def test_shortcuts_are_scored_on_programs_that_are_not_learned_from(max_depth, per_depth, depths):
    vocabulary = frjt.Vocabulary(max_depth)
    training, _ = frjt.build(max_depth, per_depth, seed=0)
    scored = shortcuts.unseen(training, vocabulary, seed=0)
    assert np.unique(scored.depths_P).tolist() == depths
    assert np.unique(scored.depths_P, return_counts=True)[1].tolist() == [20_000 // len(depths)] * len(depths)
    learned = set(map(tuple, training.tokens_PxT.tolist()))
    assert not learned & set(map(tuple, scored.tokens_PxT.tolist()))
    again = shortcuts.unseen(training, vocabulary, seed=0)
    np.testing.assert_array_equal(again.tokens_PxT, scored.tokens_PxT)


def test_programs_that_are_learned_from_are_left_out_where_most_are():
    training, _ = frjt.build(1, 45_000, seed=0, validation_share=0.0)  # of 52,224
    scored = shortcuts.unseen(training, frjt.Vocabulary(1), seed=0)
    assert 0 < len(scored.halts_P) < 20_000
    assert not set(map(tuple, training.tokens_PxT.tolist())) & set(map(tuple, scored.tokens_PxT.tolist()))


def test_a_floor_is_measured_once_for_the_same_programs(tmp_path, monkeypatch):
    monkeypatch.setattr(shortcuts, "shortcut_floor", lambda training, vocabulary, seed: {"majority": seed})
    path = tmp_path / "shortcuts.json"
    first, second = (frjt.build(2, 20, seed)[0] for seed in (0, 1))
    relabelled = second._replace(halts_P=1 - second.halts_P)

    def floor(programs, measured_now):
        return shortcuts.remembered_floor(path, programs, frjt.Vocabulary(2), measured_now)["majority"]

    for programs, number in (first, 1), (second, 2), (relabelled, 3), (first, 4):
        assert floor(programs, number) == floor(programs, 100) == number
    whole = path.read_bytes()
    assert json.loads(whole).keys() == {"programs", "accuracy"}
    older, renamed = b'{"majority": 0.5}', whole.replace(b"accuracy", b"accuracies")
    for number, broken in enumerate([b"", whole[:-9], b"[]", older, renamed, b"\xff" + whole, b"\0" * len(whole)]):
        path.write_bytes(broken)
        assert floor(first, number) == floor(first, 100) == number, broken


@pytest.mark.slow
@pytest.mark.parametrize("max_depth", [4, 8])
def test_no_shortcut_reaches_sixty_percent(max_depth):
    training, _ = frjt.build(max_depth, 8000, seed=0)
    floor = shortcuts.shortcut_floor(training, frjt.Vocabulary(max_depth), seed=0)
    assert len(floor) == 5 and max(floor.values()) < 0.6, floor


@pytest.mark.slow
def test_a_shortcut_that_there_is_is_found():
    vocabulary = frjt.Vocabulary(8)
    training, _ = frjt.build(8, 2000, seed=0)
    learned, scored = (
        part._replace(halts_P=(part.tokens_PxT[:, -4] > 34).astype(np.int32))  # the last block's bound, above 32
        for part in (training, shortcuts.unseen(training, vocabulary, seed=0))
    )
    floor = shortcuts.accuracies(learned, scored, vocabulary, seed=0)
    assert floor["last block"] > 0.95 and floor["majority"] < 0.6 and floor["first block"] < 0.6, floor
