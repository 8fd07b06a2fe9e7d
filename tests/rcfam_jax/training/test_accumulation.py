"""A batch in parts: the gradient and the step are those of the whole."""

import jax
import numpy as np
import pytest

from data_gen.errors import UserError
from rcfam_jax.training import loop
from rcfam_jax.training.accumulation import accumulated_loss_and_grad
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.parallel import Devices, gather


def random_batch(config, windows, seed=0):
    """Windows of random cells whose masks keep anything from none to all of their tokens."""
    generator = np.random.default_rng(seed)
    window, grid = config.data.window, (config.model.rows, config.model.columns)
    lengths = generator.integers(0, window + 1, windows)
    lengths[1] = 0
    return {
        "codepoints": generator.integers(0, 256, (windows, window, *grid), np.uint8),
        "styles": generator.integers(0, 8, (windows, window, *grid), np.uint8),
        "tokens": generator.integers(0, config.model.vocabulary_size, (windows, window), np.int32),
        "mask": np.arange(window) < lengths[:, None],
    }


def compute(config, batch, parts, devices):
    """The loss and gradient of a batch in parts on a number of devices."""
    graphdef, params = loop.build_model(config)
    group = Devices(len(batch["mask"]), jax.devices()[:devices], parts)
    compiled = jax.jit(lambda params, batch: accumulated_loss_and_grad(graphdef, params, batch, parts, config.bptt))
    return gather(compiled(group.replicate(params), group.scatter(batch)))


def test_the_split_does_not_change_the_gradient(config, x64):
    """In float64, also where parts have unequal numbers of tokens, and one has none."""
    config.model.update(dtype="float64", param_dtype="float64", vocabulary_size=8)  # few: some are predicted
    batch = random_batch(config, 8)
    graphdef, params = loop.build_model(config)
    whole = gather(jax.jit(lambda: loss_and_grad(graphdef, params, batch, config.bptt))())
    zero = [jax.tree_util.keystr(path) for path, x in jax.tree_util.tree_leaves_with_path(whole) if not np.any(x)]
    assert not zero
    for parts, devices in ((8, 1), (2, 4)):
        split = compute(config, batch, parts, devices)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13), split, whole)


@pytest.mark.slow
@pytest.mark.parametrize("windows", [512, 1024])
def test_small_parts_reach_the_batches_of_the_paper(config, windows):
    """In float32, as in training, 4 or 64 windows at a time."""
    config.data.window = 4
    batch = random_batch(config, windows)
    (expected_loss, _), expected = compute(config, batch, 1, 4)
    for parts in (windows // 64, windows // 4):
        (loss, measured), grads = compute(config, batch, parts, 4)
        assert measured["tokens"] == batch["mask"].sum()
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        for leaf, expected_leaf in zip(jax.tree.leaves(grads), jax.tree.leaves(expected), strict=True):
            assert np.linalg.norm(leaf - expected_leaf) <= 1e-4 * np.linalg.norm(expected_leaf)


def test_each_device_keeps_its_windows(config):
    """Between devices go sums over windows only, of gradients' sizes: never frames."""
    config.data.batch_size, config.train.accumulate = 16, 2
    graphdef, params = loop.build_model(config)
    group = Devices(16, parts=2)
    batch = group.scatter(random_batch(config, 16))
    compiled = jax.jit(lambda params, batch: accumulated_loss_and_grad(graphdef, params, batch, 2, config.bptt))
    text = compiled.lower(group.replicate(params), batch).compile().as_text()
    exchanged = [line for line in text.splitlines() if " all-gather(" in line or " all-to-all(" in line]
    exchanged += [line for line in text.splitlines() if " collective-permute(" in line]
    assert " all-reduce(" in text
    assert not [line for line in exchanged if "u8[" in line], exchanged


@pytest.mark.parametrize(
    ("bptt", "message"),
    [
        ({"mode": "chunked"}, "train.accumulate is 2: it must be 1 where bptt.mode is chunked"),
        ({"mode": "plain", "carry": "continue"}, "train.accumulate is 2: it must be 1 where bptt.carry is continue"),
    ],
)
def test_what_takes_batches_whole_is_named(config, tmp_path, bptt, message):
    config.data.batch_size, config.train.accumulate = 8, 2
    config.bptt.update(bptt)
    with pytest.raises(UserError, match=message):
        loop.train(config, tmp_path)
