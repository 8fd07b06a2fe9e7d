"""Stopping in good order: SIGTERM, as batch systems send it, ends a run after the step that is under way."""

import signal
from types import FrameType

import jax
from jax.experimental import multihost_utils


class Termination:
    """Notices SIGTERM while its block runs. Processes agree on the step after which they all stop."""

    def __enter__(self) -> "Termination":
        self._noticed = False
        # With several processes JAX has a handler in place, which tells the others.
        self._alone = jax.process_count() == 1
        if self._alone:
            self._before = signal.signal(signal.SIGTERM, self._notice)
        return self

    def __exit__(self, *_: object) -> None:
        if self._alone:
            signal.signal(signal.SIGTERM, self._before)

    def due(self, step: int) -> bool:
        """Whether to stop after `step`; all processes must ask at every step."""
        return self._noticed if self._alone else multihost_utils.reached_preemption_sync_point(step)

    def _notice(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._noticed = True
