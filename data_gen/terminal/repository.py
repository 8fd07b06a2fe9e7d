"""What git knows of the terminal's file system: the index, and how it differs from the last commit."""

from data_gen.terminal.filesystem import File, FileSystem, FileSystemError, Link

Tracked = File | Link


class Repository:
    """The index of one branch. Commands that git would refuse raise `FileSystemError` and change nothing."""

    def __init__(self, filesystem: FileSystem) -> None:
        self.index: dict[bytes, Tracked] = {}
        self.message: bytes | None = None
        """The message of the last commit."""
        self._filesystem = filesystem
        self._committed: dict[bytes, Tracked | None] = {}  # what the last commit held at the paths staged since

    def add(self, path: bytes) -> None:
        """Stage what is at `path`: its content and mode, or that it is gone."""
        node = self._filesystem.find(path)
        if isinstance(node, dict) or (node is None and path not in self.index):
            raise FileSystemError(f"{path!r}: no file to add")
        if node is not None and path not in self.index:
            for other in [p for p in self.index if p.startswith(path + b"/") or path.startswith(p + b"/")]:
                self._stage(other, None)
        self._stage(path, node)

    def remove(self, path: bytes) -> None:
        """`git rm`: remove a file that is as committed, and the folders that this empties."""
        if path not in self.index or self.index[path] != self._filesystem.find(path) or self._head(path) is None:
            raise FileSystemError(f"{path!r}: not tracked, or changed since the last commit")
        if self._head(path) != self.index[path]:
            raise FileSystemError(f"{path!r}: has staged changes")
        self._filesystem.remove(path)
        self._filesystem.prune(path.rpartition(b"/")[0])
        self._stage(path, None)

    def move(self, source: bytes, target: bytes) -> None:
        """`git mv`: rename a tracked file; a folder that this empties stays."""
        if source not in self.index:
            raise FileSystemError(f"{source!r}: not tracked")
        self._filesystem.move(source, target)
        self._stage(target, self.index[source])
        self._stage(source, None)

    def commit(self, message: bytes, allow_empty: bool = False, allow_empty_message: bool = False) -> None:
        """Record the index. The message is kept as it is but for a newline that ends it."""
        if not allow_empty and not self._staged():
            raise FileSystemError("nothing to commit")
        if not message and not allow_empty_message:
            raise FileSystemError("an empty message")
        self.message = message if message.endswith(b"\n") or not message else message + b"\n"
        self._committed.clear()

    def status(self) -> list[tuple[bytes, bytes]]:
        """`git status --short` of tracked files: two letters (index, file) and the path, sorted by path."""
        lines = []
        for path in sorted(self.index.keys() | self._committed):
            staged = self.index.get(path)
            index = _letter(self._head(path), staged)
            file = _letter(staged, self._filesystem.find(path)) if staged is not None else b" "
            if index + file != b"  ":
                lines.append((index + file, path))
        return lines

    def _head(self, path: bytes) -> Tracked | None:
        return self._committed[path] if path in self._committed else self.index.get(path)

    def _staged(self) -> bool:
        return any(self.index.get(path) != old for path, old in self._committed.items())

    def _stage(self, path: bytes, node: Tracked | None) -> None:
        self._committed.setdefault(path, self.index.get(path))
        if node is None:
            self.index.pop(path, None)
        else:
            self.index[path] = node


def _letter(old: Tracked | None, new: object) -> bytes:
    """How git names the step from `old` to `new`."""
    if old == new:
        return b" "
    if old is None:
        return b"A"
    if isinstance(new, dict) or new is None:
        return b"D"
    return b"M" if type(old) is type(new) else b"T"
