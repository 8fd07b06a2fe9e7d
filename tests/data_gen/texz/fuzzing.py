"""Give the decoders mutated records and random bytes: each must be refused or decoded, in bounded time and memory.

  NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=DIR python tests/data_gen/texz/fuzzing.py FIRST INPUTS

Inputs are numbered, and each depends on its number only. With a wrong checksum they must be refused; else what is
decoded must be what the plain decoder gives.
"""

import collections
import faulthandler
import pathlib
import random
import resource
import struct
import sys

import numpy as np
from hostile import decode_or_refuse, with_right_checksum

from data_gen.texz.record import Codec, Record, TexzError, compress, decompress, pack, unpack, unpack_actions

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "texz_version_1"
SEEDS = [
    (GOLDEN / f"{name}{suffix}.texz").read_bytes()
    for name in ("typing", "unicode", "scrolling")
    for suffix in ("", "_bitpacked")
]
_SECONDS = 60
_INPUTS_PER_ALARM = 200
_MEBIBYTES = 256
_SIZES = struct.Struct("<IIII")


def mutated(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """`content` with flipped bits, other bytes, parts cut out, doubled or taken from `other`, or cut off."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        kind, start = rng.randrange(6), rng.randrange(len(changed) + 1)
        end = min(len(changed), start + rng.choice((1, 2, 8, 64)))
        if kind <= 1 and start < len(changed):
            changed[start] ^= 1 << rng.randrange(8)
        elif kind == 2:
            changed[start:end] = bytes(rng.choice((0, 1, 2, 5, 127, 128, 255)) for _ in range(end - start))
        elif kind == 3:
            changed[start:end] = rng.choice((b"", changed[start:end] * 2))
        elif kind == 4:
            source = rng.randrange(len(other) + 1)
            changed[start:end] = other[source : source + end - start]
        elif rng.randrange(4) == 0:
            del changed[start:]
    return bytes(changed)


def contents_of(record: Record) -> bytes:
    """A body before its compression, if it has one."""
    if record.codec == Codec.BITPACKED:
        return record.body
    return decompress(record.body[_SIZES.size :], sum(_SIZES.unpack_from(record.body)))


def forged(record: Record, content: bytes, rng: random.Random) -> bytes:
    """A record whose body is `content`, under the record's header or one that differs a little."""
    body = content
    if record.codec == Codec.COLUMNAR:
        sizes = list(_SIZES.unpack_from(record.body))
        sizes[rng.randrange(4)] += len(content) - sum(sizes)
        body = _SIZES.pack(*(max(0, size) for size in sizes)) + compress(content)
    rows, columns, actions_S = record.rows, record.columns, unpack_actions(record)
    if rng.randrange(8) == 0:
        rows, columns = rng.choice((1, rows, rows + 1, 300)), rng.choice((1, columns, columns - 1, 300))
        actions_S = np.resize(actions_S, rng.choice((1, len(actions_S), 500)))
    return pack(Codec(record.codec), rows, columns, actions_S, body)


def make_input(number: int) -> tuple[bytes, bool]:
    """Input `number`, and whether it must be refused."""
    rng = random.Random(number)
    seed, other = rng.choice(SEEDS), rng.choice(SEEDS)
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(200)), True
    if kind == 1:
        changed = mutated(seed, other, rng)
        return changed, changed not in SEEDS
    if kind == 2:
        return with_right_checksum(mutated(seed, other, rng)), False
    record = unpack(seed)
    if kind == 3:
        return forged(record, rng.randbytes(rng.randrange(1, 400)), rng), False
    return forged(record, mutated(contents_of(record), contents_of(unpack(other)), rng), rng), False


def peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(first: int, inputs: int) -> collections.Counter:
    """Decode the inputs from number `first` on. How many were refused and decoded, by the codec that they name."""
    counts: collections.Counter = collections.Counter()
    for seed in SEEDS:
        assert decode_or_refuse(seed)
    peak = peak_mebibytes()
    for number in range(first, first + inputs):
        if number % _INPUTS_PER_ALARM == 0:
            faulthandler.dump_traceback_later(_SECONDS, exit=True)
        encoded, must_be_refused = make_input(number)
        try:
            decoded = decode_or_refuse(encoded)
            assert not (decoded and must_be_refused), "it was decoded"
            assert peak_mebibytes() < peak + _MEBIBYTES, "it took too much memory"
        except Exception as error:
            raise RuntimeError(f"input {number}") from error
        counts[_codec_name(encoded), "decoded" if decoded else "refused"] += 1
    faulthandler.cancel_dump_traceback_later()
    return counts


def _codec_name(encoded: bytes) -> str:
    try:
        return Codec(unpack(encoded).codec).name.lower()
    except (TexzError, ValueError):
        return "no record"


if __name__ == "__main__":
    for (name, fate), count in sorted(fuzz(int(sys.argv[1]), int(sys.argv[2])).items()):
        print(f"{name} {fate}: {count}")
