"""The file system of the terminal: files, symbolic links and folders in memory, below one root."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4000


class FileSystemError(Exception):
    """An operation that a real file system would refuse, or a path that ours does."""


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link. It is never followed."""

    target: bytes


Folder = dict[bytes, "Node"]
Node = File | Link | Folder


def is_safe(path: bytes) -> bool:
    """Whether `path` stays below the root, is none of git's own, and could exist on a real file system."""
    names = path.split(b"/")
    return (
        len(path) <= MAX_PATH_BYTES
        and b"\0" not in path
        and all(
            name not in (b"", b".", b"..") and name.lower() != b".git" and len(name) <= MAX_NAME_BYTES for name in names
        )
    )


class FileSystem:
    """Paths are bytes relative to the root, the root itself is `b""`; every error is a `FileSystemError`."""

    def __init__(self) -> None:
        self._root: Folder = {}

    def find(self, path: bytes) -> Node | None:
        """What is at `path`. A folder is the dictionary of its children, for reading only."""
        node: Node = self._root
        for name in _names(path):
            if not isinstance(node, dict) or name not in node:
                return None
            node = node[name]
        return node

    def read(self, path: bytes) -> bytes | None:
        """The content of the file at `path`; `None` where there is no file."""
        node = self.find(path)
        return node.content if isinstance(node, File) else None

    def write(self, path: bytes, content: bytes) -> None:
        """Create the file at `path`, or replace its content; it stays executable if it was."""
        folder, name = self._parent(path)
        old = folder.get(name)
        if not isinstance(old, File | None):
            raise _error(path, "is not a file")
        folder[name] = replace(old, content=content) if old else File(content)

    def set_executable(self, path: bytes, executable: bool) -> None:
        """What `chmod +x` and `chmod -x` do."""
        folder, name = self._parent(path)
        old = folder.get(name)
        if not isinstance(old, File):
            raise _error(path, "is not a file")
        folder[name] = replace(old, executable=executable)

    def link(self, path: bytes, target: bytes) -> None:
        """Create a symbolic link; one that exists, or a file, is replaced."""
        folder, name = self._parent(path)
        if isinstance(folder.get(name), dict):
            raise _error(path, "is a folder")
        folder[name] = Link(target)

    def make_folder(self, path: bytes) -> None:
        """Create the folder and those above it, where they are missing."""
        folder = self._root
        for name in _names(path):
            node = folder.setdefault(name, {})
            if not isinstance(node, dict):
                raise _error(path, "a file is in the way")
            folder = node

    def remove(self, path: bytes) -> None:
        """Remove a file or a link; the folder stays."""
        folder, name = self._parent(path)
        if not isinstance(folder.get(name), File | Link):
            raise _error(path, "is no file or link")
        del folder[name]

    def remove_folder(self, path: bytes) -> None:
        """Remove a folder and everything in it."""
        folder, name = self._parent(path)
        if not isinstance(folder.get(name), dict):
            raise _error(path, "is no folder")
        del folder[name]

    def prune(self, path: bytes) -> None:
        """Remove the folder at `path` if it is empty, then those above it that became empty."""
        while path and self.find(path) == {}:
            self.remove_folder(path)
            path = path.rpartition(b"/")[0]

    def move(self, source: bytes, target: bytes) -> None:
        """Rename a file or a link to a path where nothing is."""
        folder, name = self._parent(source)
        node = folder.get(name)
        if not isinstance(node, File | Link):
            raise _error(source, "is no file or link")
        new_folder, new_name = self._parent(target)
        if new_name in new_folder:
            raise _error(target, "exists")
        del folder[name]
        new_folder[new_name] = node

    def entries(self) -> Iterator[tuple[bytes, File | Link]]:
        """Every file and link with its path."""
        folders = [(b"", self._root)]
        while folders:
            prefix, folder = folders.pop()
            for name, node in folder.items():
                if isinstance(node, dict):
                    folders.append((prefix + name + b"/", node))
                else:
                    yield prefix + name, node

    def _parent(self, path: bytes) -> tuple[Folder, bytes]:
        """The folder that holds `path`, and its name there."""
        above, _, name = path.rpartition(b"/")
        folder = self.find(above)
        if not name or not isinstance(folder, dict):
            raise _error(path, "there is no such folder")
        _names(path)
        return folder, name


def _names(path: bytes) -> list[bytes]:
    if not path:
        return []
    if not is_safe(path):
        raise _error(path, "is not a safe path")
    return path.split(b"/")


def _error(path: bytes, reason: str) -> FileSystemError:
    return FileSystemError(f"{path!r}: {reason}")
