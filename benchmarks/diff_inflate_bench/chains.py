"""Chains of strictly incremental patches: a file from its first state on, each state made from the one before it."""

import re
from dataclasses import dataclass

from data_gen.replay.history import EXECUTABLE, BlobTooLarge, Change, Entry, History
from data_gen.terminal.filesystem import is_safe
from data_gen.terminal.words import is_printable_text

_REGULAR = (0o100644, EXECUTABLE)
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(slots=True)
class Chain:
    """The states of a file, oldest first; `blobs` and `commits` are git's names, in hexadecimal."""

    path: bytes
    mode: int
    blobs: list[str]
    commits: list[str]


def find_chains(history: History, suffix: bytes) -> list[Chain]:
    """The chains of all files whose path ends with `suffix`, in an order that depends on the history alone.

    A chain starts where a commit adds the file, and each commit that changes its content adds a state. A merge, a
    rename, a deletion or a change of its mode ends it. A merge or a rename starts none.
    """
    merges = history.merges()
    growing: dict[bytes, Chain] = {}
    chains = []
    for commit in history:
        for change in commit.changes:
            if not isinstance(change, Change):
                growing.pop(change.source, None)
                growing.pop(change.target, None)
            elif commit.id in merges or not _goes_on(growing.get(change.path), change):
                growing.pop(change.path, None)
                if commit.id not in merges and _can_start(change, suffix):
                    assert change.new is not None
                    chain = Chain(change.path, change.new.mode, [change.new.blob], [commit.id])
                    growing[change.path] = chain
                    chains.append(chain)
            else:
                assert change.new is not None
                growing[change.path].blobs.append(change.new.blob)
                growing[change.path].commits.append(commit.id)
    return sorted(chains, key=lambda chain: (chain.path, chain.commits[0]))


def read_states(history: History, chain: Chain, number: int) -> list[bytes]:
    """The first `number` states of `chain`, up to one that is missing, empty, too large or not plain UTF-8 text."""
    states: list[bytes] = []
    for blob in chain.blobs[:number]:
        try:
            state = history.read(blob)
        except BlobTooLarge:
            return states
        if not state or not _is_plain(state):
            return states
        states.append(state)
    return states


def _goes_on(chain: Chain | None, change: Change) -> bool:
    return (
        chain is not None
        and change.old == Entry(chain.mode, chain.blobs[-1])
        and change.new is not None
        and change.new.mode == chain.mode
    )


def _can_start(change: Change, suffix: bytes) -> bool:
    return (
        change.old is None
        and change.new is not None
        and change.new.mode in _REGULAR
        and change.path.endswith(suffix)
        and is_safe(change.path)
        and is_printable_text(change.path)
        and not change.path.startswith(b'"')
    )


def _is_plain(content: bytes) -> bool:
    """Whether `content` is UTF-8 without control characters other than tabs and newlines."""
    if _CONTROL.search(content):
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
