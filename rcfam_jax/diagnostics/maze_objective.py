"""What a model is asked in the maze: row and column after each move, by regression."""

import jax
import jax.numpy as jnp

from rcfam_jax.diagnostics.fit import Objective
from rcfam_jax.diagnostics.maze import Maze


def predict(maze: Maze, outputs_BxTx2: jax.Array) -> jax.Array:
    """Row and column after each move, [B, M, 2], read where its result is told; an output is about 1 in size."""
    return maze.size // 2 + maze.size / 4 * outputs_BxTx2[:, 1::2]


def make_objective(maze: Maze) -> Objective:
    """Mean squared error in quarters of the maze; an answer is right if both coordinates round to the right cell."""

    def loss(outputs_BxTx2: jax.Array, positions_BxMx2: jax.Array) -> jax.Array:
        return jnp.square((predict(maze, outputs_BxTx2) - positions_BxMx2) / (maze.size / 4)).mean()

    def correct(outputs_BxTx2: jax.Array, positions_BxMx2: jax.Array) -> jax.Array:
        return (jnp.round(predict(maze, outputs_BxTx2)) == positions_BxMx2).all(axis=2).astype(jnp.float32)

    return Objective(loss, correct)
