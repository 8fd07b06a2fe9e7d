"""Reading what steps measured, and stopping a run whose numbers are no longer finite."""

import math
import time
from collections.abc import Callable
from typing import NoReturn

from tqdm import tqdm

from rcfam_jax.training.run_log import RunLog

SUMMED = ("tokens", "skipped_windows")
"""What is counted over all steps since the line before; everything else is reported as the last step measured it."""


class Reporter:
    """Reads what a step measured only once the next step is under way, so that the device never waits for the host."""

    def __init__(self, log: RunLog, progress: tqdm, log_every: int, stop: Callable[[int, str, float], NoReturn]):
        """`stop` is called with a step, and the name and value of what is not finite there."""
        self._log, self._progress, self._log_every, self._stop = log, progress, log_every, stop
        self._pending: tuple[int, dict] | None = None
        self._restart()

    def report(self, step: int, measured: dict, waited: float) -> None:
        """Take note of a step that has been dispatched after `waited` seconds for its data; report the one before."""
        self._waited += waited  # before the clock starts anew: it has passed by now
        self.flush()
        self._pending = step, measured

    def flush(self) -> None:
        """Report the last step taken note of."""
        if self._pending is None:
            return
        step, measured = self._pending[0], {name: float(value) for name, value in self._pending[1].items()}
        self._pending = None
        for name, value in measured.items():
            if not math.isfinite(value):
                self._stop(step, name, value)
        for name in SUMMED:
            self._sums[name] += int(measured.pop(name))
        if step % self._log_every == 0:
            self._write(step, measured)
        self._progress.update()

    def _write(self, step: int, measured: dict[str, float]) -> None:
        seconds = time.monotonic() - self._since
        rate = self._sums["tokens"] / seconds
        self._progress.set_postfix_str(f"loss {measured['loss']:.3f}, {rate:,.0f} frames/s", refresh=False)
        skipped = {"skipped_windows": self._sums["skipped_windows"]}
        self._log.write(step, measured | skipped | {"frames_per_second": rate, "data_wait": self._waited / seconds})
        self._restart()

    def _restart(self) -> None:
        self._sums = dict.fromkeys(SUMMED, 0)
        self._waited, self._since = 0.0, time.monotonic()
