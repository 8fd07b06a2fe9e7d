"""A run does not offload before it has seen that this gives the true gradient."""

import jax
import jaxlib
import pytest

from data_gen.errors import UserError
from experiments.configs import tiny
from rcfam_jax.training import accumulation
from rcfam_jax.training.accumulation import accumulated_loss_and_grad
from rcfam_jax.training.bptt import self_check
from rcfam_jax.training.parallel import Devices


@pytest.fixture
def config():
    config = tiny.get_config()
    config.data.update(window=10, batch_size=2)
    config.bptt.update(mode="in_graph", chunk=4, head_steps=2, offload=True)
    return config


@pytest.fixture
def devices():
    return Devices(2, jax.devices()[:2])


def seen_shapes(monkeypatch, change=lambda grads, config: grads):
    """Have gradients pass through `change`; the batches and carries of which they are."""
    shapes = []

    def changed(graphdef, params, batch, parts, config):
        result, grads = accumulated_loss_and_grad(graphdef, params, batch, parts, config)
        state = params["core"]["layers"][0]["lstm"]["initial_h"]
        shapes.append((config.mode, config.offload, batch["tokens"].shape, state.shape))
        return result, change(grads, config)

    monkeypatch.setattr(self_check, "accumulated_loss_and_grad", changed)
    return shapes


@pytest.mark.slow
def test_offloading_is_right_here_and_proven_at_the_shapes_of_the_run(config, devices, monkeypatch):
    shapes = seen_shapes(monkeypatch)
    self_check.check_offloading(config, devices)
    assert shapes == [("in_graph", True, (2, 10), (64,)), ("plain", False, (2, 10), (64,))]


@pytest.mark.slow
def test_it_is_proven_at_the_shapes_of_the_parts_of_a_batch(config, monkeypatch):
    """And plain backpropagation is taken where there is room for one part, not for the whole batch."""
    config.data.batch_size, config.train.accumulate = 6, 3
    loss_and_grad, plain_bytes, shapes = accumulation.loss_and_grad, self_check.plain_bytes, []

    def noted(graphdef, params, batch, config):
        shapes.append((config.mode, config.offload, batch["tokens"].shape))
        return loss_and_grad(graphdef, params, batch, config)

    monkeypatch.setattr(accumulation, "loss_and_grad", noted)
    monkeypatch.setattr(self_check, "free_bytes", lambda params: 1.5 * a_part)
    monkeypatch.setattr(self_check.jax, "device_count", lambda: 1)
    graphdef, params = self_check._narrow_model(config)
    a_part = 2 * config.data.window * plain_bytes(graphdef, params, self_check.GRID)
    self_check.check_offloading(config, Devices(6, jax.devices()[:1], parts=3))
    assert set(shapes) == {("in_graph", True, (2, 10)), ("plain", False, (2, 10))}


def test_a_wrong_gradient_is_refused(config, devices, monkeypatch):
    """The recurrent weights' gradient a hundredth too large, where it was offloaded."""

    def wrong(grads, config):
        lstm = grads["core"]["layers"][0]["lstm"]
        lstm["recurrent"] = lstm["recurrent"] * (1.01 if config.offload else 1)
        return grads

    seen_shapes(monkeypatch, wrong)
    message = rf"\['recurrent'\] differs by 1.0e-02 .*jaxlib is {jaxlib.__version__}.*openxla/xla issue 46231"
    with pytest.raises(UserError, match=message):
        self_check.check_offloading(config, devices)


@pytest.mark.slow
def test_a_gradient_that_is_not_a_number_is_refused(config, devices, monkeypatch):
    seen_shapes(monkeypatch, lambda grads, config: jax.tree.map(lambda x: x * float("nan"), grads))
    with pytest.raises(UserError, match="the offloaded gradient is wrong here"):
        self_check.check_offloading(config, devices)


@pytest.mark.slow
def test_what_plain_backpropagation_has_no_room_for_is_held_against_the_scan_without_offloading(
    config, devices, monkeypatch
):
    monkeypatch.setattr(self_check, "free_bytes", lambda params: 0)
    shapes = seen_shapes(monkeypatch)
    self_check.check_offloading(config, devices)
    assert [shape[:2] for shape in shapes] == [("in_graph", True), ("in_graph", False)]
