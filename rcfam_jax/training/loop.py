"""The training loop."""

import math
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from flax import nnx
from ml_collections import ConfigDict
from tqdm import tqdm

from data_gen.errors import UserError
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.training.bptt.loss import check_bptt, loss_and_grad
from rcfam_jax.training.checkpoints import Checkpoints, save_config
from rcfam_jax.training.evaluation import Evaluator
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.parallel import Devices
from rcfam_jax.training.run_log import RunLog
from rcfam_jax.training.streams import Corpus, open_corpus
from rcfam_jax.training.windows import ShuffledEpochs, Windows, batches, validation_places


class TrainState(NamedTuple):
    """What a step changes."""

    params: Any
    opt_state: Any


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


def initial_state(params: Any, optimizer: optax.GradientTransformation) -> TrainState:
    """The state before the first step."""
    return TrainState(params, jax.jit(optimizer.init)(params))


def make_train_step(graphdef: Any, optimizer: optax.GradientTransformation, config: ConfigDict) -> Callable:
    """The function (state, batch) -> (state, measured), compiled; it consumes the state it is given."""

    def train_step(state: TrainState, batch: Any) -> tuple[TrainState, dict]:
        (loss, measured), grads = loss_and_grad(graphdef, state.params, batch, config.bptt)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        measured = {"loss": loss, **measured, "gradient_norm": optax.tree.norm(grads)}
        return TrainState(optax.apply_updates(state.params, updates), opt_state), measured

    return jax.jit(train_step, donate_argnums=0)


class Reporter:
    """Reads what a step measured only once the next step is under way, so that the device never waits for the host."""

    def __init__(self, log: RunLog, progress: tqdm, log_every: int):
        self._log, self._progress, self._log_every = log, progress, log_every
        self._pending: tuple[int, dict] | None = None
        self._tokens, self._since = 0, time.monotonic()

    def report(self, step: int, measured: dict) -> None:
        """Take note of a step that has been dispatched, and report the one before it."""
        self.flush()
        self._pending = step, measured

    def flush(self) -> None:
        """Report the last step taken note of; `UserError` if its loss is not finite."""
        if self._pending is None:
            return
        step, measured = self._pending[0], {name: float(value) for name, value in self._pending[1].items()}
        self._pending = None
        if not math.isfinite(measured["loss"]):
            raise UserError(f"the loss of step {step} is {measured['loss']}: stopped; lower the learning rates")
        self._tokens += int(measured.pop("tokens"))
        if step % self._log_every == 0:
            self._write(step, measured)
        self._progress.update()

    def _write(self, step: int, measured: dict[str, float]) -> None:
        rate = self._tokens / (time.monotonic() - self._since)
        self._progress.set_postfix_str(f"loss {measured['loss']:.3f}, {rate:,.0f} frames/s", refresh=False)
        self._log.write(step, measured | {"frames_per_second": rate})
        self._tokens, self._since = 0, time.monotonic()


def train(config: ConfigDict, workdir: pathlib.Path) -> None:
    """Train until `config.train.steps`, from the newest checkpoint in `workdir` if there is one."""
    check_bptt(config.bptt)
    workdir.mkdir(parents=True, exist_ok=True)
    devices = Devices(config.data.batch_size)
    corpus = open_corpus(config)
    graphdef, params = build_model(config)
    optimizer = make_optimizer(config.optimizer)
    state = devices.replicate(initial_state(params, optimizer))
    loader = batches(_training_windows(corpus, config), config.data)
    with Checkpoints(workdir, config, corpus.checksums()) as checkpoints:
        save_config(workdir, config)
        first_step = 0
        if restored := checkpoints.restore(state):
            first_step, state, loader_state = restored
            loader.set_state(loader_state)
        with (
            RunLog(workdir, first_step) as log,
            tqdm(total=config.train.steps, initial=first_step, unit="step", dynamic_ncols=True) as progress,
        ):
            train_step = make_train_step(graphdef, optimizer, config)
            validator = _validator(graphdef, corpus, devices, config)
            reporter = Reporter(log, progress, config.train.log_every)
            for step in range(first_step + 1, config.train.steps + 1):
                state, measured = train_step(state, devices.scatter(next(loader)))
                reporter.report(step, measured)
                last = step == config.train.steps
                if last or step % config.train.validate_every == 0:
                    reporter.flush()
                    log.write(step, {"loss": float(measured["loss"])} | validator(state.params))
                if last or step % config.train.checkpoint_every == 0:
                    reporter.flush()
                    checkpoints.save(step, state, loader.get_state())


def _training_windows(corpus: Corpus, config: ConfigDict) -> Windows:
    streams = corpus.splits.training
    epochs = ShuffledEpochs([len(stream) for stream in streams], config.data.window, config.train.seed)
    return Windows(
        streams,
        epochs,
        config.data.window,
        config.data.batch_size,
        config.train.steps,
        jax.process_index(),
        jax.process_count(),
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
    devices = Devices(config.data.batch_size)
    corpus = open_corpus(config)
    graphdef, params = build_model(config)
    state = devices.replicate(initial_state(params, make_optimizer(config.optimizer)))
    with Checkpoints(workdir, config, corpus.checksums()) as checkpoints:
        restored = checkpoints.restore(state)
    if restored is None:
        raise UserError(f"no checkpoint in {workdir} yet")
    step, state, _ = restored
    return Trained(step, state.params, corpus, Evaluator(graphdef, devices, config))
