"""The training loop."""

import math
import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from flax import nnx
from ml_collections import ConfigDict
from tqdm import tqdm

from data_gen.errors import UserError
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.choice import decide
from rcfam_jax.training.bptt.loss import check_bptt, loss_and_grad
from rcfam_jax.training.bptt.self_check import check_offloading
from rcfam_jax.training.checkpoints import Checkpoints, save_config
from rcfam_jax.training.evaluation import Evaluator
from rcfam_jax.training.frame_stream import FrameStream
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.parallel import Devices
from rcfam_jax.training.run_log import RunLog
from rcfam_jax.training.streams import Corpus, TokenStream, open_corpus
from rcfam_jax.training.windows import ConsecutiveEpochs, Places, ShuffledEpochs, Windows, batches, validation_places


class TrainState(NamedTuple):
    """What a step changes."""

    params: Any
    opt_state: Any
    carry: Any = ()  # handed on to the windows that continue; nothing if all windows start anew


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


def first_carry(graphdef: Any, params: Any, devices: Devices, config: ConfigDict) -> Any:
    """What is handed on to the first step, which no window continues; `()` if carries are not handed on."""
    if config.bptt.carry == "reset":
        return ()
    rows = config.data.batch_size // jax.process_count()
    shapes = jax.eval_shape(lambda params: nnx.merge(graphdef, params).initial_carry(rows), params)
    return devices.scatter(jax.tree.map(lambda state: np.zeros(state.shape, state.dtype), shapes))


def make_train_step(
    graphdef: Any,
    optimizer: optax.GradientTransformation,
    devices: Devices,
    streams: Sequence[TokenStream],
    config: ConfigDict,
) -> Callable:
    """The function (state, this process's batch) -> (state, measured), compiled; it consumes the state it is given."""

    def update(state: TrainState, gradient: tuple) -> tuple[TrainState, dict]:
        (loss, measured), grads = gradient
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        carry = measured.pop("carry", ())
        measured = {"loss": loss, **measured, "gradient_norm": optax.tree.norm(grads)}
        return TrainState(optax.apply_updates(state.params, updates), opt_state, carry), measured

    def handed(state: TrainState, batch: Any) -> Any:
        return batch | {"carry": state.carry} if state.carry else batch

    if config.bptt.mode == "chunked":
        compiled_update = jax.jit(update, donate_argnums=0)

        def chunked_step(state: TrainState, batch: Any) -> tuple[TrainState, dict]:
            batch = handed(state, batch) | {"frames": FrameStream.of_batch(streams, batch, config)}
            gradient = chunked.loss_and_grad(graphdef, state.params, batch, config.bptt, devices.scatter)
            return compiled_update(state, gradient)

        return chunked_step

    def step(state: TrainState, batch: Any) -> tuple[TrainState, dict]:
        return update(state, loss_and_grad(graphdef, state.params, handed(state, batch), config.bptt))

    compiled_step = jax.jit(step, donate_argnums=0)
    return lambda state, batch: compiled_step(state, devices.scatter(batch))


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
    decided = decide(config, graphdef, params)
    if decided.bptt.mode == "in_graph" and decided.bptt.offload and decided.bptt.self_check:
        check_offloading(decided, devices)
    optimizer = make_optimizer(config.optimizer)
    state = devices.replicate(initial_state(params, optimizer))
    state = state._replace(carry=first_carry(graphdef, params, devices, config))
    loader = batches(_training_windows(corpus, decided), config.data)
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
            progress.write(f"bptt.mode: {decided.bptt.mode}", file=sys.stderr)
            train_step = make_train_step(graphdef, optimizer, devices, corpus.splits.training, decided)
            validator = _validator(graphdef, corpus, devices, decided)
            reporter = Reporter(log, progress, config.train.log_every)
            for step in range(first_step + 1, config.train.steps + 1):
                state, measured = train_step(state, next(loader))
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
    lengths, seed = [len(stream) for stream in streams], config.train.seed
    epochs: Places = ShuffledEpochs(lengths, config.data.window, seed)
    if config.bptt.carry == "continue":
        epochs = ConsecutiveEpochs(lengths, config.data.window, config.data.batch_size, seed)
    return Windows(
        streams,
        epochs,
        config.data.window,
        config.data.batch_size,
        config.train.steps,
        jax.process_index(),
        jax.process_count(),
        decode=config.bptt.mode != "chunked",
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
    state = state._replace(carry=first_carry(graphdef, params, devices, config))
    with Checkpoints(workdir, config, corpus.checksums()) as checkpoints:
        restored = checkpoints.restore(state)
    if restored is None:
        raise UserError(f"no checkpoint in {workdir} yet")
    step, state, _ = restored
    return Trained(step, state.params, corpus, Evaluator(graphdef, devices, decide(config, graphdef, params)))
