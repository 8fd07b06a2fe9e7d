"""The decorator of compiled kernels, and where their machine code is cached."""

import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numba
from numba.core import types


def _cache_folder() -> pathlib.Path:
    """A folder named after the text of every kernel: numba does not see that a callee in another file has changed."""
    package = pathlib.Path(__file__).parent
    sources = sorted(path for path in package.rglob("*.py") if "kernel\ndef " in path.read_text(encoding="utf-8"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    parent = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(parent) / "rcfam_jax" / f"kernels-{digest}"


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]


def kernel(function: Callable) -> Any:
    """Compile `function` on its first call, without the GIL; callees may live in other files."""
    return _compiled_once(numba.njit(cache=True, nogil=True)(function))


def inner_kernel(function: Callable) -> Any:
    """A kernel that only kernels call: it compiles faster, having no entry from Python."""
    without_entry: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _compiled_once(numba.njit(cache=True, nogil=True, **without_entry)(function))


def _compiled_once(dispatcher: Any) -> Any:
    """Without this, numba compiles a callee anew for each constant that it is called with."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return dispatcher
    find = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, keywords: find(tuple(map(types.unliteral, args)), keywords)
    return dispatcher
