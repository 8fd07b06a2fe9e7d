import numpy as np
import pytest
from ml_collections import ConfigDict

from data_gen.actions import ENTER, from_bytes
from data_gen.dataset import Dataset, recording_folder, write_manifest
from data_gen.terminal.screen import clear_log, log_frame, log_is_full, new_log, new_screen
from data_gen.texz.recording import Event, RecordingWriter
from data_gen.tokenizer import train as train_tokenizer
from experiments.configs import tiny

ROWS, COLUMNS, FRAMES_PER_RECORD, VOCABULARY = 4, 16, 64, 512


def write_recording(folder, name, text, commits):
    """Type `text` on a bare screen, a frame for each action; a commit begins at each frame of `commits`."""
    writer = RecordingWriter(recording_folder(folder, name), FRAMES_PER_RECORD)
    screen, log = new_screen(ROWS, COLUMNS), new_log(FRAMES_PER_RECORD, ROWS, COLUMNS)
    events = [Event(frame, "commit", f"{frame:040x}", "0" * 40, b"") for frame in commits]

    def flush(end):
        first = end - int(log.size_2[0])
        writer.add(log, [event for event in events if first <= event.frame < end])
        clear_log(log)

    actions = from_bytes(text)
    for frame, action in enumerate(actions):
        log_frame(screen, log, int(action))
        row, column = screen.cursor_2
        if action == ENTER or column == COLUMNS - 1:
            row, column = (row + 1) % ROWS, 0
            screen.codepoints_RxC[row] = ord(" ")
        else:
            screen.codepoints_RxC[row, column] = action
            column += 1
        screen.cursor_2[:] = row, column
        screen.dirty_R[row] = True
        if log_is_full(log):
            flush(frame + 1)
    if log.size_2[0]:
        flush(len(actions))
    return {"name": name, **writer.close()}


def make_text(seed, words):
    """Lines of a few words in random order."""
    generator = np.random.default_rng(seed)
    vocabulary = [b"def ", b"return ", b"x + y", b"value", b"Window", b"\r", b"\r    ", b"== 10", b"foo_bar"]
    return b"".join(vocabulary[index] for index in generator.integers(0, len(vocabulary), words))


def write_dataset(folder):
    """Two recordings, 'long' (20 commits) and 'short' (2 commits), and a tokenizer trained on them."""
    texts = {"long": make_text(0, 300), "short": make_text(1, 40)}
    commits = {"long": range(0, len(texts["long"]), -(-len(texts["long"]) // 20)), "short": (0, 100)}
    entries = [write_recording(folder, name, text, commits[name]) for name, text in texts.items()]
    write_manifest(folder, ROWS, COLUMNS, FRAMES_PER_RECORD, {"seed": 0}, entries)
    train_tokenizer(map(from_bytes, texts.values()), VOCABULARY).save(folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="session")
def dataset_folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="session")
def small_config(dataset_folder):
    """A very small model on that dataset, for six steps."""
    config = tiny.get_config()
    config.model.update(
        rows=ROWS,
        columns=COLUMNS,
        vocabulary_size=VOCABULARY,
        frame_width=8,
        core_width=12,
        pooling_stages=0,
        frame_blocks=0,
    )
    config.data.update(path=str(dataset_folder), window=8, batch_size=4)
    config.bptt.update(mode="in_graph", chunk=4, head_steps=2)
    config.train.update(steps=6, log_every=1, validate_every=3, validation_windows=4, checkpoint_every=3)
    return config


@pytest.fixture
def config(small_config):
    """That configuration, to be changed."""
    return ConfigDict(small_config.to_dict())


@pytest.fixture
def damage():
    """A function that flips a bit in a record of a dataset, such that ArrayRecord itself still reads it."""

    def flip(folder, name, record):
        packed = Dataset(folder).recordings[name].record(record)
        path = folder / "recordings" / name / "00000.array_record"
        content = bytearray(path.read_bytes())
        content[content.index(packed) + len(packed) // 2] ^= 0x10
        path.write_bytes(content)
        return path

    return flip
