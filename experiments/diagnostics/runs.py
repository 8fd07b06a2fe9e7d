"""Runs of a diagnostic: each in a folder of its own, resumable, with a result; and tables and plots of many results."""

import json
import os
import pathlib
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from flax import nnx
from ml_collections import ConfigDict

from data_gen.atomic import write_file
from data_gen.errors import UserError
from rcfam_jax.diagnostics.fit import Data, Fitted, Objective, fit, score
from rcfam_jax.diagnostics.mixers import MIXERS, MixerConfig
from rcfam_jax.diagnostics.mixers.affine import Form
from rcfam_jax.diagnostics.stack import Stack
from rcfam_jax.training.checkpoints import differences, flatten


class Split(NamedTuple):
    """Sequences to learn from or to validate with, and how deep each of their answers is."""

    data: Data
    depths_PxK: np.ndarray


class Problem(NamedTuple):
    """What a model is to learn."""

    training: Split
    validation: Split
    objective: Objective
    vocabulary_size: int
    outputs: int


class Result(NamedTuple):
    """What a run came to; accuracies by depth are {depth: accuracy}."""

    config: dict
    step: int
    best_step: int
    converged: bool
    training: float
    validation: float
    training_by_depth: dict[str, float]
    validation_by_depth: dict[str, float]
    parameters: int
    seconds: float
    compiled_share: float
    hardware: str
    command: str

    def label(self) -> str:
        """Which mixer, and how many layers of it."""
        return f"{self.config['model']['mixer']} L{self.config['model']['layers']}"


def make_config(task: dict, mixer: str, layers: int, preset: str, seed: int) -> ConfigDict:
    """The configuration of a run: of the size that two CPU cores can train in minutes, or of the paper's."""
    width, batch_size, steps, minutes = {"cpu": (64, 128, 20_000, 45), "paper": (256, 512, 200_000, 24 * 60)}[preset]
    return ConfigDict(
        {
            "task": task,
            "model": {"mixer": mixer, "layers": layers, "width": width},
            "train": {
                "seed": seed,
                "steps": steps,
                "minutes": float(minutes),
                "batch_size": batch_size,
                "learning_rate": 2e-3 if preset == "cpu" else 5e-4,
                "warmup_steps": 100,
                "weight_decay": 0.01,
                "average_decay": 0.99,
                "round_steps": 250,
                "patience": 12,  # rounds without a better validation
                "keep_checkpoints": 1,
            },
        }
    )


def run_folder(out: pathlib.Path, config: ConfigDict) -> pathlib.Path:
    """Where a run lies: its model, its task and its seed name it."""
    task = "_".join(f"{name}{value:g}" for name, value in config.task.items())
    model = f"{config.model.mixer}_layers{config.model.layers}_width{config.model.width}"
    return out / f"{model}_{task}_seed{config.train.seed}"


def make_stack(problem: Problem, config: ConfigDict) -> Stack:
    """The model of a run as it begins."""
    # In parallel Mamba would keep N numbers a channel of every step, and take thrice as long on a CPU.
    form: Form = "recurrent" if config.model.mixer == "mamba" else "parallel"
    return Stack(
        config.model.mixer,
        MixerConfig(width=config.model.width, form=form),
        layers=config.model.layers,
        vocabulary_size=problem.vocabulary_size,
        outputs=problem.outputs,
        rngs=nnx.Rngs(config.train.seed),
    )


