"""Train sequence mixers on the Forward-Referencing Jumps Task (paper, sections 4, 5 and 8.1.1).

  python -m experiments.frjt --show=3
  python -m experiments.frjt --mixer=lstm --layers=1 --max_depth=8
  python -m experiments.frjt --mixer=lstm,transformer --layers=1,2 --max_depth=4,8    # one run after the other
  python -m experiments.frjt --sweep=paper --preset=paper    # all rows of the paper's tables

Each run lies in a folder of its own under --out; the same command goes on with one that was stopped, or that had less
time, and leaves alone those that are done. Writes the table frjt.md of all runs there, the plot frjt.png of accuracy by
depth, and criticality.png: the greatest depth at which a mixer of L layers still exceeds 90%.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import flags

from data_gen.program import run
from experiments.diagnostics import flags as diagnostic_flags
from experiments.diagnostics import paper_tables
from experiments.diagnostics.flags import SEED, chosen_rows, configuration
from experiments.diagnostics.frjt_report import write_report
from experiments.diagnostics.list_flags import numbers
from experiments.diagnostics.runs import Problem, Split, is_done, run_folder, train
from rcfam_jax.diagnostics import frjt
from rcfam_jax.diagnostics.fit import Data, Objective
from rcfam_jax.diagnostics.shortcuts import DEEP, remembered_floor

_MAX_DEPTH = flags.DEFINE_list("max_depth", ["8"], "The greatest depth: blocks of a program.")
_OUT = flags.DEFINE_string("out", "runs/frjt", "Where runs, table and plots lie.")
_SHOW = flags.DEFINE_integer("show", 0, "Only print so many programs, executed lines marked.", lower_bound=0)

PER_DEPTH = 8000


def main() -> None:
    """Run what the flags say, then tell about all runs there are."""
    depths = numbers(_MAX_DEPTH, least=1)
    if _SHOW.value:
        show(depths, _SHOW.value)
        return
    rows = chosen_rows(depths, paper_tables.FRJT)
    out = pathlib.Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    for row in rows:
        if not run_row(row, out):
            return
        write_report(out)
    print((out / "frjt.md").read_text())


def show(depths: list[int], count: int) -> None:
    """Print so many programs of each depth as text."""
    for depth in depths:
        programs = frjt.draw(np.random.default_rng(SEED.value), count, depth)
        for number in range(count):
            print("\n".join(frjt.listing(programs, number)), end="\n\n")


def run_row(row: paper_tables.Row, out: pathlib.Path) -> bool:
    """Train one model unless that is done; whether it is."""
    config = configuration({"max_depth": row.depth}, row)
    folder = run_folder(out, config)
    if is_done(folder, config):
        return True
    training, validation = frjt.build(row.depth, PER_DEPTH, SEED.value)
    print(f"{folder.name}: {describe(training, validation, row.depth, out)}")
    learned, held_out = (
        Split(Data(part.tokens_PxT, part.halts_P), part.depths_P[:, None]) for part in (training, validation)
    )
    problem = Problem(learned, held_out, OBJECTIVE, frjt.Vocabulary(row.depth).size, outputs=1)
    return train(problem, config, folder) is not None


def _loss(outputs_BxTx1: jax.Array, halts_B: jax.Array) -> jax.Array:
    return optax.sigmoid_binary_cross_entropy(outputs_BxTx1[:, -1, 0], halts_B).mean()


def _correct(outputs_BxTx1: jax.Array, halts_B: jax.Array) -> jax.Array:
    return ((outputs_BxTx1[:, -1] > 0) == halts_B[:, None]).astype(jnp.float32)


OBJECTIVE = Objective(_loss, _correct)
"""The log-odds of halting in B, read at the last token alone."""


def describe(training: frjt.Examples, validation: frjt.Examples, max_depth: int, out: pathlib.Path) -> str:
    """What a dataset is like, and what it takes to do better than without execution; that is measured once."""
    path = out / f"shortcuts_max_depth{max_depth}_seed{SEED.value}.json"
    accuracies = remembered_floor(path, training, frjt.Vocabulary(max_depth), SEED.value)
    floor = [f"{name} {accuracy:.1%}" for name, accuracy in accuracies.items()]
    depths = range(1, max_depth + 1)
    coverages = [training.coverage_P[training.depths_P == depth].mean() for depth in depths]
    executed = [f"{depth * share:.1f} ({share:.0%})" for depth, share in zip(depths, coverages, strict=True)]
    return (
        f"{len(training.halts_P):,} programs to learn from and {len(validation.halts_P):,} held out; "
        f"{training.halts_P.mean():.1%} halt in B\n"
        f"  blocks executed by depth, and their share: {', '.join(executed)}\n"
        f"  without execution, at depth {min(DEEP, max_depth)} and more: {', '.join(floor)}"
    )


if __name__ == "__main__":
    flags.adopt_module_key_flags(diagnostic_flags)
    run(main)
