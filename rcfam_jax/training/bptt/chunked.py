"""Backpropagation through time by a loop on the host over chunks of K frames: no limit on their number, T.

Forwards, each chunk's frames are decoded, embedded and taken in by the core; the core's carry on entry and the
embeddings are paged out to the host's memory. Backwards, from the last chunk to the first, they are paged in again: the
core is differentiated over the chunk, then one group of frame heads after the other, computed again from frames that
are decoded again. So each head goes forward twice and backward once, the device holds one chunk, and what is compiled
does not depend on T. A batch's frames are a `FrameStream` under the name "frames"; its other arrays are on the host.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rcfam_jax.model.action_model import Carry
from rcfam_jax.training.bptt.carry import carry_on_entry
from rcfam_jax.training.bptt.frame_heads import embed, into_groups
from rcfam_jax.training.bptt.paging import page_in, page_out
from rcfam_jax.training.frame_stream import FrameStream
from rcfam_jax.training.metrics import TokenScores, score_tokens
from rcfam_jax.training.windows import Batch

Place = Callable[[Any], Any]
"""Puts a tree of this process's rows of a batch where they are computed with."""


class Page(NamedTuple):
    """What a chunk's forward pass leaves for its backward pass; on the host, paged out, in between."""

    carry: Carry  # on entry
    embeddings_BxKxD: jax.Array


class Totals(NamedTuple):
    """Sums over a batch's unmasked tokens."""

    cross_entropy: jax.Array
    correct: jax.Array
    tokens: jax.Array


def token_scores(
    graphdef: Any, params: Any, batch: Batch, config: Any, place: Place = jax.device_put
) -> tuple[Carry, TokenScores]:
    """Run the model over a batch of windows; `config` is the section `bptt`. Returns the carry after them, too.

    A window that K does not divide is lengthened with empty frames. They come last, so nothing but that carry depends
    on them.
    """
    (carry, _), scores = _begin(graphdef, params, batch, place), []
    for chunk in _chunks(batch, place):
        before = carry
        carry, _, chunk_scores = _forward(graphdef, params, carry, chunk, config.head_steps)
        scores.append(chunk_scores)
        jax.block_until_ready(before)  # or the loop would put down chunks ahead of the device without end
    window = batch["tokens"].shape[1]
    return carry, TokenScores(*(jnp.concatenate(parts, axis=1)[:, :window] for parts in zip(*scores, strict=True)))


def loss_and_grad(
    graphdef: Any, params: Any, batch: Batch, config: Any, place: Place = jax.device_put
) -> tuple[tuple[jax.Array, dict], Any]:
    """What `loss.loss_and_grad` gives, for windows of any length. Not to be called inside of a compiled function."""
    carry, totals, pages = _all_forward(graphdef, params, batch, config, place)
    tokens = jnp.maximum(totals.tokens, 1)
    measured: dict[str, Any] = {"accuracy": totals.correct / tokens, "tokens": totals.tokens}
    if "carry" in batch:
        measured["carry"] = carry
    d_token = (1 / tokens).astype(totals.cross_entropy.dtype)
    grads = _all_backward(graphdef, params, batch, config, place, pages, d_token)
    return (totals.cross_entropy / tokens, measured), grads


def _all_forward(
    graphdef: Any, params: Any, batch: Batch, config: Any, place: Place
) -> tuple[Carry, Totals, list[Page]]:
    carry, totals = _begin(graphdef, params, batch, place)
    pages, page = [], None
    for chunk in _chunks(batch, place):
        before = carry
        carry, embeddings_BxKxD, scores = _forward(graphdef, params, carry, chunk, config.head_steps)
        totals = _add_up(totals, scores, chunk["mask"])
        if page is not None:  # of the chunk before, so that the device has this one to do meanwhile
            pages.append(page_out(page))
        page = Page(before, embeddings_BxKxD)
    pages.append(page_out(page))
    return carry, totals, pages


def _all_backward(
    graphdef: Any, params: Any, batch: Batch, config: Any, place: Place, pages: list[Page], d_token: jax.Array
) -> Any:
    """The gradient of the sum of cross-entropies, each weighted by `d_token`. The pages are used up."""
    d_carry, grads = _zeros(page_in(pages[-1].carry)), _zeros(params)
    for chunk in _chunks(batch, place, backwards=True):
        page, after = page_in(pages.pop()), d_carry
        d_carry, grads = _backward(graphdef, params, page, chunk, d_token, d_carry, grads, config.head_steps)
        jax.block_until_ready(after)
    return _leave(graphdef, params, *_entry(batch, place), d_carry, grads)


def _chunks(batch: Batch, place: Place, backwards: bool = False) -> Iterator[Batch]:
    """A batch chunk by chunk, put in its place."""
    frames: FrameStream = batch["frames"]
    missing = -batch["tokens"].shape[1] % frames.chunk
    tokens, mask = (np.pad(batch[name], [(0, 0), (0, missing)]) for name in ("tokens", "mask"))
    starts = range(0, tokens.shape[1], frames.chunk)
    order = (reversed(starts), frames.backwards()) if backwards else (starts, frames.forwards())
    for start, chunk in zip(*order, strict=True):
        steps = np.s_[:, start : start + frames.chunk]
        yield place(
            {
                "codepoints": chunk.codepoints_BxKxRxC,
                "styles": chunk.styles_BxKxRxC,
                "tokens": tokens[steps],
                "mask": mask[steps],
            }
        )


