"""How fast a training step is: beside PyTorch, beside this machine's matrix product, and beside the loader.

  python -m benchmarks.train_step
  python -m benchmarks.train_step --config=middle --window=2 --out=DIR
  python -m benchmarks.train_step --config=middle --data=DIR

A gradient is the loss's, of a batch of random frames; a step is that and the optimizer's. PyTorch's is a plain
implementation of the same model with checkpointed heads (benchmarks/peers/torch_model.py), in float32. The FLOPs are
appendix J's, three times a forward pass, and with what is computed again counted as well; "share" is of the rate of a
large matrix product in the same run. All take turns, after a pause. Medians count, but for what is compared: shares are
of least times, which say more on a busy machine.

With --data one thread of the loader is measured too, alone, after all else, on a dataset of the configuration's rows
and columns: windows of its training part in the order of a run.
"""

import importlib
import importlib.util
import itertools
import os
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from flax import nnx
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from data_gen.atomic import write_file
from data_gen.dataset import to_json
from data_gen.program import run
from data_gen.tokenizer import Tokenizer
from rcfam_jax.analysis.figures import write_figure
from rcfam_jax.analysis.flops import forward_flops
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.loop import build_model
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.parallel import Devices
from rcfam_jax.training.streams import open_corpus
from rcfam_jax.training.train_step import compiled_step, initial_state
from rcfam_jax.training.windows import ShuffledEpochs, Windows, batches

_CONFIG = flags.DEFINE_multi_enum("config", ["tiny"], ["tiny", "middle", "paper_82m"], "Whose model and batch.")
_WINDOW = flags.DEFINE_integer("window", None, "Instead of the configuration's frames a window.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch_size", None, "Instead of the configuration's windows a step.", lower_bound=1)
_DATA = flags.DEFINE_string("data", None, "A dataset with tokenizer.json: measure the loader on it.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "How often each is timed, in turns.", lower_bound=1)
_OUT = flags.DEFINE_string("out", None, "Where the table and the plot are written.")

_MATRIX = 2048

_ENDLESS = 1 << 30
"""Steps: more than are taken."""

_PAUSE_SECONDS = 0.02
"""Before each call: threads of the one before may still be looking for work for a while, as OpenMP's do."""


class Work(NamedTuple):
    """A call that returns when it is done."""

    name: str
    call: Callable[[], Any]
    frames: int  # 0 where there are none
    flops: int  # of the model
    executed_flops: int  # with what is computed again


class Measured(NamedTuple):
    """How fast a work was done; in gigaFLOP/s."""

    config: str
    name: str
    frames: int
    seconds: float  # median
    seconds_least: float
    frames_per_second: float
    model_rate: float
    executed_rate: float
    share: float  # of the matrix product's rate, both by their least times
    executed_share: float


def main() -> None:
    """Measure, print, write."""
    measured = []
    for name in _CONFIG.value:
        rows = measure(name, _configuration(name), _ROUNDS.value)
        print(table(rows), flush=True)
        if _DATA.value:
            print(_loader_beside_step(rows), flush=True)
        measured += rows
    print(f"load: {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")
    if _OUT.value:
        folder = pathlib.Path(_OUT.value)
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / "train_step.json", to_json([row._asdict() for row in measured]))
        plot(measured, folder / "train_step.png")
        print(f"{folder / 'train_step.json'}, {folder / 'train_step.png'}")


def _configuration(name: str) -> ConfigDict:
    config = importlib.import_module(f"experiments.configs.{name}").get_config()
    config.data.window = _WINDOW.value or config.data.window
    config.data.batch_size = _BATCH.value or config.data.batch_size
    config.bptt.mode = "in_graph"  # as torch.utils.checkpoint does, it computes activations again
    config.bptt.chunk = min(config.bptt.chunk, config.data.window)
    if _DATA.value:
        config.data.path = _DATA.value
    return config


