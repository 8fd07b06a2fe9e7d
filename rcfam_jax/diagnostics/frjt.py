"""The Forward-Referencing Jumps Task: straight-line programs whose outcome only execution tells (paper, 4 and 8.1.1).

A program has n labelled blocks and a register of 6 bits. A block adds a small number to it or subtracts one, compares
it with a bound, and jumps to one of two later labels, near ones being likelier; the last block, and now and then an
earlier one, jumps to a halting state, A or B. Which it is, is the label. Only execution tells which block comes next.

The register starts uniform and, as it wraps around, stays so. Of a single test its bound tells a little, the start of
the register more, what is added the rest: gradient descent has a way from one to the next. (Where no part tells
anything without the others, as when blocks test a bit of a product, an LSTM learned nothing in a thousand steps.) Over
many blocks such hints fade: `shortcuts` measures what they are worth.

About half of the blocks are executed from a dozen on: 54% of 12, 53% of 16, 50% of 32. Short programs are covered more,
69% at 4 blocks and 58% at 8, since the first block is always executed and the last one in nine programs of ten. That is
a choice: a program of any length has about 0.4 early exits, where the paper's chance to halt accumulates over time.
With a chance per block few of the deep programs would run deep, and depth is what is measured.
"""

import enum
import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rcfam_jax.diagnostics.distinct import distinct

REGISTER_VALUES = 64
OPERANDS = np.arange(24)
BOUNDS = np.arange(24, 41)
TOKENS_PER_BLOCK = 6
_NEXT = 0.75
"""The chance that the nearer target is the next label, then the next but one, and so on; from there to the farther."""

_EXITS_PER_PROGRAM = 0.4
"""The sum of the chances of a program's jumps to halt at once, the last block's included, which halt anyway."""

A, B = 0, 1


class Operation(enum.IntEnum):
    """What a block does to the register, modulo 64."""

    ADD = 0
    SUBTRACT = enum.auto()


_SYMBOLS = {Operation.ADD: "+", Operation.SUBTRACT: "-"}


class Programs(NamedTuple):
    """P programs of n blocks each. A target is a block's number, or n for halting in A, n + 1 for B."""

    start_P: np.ndarray  # the register's first value
    operations_PxN: np.ndarray
    operands_PxN: np.ndarray
    bounds_PxN: np.ndarray  # what the register is compared with
    targets_PxNx2: np.ndarray  # where to go if it is not less, and if it is


class Outcomes(NamedTuple):
    """Where programs halt, A or B, and which blocks were executed."""

    halts_P: np.ndarray
    executed_PxN: np.ndarray


def draw(rng: np.random.Generator, count: int, blocks: int) -> Programs:
    """Draw programs of so many blocks."""
    shape = count, blocks
    operations_PxN = rng.integers(len(Operation), size=shape)
    operands_PxN = rng.choice(OPERANDS, size=shape)
    gaps_PxNx2 = rng.permuted(rng.geometric(_NEXT, (*shape, 2)).cumsum(axis=-1), axis=-1)
    targets_PxNx2 = np.arange(blocks)[:, None] + gaps_PxNx2
    is_exit = rng.random((*shape, 2)) < _EXITS_PER_PROGRAM / (2 * blocks)
    exits_PxNx2 = blocks + rng.integers(2, size=(*shape, 2))
    targets_PxNx2 = np.where(is_exit, exits_PxNx2, np.minimum(targets_PxNx2, blocks - 1))
    targets_PxNx2[:, -1] = blocks, blocks + 1
    return Programs(
        rng.integers(REGISTER_VALUES, size=count),
        operations_PxN,
        operands_PxN,
        rng.choice(BOUNDS, size=shape),
        targets_PxNx2,
    )


def execute(programs: Programs) -> Outcomes:
    """Interpret programs, all of them at once, block after block."""
    count, blocks = programs.operations_PxN.shape
    everyone = np.arange(count)
    register_P, block_P = programs.start_P.copy(), np.zeros(count, np.int64)
    executed_PxN = np.zeros((count, blocks), np.bool_)
    for block in range(blocks):
        here = everyone[block_P == block]
        executed_PxN[here, block] = True
        register = _operate(register_P[here], programs.operations_PxN[here, block], programs.operands_PxN[here, block])
        is_less = register < programs.bounds_PxN[here, block]
        register_P[here] = register
        block_P[here] = programs.targets_PxNx2[here, block, is_less.astype(int)]
    return Outcomes(block_P - blocks, executed_PxN)


def _operate(register: np.ndarray, operation: np.ndarray, operand: np.ndarray) -> np.ndarray:
    return np.choose(operation, [register + operand, register - operand]) % REGISTER_VALUES


