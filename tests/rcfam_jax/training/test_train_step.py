"""What a step hands on to the next one."""

import jax
import numpy as np
import pytest
from flax import nnx

from rcfam_jax.training import loop
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.parallel import Devices
from rcfam_jax.training.train_step import compiled_step, initial_state


@pytest.fixture
def steps(config):
    """A function that takes steps in which nothing is learned; the carries after them, as arrays."""
    config.bptt.carry = "continue"
    config.optimizer.update(muon_learning_rate=0.0, adamw_learning_rate=0.0)
    graphdef, params = loop.build_model(config)
    params = jax.tree.map(lambda param: param + 0.1, params)  # learned carries are not zero
    optimizer, devices = make_optimizer(config.optimizer), Devices(config.data.batch_size)
    step = compiled_step(graphdef, optimizer, config)

    def take(batches):
        state, carries = initial_state(graphdef, params, optimizer, devices, config), []
        for batch in batches:
            state, _ = step(state, devices.scatter(batch))
            carries.append([np.asarray(leaf) for leaf in jax.tree.leaves(state.carry)])
        return carries

    learned = [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.merge(graphdef, params).initial_carry(1))]
    return take, learned


def windows(config, seed, continues, skipped=()):
    """A batch of random windows; those that are skipped are empty."""
    generator = np.random.default_rng(seed)
    shape = config.data.batch_size, config.data.window
    read = ~np.isin(np.arange(shape[0]), skipped)
    frames = generator.integers(1, 8, (2, *shape, config.model.rows, config.model.columns), np.uint8)
    codepoints, styles = frames * read[:, None, None, None]
    return {
        "codepoints": codepoints,
        "styles": styles,
        "tokens": generator.integers(0, config.model.vocabulary_size, shape, np.int32) * read[:, None],
        "mask": np.broadcast_to(read[:, None], shape),
        "continues": np.full(shape[0], continues),
        "skipped": ~read,
    }


def test_a_window_that_is_skipped_hands_on_what_it_would_have_started_from(config, steps):
    take, learned = steps
    first, second, third = take(
        [windows(config, 0, False, skipped=[0]), windows(config, 1, True, skipped=[1]), windows(config, 2, True)]
    )
    for before, after, later, initial in zip(first, second, third, learned, strict=True):
        np.testing.assert_allclose(before[0], initial[0], rtol=1e-6)
        np.testing.assert_array_equal(after[1], before[1])
        for row in (0, 2, 3):
            assert not np.allclose(after[row], before[row])
        assert not np.allclose(later[1], after[1])