def measure(name: str, config: ConfigDict, rounds: int) -> list[Measured]:
    """Time all works in turns, then the loader alone."""
    works = [matrix_product(), *_jax_works(config)]
    if importlib.util.find_spec("torch") and jax.default_backend() == "cpu":
        works += _torch_works(config)
    seconds = _take_turns(works, rounds)
    if config.data.path:
        works.append(_loader(config))
        seconds += _take_turns(works[-1:], rounds)
    peak = works[0].flops / min(seconds[0])
    return [_measured(name, work, spent, peak) for work, spent in zip(works, seconds, strict=True)]


def _take_turns(works: Sequence[Work], rounds: int) -> list[list[float]]:
    """The seconds that each work takes each time, having been done once before."""
    for work in works:
        work.call()
    seconds: list[list[float]] = [[] for _ in works]
    for _, (work, spent) in itertools.product(range(rounds), zip(works, seconds, strict=True)):
        time.sleep(_PAUSE_SECONDS)
        started = time.perf_counter()
        work.call()
        spent.append(time.perf_counter() - started)
    return seconds


def _measured(config: str, work: Work, spent: Sequence[float], peak: float) -> Measured:
    median, least = statistics.median(spent), min(spent)
    return Measured(
        config=config,
        name=work.name,
        frames=work.frames,
        seconds=median,
        seconds_least=least,
        frames_per_second=work.frames / median,
        model_rate=work.flops / median / 1e9,
        executed_rate=work.executed_flops / median / 1e9,
        share=work.flops / least / peak,
        executed_share=work.executed_flops / least / peak,
    )


def matrix_product() -> Work:
    """A large one, in float32."""
    matrix = jnp.ones((_MATRIX, _MATRIX))
    multiply, flops = jax.jit(jnp.matmul), 2 * _MATRIX**3
    return Work("matrix product", lambda: jax.block_until_ready(multiply(matrix, matrix)), 0, flops, flops)


def _jax_works(config: ConfigDict) -> list[Work]:
    graphdef, params = build_model(config)
    batch = jax.tree.map(jnp.asarray, random_batch(config))
    optimizer = make_optimizer(config.optimizer)
    train_step = compiled_step(graphdef, optimizer, config)
    devices = Devices(config.data.batch_size, jax.devices()[:1])
    state = initial_state(graphdef, jax.tree.map(jnp.copy, params), optimizer, devices, config)

    def head(params: Any, codepoints_FxRxC: jax.Array, styles_FxRxC: jax.Array) -> jax.Array:
        embed = jax.checkpoint(lambda params, *frames: nnx.merge(graphdef, params).embed(*frames))
        return embed(params, codepoints_FxRxC, styles_FxRxC).sum()

    head_gradient = jax.jit(jax.value_and_grad(head))  # without the value, nothing would go forward twice
    gradient = jax.jit(lambda params, batch: loss_and_grad(graphdef, params, batch, config.bptt))
    frames = (batch["codepoints"][:, 0], batch["styles"][:, 0])

    def step() -> None:
        nonlocal state
        state, measured = train_step(state, batch)
        jax.block_until_ready(measured)

    head_flops, flops, executed, count = _counts(config)
    batch_size = config.data.batch_size
    return [
        Work(
            "rcfam_jax frame head",
            lambda: jax.block_until_ready(head_gradient(params, *frames)),
            batch_size,
            3 * head_flops,
            4 * head_flops,
        ),
        Work("rcfam_jax gradient", lambda: jax.block_until_ready(gradient(params, batch)), count, flops, executed),
        Work("rcfam_jax step", step, count, flops, executed),
    ]


def _torch_works(config: ConfigDict) -> list[Work]:
    import torch

    from benchmarks.peers.torch_model import loss, make_model

    model = make_model(config.model, build_model(config)[1])
    batch = {name: torch.from_numpy(array) for name, array in random_batch(config).items()}
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    head_weights = [weight for weight in model.frame_head.parameters() if weight.requires_grad]
    frames = (batch["codepoints"][:, 0], batch["styles"][:, 0])
    head_flops, flops, executed, count = _counts(config)
    executed -= flops // 3 - count * head_flops // config.data.batch_size  # only the heads are computed again
    return [
        Work(
            "torch frame head",
            lambda: torch.autograd.grad(model.embed(*frames).sum(), head_weights),
            config.data.batch_size,
            3 * head_flops,
            4 * head_flops,
        ),
        Work("torch gradient", lambda: torch.autograd.grad(loss(model, batch), weights), count, flops, executed),
    ]


