"""What the flags that list something hold, or one line on what is wrong with them."""

from absl import flags

from data_gen.errors import UserError
from rcfam_jax.diagnostics.mixers import MIXERS


def numbers(flag: flags.FlagHolder[list[str]], least: int) -> list[int]:
    """The whole numbers of a flag; `UserError` if one is none, or too small, or there is none."""
    if not flag.value:
        raise UserError(f"--{flag.name} lists nothing")
    if wrong := [text for text in flag.value if not text.isdecimal() or int(text) < least]:
        raise UserError(f"--{flag.name}: {wrong[0]!r} is not a whole number from {least} on")
    return [int(text) for text in flag.value]


def mixers(flag: flags.FlagHolder[list[str]]) -> list[str]:
    """The mixers that a flag names; `UserError`, with those that there are, if one is unknown or none is named."""
    there_are = f"there are {', '.join(MIXERS)}"
    if not flag.value:
        raise UserError(f"--{flag.name} lists nothing; {there_are}")
    if unknown := [name for name in flag.value if name not in MIXERS]:
        raise UserError(f"--{flag.name}: there is no {unknown[0]!r}; {there_are}")
    return flag.value
