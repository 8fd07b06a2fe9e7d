"""Checkpoints: all that a run is after a step, as one unit.

That is parameters, optimizer, the carries that are handed on, step and the loader's place, with the configuration, the
version of the code and the checksums of the data. There is no random state to keep: what is drawn is a function of the
seed and the position.
"""

import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import jax
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from data_gen.atomic import write_file
from data_gen.errors import UserError
from rcfam_jax.training.parallel import is_primary

MAY_CHANGE = (
    *("data.path", "data.tokenizer"),  # checksums tell that they are the same
    *("data.read_threads", "data.read_ahead", "data.skip_corrupt"),
    *("bptt.mode", "bptt.chunk", "bptt.head_steps", "bptt.offload", "bptt.self_check"),
    *("train.steps", "train.accumulate", "train.log_every", "train.validate_every", "train.validation_windows"),
    *("train.checkpoint_every", "train.keep_checkpoints", "train.minutes"),
)
"""Fields that a resumed run may give otherwise: none of them changes what a step computes, up to rounding."""


class Checkpoints:
    """The checkpoints of one run under `workdir/checkpoints`, the newest `keep` of them.

    A checkpoint is written beside its final place and renamed, so a killed run leaves whole ones only.
    """

    def __init__(self, workdir: pathlib.Path, config: ConfigDict, checksums: dict[str, str], read_only: bool = False):
        """`checksums` are of the dataset and the tokenizer. `UserError` if the checkpoints there are another run's.

        `read_only` leaves alone what a run that is still going has not finished; else the first save removes leftovers.
        """
        self._description = {"config": flatten(config), "checksums": checksums, "code": code_version()}
        self._folder = workdir / "checkpoints"
        options = ocp.CheckpointManagerOptions(
            max_to_keep=config.train.keep_checkpoints, cleanup_tmp_directories=not read_only
        )
        self._manager = ocp.CheckpointManager(self._folder.absolute(), options=options)
        if self._manager.latest_step() is not None:
            self._check_same_run(workdir)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    def save(self, step: int, state: Any, loader: dict) -> None:
        """Begin to save what the run is after `step` steps; the writing goes on behind the next steps."""
        self._manager.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(state),
                loader=ocp.args.JsonSave(loader),
                run=ocp.args.JsonSave(self._description),
            ),
        )

    def newest(self) -> pathlib.Path | None:
        """The newest checkpoint, once it is written; None if there is none."""
        self._manager.wait_until_finished()
        step = self._manager.latest_step()
        return None if step is None else self._folder / str(step)

    def restore(self, state: Any) -> tuple[int, Any, dict] | None:
        """The newest step, its state placed as `state` is, and the loader's; None if there is no checkpoint."""
        step = self._manager.latest_step()
        if step is None:
            return None
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
        restored = self._manager.restore(
            step, args=ocp.args.Composite(state=ocp.args.StandardRestore(shapes), loader=ocp.args.JsonRestore())
        )
        return step, restored.state, restored.loader

    def _check_same_run(self, workdir: pathlib.Path) -> None:
        saved = self._manager.restore(
            self._manager.latest_step(), args=ocp.args.Composite(run=ocp.args.JsonRestore())
        ).run
        for name, checksum in self._description["checksums"].items():
            if saved["checksums"].get(name) != checksum:
                raise UserError(f"{workdir} holds a run on another {name}: give another folder or the same {name}")
        if changed := differences(saved["config"], self._description["config"]):
            raise UserError(f"{workdir} holds a run with another configuration: {'; '.join(changed)}")
        if saved["code"] != self._description["code"] and is_primary():
            versions = [" ".join(code.values()) for code in (saved["code"], self._description["code"])]
            print(f"the code has changed since the last checkpoint: {' -> '.join(versions)}", file=sys.stderr)


def flatten(config: ConfigDict) -> dict[str, Any]:
    """A configuration as {"section.field": value} of plain JSON values."""
    return {
        f"{section}.{field}": list(value) if isinstance(value, tuple) else value
        for section, fields in config.items()
        for field, value in fields.items()
    }


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The fields in which flattened configurations differ and may not, as "field: old -> new"."""
    return [
        f"{field}: {old.get(field)!r} -> {new.get(field)!r}"
        for field in sorted(old.keys() | new.keys())
        if field not in MAY_CHANGE and old.get(field) != new.get(field)
    ]


def code_version() -> dict[str, str]:
    """The package's version and, where it lies in a clone of its repository, the commit ("-dirty" if files differ)."""
    version = {"version": importlib.metadata.version("rcfam_jax")}
    root = pathlib.Path(__file__).parents[2]
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        described = subprocess.run(command, capture_output=True, text=True)
        if described.returncode == 0:
            version["commit"] = described.stdout.strip()
    return version


def save_config(workdir: pathlib.Path, config: ConfigDict) -> None:
    """Write the configuration to `workdir/config.json`; the dataset's path is made absolute."""
    if not is_primary():
        return
    fields = config.to_dict()
    for field in ("path", "tokenizer"):
        if fields["data"][field]:
            fields["data"][field] = str(pathlib.Path(fields["data"][field]).absolute())
    write_file(workdir / "config.json", (json.dumps(fields, indent=2) + "\n").encode())


def load_config(workdir: pathlib.Path) -> ConfigDict:
    """The configuration of the run in `workdir`; `UserError` if there is none."""
    path = workdir / "config.json"
    if not path.exists():
        raise UserError(f"no run in {workdir}: {path} is missing")
    return ConfigDict(json.loads(path.read_bytes()))
