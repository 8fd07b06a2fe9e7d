"""The contenders of the LSTM's benchmark compute the same thing, forwards and backwards."""

import jax
import numpy as np
import pytest

from benchmarks import lstm as program
from benchmarks import lstm_contenders as benchmark

CASE = benchmark.Case("cpu", "float32", batch=2, steps=3, width=8, unroll=1)


@pytest.fixture(scope="module")
def contenders():
    return benchmark.contenders(CASE)


def as_float64(x):
    return np.float64(x if isinstance(x, jax.Array) else x.detach().float().numpy())


def assert_agreement(contenders, tolerance):
    assert len(contenders) >= 3
    outputs = {name: as_float64(contender.forward()) for name, contender in contenders.items()}
    gradients = {name: as_float64(contender.both()[0]) for name, contender in contenders.items()}
    for results in (outputs, gradients):
        expected = results.pop("rcfam_jax")
        assert expected.shape == (CASE.batch, CASE.steps, CASE.width)
        for name, result in results.items():
            assert np.linalg.norm(result - expected) < tolerance * np.linalg.norm(expected), name


def test_contenders_agree(contenders):
    assert_agreement(contenders, 1e-5)


@pytest.mark.slow
def test_contenders_agree_in_bfloat16_and_unrolled():
    assert_agreement(benchmark.contenders(CASE._replace(dtype="bfloat16", unroll=2)), 3e-2)


def test_every_contender_is_timed_and_shown(contenders, monkeypatch, tmp_path):
    monkeypatch.setattr(program, "contenders", lambda case: contenders)
    measured = program.measure(CASE, rounds=2)
    assert [row.contender for row in measured] == list(contenders)
    assert all(0 < row.forward_least <= row.forward and 0 < row.both_least <= row.both for row in measured)
    assert len(program.table(measured).splitlines()) == 1 + len(measured)
    program.plot(measured, tmp_path / "lstm.png")
    assert (tmp_path / "lstm.png").read_bytes().startswith(b"\x89PNG")
