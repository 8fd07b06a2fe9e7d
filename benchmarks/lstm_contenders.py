"""Who takes part in the LSTM's benchmark: this LSTM, flax.nnx's two cells, and torch's where it is installed."""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from data_gen.errors import UserError
from rcfam_jax.model.lstm import LSTMState, LSTMWeights, lstm


class Case(NamedTuple):
    """What is run."""

    backend: str
    dtype: str
    batch: int
    steps: int
    width: int
    unroll: int


class Problem(NamedTuple):
    """A layer's arguments and the cotangent of its outputs, in float32."""

    inputs_BxTxH: np.ndarray
    weights: LSTMWeights
    state: LSTMState
    d_outputs_BxTxH: np.ndarray


class Contender(NamedTuple):
    """Two calls that return once the work is done: outputs_BxTxH, and gradients of which the first is the inputs'."""

    forward: Callable[[], Any]
    both: Callable[[], Sequence[Any]]


def contenders(case: Case) -> dict[str, Contender]:
    """Everyone who can run the case, by name."""
    try:
        device = jax.devices(case.backend)[0]
    except RuntimeError as error:
        raise UserError(f"--backend={case.backend}: there is none here") from error
    problem = make_problem(case)
    with jax.default_device(device):
        runners = {
            "rcfam_jax": _of_jax(case, problem, *_ours(case, problem)),
            "flax.nnx OptimizedLSTMCell": _of_jax(case, problem, *_flax(case, problem, _optimized_cell)),
            "flax.nnx LSTMCell": _of_jax(case, problem, *_flax(case, problem, _plain_cell)),
        }
    if importlib.util.find_spec("torch") and case.backend != "tpu":
        from benchmarks.peers.torch_lstm import torch_lstm

        torch_device = "cuda" if case.backend == "gpu" else "cpu"
        runners["torch.nn.LSTM"] = Contender(*torch_lstm(*problem, case.dtype, torch_device))
    return runners


def make_problem(case: Case) -> Problem:
    """Random numbers, the weights such that states neither vanish nor saturate."""
    generator, (batch, steps, width) = np.random.default_rng(0), (case.batch, case.steps, case.width)

    def normal(*shape: int) -> Any:
        return np.asarray(generator.normal(size=shape), np.float32)

    scale = np.float32(width**-0.5)
    weights = LSTMWeights(*(scale * normal(*shape) for shape in ((width, 4, width), (width, 4, width), (4, width))))
    state = LSTMState(normal(batch, width), normal(batch, width))
    return Problem(normal(batch, steps, width), weights, state, normal(batch, steps, width))


def _of_jax(case: Case, problem: Problem, function: Callable, parameters: Any) -> Contender:
    """Of a function of inputs, parameters and state."""
    inputs = jnp.asarray(problem.inputs_BxTxH, case.dtype)
    arguments: Any = jax.tree.map(jnp.asarray, (inputs, parameters, problem.state))
    d_outputs = jnp.asarray(problem.d_outputs_BxTxH)

    @jax.jit
    def both(arguments: tuple, d_outputs: jax.Array) -> tuple:
        outputs, pullback = jax.vjp(function, *arguments)
        return pullback(d_outputs.astype(outputs.dtype))

    forward = jax.jit(function)
    return Contender(
        lambda: jax.block_until_ready(forward(*arguments)), lambda: jax.block_until_ready(both(arguments, d_outputs))
    )


def _ours(case: Case, problem: Problem) -> tuple[Callable, LSTMWeights]:
    return lambda inputs, weights, state: lstm(inputs, weights, state, case.unroll)[0], problem.weights


def _flax(case: Case, problem: Problem, make_cell: Callable) -> tuple[Callable, Any]:
    rnn = nnx.RNN(make_cell(case, problem.weights), unroll=case.unroll, rngs=False)
    graphdef, parameters = nnx.split(rnn)

    def function(inputs: jax.Array, parameters: Any, state: LSTMState) -> jax.Array:
        return nnx.merge(graphdef, parameters)(inputs, initial_carry=(state.c_BxH, state.h_BxH))

    return function, parameters


def _optimized_cell(case: Case, weights: LSTMWeights) -> Any:
    cell: Any = nnx.OptimizedLSTMCell(case.width, case.width, dtype=case.dtype, rngs=nnx.Rngs(0))
    cell.dense_i.kernel[...] = weights.input_Ix4xH.reshape(case.width, -1)
    cell.dense_h.kernel[...] = weights.recurrent_Hx4xH.reshape(case.width, -1)
    cell.dense_h.bias[...] = weights.bias_4xH.reshape(-1)
    return cell


def _plain_cell(case: Case, weights: LSTMWeights) -> Any:
    cell: Any = nnx.LSTMCell(case.width, case.width, dtype=case.dtype, rngs=nnx.Rngs(0))
    gates = ((cell.ii, cell.hi), (cell.if_, cell.hf), (cell.ig, cell.hg), (cell.io, cell.ho))
    for gate, (from_input, from_state) in enumerate(gates):
        from_input.kernel[...] = weights.input_Ix4xH[:, gate]
        from_state.kernel[...] = weights.recurrent_Hx4xH[:, gate]
        from_state.bias[...] = weights.bias_4xH[gate]
    return cell
