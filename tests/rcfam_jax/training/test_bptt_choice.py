import jax
import pytest
from flax import nnx

from data_gen.errors import UserError
from experiments.configs import tiny
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.training.bptt import choice


def shapes_of(config):
    """The model's structure and its parameters' shapes: nothing is computed."""
    model = nnx.eval_shape(lambda: FrameActionModel(config.model, rngs=nnx.Rngs(0)))
    graphdef, state = nnx.split(model, nnx.Param)
    return graphdef, nnx.to_pure_dict(state)


@pytest.fixture(scope="module")
def tiny_model():
    return shapes_of(tiny.get_config())


def decided(tiny_model, monkeypatch, mebibytes, **bptt):
    config = tiny.get_config()
    config.data.update(window=64, batch_size=4)
    config.bptt.update(mode="auto", **bptt)
    monkeypatch.setattr(choice, "device_bytes", lambda: int(mebibytes * 2**20))
    return choice.decide(config, *tiny_model).bptt.mode


def test_the_fastest_that_fits_is_taken(tiny_model, monkeypatch):
    modes = [decided(tiny_model, monkeypatch, mebibytes) for mebibytes in (2**15, 2**12, 64, 8, 4, 2, 1)]
    assert modes[0] == "plain" and modes[-1] == "chunked" and "in_graph" in modes
    assert modes == sorted(modes, key=["plain", "in_graph", "chunked"].index)


def test_a_mode_that_is_named_is_kept(tiny_model, monkeypatch):
    config = tiny.get_config()
    assert choice.decide(config, *tiny_model).bptt.mode == config.bptt.mode == "in_graph"


def test_plain_is_estimated_by_what_it_keeps():
    """Twice the width keeps about twice as much, and a frame more than its cells' embeddings."""
    config = tiny.get_config()
    grid = config.model.rows, config.model.columns
    narrow = choice.plain_bytes(*shapes_of(config), grid)
    config.model.update(frame_width=64, core_width=128)
    wide = choice.plain_bytes(*shapes_of(config), grid)
    assert narrow > 4 * 32 * grid[0] * grid[1]
    assert 1.5 * narrow < wide < 2.5 * narrow


def test_the_machine_has_memory():
    assert choice.device_bytes() * jax.local_device_count() > 2**29


def test_a_carry_is_handed_on_from_whole_chunks_only(tiny_model, monkeypatch):
    assert decided(tiny_model, monkeypatch, 1, carry="continue", chunk=16) == "chunked"
    assert decided(tiny_model, monkeypatch, 2**15, carry="continue", chunk=24) == "plain"
    with pytest.raises(UserError, match=r"bptt.carry is 'continue': bptt.chunk, 24, must divide data.window, 64"):
        decided(tiny_model, monkeypatch, 1, carry="continue", chunk=24)


@pytest.mark.parametrize(
    ("chunk", "head_steps", "shortened"), [(128, 16, (64, 16)), (96, 24, (64, 8)), (32, 4, (32, 4))]
)
def test_no_chunk_is_longer_than_a_window(tiny_model, chunk, head_steps, shortened):
    config = tiny.get_config()
    config.data.window = 64
    config.bptt.update(chunk=chunk, head_steps=head_steps)
    decided = choice.decide(config, *tiny_model)
    assert (decided.bptt.chunk, decided.bptt.head_steps) == shortened