def _counts(config: ConfigDict) -> tuple[int, int, int, int]:
    """FLOPs of the heads of one step forwards; of a gradient, and with recomputation; the number of its frames."""
    batch_size, window = config.data.batch_size, config.data.window
    head = forward_flops(config.model, batch_size, 1).frame_head
    total = forward_flops(config.model, batch_size, window).total
    recomputed = 0 if config.bptt.mode == "plain" else total
    return head, 3 * total, 3 * total + recomputed, batch_size * window


def random_batch(config: ConfigDict) -> dict[str, np.ndarray]:
    """Frames and tokens that mean nothing; nothing is masked."""
    generator = np.random.default_rng(0)
    model, shape = config.model, (config.data.batch_size, config.data.window)
    codepoints, styles = generator.integers(0, 256, (2, *shape, model.rows, model.columns), dtype=np.uint8)
    tokens = generator.integers(0, model.vocabulary_size, shape, dtype=np.int32)
    scored = {"tokens": tokens, "mask": np.ones(shape, bool)}
    whole = {name: np.zeros(shape[0], bool) for name in ("skipped", "continues")}
    return {"codepoints": codepoints, "styles": styles, **scored, **whole}


def _loader(config: ConfigDict) -> Work:
    """One thread reads on, so many batches a call that what it has read ahead of the call does not matter."""
    config = config.copy_and_resolve_references()
    path = pathlib.Path(config.data.path)
    config.data.read_threads = 1
    config.model.vocabulary_size = Tokenizer.load(path / "tokenizer.json").vocab_size
    streams = open_corpus(config).splits.training
    lengths = [len(stream) for stream in streams]
    data, read = config.data, 16 * config.data.read_ahead
    windows = Windows(streams, ShuffledEpochs(lengths, data.window, 0), data.window, data.batch_size, _ENDLESS)
    loader = batches(windows, data)

    def load() -> None:
        for _ in range(read):
            next(loader)

    return Work("loader", load, read * data.batch_size * data.window, 0, 0)


def table(measured: Sequence[Measured]) -> str:
    """One line a work."""
    lines = [
        f"{'config':10} {'work':20} {'seconds':>8} {'least':>8} {'frames/s':>10} "
        f"{'GFLOP/s':>8} {'share':>6} {'with recomputation':>19}"
    ]
    for row in measured:
        frames = f"{row.frames_per_second:,.1f}" if row.frames_per_second else "-"
        lines.append(
            f"{row.config:10} {row.name:20} {row.seconds:>8.3f} {row.seconds_least:>8.3f} {frames:>10} "
            f"{row.model_rate:>8.1f} {row.share:>6.0%} {row.executed_rate:>12.1f} {row.executed_share:>6.0%}"
        )
    return "\n".join(lines)


def _loader_beside_step(measured: Sequence[Measured]) -> str:
    loader, step = (next(row for row in measured if row.name == name) for name in ("loader", "rcfam_jax step"))
    times = loader.frames / loader.seconds_least / (step.frames / step.seconds_least)
    return f"one loader thread reads {times:.1f} times the frames that a step consumes, by least times"


def plot(measured: Sequence[Measured], path: pathlib.Path) -> None:
    """The rates of what counts FLOPs, what is computed again on top."""
    rows = [row for row in measured if row.executed_rate]
    names = [f"{row.config}: {row.name}" for row in rows]
    figure = Figure(figsize=(8, 0.4 * len(rows) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [row.executed_rate for row in rows], color="#a8c4dc", label="with recomputation")
    axes.barh(names, [row.model_rate for row in rows], color="#4878a8", label="of the model")
    axes.invert_yaxis()
    axes.set_xlabel("gigaFLOP/s")
    axes.legend(fontsize="small")
    write_figure(figure, path)


if __name__ == "__main__":
    run(main)
