"""The model written in PyTorch has the outputs and the gradients of ours, for the same weights."""

import jax
import numpy as np
import pytest
from flax import nnx
from ml_collections import ConfigDict

from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.model.config import ModelConfig
from rcfam_jax.training.bptt.loss import loss_and_grad

torch = pytest.importorskip("torch")

from benchmarks.peers.torch_model import as_torch, loss, make_model  # noqa: E402

BATCH, STEPS = 2, 3


def random_batch(config):
    generator = np.random.default_rng(1)
    frames = generator.integers(0, 256, (2, BATCH, STEPS, config.rows, config.columns), dtype=np.uint8)
    tokens = generator.integers(0, config.vocabulary_size, (BATCH, STEPS), dtype=np.int32)
    mask = np.arange(STEPS) < np.array([[STEPS], [STEPS - 1]])
    return {"codepoints": frames[0], "styles": frames[1], "tokens": tokens, "mask": mask}


def relative_error(actual, expected):
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def compiled(function):
    """Quickly rather than well: it runs once."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def test_outputs_and_gradients_equal_ours():
    config = ModelConfig(
        rows=2, columns=4, max_codepoint=127, frame_width=8, pooling_stages=1, frame_blocks=1, num_heads=2,
        core_width=12, core_layers=1, vocabulary_size=20,
    )  # fmt: skip
    graphdef, params = nnx.split(FrameActionModel(config, rngs=nnx.Rngs(0)), nnx.Param)
    generator = np.random.default_rng(0)
    params = nnx.to_pure_dict(params)
    params = jax.tree.map(lambda x: np.float32(x + generator.normal(0, 0.1, x.shape)), params)
    batch = random_batch(config)

    bptt = ConfigDict({"mode": "in_graph", "chunk": STEPS, "head_steps": 1, "offload": False})
    compute = compiled(lambda params, batch: loss_and_grad(graphdef, params, batch, bptt))
    (expected_loss, _), expected_grads = compute(params, batch)
    predict = compiled(lambda params, *frames: nnx.merge(graphdef, params)(*frames)[1])
    expected_logits = predict(params, batch["codepoints"], batch["styles"])

    model = make_model(config, params)
    tensors = {name: torch.from_numpy(array) for name, array in batch.items()}
    value = loss(model, tensors)
    value.backward()
    logits = model(tensors["codepoints"], tensors["styles"])
    assert relative_error(logits.detach().numpy(), expected_logits) < 1e-5
    assert value.item() == pytest.approx(float(expected_loss), rel=1e-5)
    grads = {name: x.grad.numpy() for name, x in model.named_parameters() if x.requires_grad}
    expected_grads = as_torch(expected_grads)
    assert grads.keys() == expected_grads.keys()
    for name, expected in expected_grads.items():
        assert relative_error(grads[name], expected) < 2e-5, name
