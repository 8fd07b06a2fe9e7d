"""The decorator of compiled kernels, and where their machine code is cached."""

import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numba


def _cache_folder() -> pathlib.Path:
    """A folder named after the text of every kernel: numba does not see that a callee in another file has changed."""
    package = pathlib.Path(__file__).parent
    sources = sorted(path for path in package.rglob("*.py") if "@kernel" in path.read_text(encoding="utf-8"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    parent = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(parent) / "rcfam_jax" / f"kernels-{digest}"


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]


def kernel(function: Callable) -> Any:
    """Compile `function` on its first call, without the GIL; callees may live in other files."""
    return numba.njit(cache=True, nogil=True)(function)