def train(problem: Problem, config: ConfigDict, folder: pathlib.Path) -> tuple[Fitted, Result] | None:
    """Train, or go on, or read what has been trained; writes result.json. None if SIGTERM ended it early."""
    folder.mkdir(parents=True, exist_ok=True)
    stack = make_stack(problem, config)
    fitted = fit(stack, problem.objective, problem.training.data, problem.validation.data, config, folder)
    if fitted is None:
        print(f"stopped by SIGTERM; the same command goes on from {folder}", file=sys.stderr)
        return None
    progress = fitted.progress
    (training, training_by_depth), (validation, validation_by_depth) = (
        _accuracies(stack, fitted, split, problem.objective, config.train.batch_size)
        for split in (problem.training, problem.validation)
    )
    result = Result(
        config=config.to_dict(),
        step=progress.step,
        best_step=progress.best_step,
        converged=fitted.converged,
        training=training,
        validation=validation,
        training_by_depth=training_by_depth,
        validation_by_depth=validation_by_depth,
        parameters=sum(leaf.size for leaf in jax.tree.leaves(fitted.params)),
        seconds=round(progress.seconds, 1),
        compiled_share=round(progress.compiled_seconds / progress.seconds, 4),
        hardware=hardware(),
        command=shlex.join(["python", "-m", f"experiments.{pathlib.Path(sys.argv[0]).stem}", *sys.argv[1:]]),
    )
    write_file(folder / "result.json", (json.dumps(result._asdict(), indent=1) + "\n").encode())
    return fitted, result


def is_done(folder: pathlib.Path, config: ConfigDict) -> bool:
    """Whether there is a result that a budget as large as that of `config` would not change.

    `UserError` if it is that of another configuration.
    """
    path = folder / "result.json"
    if not path.exists():
        return False
    result = _read_result(path)
    if changed := differences(flatten(ConfigDict(result.config)), flatten(config)):
        raise UserError(f"{folder} holds a run with another configuration: {'; '.join(changed)}")
    spent = result.config["train"]
    return result.converged or (spent["minutes"] >= config.train.minutes and spent["steps"] >= config.train.steps)


def _accuracies(
    stack: Stack, fitted: Fitted, split: Split, objective: Objective, batch_size: int
) -> tuple[float, dict[str, float]]:
    """Of all answers, and of those of each depth."""
    correct_PxK = score(stack, fitted.params, objective, split.data, batch_size)
    by_depth = {
        str(depth): float(correct_PxK[split.depths_PxK == depth].mean()) for depth in np.unique(split.depths_PxK)
    }
    return round(float(correct_PxK.mean()), 5), {depth: round(accuracy, 5) for depth, accuracy in by_depth.items()}


def read_results(out: pathlib.Path) -> list[Result]:
    """The results of all runs under `out`, in the order of mixers, depths and layers."""
    results = map(_read_result, sorted(out.glob("*/result.json")))
    mixers = list(MIXERS)

    def place(result: Result) -> tuple:
        model = result.config["model"]
        return *result.config["task"].values(), mixers.index(model["mixer"]), model["layers"]

    return sorted(results, key=place)


def _read_result(path: pathlib.Path) -> Result:
    try:
        return Result(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is no result of a run ({error}): delete it, and its run is told anew") from None


def budget(result: Result) -> str:
    """How far a run went: steps, minutes of those that it had, and whether that was enough."""
    ended = "" if result.converged else " (not converged)"
    return f"{result.step:,} | {result.seconds / 60:.1f} of {result.config['train']['minutes']:g}{ended}"


def footnotes(results: Sequence[Result]) -> list[str]:
    """What a table's readers need to know beside its rows: how its numbers were made."""
    lines = []
    for hardware in sorted({result.hardware for result in results}):
        own = [result for result in results if result.hardware == hardware]
        lines.append(
            f"Made on {hardware}, at least {min(result.compiled_share for result in own):.1%} of the time in compiled "
            "steps, by:"
        )
        lines += ["", "```", *dict.fromkeys(result.command for result in own), "```", ""]
    patience = sorted({(train["patience"], train["round_steps"]) for train in (r.config["train"] for r in results)})
    for rounds, steps in patience:
        lines.append(
            f"A run ends once {rounds} rounds of {steps} steps have not bettered its accuracy on what is held out, or "
            "with its budget: not converged. The best model is told of. The paper's d_model is 256."
        )
    return lines


def hardware() -> str:
    """What computes: the accelerators, or the processor and how many of its cores."""
    devices = jax.devices()
    if devices[0].platform != "cpu":
        return f"{len(devices)} x {devices[0].device_kind}"
    information = pathlib.Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(os.sched_getaffinity(0))} x {names[0] if names else 'CPU'}"
