"""Checkpoints: parameters, optimizer, step, the loader's place, the configuration and what data it was, as one unit."""

import json
import pathlib
from typing import Any

import jax
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from data_gen.atomic import write_file
from data_gen.errors import UserError

MAY_CHANGE = ("data.path", "data.tokenizer", "data.read_threads", "data.read_ahead", "bptt.self_check", "train.steps")
"""Fields that a resumed run may give otherwise: where its data lie (checksums tell that they are the same), how far."""


class Checkpoints:
    """The checkpoints of one run under `workdir/checkpoints`, the newest `keep` of them.

    A checkpoint is written beside its final place and renamed, so a killed run leaves whole ones only.
    """

    def __init__(self, workdir: pathlib.Path, config: ConfigDict, checksums: dict[str, str]):
        """`checksums` are of the dataset and the tokenizer. `UserError` if the checkpoints there are another run's."""
        self._description = {"config": flatten(config), "checksums": checksums}
        options = ocp.CheckpointManagerOptions(max_to_keep=config.train.keep_checkpoints)
        self._manager = ocp.CheckpointManager((workdir / "checkpoints").absolute(), options=options)
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
            if saved["checksums"][name] != checksum:
                raise UserError(f"{workdir} holds a run on another {name}: give another --workdir or the same {name}")
        if changed := differences(saved["config"], self._description["config"]):
            raise UserError(f"{workdir} holds a run with another configuration: {'; '.join(changed)}")


def flatten(config: ConfigDict) -> dict[str, Any]:
    """A configuration as {"section.field": value} of plain JSON values."""
    return {
        f"{section}.{field}": list(value) if isinstance(value, tuple) else value
        for section, fields in config.items()
        for field, value in fields.items()
    }


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The fields that differ between two flattened configurations, apart from those that may, as "field: was, now"."""
    return [
        f"{field}: was {old.get(field)!r}, now {new.get(field)!r}"
        for field in sorted(old.keys() | new.keys())
        if field not in MAY_CHANGE and old.get(field) != new.get(field)
    ]


def save_config(workdir: pathlib.Path, config: ConfigDict) -> None:
    """Write the configuration to `workdir/config.json`; the dataset's path is made absolute."""
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
