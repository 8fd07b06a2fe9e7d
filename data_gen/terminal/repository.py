"""What git knows of the terminal's file system: the index, and how it differs from the last commit."""

from data_gen.terminal.commit_summary import FileChange, recorded_message
from data_gen.terminal.filesystem import File, FileSystem, FileSystemError, Link
from data_gen.terminal.objects import Tree, commit_id, folders_of

BRANCH = "main"

Tracked = File | Link


class Repository:
    """The index of one branch. Commands that git would refuse raise `FileSystemError` and change nothing."""

    def __init__(self, filesystem: FileSystem) -> None:
        self.index: dict[bytes, Tracked] = {}
        self.head: bytes | None = None
        """The name of the last commit, 20 bytes."""
        self.message: bytes | None = None
        """The message of the last commit."""
        self._filesystem = filesystem
        self._tree = Tree()  # of the index
        self._committed: dict[bytes, Tracked | None] = {}  # what the last commit held at the paths staged since

    def add(self, path: bytes) -> None:
        """Stage what is at `path`: its content and mode, or that it is gone."""
        node = self._filesystem.find(path)
        if isinstance(node, dict) or (node is None and path not in self.index):
            raise FileSystemError(f"{path!r}: no file to add")
        self._stage(path, node)

    def remove(self, paths: list[bytes]) -> None:
        """`git rm`: remove files that are as committed, and the folders that this empties."""
        for path in paths:
            if path not in self.index or self.index[path] != self._filesystem.find(path) or self._head(path) is None:
                raise FileSystemError(f"{path!r}: not tracked, or changed since the last commit")
            if self._head(path) != self.index[path]:
                raise FileSystemError(f"{path!r}: has staged changes")
        for path in paths:
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

    def commit(self, message: bytes, allow_empty: bool = False, allow_empty_message: bool = False) -> bytes:
        """Record the index and return the new head. The message, in UTF-8, is kept as git does, ended by a newline."""
        if not allow_empty and not self.staged():
            raise FileSystemError("nothing to commit")
        if not message and not allow_empty_message:
            raise FileSystemError("an empty message")
        self.message = recorded_message(message if message.endswith(b"\n") or not message else message + b"\n")
        self.head = commit_id(self._tree.id(), self.head, self.message)
        self._committed.clear()
        return self.head

    def staged(self) -> list[FileChange]:
        """What a commit would change, sorted by path."""
        changes = [FileChange(path, old, self.index.get(path)) for path, old in sorted(self._committed.items())]
        return [change for change in changes if change.old != change.new]

    def status(self) -> list[tuple[bytes, bytes]]:
        """`git status` of tracked files: two letters (index, file) and the path, sorted by path."""
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

    def _stage(self, path: bytes, node: Tracked | None) -> None:
        """Put `node` into the index, in place of whatever is in its way there."""
        if node is not None and path not in self.index:
            in_the_way = [folder for folder in folders_of(path) if folder in self.index]
            for other in in_the_way + self._tree.files_below(path):
                self._stage(other, None)
        if path in self.index:
            self._tree.remove(path)
        self._committed.setdefault(path, self.index.pop(path, None))
        if node is not None:
            self.index[path] = node
            self._tree.put(path, node)


def _letter(old: Tracked | None, new: object) -> bytes:
    """How git names the step from `old` to `new`."""
    if old == new:
        return b" "
    if old is None:
        return b"A"
    if isinstance(new, dict) or new is None:
        return b"D"
    return b"M" if type(old) is type(new) else b"T"
