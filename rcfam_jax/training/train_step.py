"""One step of training: a batch's gradient, in any of the ways, and the optimizer's update."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from ml_collections import ConfigDict

from rcfam_jax.training.accumulation import accumulated_loss_and_grad
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.carry import carry_on_entry
from rcfam_jax.training.frame_stream import FrameStream
from rcfam_jax.training.optimizer import update_ratios
from rcfam_jax.training.parallel import Devices
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.windows import Batch


class TrainState(NamedTuple):
    """What a step changes."""

    params: Any
    opt_state: Any
    carry: Any = ()  # handed on to the windows that continue; nothing if all windows start anew


def initial_state(
    graphdef: Any, params: Any, optimizer: optax.GradientTransformation, devices: Devices, config: ConfigDict
) -> TrainState:
    """The state before the first step, on the devices."""
    params, opt_state = devices.replicate((params, jax.jit(optimizer.init)(params)))
    return TrainState(params, opt_state, _first_carry(graphdef, params, devices, config))


def _first_carry(graphdef: Any, params: Any, devices: Devices, config: ConfigDict) -> Any:
    """What is handed on to the first step, which no window continues; `()` if carries are not handed on."""
    if config.bptt.carry == "reset":
        return ()
    rows = config.data.batch_size // jax.process_count()
    shapes = jax.eval_shape(lambda params: nnx.merge(graphdef, params).initial_carry(rows), params)
    return devices.scatter(jax.tree.map(lambda state: np.zeros(state.shape, state.dtype), shapes))


def make_train_step(
    graphdef: Any,
    optimizer: optax.GradientTransformation,
    devices: Devices,
    streams: Sequence[TokenStream],
    config: ConfigDict,
) -> Callable:
    """The function (state, this process's batch) -> (state, measured); it consumes the state it is given."""
    if config.bptt.mode == "chunked":
        return _chunked_step(graphdef, optimizer, devices, streams, config)
    step = compiled_step(graphdef, optimizer, config)
    return lambda state, batch: step(state, devices.scatter(batch))


def compiled_step(graphdef: Any, optimizer: optax.GradientTransformation, config: ConfigDict) -> Any:
    """A step as one compiled function: (state, batch that is on the devices) -> (state, measured)."""

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        handed = _hand_on(state, batch)
        gradient = accumulated_loss_and_grad(graphdef, state.params, handed, config.train.accumulate, config.bptt)
        return _update(graphdef, optimizer, state, batch, gradient)

    return jax.jit(step, donate_argnums=0)


def _chunked_step(
    graphdef: Any,
    optimizer: optax.GradientTransformation,
    devices: Devices,
    streams: Sequence[TokenStream],
    config: ConfigDict,
) -> Callable:
    def update(state: TrainState, batch: Batch, gradient: tuple) -> tuple[TrainState, dict]:
        return _update(graphdef, optimizer, state, batch, gradient)

    compiled_update = jax.jit(update, donate_argnums=0)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        told = _hand_on(state, batch) | {"frames": FrameStream.of_batch(streams, batch, config)}
        gradient = chunked.loss_and_grad(graphdef, state.params, told, config.bptt, devices.scatter)
        windows = devices.scatter({name: batch[name] for name in ("mask", "continues", "skipped")})
        return compiled_update(state, windows, gradient)

    return step


def _hand_on(state: TrainState, batch: Batch) -> Batch:
    return batch | {"carry": state.carry} if state.carry else batch


def _update(
    graphdef: Any, optimizer: optax.GradientTransformation, state: TrainState, batch: Batch, gradient: tuple
) -> tuple[TrainState, dict]:
    """Apply a batch's gradient, as `loss_and_grad` gives it with what is measured."""
    (loss, measured), grads = gradient
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    measured = {"loss": loss, **measured, "gradient_norm": optax.tree.norm(grads)}
    measured |= update_ratios(updates, state.params)
    measured["skipped_windows"] = batch["skipped"].sum()
    carry = _carry_to_hand_on(graphdef, state, batch, measured.pop("carry", ()))
    return TrainState(optax.apply_updates(state.params, updates), opt_state, carry), measured


def _carry_to_hand_on(graphdef: Any, state: TrainState, batch: Batch, after: Any) -> Any:
    """The carry after a batch's windows; one that was skipped hands on what it would have started from."""
    if not state.carry:
        return ()
    skipped_B = batch["skipped"]
    model = nnx.merge(graphdef, state.params)
    entry = carry_on_entry(model, len(skipped_B), state.carry, batch["continues"])
    return jax.tree.map(lambda *states: jnp.where(skipped_B[:, None], *states), entry, after)
