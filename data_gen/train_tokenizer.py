"""Train a tokenizer on a dataset's actions and write it beside them.

python -m data_gen.train_tokenizer --data=DIR --vocab_size=20352
"""

import pathlib
from collections.abc import Iterator

import numpy as np
from absl import flags
from tqdm import tqdm

from data_gen import tokenizer
from data_gen.dataset import Dataset
from data_gen.program import run

_DATA = flags.DEFINE_string("data", None, "The dataset's folder.", required=True)
_VOCAB_SIZE = flags.DEFINE_integer(
    "vocab_size", 20_352, "The number of token ids, a multiple of 8: all single actions, then the most popular pieces."
)
_OUT = flags.DEFINE_string("out", None, "The file to write. By default DATA/tokenizer.json, where the trainer looks.")


def _streams(dataset: Dataset) -> Iterator[np.ndarray]:
    total = sum(recording.frames for recording in dataset.recordings.values())
    with tqdm(total=total, desc="tokenizer", unit=" actions", unit_scale=True) as progress:
        for recording in dataset.recordings.values():
            for actions_S in recording.actions():
                yield actions_S
                progress.update(len(actions_S))


def main() -> None:
    """Count, choose, write, and print what the tokens are worth."""
    dataset = Dataset(pathlib.Path(_DATA.value))
    out = pathlib.Path(_OUT.value) if _OUT.value else pathlib.Path(_DATA.value) / "tokenizer.json"
    trained = tokenizer.train(_streams(dataset), _VOCAB_SIZE.value)
    trained.save(out)
    actions = tokens = 0
    for recording in dataset.recordings.values():
        for actions_S in recording.actions():
            actions += len(actions_S)
            tokens += len(trained.encode(actions_S)[0])
    unused = trained.vocab_size - len(trained.pieces)
    print(f"{out}: {trained.vocab_size:,} tokens ({unused:,} unused), {actions / tokens:.2f} actions a token")


if __name__ == "__main__":
    run(main)
