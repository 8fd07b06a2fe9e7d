"""The training loop."""

import functools
import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import jax
from flax import nnx
from ml_collections import ConfigDict
from tqdm import tqdm

from data_gen.atomic import write_file
from data_gen.errors import UserError
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.training.accumulation import check_accumulation
from rcfam_jax.training.bptt.choice import decide
from rcfam_jax.training.bptt.loss import check_bptt
from rcfam_jax.training.bptt.self_check import check_offloading
from rcfam_jax.training.checkpoints import Checkpoints, save_config
from rcfam_jax.training.evaluation import Evaluator
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.parallel import Devices, is_primary
from rcfam_jax.training.reporter import Reporter
from rcfam_jax.training.run_log import RunLog
from rcfam_jax.training.streams import Corpus, open_corpus
from rcfam_jax.training.termination import Termination
from rcfam_jax.training.train_step import TrainState, initial_state, make_train_step
from rcfam_jax.training.unreadable import telling_how_to_regenerate
from rcfam_jax.training.windows import (
    ConsecutiveEpochs,
    Places,
    ShuffledEpochs,
    Windows,
    batches,
    blank_window,
    validation_places,
)


def build_model(config: ConfigDict) -> tuple[Any, Any]:
    """The model of a configuration, its structure apart from its freshly drawn parameters (a tree of plain dicts)."""

    def make_model() -> FrameActionModel:
        return FrameActionModel(config.model, rngs=nnx.Rngs(config.train.seed))

    try:
        graphdef, _ = nnx.split(nnx.eval_shape(make_model), nnx.Param)
    except ValueError as error:
        raise UserError(str(error)) from error
    # It runs once: compiling it quickly takes a third of the time.
    options = {"xla_backend_optimization_level": 0}
    params = jax.jit(lambda: nnx.to_pure_dict(nnx.split(make_model(), nnx.Param)[1]), compiler_options=options)()
    return graphdef, params


def train(config: ConfigDict, workdir: pathlib.Path) -> None:
    """Train until `config.train.steps`, from the newest checkpoint in `workdir` if there is one.

    SIGTERM ends the run after the step that is under way, with a checkpoint. Several processes share `workdir`.
    """
    check_bptt(config.bptt)
    workdir.mkdir(parents=True, exist_ok=True)
    devices = Devices(config.data.batch_size, parts=config.train.accumulate)
    corpus = open_corpus(config)
    graphdef, params = build_model(config)
    decided = _decide(config, graphdef, params, devices)
    optimizer = make_optimizer(config.optimizer)
    state = initial_state(graphdef, params, optimizer, devices, config)
    with (
        telling_how_to_regenerate(corpus.dataset),
        Termination() as termination,
        Checkpoints(workdir, config, corpus.checksums()) as checkpoints,
    ):
        save_config(workdir, config)
        run = Run(decided, workdir, _training_windows(corpus, decided), checkpoints, termination)
        train_step = make_train_step(graphdef, optimizer, devices, corpus.splits.training, decided)
        stopped_at = _take_steps(run, state, train_step, _validator(graphdef, corpus, devices, decided))
    if stopped_at is not None and is_primary():
        print(f"stopped by SIGTERM after step {stopped_at}, which is saved; the same command goes on", file=sys.stderr)


def _decide(config: ConfigDict, graphdef: Any, params: Any, devices: Devices) -> ConfigDict:
    """The configuration with its way of backpropagation chosen, told and, where it offloads, proven."""
    decided = decide(config, graphdef, params)
    check_accumulation(decided)
    if is_primary():
        print(f"bptt.mode: {decided.bptt.mode}", file=sys.stderr)
    if decided.bptt.mode == "in_graph" and decided.bptt.offload and decided.bptt.self_check:
        check_offloading(decided, devices)
    return decided


class Run(NamedTuple):
    """What the steps of a run go through, beside its state."""

    config: ConfigDict
    workdir: pathlib.Path
    windows: Windows
    checkpoints: Checkpoints
    termination: Termination


