"""The flags that the programs of all diagnostics have."""

from collections.abc import Iterable

from absl import flags
from ml_collections import ConfigDict

from data_gen.errors import UserError
from experiments.diagnostic_runs import check_mixers, make_config
from experiments.paper_tables import Row

_MIXER = flags.DEFINE_list("mixer", ["lstm"], "Which mixers, by name.")
_LAYERS = flags.DEFINE_list("layers", ["1"], "How many layers, L.")
_PRESET = flags.DEFINE_enum("preset", "cpu", ["cpu", "paper"], "The sizes of a run: for two CPU cores, or the paper's.")
_MINUTES = flags.DEFINE_float("minutes", None, "A run's budget, if not the preset's.", lower_bound=0)
SWEEP = flags.DEFINE_enum("sweep", None, ["paper"], "Run every row of the paper's tables.")
SEED = flags.DEFINE_integer("seed", 0, "Of the examples, the model and the order of training.", lower_bound=0)


def whole_numbers(flag: flags.FlagHolder[list[str]]) -> list[int]:
    """The numbers that a flag lists; `UserError` if others are there."""
    for text in flag.value:
        if not (text.isascii() and text.isdecimal()):
            raise UserError(f"--{flag.name}: {text!r} is not a whole number")
    return [int(text) for text in flag.value]


def chosen_rows(depths: Iterable[int], paper: Iterable[Row]) -> list[Row]:
    """What is to be run: all of the paper's table, or each mixer with each number of layers at each depth."""
    if SWEEP.value:
        return list(paper)
    check_mixers(_MIXER.value)
    layers = whole_numbers(_LAYERS)
    return [Row(mixer, number, depth) for depth in depths for mixer in _MIXER.value for number in layers]


def configuration(task: dict, row: Row) -> ConfigDict:
    """The configuration of a run as the flags say."""
    config = make_config(task, row.mixer, row.layers, _PRESET.value, SEED.value)
    if _MINUTES.value is not None:
        config.train.minutes = _MINUTES.value
    return config
