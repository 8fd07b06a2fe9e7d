"""Keys that are pressed, one after the other."""

import numpy as np

from data_gen.actions import ESCAPE


class Keyboard:
    """Collects keys: a `str` with one character per action, character n is action n."""

    def __init__(self) -> None:
        self.size = 0
        """How many keys have been pressed."""
        self._keys: list[str] = []

    @property
    def has_escaped(self) -> bool:
        """Whether the last key was Escape: a terminal takes Escape and `O` for the start of a control sequence."""
        return bool(self._keys) and self._keys[-1][-1] == chr(ESCAPE)

    def press(self, keys: str) -> None:
        """Press `keys`."""
        if keys:
            self._keys.append(keys)
            self.size += len(keys)

    def take(self) -> np.ndarray:
        """The keys since the last time: uint16."""
        keys, self._keys = "".join(self._keys), []
        return np.frombuffer(keys.encode("utf-16-le"), "<u2").astype(np.uint16)
