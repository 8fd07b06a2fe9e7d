"""The sizes of a sequence mixer."""

import dataclasses

from rcfam_jax.diagnostics.mixers.affine import Form


@dataclasses.dataclass(frozen=True)
class MixerConfig:
    """What every mixer is built from; each reads the fields that it needs."""

    width: int = 256
    """Width of what goes in and of what comes out, D."""
    heads: int = 4
    """Heads, H, of the mixers that have them, each of width A = D / H, which is even."""
    state_width: int = 16
    """States of each channel, N, in S4D and Mamba."""
    form: Form = "parallel"
    """How the mixers without true recurrence are evaluated that can be either way."""
    dtype: str = "float32"
    """What is computed in and parameters are kept in: "float32" or "float64"."""

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(f"a width of {self.width} does not give {self.heads} heads of an even width")

    @property
    def head_width(self) -> int:
        """The width of a head, A."""
        return self.width // self.heads

    @property
    def param_dtype(self) -> str:
        """As `dtype`: the layers shared with the model ask for both."""
        return self.dtype
