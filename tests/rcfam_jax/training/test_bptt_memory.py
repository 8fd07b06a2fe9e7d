"""Memory that does not grow: what backpropagation keeps, and where."""

import collections
import multiprocessing
import re

import jax
import numpy as np
import pytest
from exact_gradients import (
    CORE_WIDTH,
    FRAME_WIDTH,
    IN_GRAPH,
    PLAIN,
    compiled,
    make_batch,
    make_model,
)
from flax import nnx

from benchmarks.long_windows import measure
from benchmarks.typed_noise import write_noise
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import loss_and_grad

HOST, DEVICE = "pinned_host", "device"


def walk(jaxpr):
    """The equations of a jaxpr and of all that lie in it."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda x: hasattr(x, "eqns") or hasattr(x, "jaxpr")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from walk(inner)


@pytest.mark.parametrize("offload", [False, True])
def test_the_scan_keeps_carries_and_embeddings_only(offload):
    """All arrays of the gradient's jaxpr with the leading dimension T or T / K, which nothing else has."""
    batch_size, window, chunk = 2, 44, 4
    graphdef, params = make_model("float32")
    batch = make_batch(batch_size, window)
    config = IN_GRAPH(chunk, 2, offload)
    gradient = jax.make_jaxpr(lambda params: loss_and_grad(graphdef, params, batch, config))(params)
    avals = [var.aval for equation in walk(gradient.jaxpr) for var in equation.outvars]
    chunks = window // chunk
    kept = [aval for aval in avals if aval.shape[:1] in ((window,), (chunks,)) and aval.dtype == np.float32]
    shapes = collections.Counter(aval.shape for aval in kept)
    scores = shapes.pop((chunks, batch_size, chunk))  # a number a token, and its cotangent
    assert scores <= 4
    carry, embeddings = (chunks, batch_size, CORE_WIDTH), (chunks, batch_size, chunk, FRAME_WIDTH)
    assert shapes.keys() == {carry, embeddings}
    on_host = [str(aval.memory_space).lower().endswith("host") for aval in kept if aval.shape in shapes]
    assert all(on_host) if offload else not any(on_host)


def test_what_is_lowered_for_cuda_moves_all_that_is_kept_to_the_host():
    batch_size, window, chunk = 2, 44, 4
    chunks = window // chunk
    graphdef, params = make_model("float32")
    traced = compiled.trace(graphdef, params, make_batch(batch_size, window), IN_GRAPH(chunk, 2, offload=True))
    text = traced.lower(lowering_platforms=("cuda",)).as_text()
    moved = re.findall(r'@annotate_device_placement.*_xla_buffer_placement = "(\w+)".*-> tensor<([\dx]+)xf32>', text)
    carry, embeddings = f"{batch_size}x{CORE_WIDTH}", f"{batch_size}x{chunk}x{FRAME_WIDTH}"
    assert collections.Counter(moved) == {
        (memory, shape): count for memory in (HOST, DEVICE) for shape, count in ((carry, 2), (embeddings, 1))
    }
    stacked = set(re.findall(rf"tensor<(?:{chunks}|{window})x([\dx]*)xf32>", text))
    assert stacked == {carry, embeddings, f"{batch_size}x{chunk}"}  # the last are scores


def temporary_bytes(config, window):
    graphdef, params = make_model("float32")
    lowered = compiled.lower(graphdef, params, make_batch(1, window), config)
    return lowered.compile().memory_analysis().temp_size_in_bytes


def kept_bytes(window, chunk):
    """What `in_graph` keeps: embeddings, and h and c at each chunk, in float32."""
    return 4 * (window * FRAME_WIDTH + window // chunk * 2 * CORE_WIDTH)


def test_memory_does_not_grow_apart_from_what_is_kept_on_the_host():
    chunk = 32
    config = IN_GRAPH(chunk, 4, offload=True)
    short, long = (temporary_bytes(config, window) - kept_bytes(window, chunk) for window in (64, 1024))
    assert long <= 1.1 * short
    assert temporary_bytes(PLAIN, 256) > 4 * short


@pytest.mark.slow
def test_one_group_of_frame_heads_is_alive_in_a_backward_pass():
    """A chunk eight times as long takes more for the core only; a larger group takes more for the heads."""
    batch_size = 1

    def bytes_of(chunk, head_steps):
        batch = make_batch(batch_size, chunk)
        graphdef, params = make_model("float32")
        carry = jax.eval_shape(lambda: nnx.merge(graphdef, params).initial_carry(batch_size))
        page = chunked.Page(carry, jax.ShapeDtypeStruct((batch_size, chunk, FRAME_WIDTH), "float32"))
        d_token = jax.ShapeDtypeStruct((), "float32")
        lowered = chunked._backward.lower(graphdef, params, page, batch, d_token, carry, params, head_steps)
        return lowered.compile().memory_analysis().temp_size_in_bytes

    short, long, all_at_once = bytes_of(4, 2), bytes_of(32, 2), bytes_of(32, 32)
    head = (all_at_once - long) / 30
    assert head > 4096  # bytes of one frame's activations: 16 cells, 8 wide, some dozen arrays
    assert long - short < 28 * head / 4


@pytest.mark.slow
def test_resident_memory_in_chunks_does_not_grow(tmp_path):
    """Each window is differentiated in a process of its own."""
    write_noise(tmp_path, 8192)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        short, long = (pool.apply(measure, (str(tmp_path), frames)) for frames in (512, 8192))
    assert long.constant <= 1.15 * short.constant
    assert long.added < 64  # MiB; frames alone would take twice 8,192 x 320 bytes, activations some 100 times that
