"""Which repositories to replay: reading a list of them, and what their recordings are called."""

import hashlib
import pathlib
import re
from collections import Counter
from collections.abc import Sequence

from data_gen.errors import UserError, one_line


def read_list(path: pathlib.Path) -> list[str]:
    """The repositories in a text file: one path or URL a line; empty lines and those that start with `#` say nothing.

    `UserError` if there are none.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text") from None
    sources = [line for line in lines if line and not line.startswith("#")]
    if not sources:
        raise UserError(f"{path}: names no repository")
    return sources


def name_recordings(sources: Sequence[str]) -> dict[str, str]:
    """Each of `sources` by the name of its recording, in order; `UserError` if one is there twice.

    A recording is called like its repository's folder, made safe. Where several would be called alike, each gets a
    digest of its source besides, so that no name depends on the order of the others.
    """
    for source, count in Counter(sources).items():
        if count > 1:
            raise UserError(f"the repository {one_line(source)} is given {count} times")
    plain = {source: plain_name(source) for source in sources}
    alike = Counter(name.lower() for name in plain.values())  # some file systems take A and a for the same
    named = {name if alike[name.lower()] == 1 else f"{name}-{digest(source)}": source for source, name in plain.items()}
    if len({name.lower() for name in named}) < len(sources):
        raise UserError("two repositories would get the same name: rename one's folder")
    return named


def plain_name(source: str) -> str:
    """The last part of a path or URL, of letters, digits, `-` and `_` only."""
    parts = pathlib.PurePath(source.replace(":", "/")).parts if is_url(source) else pathlib.Path(source).resolve().parts
    parts = parts[:-1] if parts[-1:] == (".git",) else parts
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", parts[-1].removesuffix(".git") if parts else "").strip("-")
    return name[:100] or "repository"


def digest(source: str) -> str:
    """Eight hexadecimal digits that tell a source from others."""
    return hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def is_url(source: str) -> bool:
    """Whether git would have to fetch `source`: `scheme://...` or `host:path`, but not a path, as git decides it."""
    return "://" in source or bool(re.match(r"[^/]+:", source))
