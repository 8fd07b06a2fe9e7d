"""The recurrence-complete frame-based action model (section 10): a frame head, and a core over its embeddings."""

from typing import Any

import jax
from flax import nnx

from data_gen.errors import UserError
from rcfam_jax.model.core import Carry, Core
from rcfam_jax.model.frame_head import FrameHead


class FrameActionModel(nnx.Module):
    """Predicts the token typed at each frame from that frame and all before it.

    `config` has the fields of `ModelConfig`. Training goes through `embed` and `advance` in chunks of frames; calling
    the model does the same for a whole window at once.
    """

    def __init__(self, config: Any, *, rngs: nnx.Rngs):
        _check(config)
        self._core_kind = config.core
        self.frame_head = FrameHead(config, rngs=rngs)
        self.core = Core(config, rngs=rngs)

    def embed(self, codepoints_FxRxC: jax.Array, styles_FxRxC: jax.Array) -> jax.Array:
        """Embed F frames, each on its own, as embeddings_FxD."""
        return self.frame_head(codepoints_FxRxC, styles_FxRxC)

    def initial_carry(self, batch: int) -> Carry:
        """The learned memory before the first frame, once for each of `batch` windows."""
        return self.core.initial_carry(batch)

    def advance(self, carry: Carry, embeddings_BxKxD: jax.Array) -> tuple[Carry, jax.Array]:
        """Take K frames in; returns the memory after them and logits_BxKxV of the token typed at each.

        `UserError` if the core is attention, which remembers nothing.
        """
        if self._core_kind == "attention":
            raise UserError("model.core is 'attention', which sees whole windows only: bptt.mode must be 'plain'")
        return self.core(carry, embeddings_BxKxD)

    def __call__(
        self, codepoints_BxTxRxC: jax.Array, styles_BxTxRxC: jax.Array, carry: Carry | None = None
    ) -> tuple[Carry, jax.Array]:
        """Predict whole windows; returns the memory after them and logits_BxTxV."""
        batch, steps, *grid = codepoints_BxTxRxC.shape
        embeddings_FxD = self.embed(codepoints_BxTxRxC.reshape(-1, *grid), styles_BxTxRxC.reshape(-1, *grid))
        embeddings_BxTxD = embeddings_FxD.reshape(batch, steps, -1)
        if carry is None:
            return self.core(self.initial_carry(batch), embeddings_BxTxD)
        return self.advance(carry, embeddings_BxTxD)


def _check(config: Any) -> None:
    cells = config.rows * config.columns
    if cells % 2**config.pooling_stages:
        raise ValueError(
            f"model: {config.rows} x {config.columns} = {cells} cells cannot be halved {config.pooling_stages} times"
        )
    if config.core not in ("lstm", "attention"):
        raise ValueError(f"model: core is {config.core!r}: it must be 'lstm' or 'attention'")
    if config.core == "attention" and config.core_width % (2 * config.num_heads):
        raise ValueError(f"model: num_heads {config.num_heads} does not divide half of core_width {config.core_width}")
    if config.frame_width % config.num_heads:
        raise ValueError(f"model: num_heads {config.num_heads} does not divide frame_width {config.frame_width}")
