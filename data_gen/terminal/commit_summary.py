"""What `git commit` prints, and whether that can be told without git's guesses about similar files.

Git may show a removed and an added file as a rename, and a file of which much has changed as a rewrite. It decides by
hashes of lines that may collide: a commit in which it could do either is not predictable here.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from data_gen.terminal.filesystem import File, Link
from data_gen.terminal.git_paths import c_quoted, renamed
from data_gen.terminal.line_diff import MAX_LINES, count_kept_bytes, count_line_changes
from data_gen.terminal.objects import content_of, mode_of
from data_gen.terminal.words import is_printable_text

ABBREVIATION = 10
"""The hexadecimal digits of a printed name (core.abbrev in `dotfiles/gitconfig`)."""

UTF8_WARNING = (
    b"Warning: commit message did not conform to UTF-8.",
    b"You may want to amend it after fixing the message, or set the config",
    b"variable i18n.commitEncoding to the encoding your project uses.",
)

_MIN_BREAK_BYTES = 400  # git takes no smaller file apart
_BLANK_LINE = re.compile(rb"^[ \t\r]*$", re.MULTILINE)


class FileChange(NamedTuple):
    """What a commit changes at a path, from `old` to `new`: they differ; `None` stands for no file."""

    path: bytes
    old: File | Link | None
    new: File | Link | None


class _Pair(NamedTuple):
    """Two files that git compares; the paths of a rename differ, and both files have the same content."""

    old_path: bytes
    new_path: bytes
    old: File | Link | None
    new: File | Link | None


def is_predictable(changes: Sequence[FileChange], message: bytes) -> bool:
    """Whether `commit_summary` knows what git prints for a commit of `changes`; `message` is UTF-8.

    If it does not, `git commit -q` is still quiet.
    """
    if not is_printable_text(_subject(message)) or not all(map(_is_ordinary, changes)):
        return False
    pairs = _pair_up(changes)
    if pairs is None:
        return False
    added, removed = any(pair.old is None for pair in pairs), any(pair.new is None for pair in pairs)
    if added and removed:
        return False
    damages = [damage for pair in pairs if (damage := _damage(pair)) is not None]
    # The halves of a broken file take part in renames. If no other file does, they are put together again.
    is_alone = len(damages) == 1 and len(pairs) == len(changes) and not added and not removed
    return not damages or (is_alone and damages == ["broken"])


def commit_summary(
    branch: str, commit: bytes, is_root: bool, message: bytes, changes: Sequence[FileChange]
) -> list[bytes]:
    """What `git commit` prints for the commit of that name (20 bytes); it must be predictable."""
    root = "(root-commit) " if is_root else ""
    head = f"[{branch} {root}{commit.hex()[:ABBREVIATION]}] ".encode() + _subject(message)
    pairs = _pair_up(changes) or []
    return [head, *_totals(pairs), *(line for pair in pairs for line in _pair_lines(pair))]


def recorded_message(message: bytes) -> bytes:
    """`message`, which is UTF-8, as git records it: where it sees no UTF-8, in noncharacters, it reads Latin-1."""
    return "".join(
        character.encode().decode("latin-1") if _is_noncharacter(ord(character)) else character
        for character in message.decode()
    ).encode()


def _is_noncharacter(codepoint: int) -> bool:
    return 0xFDD0 <= codepoint <= 0xFDEF or codepoint & 0xFFFE == 0xFFFE


def _subject(message: bytes) -> bytes:
    """The first paragraph as one line."""
    paragraphs = (paragraph for paragraph in _BLANK_LINE.split(message) if paragraph.strip(b"\n"))
    lines = next(paragraphs, b"").strip(b"\n").split(b"\n")
    return b" ".join(line.rstrip(b" \t\r") for line in lines)


def _is_ordinary(change: FileChange) -> bool:
    """Whether the change is one of text, of no giant, and not of a file into a link."""
    nodes = [node for node in (change.old, change.new) if node is not None]
    contents = [content_of(node) for node in nodes]
    return (
        len(set(map(type, nodes))) == 1
        and not any(b"\0" in content for content in contents)
        and sum(content.count(b"\n") + 1 for content in contents) <= MAX_LINES
    )


def _pair_up(changes: Sequence[FileChange]) -> list[_Pair] | None:
    """The pairs that git compares, in its order; `None` if it could choose which file was renamed to which."""
    ends: defaultdict[tuple[type, bytes], tuple[list[FileChange], list[FileChange]]] = defaultdict(lambda: ([], []))
    pairs = []
    for change in changes:
        node = change.old or change.new
        if node is not None and (change.old is None or change.new is None):
            ends[type(node), content_of(node)][change.old is None].append(change)
        else:
            pairs.append(_Pair(change.path, change.path, change.old, change.new))
    for removed, added in ends.values():
        if removed and added and len(removed) + len(added) > 2:
            return None
        if removed and added:
            pairs.append(_Pair(removed[0].path, added[0].path, removed[0].old, added[0].new))
        else:
            pairs += [_Pair(change.path, change.path, change.old, change.new) for change in removed + added]
    return sorted(pairs, key=lambda pair: pair.new_path)


def _damage(pair: _Pair) -> str | None:
    """What git may do to a changed file: take it for two, "broken", of which it may make a "rewrite"; or neither.

    Git counts the bytes of equal lines by hashes, so that it finds at least those that are kept here.
    """
    old, new = (b"" if node is None else content_of(node) for node in (pair.old, pair.new))
    if pair.new is None or old == new or not old or max(len(old), len(new)) < _MIN_BREAK_BYTES:
        return None
    kept = count_kept_bytes(old, new)
    removed, added = len(old) - kept, len(new) - kept
    if 2 * (removed + added) < max(len(old), len(new)):
        return None
    return "rewrite" if 5 * removed >= 3 * len(old) else "broken"


def _totals(pairs: list[_Pair]) -> list[bytes]:
    if not pairs:
        return []
    added = removed = 0
    for pair in pairs:
        old, new = (b"" if node is None else content_of(node) for node in (pair.old, pair.new))
        if old != new:
            changes = count_line_changes(old, new)
            added, removed = added + changes.added, removed + changes.removed
    texts = [_plural(len(pairs), b"file") + b" changed"]
    texts += [_plural(added, b"insertion") + b"(+)"] if added or not removed else []
    texts += [_plural(removed, b"deletion") + b"(-)"] if removed or not added else []
    return [b" " + b", ".join(texts)]


def _plural(number: int, thing: bytes) -> bytes:
    return b"%d %s" % (number, thing) + b"s" * (number != 1)


def _pair_lines(pair: _Pair) -> list[bytes]:
    """The lines on a file that comes, goes, moves or changes its mode."""
    old, new = pair.old and mode_of(pair.old), pair.new and mode_of(pair.new)
    if old is None:
        return [b" create mode %s %s" % (new, c_quoted(pair.new_path))]
    if new is None:
        return [b" delete mode %s %s" % (old, c_quoted(pair.old_path))]
    mode = [b" mode change %s => %s" % (old, new)] if old != new else []
    if pair.old_path != pair.new_path:
        return [b" rename %s (100%%)" % renamed(pair.old_path, pair.new_path), *mode]
    return [line + b" " + c_quoted(pair.new_path) for line in mode]
