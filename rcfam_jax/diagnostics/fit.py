"""The one training loop of the diagnostics: data on the device, many steps in one compiled scan.

Training goes in rounds of steps. After each the model is validated and the run checkpointed. What is validated is the
exponential moving average of the parameters: at a rate that does not fall, they themselves keep jumping. The model with
the best validation accuracy is the result; a run has converged once so many rounds have not bettered it.
"""

import math
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from ml_collections import ConfigDict
from tqdm import tqdm

from data_gen.errors import UserError
from rcfam_jax.diagnostics.checksum import checksum
from rcfam_jax.training.checkpoints import Checkpoints
from rcfam_jax.training.run_log import RunLog
from rcfam_jax.training.termination import Termination


class Data(NamedTuple):
    """P sequences, and what is to be told of each."""

    tokens_PxT: np.ndarray
    labels_P: np.ndarray  # [P, ...], as the objective takes them


class Objective(NamedTuple):
    """What a task asks of a model's outputs_BxTxO, given the labels of the batch."""

    loss: Callable[[jax.Array, Any], jax.Array]  # the mean of the batch
    correct: Callable[[jax.Array, Any], jax.Array]  # which answers are right: 0 or 1, [B, K] for K of each sequence


class Learner(NamedTuple):
    """All arrays of a run."""

    params: Any
    optimizer: Any
    average: Any  # of the parameters, over the last 1 / (1 - average_decay) steps or so
    best: Any  # the average of the best validation


class Progress(NamedTuple):
    """How far a run is."""

    step: int = 0
    best_step: int = 0
    best_accuracy: float = 0.0
    seconds: float = 0.0
    compiled_seconds: float = 0.0  # of them: in compiled training and validation

    def after(self, steps: int, accuracy: float, seconds: float, compiled_seconds: float) -> "Progress":
        """Add a round and what it reached."""
        step, is_best = self.step + steps, accuracy > self.best_accuracy
        return Progress(
            step,
            step if is_best else self.best_step,
            accuracy if is_best else self.best_accuracy,
            self.seconds + seconds,
            self.compiled_seconds + compiled_seconds,
        )

    def is_converged(self, settings: ConfigDict) -> bool:
        """Whether it has not become better for long, or cannot."""
        return self.best_accuracy == 1 or self.step - self.best_step >= settings.patience * settings.round_steps

    def is_over(self, settings: ConfigDict) -> bool:
        """Whether it has converged, or another round would be more than its budget."""
        after_another = self.seconds * (1 + settings.round_steps / self.step) if self.step else self.seconds
        spent = self.step >= settings.steps or after_another >= 60 * settings.minutes
        return spent or self.is_converged(settings)


class Fitted(NamedTuple):
    """The outcome of a run."""

    params: Any
    progress: Progress
    converged: bool


def fit(
    stack: nnx.Module, objective: Objective, training: Data, validation: Data, config: ConfigDict, workdir: pathlib.Path
) -> Fitted | None:
    """Train as the section `train` says, going on with the run in `workdir`; None if SIGTERM ended it early.

    `steps` and `minutes` are its budget; compilation and validation count too. What a step draws is a function of the
    seed and the step. `UserError` if the loss is not finite, or if `workdir` holds a run with another configuration or
    other data.
    """
    since = time.perf_counter()
    settings = config.train
    graphdef, params = nnx.split(stack)
    optimizer = _make_optimizer(settings)
    learner, progress = Learner(params, optimizer.init(params), params, params), Progress()
    data, held_out = jax.device_put((training, validation))
    run_round = _make_round(graphdef, objective, optimizer, settings).lower(learner, data, 0).compile()
    validate = _make_score(graphdef, objective, settings.batch_size).lower(params, held_out).compile()
    checksums = {"dataset": checksum([*training, *validation])}
    with Checkpoints(workdir, config, checksums) as checkpoints, Termination() as termination:
        if restored := checkpoints.restore(learner._asdict()):
            learner, progress = Learner(**restored[1]), Progress(**restored[2])
        with RunLog(workdir, progress.step) as log, _bar(progress, settings) as bar:
            while not progress.is_over(settings):
                started = time.perf_counter()
                learner, measured = run_round(learner, data, progress.step)
                accuracy = float(validate(learner.average, held_out).mean())
                stopped = time.perf_counter()
                progress = progress.after(settings.round_steps, accuracy, stopped - since, stopped - started)
                since = stopped
                if progress.best_step == progress.step:
                    learner = learner._replace(best=learner.average)
                _report(log, bar, progress.step, {**measured, "validation_accuracy": accuracy})
                checkpoints.save(progress.step, learner._asdict(), progress._asdict())
                if termination.due(progress.step):
                    return None
    return Fitted(learner.best, progress, progress.is_converged(settings))


