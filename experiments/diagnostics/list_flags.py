"""What the flags that list something hold, or one line on what is wrong with them."""

from absl import flags

from data_gen.errors import UserError
from rcfam_jax.diagnostics.mixers import MIXERS


def numbers(flag: flags.FlagHolder[list[str]], least: int) -> list[int]:
    """The whole numbers of a flag; `UserError` if one is none, or too small, or there is none."""
    if wrong := [text for text in _listed(flag) if not text.isdecimal() or int(text) < least]:
        raise UserError(f"--{flag.name}: {wrong[0]!r} is not a whole number from {least} on")
    return [int(text) for text in flag.value]


def mixers(flag: flags.FlagHolder[list[str]]) -> list[str]:
    """The mixers that a flag names; `UserError` if there is no such one, or none is named."""
    if unknown := [name for name in _listed(flag) if name not in MIXERS]:
        raise UserError(f"--{flag.name}: there is no {unknown[0]!r}; there are {', '.join(MIXERS)}")
    return flag.value


def _listed(flag: flags.FlagHolder[list[str]]) -> list[str]:
    if not flag.value:
        raise UserError(f"--{flag.name} lists nothing")
    return flag.value
