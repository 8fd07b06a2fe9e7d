"""Choose the samples of the benchmark from a git repository and freeze them.

  python -m benchmarks.diff_inflate_bench.build --repo=../tinygrad --out=samples.jsonl
  python -m benchmarks.diff_inflate_bench.build --repo=../tinygrad --dry_run

Prints how many samples each number of patches has, the hash that names the set, and what each model would cost to run.
With --dry_run that is all.
"""

import pathlib
from collections import Counter

from absl import flags

from benchmarks.diff_inflate_bench.cost import LIST_PRICES, cost_table, read_prices
from benchmarks.diff_inflate_bench.samples import SampleSet, write_samples
from benchmarks.diff_inflate_bench.selection import Choice, choose_samples
from data_gen.errors import UserError
from data_gen.program import run

_DEFAULTS = Choice()
_REPO = flags.DEFINE_string("repo", None, "The git repository to choose from.", required=True)
_OUT = flags.DEFINE_string("out", None, "The JSONL file to write.")
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Only print what there is to choose and what it costs to run.")
_PATCHES = flags.DEFINE_list("patches", [str(length) for length in _DEFAULTS.patches], "Lengths of chains.")
_PER_LENGTH = flags.DEFINE_integer("per_length", _DEFAULTS.per_length, "Samples of each length.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", _DEFAULTS.seed, "What the choice depends on.")
_SUFFIX = flags.DEFINE_string("suffix", _DEFAULTS.suffix, "How the paths of the files end.")
_FILE_TOKENS = flags.DEFINE_integer("max_file_tokens", _DEFAULTS.max_file_tokens, "Of the file in the end.", 1)
_PATCH_TOKENS = flags.DEFINE_integer("max_patch_tokens", _DEFAULTS.max_patch_tokens, "Of all its patches with U3.", 1)
_PRICES = flags.DEFINE_string("prices", str(LIST_PRICES), "Dollars for a million tokens (--model-cost-config).")


def main() -> None:
    """Choose, write, print."""
    if bool(_OUT.value) == _DRY_RUN.value:
        raise UserError("give either --out=FILE or --dry_run")
    choice = Choice(
        _lengths(_PATCHES.value),
        _PER_LENGTH.value,
        _SEED.value,
        _SUFFIX.value,
        _FILE_TOKENS.value,
        _PATCH_TOKENS.value,
    )
    prices = read_prices(pathlib.Path(_PRICES.value))
    frozen = choose_samples(_REPO.value, choice)
    if _OUT.value:
        write_samples(pathlib.Path(_OUT.value), frozen)
    print(summary(frozen, choice))
    print(cost_table(frozen, prices))


def summary(frozen: SampleSet, choice: Choice) -> str:
    """How many samples there are of each number of patches, and the set's name."""
    counts = Counter(len(sample.commits) for sample in frozen.samples)
    return "\n".join(
        [
            f"{'patches':>7} {'samples':>7}",
            *(f"{length:>7} {counts[length]:>7}" for length in sorted(choice.patches)),
            f"sha256 {frozen.sha256}",
        ]
    )


def _lengths(words: list[str]) -> tuple[int, ...]:
    if not all(word.isdecimal() and int(word) for word in words) or len(set(words)) < len(words) or not words:
        raise UserError(f"--patches={','.join(words)}: not different numbers of patches such as 1,2,4")
    return tuple(map(int, words))


if __name__ == "__main__":
    run(main)
