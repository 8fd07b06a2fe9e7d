"""Records that cannot be read: how it is said, once, that they are left out, and how they are made anew."""

import contextlib
import functools
import sys
from collections.abc import Iterator

from tqdm import tqdm

from data_gen.dataset import Dataset
from data_gen.errors import UserError, one_line
from data_gen.texz.record import TexzError


@functools.cache
def warn_of_skipped(reason: str) -> None:
    """Say what is left out."""
    tqdm.write(one_line(f"left out: {reason}"), file=sys.stderr)


@contextlib.contextmanager
def telling_how_to_regenerate(dataset: Dataset) -> Iterator[None]:
    """Add to an error in a record how its dataset is made anew."""
    try:
        yield
    except TexzError as error:
        raise UserError(
            f"{error}; regenerate it with: {dataset.command()}; or leave it out with --config.data.skip_corrupt"
        ) from error
