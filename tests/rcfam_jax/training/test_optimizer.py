"""One step of both optimizers against float64 numpy, written after the papers."""

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from ml_collections import ConfigDict

from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.model.config import ModelConfig
from rcfam_jax.training.optimizer import make_optimizer, muon_dimensions, update_ratios

CONFIG = ConfigDict(
    {
        "muon_learning_rate": 0.02,
        "adamw_learning_rate": 0.003,
        "muon_momentum": 0.95,
        "adam_b1": 0.9,
        "adam_b2": 0.99,
        "weight_decay": 0.01,
        "warmup_steps": 0,
    }
)


def small_params():
    config = ModelConfig(
        rows=2, columns=4, frame_width=4, pooling_stages=1, frame_blocks=1, num_heads=2, core_width=6, core_layers=1,
        vocabulary_size=8,
    )  # fmt: skip
    return nnx.to_pure_dict(nnx.split(FrameActionModel(config, rngs=nnx.Rngs(0)), nnx.Param)[1])


def named(tree):
    is_leaf = lambda x: x is None or hasattr(x, "reduction_axis")  # noqa: E731
    return {
        jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_leaf)
    }


def test_muon_has_the_matrices_of_head_and_core():
    """Named by hand: blocks, LSTMs and the projection; no embeddings, logits, biases, norms or initial states."""
    dimensions = named(muon_dimensions(small_params()))
    muon = {name for name, value in dimensions.items() if value is not None}
    block = ["query_key_value']['kernel", "output']['kernel", "mlp']['expand']['kernel", "mlp']['contract']['kernel"]
    expected = {f"['frame_head']['{part}'][0]['{name}']" for part in ("stages", "blocks") for name in block}
    expected |= {f"['frame_head']['reduction']['{name}']" for name in ("input", "recurrent")}
    core = ["lstm']['input", "lstm']['recurrent", *block[1:]]
    expected |= {f"['core']['layers'][0]['{name}']" for name in core} | {"['core']['projection']['kernel']"}
    assert muon == expected
    params = named(small_params())
    for name in muon:
        shape = params[name].shape
        assert dimensions[name].reduction_axis == 0
        assert dimensions[name].output_axis == len(shape) - 1
        assert len(shape) == (3 if any(part in name for part in ("query", "lstm", "reduction")) else 2), name


def orthogonalize(matrix):
    """Five Newton-Schulz steps with Muon's coefficients."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


def muon_step(param, grad):
    """Nesterov momentum from rest, orthogonalised, scaled by sqrt(max(1, outputs / inputs)), with decoupled decay."""
    momentum = (1 - 0.95) * grad
    direction = orthogonalize(0.95 * momentum + (1 - 0.95) * grad)
    scale = np.sqrt(max(1, grad.shape[1] / grad.shape[0]))
    return param - 0.02 * (scale * direction + 0.01 * param)


def adamw_step(param, grad):
    return param - 0.003 * (grad / (np.abs(grad) + 1e-8) + 0.01 * param)


def test_one_step_equals_float64_numpy(x64):
    generator = np.random.default_rng(0)
    params = jax.tree.map(lambda x: generator.normal(size=x.shape), small_params())
    grads = jax.tree.map(lambda x: generator.normal(size=x.shape), params)
    optimizer = make_optimizer(CONFIG)
    updates, _ = jax.jit(lambda: optimizer.update(grads, optimizer.init(params), params))()
    actual, dimensions = named(optax.apply_updates(params, updates)), named(muon_dimensions(params))
    for name, param in named(params).items():
        grad = named(grads)[name]
        if dimensions[name] is None:
            expected = adamw_step(param, grad)
        elif param.ndim == 2:
            expected = muon_step(param, grad)
        else:  # one matrix per gate, or per query, key and value
            expected = np.stack([muon_step(param[:, i], grad[:, i]) for i in range(param.shape[1])], axis=1)
        np.testing.assert_allclose(actual[name], expected, rtol=1e-7, atol=1e-9, err_msg=name)


def test_two_adamw_steps_equal_torch(x64):
    """AdamW proper: neither Nesterov momentum nor another decay."""
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(1)
    start, grads = generator.normal(size=3), generator.normal(size=(2, 3))
    theirs = torch.nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.AdamW([theirs], lr=0.003, betas=(0.9, 0.99), weight_decay=0.01)
    ours, params = make_optimizer(CONFIG), {"bias": start}
    state = ours.init(params)
    for grad in grads:
        theirs.grad = torch.tensor(grad)
        optimizer.step()
        updates, state = ours.update({"bias": grad}, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(params["bias"], theirs.detach().numpy(), rtol=1e-9)


def test_warm_up_is_linear():
    config = ConfigDict(CONFIG.to_dict() | {"warmup_steps": 4, "weight_decay": 0.0})
    optimizer, params = make_optimizer(config), {"bias": np.zeros(1)}
    state, steps = optimizer.init(params), []
    for _ in range(6):
        updates, state = optimizer.update({"bias": np.ones(1)}, state, params)
        steps.append(-float(updates["bias"][0]) / 0.003)
    np.testing.assert_allclose(steps, [0.2, 0.4, 0.6, 0.8, 1, 1], atol=1e-4)


def test_update_ratios_are_those_of_each_group_alone():
    """The groups again by hand: what Muon has is called kernel, input or recurrent, the logits apart."""
    generator = np.random.default_rng(2)
    params = jax.tree.map(lambda x: generator.normal(size=x.shape), small_params())
    updates = jax.tree.map(lambda x: generator.normal(size=x.shape) * 0.01, params)
    squares = {"muon": [0.0, 0.0], "adamw": [0.0, 0.0]}
    for name, param in named(params).items():
        is_muon = name.endswith(("kernel']", "input']", "recurrent']")) and "logits" not in name
        group = squares["muon" if is_muon else "adamw"]
        group[0] += (named(updates)[name] ** 2).sum()
        group[1] += (param**2).sum()
    expected = {f"update_ratio_{name}": np.sqrt(update / param) for name, (update, param) in squares.items()}
    assert update_ratios(updates, params) == pytest.approx(expected, rel=1e-5)
