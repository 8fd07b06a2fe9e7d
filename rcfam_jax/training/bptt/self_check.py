"""Proof, before a run that offloads, that offloading gives the true gradient here.

Some jaxlib builds read what a scan has offloaded in the wrong order on a GPU. Nothing fails: the gradients are wrong.
"""

import functools
from typing import Any

import jax
import jaxlib
import numpy as np
from flax import nnx
from ml_collections import ConfigDict

from data_gen.errors import UserError
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.training.accumulation import accumulated_loss_and_grad
from rcfam_jax.training.bptt.choice import free_bytes, plain_bytes
from rcfam_jax.training.parallel import Devices, gather, micro_batch_size

TOLERANCE = 1e-3
"""Relative L2 a parameter. Exact ways differ by some 1e-6 in float32; a wrong order by some 1e-1."""

GRID = (1, 8)
"""Rows and columns of the frames of the proof; its head is as narrow."""


def check_offloading(config: ConfigDict, devices: Devices) -> None:
    """`UserError` if the offloaded gradient is not the plain one on these devices, at this run's B, T, K, L and H."""
    graphdef, params = _narrow_model(config)
    batch = devices.scatter(_random_batch(config))
    params = devices.replicate(params)
    grads = []
    for bptt in (config.bptt, _reference(config, graphdef, params)):
        parts = config.train.accumulate
        gradient = jax.jit(functools.partial(accumulated_loss_and_grad, graphdef, parts=parts, config=bptt))
        with jax.default_matmul_precision("highest"):
            grads.append(gather(gradient(params, batch)[1]))
    for (path, actual), expected in zip(
        jax.tree_util.tree_leaves_with_path(grads[0]), jax.tree.leaves(grads[1]), strict=True
    ):
        error = np.linalg.norm(actual - expected) / np.linalg.norm(expected)
        if not error < TOLERANCE:
            raise UserError(
                f"the offloaded gradient is wrong here: {jax.tree_util.keystr(path)} differs by {error:.1e} from the "
                f"plain one. jaxlib is {jaxlib.__version__}, jax {jax.__version__}: 0.10.2 and 0.11.0 may read "
                "offloaded scan residuals in the wrong order on a GPU (openxla/xla issue 46231): install "
                "another, or give --config.bptt.offload=False; --config.bptt.self_check=False trains nonetheless"
            )


def _narrow_model(config: ConfigDict) -> tuple[Any, Any]:
    """The run's core behind a frame head that costs nothing; initial states that are not zero."""
    narrow = {"rows": GRID[0], "columns": GRID[1], "frame_width": 8, "num_heads": 1, "pooling_stages": 0}
    model = ConfigDict(config.model.to_dict() | narrow)
    model.update(frame_blocks=0, vocabulary_size=16, dtype="float32", param_dtype="float32")
    graphdef, state = nnx.split(FrameActionModel(model, rngs=nnx.Rngs(0)), nnx.Param)
    generator = np.random.default_rng(0)
    nudged = lambda param: param + generator.normal(0, 0.1, param.shape).astype(param.dtype)  # noqa: E731
    return graphdef, jax.tree.map(nudged, nnx.to_pure_dict(state))


def _random_batch(config: ConfigDict) -> dict[str, np.ndarray]:
    """This process's rows of a batch of frames that differ."""
    generator = np.random.default_rng(jax.process_index())
    steps = config.data.batch_size // jax.process_count(), config.data.window
    frames = lambda: generator.integers(0, 256, (*steps, *GRID), dtype=np.uint8)  # noqa: E731
    tokens = generator.integers(0, 16, steps, dtype=np.int32)
    return {"codepoints": frames(), "styles": frames(), "tokens": tokens, "mask": np.ones(steps, bool)}


def _reference(config: ConfigDict, graphdef: Any, params: Any) -> ConfigDict:
    """Plain backpropagation, or the same scan without offloading where that does not fit the device."""
    steps = config.data.window * micro_batch_size(config) // jax.device_count()
    fits = steps * plain_bytes(graphdef, params, GRID) <= free_bytes(params)
    return ConfigDict(config.bptt.to_dict() | {"mode": "plain" if fits else "in_graph", "offload": False})
