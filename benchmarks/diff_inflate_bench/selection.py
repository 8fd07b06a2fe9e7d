"""Which chains become samples."""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from benchmarks.diff_inflate_bench.chains import Chain, find_chains, read_states
from benchmarks.diff_inflate_bench.diffs import git_diffs
from benchmarks.diff_inflate_bench.samples import CONTEXTS, DiffSample, SampleSet, estimate_tokens, freeze
from data_gen.errors import UserError
from data_gen.replay.history import History


@dataclass(frozen=True, slots=True)
class Choice:
    """What to choose from a history.

    `patches` are the lengths of chains, `per_length` how many samples of each; a file has at most `max_file_tokens`
    after its last patch, its patches with the most context together at most `max_patch_tokens`.
    """

    patches: tuple[int, ...] = (1, 2, 4, 8, 16)
    per_length: int = 48
    seed: int = 0
    suffix: str = ".py"
    max_file_tokens: int = 4_000
    max_patch_tokens: int = 32_000


def choose_samples(repository: str, choice: Choice) -> SampleSet:
    """Samples from a repository's history; lengths that no chain has are left out.

    The chains are shuffled once and each length takes the first that are long enough and small enough, so that the
    lengths have as many files in common as can be. The same chains are shown with each number of context lines.
    Raises `UserError` if there is none at all.
    """
    found: dict[int, list[DiffSample]] = {length: [] for length in sorted(choice.patches)}
    with History(repository) as history:
        chains = find_chains(history, choice.suffix.encode())
        random.Random(choice.seed).shuffle(chains)
        for chain in chains:
            wanted = [
                length
                for length, samples in found.items()
                if length <= len(chain.blobs) and len(samples) < choice.per_length
            ]
            for sample in _samples(history, chain, wanted, choice):
                found[len(sample.commits)].append(sample)
        made = {"head": history.head, **asdict(choice)}
    if not any(found.values()):
        longest = max((len(chain.blobs) for chain in chains), default=0)
        raise UserError(
            f"{repository}: no file *{choice.suffix} has a chain of {min(choice.patches)} patches within the limits"
            f" (the longest of {len(chains):,} chains has {longest})"
        )
    return freeze(made, [sample for samples in found.values() for sample in samples])


def _samples(history: History, chain: Chain, lengths: list[int], choice: Choice) -> Iterator[DiffSample]:
    """The first patches of `chain`, so many as each of `lengths` says, where they are small enough to show."""
    states = read_states(history, chain, max(lengths, default=0))
    texts = [state.decode("utf-8") for state in states]
    fitting = [
        length
        for length in lengths
        if length <= len(texts) and estimate_tokens(texts[length - 1]) <= choice.max_file_tokens
    ]
    if not fitting:
        return
    states = states[: max(fitting)]
    diffs = {context: git_diffs(chain.path, chain.mode, states, context) for context in CONTEXTS}
    for length in fitting:
        shown = {context: tuple(diffs[context][:length]) for context in CONTEXTS}
        if estimate_tokens("".join(shown[max(CONTEXTS)])) <= choice.max_patch_tokens:
            commits = tuple(chain.commits[:length])
            yield DiffSample(chain.path.decode("utf-8"), commits, shown, texts[length - 1], chain.blobs[length - 1])
