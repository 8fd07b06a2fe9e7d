"""The whole training step becomes a program for accelerators that are not here."""

import jax
import jax.numpy as jnp
import pytest

from rcfam_jax.training import loop
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.train_step import TrainState, compiled_step


def shapes_of_a_batch(config):
    shape = config.data.batch_size, config.data.window
    grid = *shape, config.model.rows, config.model.columns
    return {
        "codepoints": jax.ShapeDtypeStruct(grid, jnp.uint8),
        "styles": jax.ShapeDtypeStruct(grid, jnp.uint8),
        "tokens": jax.ShapeDtypeStruct(shape, jnp.int32),
        "mask": jax.ShapeDtypeStruct(shape, jnp.bool_),
        "skipped": jax.ShapeDtypeStruct(shape[:1], jnp.bool_),
    }


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize(("platform", "annotation"), [("cuda", "annotate_device_placement"), ("tpu", "pinned_host")])
def test_the_step_lowers_with_offload(config, platform, annotation, accumulate):
    config.model.update(dtype="bfloat16")
    config.bptt.update(offload=True)
    config.train.accumulate = accumulate
    graphdef, params = loop.build_model(config)
    optimizer = make_optimizer(config.optimizer)
    state = TrainState(params, jax.eval_shape(optimizer.init, params))
    traced = compiled_step(graphdef, optimizer, config).trace(state, shapes_of_a_batch(config))
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    assert annotation in text
    assert "pinned_host" in text
