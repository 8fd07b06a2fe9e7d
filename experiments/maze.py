"""Train sequence mixers to track a position in a maze (paper, sections 8.1.2 to 8.1.4).

  python -m experiments.maze --show=2
  python -m experiments.maze --mixer=lstm --layers=1 --depth=8
  python -m experiments.maze --mixer=lstm,transformer --layers=1,2 --depth=8,16    # one run after the other
  python -m experiments.maze --mixer=sum --depth=0 --moves=40    # unwithheld: every result is told
  python -m experiments.maze --sweep=paper --preset=paper    # all rows of the paper's table, and the unwithheld task

Each run lies in a folder of its own under --out, with a picture of a held-out walk and of what was predicted, walk.png,
and with what the walks are like, walks.txt. The same command goes on with a run that was stopped, or that had
less time, and leaves alone those that are done. Writes the table maze.md of all runs, the plot maze.png of accuracy by
how many results have been withheld, and criticality.png: up to how many of them accuracy exceeds 90%.
"""

import pathlib

import jax.numpy as jnp
import numpy as np
from absl import flags
from flax import nnx

from data_gen.atomic import write_file
from data_gen.errors import UserError
from data_gen.program import run
from experiments.diagnostics import flags as diagnostic_flags
from experiments.diagnostics import paper_tables
from experiments.diagnostics.flags import SEED, chosen_rows, configuration
from experiments.diagnostics.list_flags import numbers
from experiments.diagnostics.maze_picture import picture
from experiments.diagnostics.maze_report import UNWITHHELD_MOVES, write_report
from experiments.diagnostics.runs import Problem, Split, is_done, make_stack, run_folder, train
from rcfam_jax.analysis.figures import write_figure
from rcfam_jax.diagnostics import maze
from rcfam_jax.diagnostics.fit import Data
from rcfam_jax.diagnostics.maze_objective import make_objective, predict
from rcfam_jax.diagnostics.maze_statistics import statistics

_DEPTH = flags.DEFINE_list("depth", ["8"], "How many results of a walk are withheld; 0 for the unwithheld task.")
_WITHHELD = flags.DEFINE_float("withheld", 0.2, "The share of results that are.", lower_bound=0.01, upper_bound=1)
_MOVES = flags.DEFINE_integer("moves", None, "The moves of a walk, if not depth / withheld, or 160.", lower_bound=1)
_SIZE = flags.DEFINE_integer("size", 16, "Rows and columns of the maze.", lower_bound=2, upper_bound=maze.MAX_SIZE)
_MAZE_SEED = flags.DEFINE_integer("maze_seed", 0, "Of the maze.", lower_bound=0)
_OUT = flags.DEFINE_string("out", "runs/maze", "Where runs and table lie.")
_SHOW = flags.DEFINE_integer("show", 0, "Only print the maze and so many walks.", lower_bound=0)

TRAINING_WALKS, VALIDATION_WALKS = 50_000, 1_000
_TRAIN = {"cpu": {"batch_size": 32, "learning_rate": 3e-3}}
"""Every move of a walk is asked for, so that few walks make a batch."""


def main() -> None:
    """Run what the flags say, then tell about all runs there are."""
    depths = numbers(_DEPTH, least=0)
    if _SHOW.value:
        show(depths[0], _SHOW.value)
        return
    rows = chosen_rows(depths, paper_tables.MAZE)
    out = pathlib.Path(_OUT.value)
    for row in rows:
        if not run_row(row, out):
            return
        write_report(out)
    print((out / "maze.md").read_text())


def show(depth: int, count: int) -> None:
    """Print the maze and walks through it: what is tried, what is told, and row and column after each move."""
    field = maze.draw_maze(_SIZE.value, _MAZE_SEED.value)
    walks, _ = draw_walks(field, moves_of(depth), depth, count, 0)
    print("\n".join(maze.drawing(field)), end="\n\n")
    for number in range(count):
        print("\n".join(maze.listing(walks, number)), end="\n\n")


def moves_of(depth: int) -> int:
    """How many moves walks of a depth have, as the flags say."""
    return _MOVES.value or round(depth / _WITHHELD.value) or UNWITHHELD_MOVES


def draw_walks(
    field: maze.Maze, moves: int, depth: int, training: int, validation: int
) -> tuple[maze.Walks, maze.Walks]:
    """Walks to learn from and to validate with; `UserError` if there are none such."""
    try:
        return maze.build(field, moves, depth, training, validation, SEED.value)
    except ValueError as error:
        raise UserError(f"--depth={depth}: {error}") from None


def run_row(row: paper_tables.Row, out: pathlib.Path) -> bool:
    """Train one model unless that is done; whether it is."""
    moves = moves_of(row.depth)
    task = {"size": _SIZE.value, "maze": _MAZE_SEED.value, "moves": moves, "depth": row.depth}
    config = configuration(task, row, _TRAIN)
    folder = run_folder(out, config)
    if is_done(folder, config) and (folder / "walk.png").exists():
        return True
    field = maze.draw_maze(_SIZE.value, _MAZE_SEED.value)
    training, validation = draw_walks(field, moves, row.depth, TRAINING_WALKS, VALIDATION_WALKS)
    lines = list(statistics(field, training, validation))
    print(folder.name, *lines, sep="\n  ")
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "walks.txt", ("\n".join(lines) + "\n").encode())
    problem = Problem(_split(training), _split(validation), make_objective(field), maze.VOCABULARY_SIZE, outputs=2)
    trained = train(problem, config, folder)
    if trained is None:
        return False
    model = nnx.merge(nnx.graphdef(make_stack(problem, config)), trained[0].params)
    predicted_Mx2 = np.asarray(predict(field, model(jnp.asarray(validation.tokens_PxT[:1]))))[0]
    write_figure(picture(field, validation, 0, predicted_Mx2), folder / "walk.png")
    return True


def _split(walks: maze.Walks) -> Split:
    """A position is as deep as results have been withheld on the way there."""
    return Split(Data(*walks), (walks.tokens_PxT[:, 1::2] == maze.WITHHELD).cumsum(axis=1))


if __name__ == "__main__":
    flags.adopt_module_key_flags(diagnostic_flags)
    run(main)