def _entry(batch: Batch, place: Place) -> tuple[int, Carry | None, jax.Array]:
    """What `carry_on_entry` needs to know of a batch."""
    rows = len(batch["tokens"])
    return rows * jax.process_count(), batch.get("carry"), place(batch.get("continues", np.ones(rows, bool)))


def _begin(graphdef: Any, params: Any, batch: Batch, place: Place) -> tuple[Carry, Totals]:
    """The carry before the first chunk, divided over devices as all later ones are, and nothing added up yet."""
    entry = _entry(batch, place)
    carry, totals = _enter(graphdef, params, *entry)
    return jax.device_put(carry, entry[-1].sharding), totals


def _zeros(tree: Any) -> Any:
    """Where gradients are added up: zeros for each array, where it is, in float32 or wider."""

    def zeros(array: jax.Array) -> jax.Array:
        return jnp.zeros(array.shape, jnp.promote_types(array.dtype, jnp.float32), device=array.sharding)

    return jax.tree.map(zeros, tree)


@functools.partial(jax.jit, static_argnames=("graphdef", "batch_size"))
def _enter(
    graphdef: Any, params: Any, batch_size: int, handed: Carry | None, continues_B: jax.Array
) -> tuple[Carry, Totals]:
    carry = carry_on_entry(nnx.merge(graphdef, params), batch_size, handed, continues_B)
    zero = jnp.zeros((), carry[0].c_BxH.dtype)
    return carry, Totals(zero, jnp.zeros((), int), jnp.zeros((), int))


@functools.partial(jax.jit, static_argnames=("graphdef", "steps"))
def _forward(
    graphdef: Any, params: Any, carry: Carry, chunk: Batch, steps: int
) -> tuple[Carry, jax.Array, TokenScores]:
    model = nnx.merge(graphdef, params)
    embeddings_BxKxD = embed(model, chunk["codepoints"], chunk["styles"], steps)
    carry, logits_BxKxV = model.advance(carry, embeddings_BxKxD)
    return carry, embeddings_BxKxD, score_tokens(logits_BxKxV, chunk["tokens"])


@jax.jit
def _add_up(totals: Totals, scores: TokenScores, mask_BxK: jax.Array) -> Totals:
    cross_entropy = jnp.where(mask_BxK, scores.cross_entropy_BxT, 0).sum()
    chunk = Totals(cross_entropy, (scores.correct_BxT & mask_BxK).sum(), mask_BxK.sum())
    return jax.tree.map(jnp.add, totals, chunk)


@functools.partial(jax.jit, static_argnames=("graphdef", "steps"), donate_argnames="grads")
def _backward(
    graphdef: Any,
    params: Any,
    page: Page,
    chunk: Batch,
    d_token: jax.Array,
    d_carry: Carry,
    grads: Any,
    steps: int,
) -> tuple[Carry, Any]:
    """The gradient in the chunk's carry on entry; and `grads` with the chunk's share added."""

    def core(params: Any, page: Page) -> tuple[Carry, jax.Array]:
        model = nnx.merge(graphdef, params)
        carry, logits_BxKxV = model.advance(*page)
        scores = score_tokens(logits_BxKxV, chunk["tokens"])
        return carry, jnp.where(chunk["mask"], scores.cross_entropy_BxT, 0).sum()

    def head(grads: Any, group: tuple[jax.Array, ...]) -> tuple[Any, None]:
        *cells, d_embeddings_FxD = group
        _, vjp = jax.vjp(lambda params: nnx.merge(graphdef, params).embed(*cells), params)
        return _plus(grads, *vjp(d_embeddings_FxD)), None

    _, vjp = jax.vjp(core, params, page)
    d_params, d_page = vjp((d_carry, d_token))
    groups = (into_groups(x, steps) for x in (chunk["codepoints"], chunk["styles"], d_page.embeddings_BxKxD))
    grads, _ = jax.lax.scan(head, _plus(grads, d_params), tuple(groups))
    return d_page.carry, grads


@functools.partial(jax.jit, static_argnames=("graphdef", "batch_size"), donate_argnames="grads")
def _leave(
    graphdef: Any,
    params: Any,
    batch_size: int,
    handed: Carry | None,
    continues_B: jax.Array,
    d_carry: Carry,
    grads: Any,
) -> Any:
    """Add what flows into the learned carry, in the dtypes of the parameters."""
    enter = lambda params: carry_on_entry(nnx.merge(graphdef, params), batch_size, handed, continues_B)  # noqa: E731
    _, vjp = jax.vjp(enter, params)
    return jax.tree.map(lambda grad, param: grad.astype(param.dtype), _plus(grads, *vjp(d_carry)), params)


def _plus(grads: Any, more: Any) -> Any:
    return jax.tree.map(lambda a, b: a + b.astype(a.dtype), grads, more)