class Vocabulary(NamedTuple):
    """The tokens of programs of at most `max_blocks` blocks; each kind begins where the one before ends."""

    max_blocks: int

    @property
    def size(self) -> int:
        """How many tokens there are, the padding (0) and the question at a program's end (1) among them."""
        return self._labels + self.max_blocks + 2

    @property
    def length(self) -> int:
        """The tokens of the longest program."""
        return 1 + TOKENS_PER_BLOCK * self.max_blocks + 1

    @property
    def _labels(self) -> int:
        return 2 + REGISTER_VALUES + len(Operation)

    def encode(self, programs: Programs) -> np.ndarray:
        """Programs as tokens, at the end of rows that begin with padding: int32 [P, length]."""
        count, blocks = programs.operations_PxN.shape
        numbers, operations = 2, 2 + REGISTER_VALUES
        halting = np.where(programs.targets_PxNx2 < blocks, 0, self.max_blocks - blocks)
        lines_PxNx6 = np.concatenate(
            [
                np.broadcast_to(self._labels + np.arange(blocks)[:, None], (count, blocks, 1)),
                operations + programs.operations_PxN[..., None],
                numbers + programs.operands_PxN[..., None],
                numbers + programs.bounds_PxN[..., None],
                self._labels + programs.targets_PxNx2 + halting,
            ],
            axis=2,
        )
        tokens_PxT = np.zeros((count, self.length), np.int32)
        tokens_PxT[:, -1] = 1
        tokens_PxT[:, -1 - TOKENS_PER_BLOCK * blocks : -1] = lines_PxNx6.reshape(count, -1)
        tokens_PxT[:, -2 - TOKENS_PER_BLOCK * blocks] = numbers + programs.start_P
        return tokens_PxT


class Examples(NamedTuple):
    """Programs as tokens, with what is to be told of each."""

    tokens_PxT: np.ndarray  # int32
    halts_P: np.ndarray  # int32: A or B
    depths_P: np.ndarray  # int32: how many blocks there are
    coverage_P: np.ndarray  # float32: the share of them that is executed


def examples(programs: Programs, vocabulary: Vocabulary) -> Examples:
    """Programs as tokens, with what executing them tells."""
    outcomes = execute(programs)
    count, blocks = outcomes.executed_PxN.shape
    return Examples(
        vocabulary.encode(programs),
        outcomes.halts_P.astype(np.int32),
        np.full(count, blocks, np.int32),
        outcomes.executed_PxN.mean(axis=1, dtype=np.float32),
    )


def build(max_depth: int, per_depth: int, seed: int, validation_share: float = 0.1) -> tuple[Examples, Examples]:
    """`per_depth` programs of each depth 1..max_depth to learn from, and that share more to validate with.

    No two programs of a depth are alike, so none is in both parts. `ValueError` if a depth has too few.
    """
    vocabulary = Vocabulary(max_depth)
    parts: tuple[list[Examples], list[Examples]] = ([], [])
    for depth in range(1, max_depth + 1):
        rng = np.random.default_rng([seed, depth])
        wanted = per_depth + round(per_depth * validation_share)
        programs = Programs(
            *distinct(functools.partial(draw, rng, blocks=depth), wanted, f"programs of {depth} blocks")
        )
        told = examples(programs, vocabulary)
        parts[0].append(Examples(*(array[:per_depth] for array in told)))
        parts[1].append(Examples(*(array[per_depth:] for array in told)))
    training, validation = (Examples(*map(np.concatenate, zip(*part, strict=True))) for part in parts)
    return training, validation


def listing(programs: Programs, number: int) -> Iterator[str]:
    """A program as text, with a `>` before each line that is executed, and where it halts. Registers are modulo 64."""
    blocks = programs.operations_PxN.shape[1]
    outcomes = execute(Programs(*(array[number : number + 1] for array in programs)))

    def name(target: int) -> str:
        return f"L{target}" if target < blocks else "halt A" if target == blocks else "halt B"

    yield f"  r = {programs.start_P[number]}"
    for block in range(blocks):
        symbol = _SYMBOLS[Operation(programs.operations_PxN[number, block])]
        not_less, less = map(name, programs.targets_PxNx2[number, block])
        yield (
            f"{'>' if outcomes.executed_PxN[0, block] else ' '} L{block}: "
            f"r = r {symbol} {programs.operands_PxN[number, block]}; "
            f"if r < {programs.bounds_PxN[number, block]}: {less} else {not_less}"
        )
    yield f"  halts in {'AB'[outcomes.halts_P[0]]}"
