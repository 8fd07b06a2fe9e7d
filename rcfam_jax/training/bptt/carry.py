"""The carry that windows start from: learned, or handed on from the windows before."""

import jax
import jax.numpy as jnp

from rcfam_jax.model.action_model import Carry, FrameActionModel


def carry_on_entry(
    model: FrameActionModel, batch_size: int, handed: Carry | None = None, continues_B: jax.Array | None = None
) -> Carry:
    """The learned carry, or the one that is `handed` in for those windows that continue (all if not told otherwise).

    What is handed in is a constant: no gradient flows into the windows before (truncated backpropagation).
    """
    learned = model.initial_carry(batch_size)
    if handed is None:
        return learned
    handed = jax.lax.stop_gradient(handed)
    if continues_B is None:
        return handed
    return jax.tree.map(lambda *states: jnp.where(continues_B[:, None], *states), handed, learned)
