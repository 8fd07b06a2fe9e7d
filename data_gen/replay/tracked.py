"""The files that git tracks in a session, and what has become of them since the last commit."""

from collections import Counter
from collections.abc import Iterator

from data_gen.replay.history import Entry
from data_gen.terminal.objects import folders_of


class TrackedFiles:
    """What git has, or will have with the next commit, by path."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}
        self._before: dict[bytes, Entry | None] = {}  # what the last commit has at the paths touched since
        self._files_below: Counter[bytes] = Counter()  # of each folder that there is

    def __contains__(self, path: bytes) -> bool:
        return path in self._entries

    def get(self, path: bytes) -> Entry | None:
        """What is at `path`."""
        return self._entries.get(path)

    def put(self, path: bytes, entry: Entry | None) -> None:
        """From now on `entry` is at `path`, or nothing."""
        old = self._entries.pop(path, None)
        self._before.setdefault(path, old)
        if old is not None:
            self._files_below.subtract(folders_of(path))
        if entry is not None:
            self._entries[path] = entry
            self._files_below.update(folders_of(path))

    def is_folder(self, path: bytes) -> bool:
        """Whether there are files below `path`."""
        return self._files_below[path] > 0

    def is_free(self, path: bytes) -> bool:
        """Whether a file can be created at `path`."""
        return path not in self and not self.is_folder(path) and not any(folder in self for folder in folders_of(path))

    def changes(self) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
        """The paths touched since the last commit, each with what it has and what is there now."""
        return ((path, old, self.get(path)) for path, old in self._before.items())

    def commit(self) -> None:
        """What there is now has been committed."""
        self._before.clear()
