import importlib
import pathlib

import jax
import pytest
from flax import nnx

import experiments.configs
from rcfam_jax.model.action_model import FrameActionModel
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
