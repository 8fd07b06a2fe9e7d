"""The progress bar of many recordings."""

import time
from collections.abc import Mapping
from typing import Self

from tqdm import tqdm

from data_gen.record import Progress


class ProgressBar:
    """Commits, actions and repositories so far, on standard error; `finished` has the progress of complete ones."""

    def __init__(self, repositories: int, finished: Mapping[str, Progress]) -> None:
        self._repositories = repositories
        self._progress = dict(finished)
        self._recorded, self._failed = len(finished), 0
        self._started = time.monotonic()
        self._actions_before = sum(progress.actions for progress in finished.values())
        commits = sum(progress.commits for progress in finished.values())
        self._bar = tqdm(total=commits, initial=commits, desc="replay", unit=" commits")
        self._totals = Progress(commits, commits, self._actions_before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self, name: str, progress: Progress) -> None:
        """The recording `name` has come so far, or, where its process died and another took over, is back there."""
        before = self._progress.get(name, Progress(0, 0, 0))
        self._progress[name] = progress
        changes = zip(self._totals, progress, before, strict=True)
        self._totals = Progress(*(total + new - old for total, new, old in changes))
        self._show()

    def end(self, name: str, failed: bool) -> None:
        """The recording `name` is complete, or has failed: no more of its commits are planned."""
        self._recorded += not failed
        self._failed += failed
        done = self._progress.get(name, Progress(0, 0, 0))
        self.update(name, done._replace(planned=done.commits))

    @property
    def speed(self) -> float:
        """Actions a second in this run."""
        return (self._totals.actions - self._actions_before) / max(time.monotonic() - self._started, 1e-9)

    def _show(self) -> None:
        self._bar.total = self._totals.planned
        self._bar.set_postfix_str(
            f"{self._totals.actions:,} actions, {self.speed:,.0f}/s, "
            f"{self._recorded} of {self._repositories} repositories, {self._failed} failed",
            refresh=False,
        )
        self._bar.update(self._totals.commits - self._bar.n)
