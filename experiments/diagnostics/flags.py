"""The flags that the programs of all diagnostics have."""

import itertools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from absl import flags
from ml_collections import ConfigDict

from experiments.diagnostics.list_flags import mixers, numbers
from experiments.diagnostics.paper_tables import Row
from experiments.diagnostics.runs import make_config

_MIXER = flags.DEFINE_list("mixer", ["lstm"], "Which mixers, by name.")
_LAYERS = flags.DEFINE_list("layers", ["1"], "How many layers, L.")
_PRESET = flags.DEFINE_enum("preset", "cpu", ["cpu", "paper"], "The sizes of a run: for two CPU cores, or the paper's.")
_MINUTES = flags.DEFINE_float("minutes", None, "A run's budget, if not the preset's.")
flags.register_validator(_MINUTES, lambda minutes: minutes is None or minutes > 0, "must be more than 0")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", None, "Sequences of a step, if not the preset's.", lower_bound=1)
_LEARNING_RATE = flags.DEFINE_float("learning_rate", None, "AdamW's, if not the preset's.", lower_bound=0)
SWEEP = flags.DEFINE_enum("sweep", None, ["paper"], "Run each row of the paper's tables, and no others.")
SEED = flags.DEFINE_integer("seed", 0, "Of the examples, the model and the order of training.", lower_bound=0)


def chosen_rows(depths: Iterable[int], paper: Iterable[Row]) -> list[Row]:
    """What is to be run: all of the paper's tables, or each mixer with each number of layers at each depth."""
    named, layers = mixers(_MIXER), numbers(_LAYERS, least=1)
    rows = [Row(*row) for depth in depths for row in itertools.product(named, layers, [depth])]
    return list(paper) if SWEEP.value else rows


def configuration(task: dict, row: Row, changes: Mapping[str, dict] = MappingProxyType({})) -> ConfigDict:
    """The configuration of a run as the flags say; `changes` are a task's own to how each preset trains."""
    config = make_config(task, row.mixer, row.layers, _PRESET.value, SEED.value)
    config.train.update(changes.get(_PRESET.value, {}))
    if _MINUTES.value is not None:
        config.train.minutes = _MINUTES.value
    if _BATCH_SIZE.value is not None:
        config.train.batch_size = _BATCH_SIZE.value
    if _LEARNING_RATE.value is not None:
        config.train.learning_rate = _LEARNING_RATE.value
    return config
