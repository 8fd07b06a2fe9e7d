"""Frame heads of a chunk, a group of steps at a time."""

import jax
import jax.numpy as jnp

from rcfam_jax.model.action_model import FrameActionModel


def into_groups(array_BxKx: jax.Array, steps: int) -> jax.Array:
    """Divide K steps of B windows into groups of `steps` (a divisor of K): [K / steps, B x steps, ...]."""
    batch_size, chunk, *rest = array_BxKx.shape
    by_group = jnp.moveaxis(array_BxKx.reshape(batch_size, chunk // steps, steps, *rest), 1, 0)
    return by_group.reshape(chunk // steps, batch_size * steps, *rest)


def embed(model: FrameActionModel, codepoints_BxKxRxC: jax.Array, styles_BxKxRxC: jax.Array, steps: int) -> jax.Array:
    """Embed K steps of B windows as embeddings_BxKxD, `steps` of them at a time; so does the backward pass."""
    batch_size, chunk = codepoints_BxKxRxC.shape[:2]
    embed_group = jax.checkpoint(lambda cells: model.embed(*cells), prevent_cse=False)
    cells = into_groups(codepoints_BxKxRxC, steps), into_groups(styles_BxKxRxC, steps)
    embeddings = jax.lax.map(embed_group, cells).reshape(chunk // steps, batch_size, steps, -1)
    return jnp.moveaxis(embeddings, 0, 1).reshape(batch_size, chunk, -1)