def score(stack: nnx.Module, params: Any, objective: Objective, data: Data, batch_size: int) -> np.ndarray:
    """Which answers are right, correct_PxK."""
    return np.asarray(_make_score(nnx.graphdef(stack), objective, batch_size)(params, jax.device_put(data)))


def _make_optimizer(settings: ConfigDict) -> optax.GradientTransformation:
    """AdamW at a fixed rate after a warm-up, gradients clipped to a global norm of 1."""
    rate = optax.linear_schedule(0, settings.learning_rate, settings.warmup_steps)
    return optax.chain(optax.clip_by_global_norm(1), optax.adamw(rate, weight_decay=settings.weight_decay))


def _make_round(
    graphdef: Any, objective: Objective, optimizer: optax.GradientTransformation, settings: ConfigDict
) -> jax.stages.Wrapped:
    """From a learner, data and the steps before: the learner after `round_steps` more, and the means over them."""

    def loss(params: Any, batch: Data) -> tuple[jax.Array, jax.Array]:
        outputs_BxTxO = nnx.merge(graphdef, params)(batch.tokens_PxT)
        correct = objective.correct(outputs_BxTxO, batch.labels_P).mean()
        return objective.loss(outputs_BxTxO, batch.labels_P), correct

    def run_round(learner: Learner, data: Data, before: jax.Array) -> tuple[Learner, dict[str, jax.Array]]:
        def step(carry: tuple, number: jax.Array) -> tuple[tuple, dict[str, jax.Array]]:
            params, state, average = carry
            key = jax.random.fold_in(jax.random.key(settings.seed), number)
            rows_B = jax.random.randint(key, (settings.batch_size,), 0, len(data.tokens_PxT))
            batch = jax.tree.map(lambda array: array[rows_B], data)
            (value, accuracy), grads = jax.value_and_grad(loss, has_aux=True)(params, batch)
            updates, state = optimizer.update(grads, state, params)
            params = optax.apply_updates(params, updates)
            average = optax.incremental_update(params, average, 1 - settings.average_decay)
            return (params, state, average), {"loss": value, "accuracy": accuracy}

        numbers = before + jnp.arange(settings.round_steps)
        learned, measured = jax.lax.scan(step, learner[:-1], numbers)
        return Learner(*learned, learner.best), jax.tree.map(jnp.mean, measured)

    return jax.jit(run_round)


def _make_score(graphdef: Any, objective: Objective, batch_size: int) -> jax.stages.Wrapped:
    """From parameters and data to correct_PxK, a batch at a time."""

    def run(params: Any, data: Data) -> jax.Array:
        count = len(data.tokens_PxT)
        rows_NxB = np.arange(-(-count // batch_size) * batch_size).reshape(-1, batch_size) % count

        def correct(rows_B: jax.Array) -> jax.Array:
            batch = jax.tree.map(lambda array: array[rows_B], data)
            return objective.correct(nnx.merge(graphdef, params)(batch.tokens_PxT), batch.labels_P)

        return jnp.concatenate(jax.lax.map(correct, rows_NxB))[:count]

    return jax.jit(run)


def _bar(progress: Progress, settings: ConfigDict) -> tqdm:
    return tqdm(total=settings.steps, initial=progress.step, unit="step", dynamic_ncols=True)


def _report(log: RunLog, bar: tqdm, step: int, measured: Mapping[str, Any]) -> None:
    values = {name: float(value) for name, value in measured.items()}
    if not math.isfinite(values["loss"]):
        raise UserError(f"the loss is {values['loss']} before step {step}: try a lower learning rate")
    log.write(step, values)
    bar.set_postfix_str(f"loss {values['loss']:.3f}, held out {values['validation_accuracy']:.1%}", refresh=False)
    bar.update(step - bar.n)