def _take_steps(run: Run, state: TrainState, train_step: Callable, validate: Callable) -> int | None:
    """Go on from the newest checkpoint, or from `state`; returns the step after which SIGTERM stopped it, if so."""
    config, first_step = run.config.train, 0
    loader = batches(run.windows, run.config.data)
    if restored := run.checkpoints.restore(state):
        first_step, state, loader_state = restored
        loader.set_state(loader_state)
    with (
        RunLog(run.workdir, first_step) as log,
        tqdm(
            total=config.steps, initial=first_step, unit="step", dynamic_ncols=True, disable=not is_primary()
        ) as progress,
    ):
        reporter = Reporter(log, progress, config.log_every, functools.partial(_stop, run))
        for step in range(first_step + 1, config.steps + 1):
            asked = time.monotonic()
            batch = next(loader)
            waited = time.monotonic() - asked
            state, measured = train_step(state, batch)
            reporter.report(step, measured, waited)
            last, terminated = step == config.steps, run.termination.due(step)
            if last or step % config.validate_every == 0:
                reporter.flush()
                log.write(step, {"loss": float(measured["loss"])} | validate(state.params))
            if last or terminated or step % config.checkpoint_every == 0:
                reporter.flush()
                run.checkpoints.save(step, state, loader.get_state())
            if terminated and not last:
                return step
    return None


def _stop(run: Run, step: int, name: str, value: float) -> NoReturn:
    """End a run in which something is no longer finite, with the windows of that step and what can be gone back to."""
    windows, checkpoint = run.windows.describe_batch(step), run.checkpoints.newest()
    path = run.workdir / "not_finite.json"
    if is_primary():
        found = {
            "step": step,
            "what": name,
            "value": str(value),
            "windows": windows,
            "checkpoint": checkpoint and str(checkpoint),
        }
        write_file(path, (json.dumps(found, indent=2) + "\n").encode())
    raise UserError(
        f"{name} is {value} in step {step}: stopped; the last good checkpoint: {checkpoint or 'none yet'}; "
        f"the step's windows: {'; '.join(windows[:4])}{f' and {len(windows) - 4} more' if len(windows) > 4 else ''} "
        f"(in {path})"
    )


def _training_windows(corpus: Corpus, config: ConfigDict) -> Windows:
    streams, decode = corpus.splits.training, config.bptt.mode != "chunked"
    lengths, window, batch_size = [len(stream) for stream in streams], config.data.window, config.data.batch_size
    consecutive = config.bptt.carry == "continue"
    epochs: Places = ShuffledEpochs(lengths, window, config.train.seed)
    if consecutive:
        epochs = ConsecutiveEpochs(lengths, window, batch_size, config.train.seed)
    return Windows(
        streams,
        epochs,
        window,
        batch_size,
        config.train.steps,
        jax.process_index(),
        jax.process_count(),
        blank_window(config, decode),
        decode,
        consecutive,
    )


def _validator(
    graphdef: Any, corpus: Corpus, devices: Devices, config: ConfigDict
) -> Callable[[Any], dict[str, float]]:
    streams = corpus.splits.validation
    if not streams:
        return lambda params: {}
    places = validation_places(streams, config.data.window, config.train.validation_windows)
    evaluator = Evaluator(graphdef, devices, config)
    return lambda params: evaluator.summary(params, streams, places)


class Trained(NamedTuple):
    """A run's newest checkpoint, ready to be evaluated."""

    step: int
    params: Any
    corpus: Corpus
    evaluator: Evaluator


def load_trained(workdir: pathlib.Path, config: ConfigDict) -> Trained:
    """Open the newest checkpoint in `workdir` with its dataset; `UserError` if there is none."""
    devices = Devices(config.data.batch_size, parts=config.train.accumulate)
    corpus = open_corpus(config)
    graphdef, params = build_model(config)
    state = initial_state(graphdef, params, make_optimizer(config.optimizer), devices, config)
    with Checkpoints(workdir, config, corpus.checksums(), read_only=True) as checkpoints:
        restored = checkpoints.restore(state)
    if restored is None:
        raise UserError(f"no checkpoint in {workdir} yet")
    step, state, _ = restored
    return Trained(step, state.params, corpus, Evaluator(graphdef, devices, decide(config, graphdef, params)))
