"""What a run reports: lines of metrics.jsonl and TensorBoard's events, both in the run's folder."""

import json
import pathlib
from collections.abc import Mapping

import tensorboardX

from data_gen.atomic import write_file
from rcfam_jax.training.parallel import is_primary


class RunLog:
    """Writes measured numbers by step. A line is `{"step": 10, "loss": 6.5, ...}`; each is flushed.

    Only the first of several processes writes.
    """

    def __init__(self, workdir: pathlib.Path, step: int):
        """Go on after `step` steps: lines of later steps, which will be taken again, are removed."""
        self._writes = is_primary()
        if not self._writes:
            return
        path = workdir / "metrics.jsonl"
        kept = [line for line in _whole_lines(path) if json.loads(line)["step"] <= step]
        write_file(path, b"".join(kept))
        self._lines = path.open("a", encoding="utf-8")
        self._events = tensorboardX.SummaryWriter(str(workdir / "tensorboard"), purge_step=step + 1)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writes:
            self._lines.close()
            self._events.close()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Report `values` as measured after `step` steps."""
        if not self._writes:
            return
        self._lines.write(json.dumps({"step": step, **values}) + "\n")
        self._lines.flush()
        for name, value in values.items():
            self._events.add_scalar(name, value, step)
        self._events.flush()


def _whole_lines(path: pathlib.Path) -> list[bytes]:
    """The lines of a log without the last one if a killed run left it unfinished."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
