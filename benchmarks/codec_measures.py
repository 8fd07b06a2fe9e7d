"""The measurements of the codec benchmark."""

import collections
import concurrent.futures
import lzma
import multiprocessing
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.frame_logs import log_of
from benchmarks.peers import formats
from data_gen.errors import UserError
from data_gen.terminal.screen import FrameLog
from data_gen.texz.codec import decode_frames, encode, new_frames
from data_gen.texz.record import Codec, compress, unpack
from data_gen.texz.recording import Recording

_WINDOW = 64
_WINDOWS_PER_RECORD = 4
_NAIVE_BYTES_PER_CELL = 5


class Measured(NamedTuple):
    """What was found out about a format; None: there is nothing to measure."""

    name: str
    bytes_per_frame: float
    ratio: float  # to 40 bits a cell
    encoded_per_second: float  # frames; of the formats of others only their compression
    decoded_per_second: float | None  # frames, in order
    window_milliseconds: float | None  # 64 frames in a row, anywhere
    decoder_mebibytes: float | None  # resident memory that decoding a record adds at most


class Sample(NamedTuple):
    """A record's frames and actions."""

    codepoints_FxRxC: np.ndarray
    styles_FxRxC: np.ndarray
    actions_F: np.ndarray


class _Totals:
    """Sums over all records, by format."""

    def __init__(self, rounds: int):
        self.frames = self.naive_bytes = 0
        self.bytes: collections.Counter = collections.Counter()
        self.encoding: dict[str, list[float]] = collections.defaultdict(lambda: [0.0] * rounds)
        self.decoding: dict[str, list[float]] = collections.defaultdict(lambda: [0.0] * rounds)
        self.windows: dict[str, list[float]] = collections.defaultdict(list)
        self.mebibytes: dict[str, float] = {}


def sample_records(recordings: Sequence[Recording], count: int) -> list[tuple[Recording, int]]:
    """`count` records, evenly spaced over all of them."""
    every = [(recording, number) for recording in recordings for number in range(recording.records)]
    return [every[i] for i in np.unique(np.linspace(0, len(every) - 1, count).round().astype(int))]


def measure(records: Sequence[tuple[Recording, int]], rounds: int) -> list[Measured]:
    """Measure all formats over the same records. The codecs are timed in turns; the median of the rounds counts."""
    totals, rng = _Totals(rounds), np.random.default_rng(0)
    _compile(_sample(*records[0]))
    for recording, number in records:
        sample = _sample(recording, number)
        totals.frames += len(sample.actions_F)
        totals.naive_bytes += sample.codepoints_FxRxC.size * _NAIVE_BYTES_PER_CELL
        _measure_texz(sample, totals, rounds, rng)
        _measure_peers(sample, totals)
    _measure_memory(sample, totals)
    return [_measured(name, totals) for name in sorted(totals.bytes, key=totals.bytes.__getitem__)]


def _sample(recording: Recording, number: int) -> Sample:
    first = number * recording.frames_per_record
    actions_F = recording.record_actions(number)
    return Sample(*recording.read(np.arange(first, first + len(actions_F))), actions_F)


def _compile(sample: Sample) -> None:
    for codec in Codec:
        decode_frames(encode(log_of(*(part[:2] for part in sample)), codec), np.arange(2))


def _measure_texz(sample: Sample, totals: _Totals, rounds: int, rng: np.random.Generator) -> None:
    log, frames = log_of(*sample), len(sample.actions_F)
    starts = rng.integers(0, max(1, frames - _WINDOW), _WINDOWS_PER_RECORD)
    out = sample.codepoints_FxRxC.copy(), sample.styles_FxRxC.copy()
    for turn in range(rounds):
        for codec in Codec:
            name = codec.name.lower()
            record, seconds = _timed(encode, log, codec)
            totals.encoding[name][turn] += seconds
            _, seconds = _timed(decode_frames, record, np.arange(frames), out=out)
            totals.decoding[name][turn] += seconds
            for start in starts:
                window = np.arange(start, min(frames, start + _WINDOW))
                totals.windows[name].append(_timed(decode_frames, record, window)[1])
    for codec in Codec:
        record, name = encode(log, codec), codec.name.lower()
        decode_frames(record, np.arange(frames), out=out)
        totals.bytes[name] += len(record)
        if not (np.array_equal(out[0], sample.codepoints_FxRxC) and np.array_equal(out[1], sample.styles_FxRxC)):
            raise UserError(f"{name} does not give back the frames")
    _measure_bitpacked_xz(log, totals, rounds)


def _measure_bitpacked_xz(log: FrameLog, totals: _Totals, rounds: int) -> None:
    """The bit-packed record with its body compressed as the columnar one's is."""
    name = "bitpacked + xz"
    for turn in range(rounds):
        record, encoding_seconds = _timed(encode, log, Codec.BITPACKED)
        compressed, seconds = _timed(compress, unpack(record).body)
        totals.encoding[name][turn] += encoding_seconds + seconds
    totals.bytes[name] += len(record) - len(unpack(record).body) + len(compressed)


def _measure_peers(sample: Sample, totals: _Totals) -> None:
    texts = {
        "asciicast v2": formats.asciicast(*sample),
        "ttyrec, no actions": formats.ttyrec(sample.codepoints_FxRxC, sample.styles_FxRxC),
        "cell deltas": formats.cell_deltas(*sample),
    }
    for name, text in texts.items():
        for compression, compressor in (("xz", _xz), ("zstd", _zstd)):
            if (name, compression) != ("ttyrec, no actions", "zstd"):
                compressed, seconds = _timed(compressor, text)
                totals.bytes[f"{name} + {compression}"] += len(compressed)
                totals.encoding[f"{name} + {compression}"][0] += seconds


def _xz(content: bytes) -> bytes:
    return lzma.compress(content, preset=9)


def _zstd(content: bytes) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise UserError("zstandard is missing: pip install -e '.[bench]'") from error
    return zstandard.compress(content, 19)


def _measured(name: str, totals: _Totals) -> Measured:
    encoding = [seconds for seconds in totals.encoding[name] if seconds]
    decodes = name in totals.decoding
    return Measured(
        name,
        totals.bytes[name] / totals.frames,
        totals.naive_bytes / totals.bytes[name],
        totals.frames / statistics.median(encoding),
        totals.frames / statistics.median(totals.decoding[name]) if decodes else None,
        1000 * statistics.median(totals.windows[name]) if decodes else None,
        totals.mebibytes.get(name),
    )


def _timed(function: Callable, *arguments: Any, **keywords: Any) -> tuple[Any, float]:
    """What `function` returns, and the seconds that it took."""
    started = time.perf_counter()
    result = function(*arguments, **keywords)
    return result, time.perf_counter() - started


def _measure_memory(sample: Sample, totals: _Totals) -> None:
    """Each decoder's in a process of its own."""
    first = Sample(*(part[:1] for part in sample))
    for codec in Codec:
        small, record = (encode(log_of(*part), codec) for part in (first, sample))
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            totals.mebibytes[codec.name.lower()] = pool.submit(_peak_growth, small, record).result()


def _peak_growth(small: bytes, record: bytes) -> float:
    """How far resident memory rises when `record` is decoded into given arrays after `small`, in MiB. Linux only."""
    frames_S = np.arange(unpack(record).frames)
    out = new_frames(record, len(frames_S))
    for array in out:
        array.fill(0)
    decode_frames(small, frames_S[:1])
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak is forgotten
    before = _peak_kibibytes()
    decode_frames(record, frames_S, out=out)
    return (_peak_kibibytes() - before) / 1024


def _peak_kibibytes() -> int:
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
