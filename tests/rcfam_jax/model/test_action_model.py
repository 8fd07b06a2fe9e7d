"""The whole model: its size, what it computes (against a second model in float64 numpy), what depends on what."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from ml_collections import ConfigDict

from data_gen.cells import CURSOR, style_channels
from experiments.configs import paper_82m, paper_103m, paper_145m, paper_737m
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.model.config import ModelConfig

SMALL = ModelConfig(
    rows=3,
    columns=8,
    max_codepoint=127,
    frame_width=8,
    pooling_stages=2,
    frame_blocks=1,
    num_heads=2,
    core_width=12,
    core_layers=2,
    vocabulary_size=20,
)


@functools.cache
def make_model(**changes):
    """A small model none of whose parameters is zero or one."""
    model = FrameActionModel(dataclasses.replace(SMALL, **changes), rngs=nnx.Rngs(0))
    graphdef, params = nnx.split(model, nnx.Param)
    generator = np.random.default_rng(0)
    return nnx.merge(
        graphdef, jax.tree.map(lambda x: x + jnp.asarray(generator.normal(0, 0.1, x.shape), x.dtype), params)
    )


@jax.jit
def predict(model, codepoints, styles, carry=None):
    return model(codepoints, styles, carry)


@jax.jit
def embed(model, codepoints, styles):
    return model.embed(codepoints, styles)


def random_frames(batch, steps, seed=1):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (2, batch, steps, SMALL.rows, SMALL.columns), dtype=np.uint8)


def relative_error(actual, expected):
    return np.linalg.norm(np.float64(actual) - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(
    "config, millions", [(paper_82m, 82.0), (paper_103m, 103.2), (paper_145m, 145.8), (paper_737m, 737.6)]
)
def test_the_papers_models_have_the_papers_sizes(config, millions):
    model = nnx.eval_shape(lambda: FrameActionModel(config.get_config().model, rngs=nnx.Rngs(0)))
    parameters = sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert round(parameters / 1e6, 1) == millions


class Reference:
    """The model written a second time, in numpy and one frame and one step at a time."""

    def __init__(self, model):
        self.params = jax.tree.map(np.float64, nnx.to_pure_dict(nnx.state(model, nnx.Param)))

    def linear(self, params, x):
        return np.tensordot(x, params["kernel"], 1) + params["bias"]

    def norm(self, params, x):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * params["scale"]

    def mlp(self, params, x):
        hidden = self.linear(params["expand"], self.norm(params["norm"], x))
        gelu = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
        return x + self.linear(params["contract"], gelu)

    def block(self, params, x):
        qkv = self.linear(params["query_key_value"], self.norm(params["norm"], x))
        heads = []
        for q, k, v in zip(*(np.split(qkv[:, part], SMALL.num_heads, axis=1) for part in range(3)), strict=True):
            weights = np.exp(q @ k.T / np.sqrt(q.shape[1]))
            heads.append(weights / weights.sum(1, keepdims=True) @ v)
        return self.mlp(params["mlp"], x + self.linear(params["output"], np.concatenate(heads, axis=1)))

    def lstm_step(self, params, x, h, c):
        gates = np.tensordot(x, params["input"], 1) + np.tensordot(h, params["recurrent"], 1) + params["bias"]
        i, f, o = (1 / (1 + np.exp(-gates[gate])) for gate in (0, 1, 3))
        c = f * c + i * np.tanh(gates[2])
        return o * np.tanh(c), c

    def embed(self, codepoints, styles):
        head = self.params["frame_head"]
        cells = head["cells"]
        x = np.stack(
            [
                cells["codepoint"][min(codepoint, SMALL.max_codepoint)]
                + cells["position"][place]
                + sum(
                    value / 255 * vector
                    for value, vector in zip(style_channels()[style], cells["channel"], strict=True)
                )
                for place, (codepoint, style) in enumerate(zip(codepoints.ravel(), styles.ravel(), strict=True))
            ]
        )
        for stage in range(SMALL.pooling_stages):
            x = self.block(head["stages"][stage], x)
            x = (x[0::2] + x[1::2]) / 2
        for block in range(SMALL.frame_blocks):
            x = self.block(head["blocks"][block], x)
        h, c = head["reduction"]["initial_h"], head["reduction"]["initial_c"]
        for cell in x:
            h, c = self.lstm_step(head["reduction"], cell, h, c)
        return h

    def logits(self, codepoints_TxRxC, styles_TxRxC):
        core = self.params["core"]
        layers = [core["layers"][index] for index in range(SMALL.core_layers)]
        states = [(layer["lstm"]["initial_h"], layer["lstm"]["initial_c"]) for layer in layers]
        logits = []
        for codepoints, styles in zip(codepoints_TxRxC, styles_TxRxC, strict=True):
            x = self.linear(core["projection"], self.embed(codepoints, styles))
            for index, layer in enumerate(layers):
                states[index] = self.lstm_step(layer["lstm"], self.norm(layer["norm"], x), *states[index])
                x = self.mlp(layer["mlp"], x + self.linear(layer["output"], states[index][0]))
            logits.append(self.linear(core["logits"], self.norm(core["norm"], x)))
        return np.array(logits)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 1e-5)])
def test_logits_equal_the_reference(dtype, tolerance, x64):
    model = make_model(dtype=dtype, param_dtype=dtype)
    codepoints, styles = random_frames(batch=2, steps=3)
    _, logits = predict(model, codepoints, styles)
    assert logits.dtype == dtype
    reference = Reference(model)
    for window in range(2):
        assert relative_error(logits[window], reference.logits(codepoints[window], styles[window])) < tolerance


def test_bfloat16_is_close_and_keeps_parameters_and_memory_in_float32():
    codepoints, styles = random_frames(batch=2, steps=3)
    _, expected = predict(make_model(), codepoints, styles)
    model = make_model(dtype="bfloat16")
    carry, logits = predict(model, codepoints, styles)
    assert jax.eval_shape(embed, model, codepoints[0], styles[0]).dtype == jnp.bfloat16
    assert {x.dtype for x in jax.tree.leaves((carry, logits, nnx.state(model, nnx.Param)))} == {jnp.dtype("float32")}
    assert relative_error(logits, expected) < 0.05


def test_a_window_at_once_equals_step_by_step(x64):
    model = make_model(dtype="float64", param_dtype="float64")
    codepoints, styles = random_frames(batch=2, steps=3)
    carry, logits = predict(model, codepoints, styles)
    stepwise, advanced = model.initial_carry(2), []
    for step in range(3):
        one_step = slice(step, step + 1)
        stepwise, step_logits = predict(model, codepoints[:, one_step], styles[:, one_step], stepwise)
        advanced.append(step_logits)
    assert relative_error(jnp.concatenate(advanced, axis=1), logits) < 1e-13
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-12), stepwise, carry)


def test_no_prediction_depends_on_a_later_frame():
    model = make_model()
    embeddings = jnp.asarray(np.random.default_rng(2).normal(size=(1, 5, SMALL.frame_width)), jnp.float32)
    direction = jnp.asarray(np.random.default_rng(3).normal(size=SMALL.vocabulary_size), jnp.float32)
    jacobian = jax.jit(jax.jacrev(lambda x: model.advance(model.initial_carry(1), x)[1][0] @ direction))
    gradient_TxKxD = jacobian(embeddings)[:, 0]
    for time, gradient_KxD in enumerate(gradient_TxKxD):
        assert (np.abs(gradient_KxD[: time + 1]).max(axis=1) > 0).all()
        assert (gradient_KxD[time + 1 :] == 0).all()


def test_a_frames_embedding_depends_on_every_cell_and_on_no_other_frame():
    model = make_model()
    codepoints, styles = random_frames(batch=2, steps=1)[:, :, 0]
    codepoints &= SMALL.max_codepoint
    embeddings = np.asarray(embed(model, codepoints, styles))  # done before its arguments change
    for place in range(SMALL.rows * SMALL.columns):
        for array, bit in ((codepoints, 1), (styles, CURSOR)):
            array[0].ravel()[place] ^= bit
            changed = embed(model, codepoints, styles)
            assert not np.array_equal(changed[0], embeddings[0])
            np.testing.assert_array_equal(changed[1], embeddings[1])
            array[0].ravel()[place] ^= bit


def test_codepoints_above_the_highest_are_embedded_as_the_highest():
    model = make_model()
    codepoints, styles = random_frames(batch=1, steps=1)[:, :, 0]
    expected = embed(model, np.minimum(codepoints, SMALL.max_codepoint), styles)
    wide = np.where(codepoints > SMALL.max_codepoint, np.int32(0x1F600), codepoints)
    np.testing.assert_array_equal(embed(model, wide, styles), expected)


def test_gradients_reach_every_parameter_through_a_split_model():
    graphdef, params = nnx.split(make_model(), nnx.Param)
    codepoints, styles = random_frames(batch=2, steps=3)

    @jax.jit
    @jax.grad
    def gradient(params):
        return (nnx.merge(graphdef, params)(codepoints, styles)[1] ** 2).mean()

    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient(params)):
        assert np.isfinite(leaf).all() and np.abs(leaf).max() > 0, jax.tree_util.keystr(path)


def test_initialisation():
    """Weights and biases are uniform within 1/sqrt(fan-in), embeddings standard normal, initial states zero."""
    model = FrameActionModel(dataclasses.replace(SMALL, frame_width=64, core_width=96), rngs=nnx.Rngs(0))
    params = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    fan_ins = {"expand": 96, "contract": 384, "output": 96}
    for name, fan_in in fan_ins.items():
        layer = params["core"]["layers"][0]
        for array in (layer["mlp"] | layer)[name].values():
            assert 0.8 / fan_in**0.5 < np.abs(array).max() <= 1 / fan_in**0.5
            assert np.std(array) == pytest.approx(1 / (3 * fan_in) ** 0.5, rel=0.15)
    for name in ("input", "recurrent", "bias"):
        assert 0.9 / 96**0.5 < np.abs(params["core"]["layers"][1]["lstm"][name]).max() <= 1 / 96**0.5
    assert np.std(params["frame_head"]["cells"]["codepoint"]) == pytest.approx(1, rel=0.05)
    assert not params["core"]["layers"][0]["lstm"]["initial_c"].any()
    assert not np.array_equal(
        params["core"]["layers"][0]["lstm"]["input"], params["core"]["layers"][1]["lstm"]["input"]
    )


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"columns": 7}, "model: 3 x 7 = 21 cells cannot be halved 2 times"),
        ({"num_heads": 3}, "model: num_heads 3 does not divide frame_width 8"),
    ],
)
def test_impossible_sizes_are_refused(changes, message):
    config = ConfigDict(dataclasses.asdict(SMALL) | changes)
    with pytest.raises(ValueError, match=message):
        FrameActionModel(config, rngs=nnx.Rngs(0))
