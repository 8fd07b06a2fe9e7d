"""A program that trains as one of several processes and leaves what a test wants to know of it.

  python one_of_several.py CONFIG.json OUT PROCESSES PROCESS PORT

OUT/gradient.npz: the first loss and gradient. OUT/windows-PROCESS.json: the windows that this process reads for an
epoch of batches. OUT/run: the run.
"""

import json
import pathlib
import sys

import jax
import numpy as np
from ml_collections import ConfigDict

from rcfam_jax.training import loop
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.frame_stream import FrameStream
from rcfam_jax.training.parallel import Devices, gather, is_primary, join_processes
from rcfam_jax.training.windows import batches


def first_gradient(config, corpus, out):
    graphdef, params = loop.build_model(config)
    devices = Devices(config.data.batch_size)
    params = devices.replicate(params)
    batch = next(batches(loop._training_windows(corpus, config), config.data))
    if config.bptt.mode == "chunked":
        told = batch | {"frames": FrameStream.of_batch(corpus.splits.training, batch, config)}
        result = chunked.loss_and_grad(graphdef, params, told, config.bptt, devices.scatter)
    else:
        compiled = jax.jit(lambda params, batch: loss_and_grad(graphdef, params, batch, config.bptt))
        result = compiled(params, devices.scatter(batch))
    (loss, _), grads = gather(result)
    named = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(grads)}
    if is_primary():
        np.savez(out / "gradient.npz", loss=loss, **named)


def windows_of_an_epoch(config, corpus, out):
    windows = loop._training_windows(corpus, config)
    windows._places[0]
    steps = windows._places._ends[0] // config.data.batch_size
    places, read = [], windows._read
    windows._read = lambda place: places.append(place) or read(place)
    for index in range(steps * windows.rows):
        windows[index]
    (out / f"windows-{jax.process_index()}.json").write_text(json.dumps(places))


def main(config_path, out, processes, process, port):
    config, out = ConfigDict(json.loads(pathlib.Path(config_path).read_text())), pathlib.Path(out)
    if int(processes) > 1:
        join_processes(f"localhost:{port}", int(processes), int(process))
    assert jax.process_count() == int(processes)
    corpus = loop.open_corpus(config)
    first_gradient(config, corpus, out)
    windows_of_an_epoch(config, corpus, out)
    loop.train(config, out / "run")


if __name__ == "__main__":
    main(*sys.argv[1:])
