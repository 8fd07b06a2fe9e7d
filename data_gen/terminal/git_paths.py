"""Paths as git prints them."""

import re

_SPECIAL = re.compile(rb'[^ -~]|["\\]')
_ESCAPES = dict(zip(b'\a\b\t\n\v\f\r"\\', b'abtnvfr"\\', strict=True))


def c_quoted(path: bytes) -> bytes:
    """`path`, quoted like a string of C where it holds anything but printable ASCII (core.quotePath)."""
    quoted = _SPECIAL.sub(_escape, path)
    return b'"' + quoted + b'"' if quoted != path else path


def relative(path: bytes, folder: bytes) -> bytes:
    """`path` as it is named in `folder`; both are relative to the root."""
    names, above = path.split(b"/"), folder.split(b"/") if folder else []
    shared = 0
    while shared < min(len(names), len(above)) and names[shared] == above[shared]:
        shared += 1
    up = b"../" * (len(above) - shared)
    return up + b"/".join(names[shared:]) or b"./"


def renamed(old: bytes, new: bytes) -> bytes:
    """A renamed path: what the two names have in common, in whole folders, stands before and behind braces."""
    if c_quoted(old) != old or c_quoted(new) != new:
        return c_quoted(old) + b" => " + c_quoted(new)
    start = _common_start(old, new).rfind(b"/") + 1
    first = max(start - 1, 0)  # one slash may end the common start and begin the common end
    tail = _common_start(old[first:][::-1], new[first:][::-1])[::-1]
    end = len(tail) - tail.find(b"/") if b"/" in tail else 0
    middles = [path[start : max(len(path) - end, start)] for path in (old, new)]
    if start + end == 0:
        return b" => ".join(middles)
    return old[:start] + b"{" + b" => ".join(middles) + b"}" + old[len(old) - end :]


def _common_start(one: bytes, other: bytes) -> bytes:
    size = 0
    while size < min(len(one), len(other)) and one[size] == other[size]:
        size += 1
    return one[:size]


def _escape(special: re.Match[bytes]) -> bytes:
    byte = special.group()[0]
    return b"\\" + bytes((_ESCAPES[byte],)) if byte in _ESCAPES else b"\\%03o" % byte
