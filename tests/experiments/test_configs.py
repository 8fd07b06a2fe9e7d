import importlib
import pathlib
import re

import jax
import pytest
from flax import nnx

import experiments.configs
from rcfam_jax.analysis.flops import forward_flops
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.training.bptt import choice
from rcfam_jax.training.bptt.loss import check_bptt
from rcfam_jax.training.checkpoints import differences, flatten, load_config, save_config
from rcfam_jax.training.optimizer import make_optimizer

NAMES = sorted(path.stem for path in pathlib.Path(experiments.configs.__file__).parent.glob("[a-z]*.py"))


def get_config(name):
    return importlib.import_module(f"experiments.configs.{name}").get_config()


@pytest.mark.parametrize("name", NAMES)
def test_every_configuration_has_the_fields_of_the_base_and_survives_json(name, tmp_path):
    config = get_config(name)
    assert flatten(config).keys() == flatten(get_config("base")).keys()
    check_bptt(config.bptt)
    save_config(tmp_path, config)
    assert differences(flatten(load_config(tmp_path)), flatten(config)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_configuration_is_built(name):
    """As shapes only: the largest models do not fit everywhere."""
    config = get_config(name)
    model = nnx.eval_shape(lambda: FrameActionModel(config.model, rngs=nnx.Rngs(0)))
    params = nnx.to_pure_dict(nnx.split(model, nnx.Param)[1])
    state = jax.eval_shape(make_optimizer(config.optimizer).init, params)
    size = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert size(params) < size(state) < 2.1 * size(params)  # Muon keeps one number per parameter, AdamW two


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("paper")])
def test_the_estimates_are_those_of_the_code(name, monkeypatch):
    """Each row of the table: T, B, A, loss, sustained accuracy, PFLOP and seconds a step, hours, GB a GPU, GB."""
    monkeypatch.setattr(choice, "device_bytes", lambda: 80e9)
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    documentation = importlib.import_module(f"experiments.configs.{name}").__doc__
    config = get_config(name)
    model = nnx.eval_shape(lambda: FrameActionModel(config.model, rngs=nnx.Rngs(0)))
    graphdef, params = nnx.split(model, nnx.Param)
    params = nnx.to_pure_dict(params)
    cells, rows = config.model.rows * config.model.columns, 0
    head = choice.plain_bytes(graphdef, params, (config.model.rows, config.model.columns))
    monkeypatch.setattr(choice, "plain_bytes", lambda *_: head)  # tracing takes a while
    for part in documentation.split("training loss at step ")[1:]:
        steps = int(part.split()[0].replace(",", ""))
        for line in re.findall(r"^(?: +[\d.,]+){10}$", part, re.MULTILINE):
            window, batch, parts, *_, petaflop, seconds, hours, gpu, host = (
                float(number.replace(",", "")) for number in line.split()
            )
            config.data.update(window=int(window), batch_size=int(batch))
            config.train.accumulate = int(parts)
            assert choice.decide(config, graphdef, params).bptt.mode == "in_graph"
            per_step = 4 * forward_flops(config.model, int(batch), int(window)).total
            frames = 2 * cells * batch * window
            heads = batch / 8 / parts * head
            weights = 16 * sum(leaf.size for leaf in jax.tree.leaves(params))
            assert petaflop == pytest.approx(per_step / 1e15, rel=0.01)
            assert seconds == pytest.approx(per_step / (8 * 0.4 * 989.4e12), rel=0.01)
            assert hours == pytest.approx(seconds * steps / 3600, rel=0.02)
            assert heads <= 40e9 < 2 * heads
            assert gpu == pytest.approx((weights + frames / 8 + heads) / 1e9, rel=0.01)
            assert host == pytest.approx((config.data.read_ahead + 1) * frames / 1e9, abs=0.005, rel=0.01)
            rows += 1
    assert rows == {"paper_82m": 11, "paper_103m": 3, "paper_145m": 1, "paper_737m": 1}[name]


def test_differences_name_each_field_once_and_allow_another_place():
    config, other = get_config("tiny"), get_config("tiny")
    other.data.path, other.train.steps = "/elsewhere", 10**6
    other.bptt.mode = "chunked"
    assert differences(flatten(config), flatten(other)) == []
    other.bptt.carry = "continue"
    other.data.validation_recordings = ("a",)
    assert differences(flatten(config), flatten(other)) == [
        "bptt.carry: 'reset' -> 'continue'",
        "data.validation_recordings: [] -> ['a']",
    ]
