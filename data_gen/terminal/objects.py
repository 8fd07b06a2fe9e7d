"""Git's objects by name: what a file, a tree and a commit of the terminal's user are called."""

import hashlib
from collections.abc import Iterator

from data_gen.terminal.filesystem import File, Link

IDENTITY = b"Developer <developer@example.com> 978307200 +0000"
"""Who commits, and when: `dotfiles/gitconfig` and `dotfiles/bashrc` say so."""

_FOLDER = b"40000"


def mode_of(node: File | Link) -> bytes:
    """The mode that git records, in octal digits."""
    return b"120000" if isinstance(node, Link) else b"100755" if node.executable else b"100644"


def content_of(node: File | Link) -> bytes:
    """What git records as the content."""
    return node.target if isinstance(node, Link) else node.content


def commit_id(tree: bytes, parent: bytes | None, message: bytes) -> bytes:
    """The name of a commit; names are 20 bytes."""
    lines = [b"tree " + tree.hex().encode()]
    lines += [b"parent " + parent.hex().encode()] if parent else []
    lines += [b"author " + IDENTITY, b"committer " + IDENTITY, b"", message]
    return object_id(b"commit", b"\n".join(lines))


class Tree:
    """The files of an index as git's trees; only folders that have changed are hashed anew."""

    def __init__(self) -> None:
        self._folders: dict[bytes, dict[bytes, tuple[bytes, bytes]]] = {b"": {}}  # name -> mode, name of the object
        self._stale: set[bytes] = {b""}  # folders that have changed; with each, those above it
        self._id = b""

    def put(self, path: bytes, node: File | Link) -> None:
        """Add or replace the file at `path`, where no folder is, and no file in place of one of its folders."""
        folder, _, name = path.rpartition(b"/")
        for above in folders_of(path):
            if above not in self._folders:
                self._folders[above] = {}
                parent, _, own_name = above.rpartition(b"/")
                self._folders[parent][own_name] = _FOLDER, b""
        self._folders[folder][name] = mode_of(node), object_id(b"blob", content_of(node))
        self._touch(folder)

    def remove(self, path: bytes) -> None:
        """Remove the file at `path`, and the folders that this empties."""
        folder, _, name = path.rpartition(b"/")
        del self._folders[folder][name]
        while folder and not self._folders[folder]:
            del self._folders[folder]
            self._stale.discard(folder)
            folder, _, name = folder.rpartition(b"/")
            del self._folders[folder][name]
        self._touch(folder)

    def files_below(self, folder: bytes) -> list[bytes]:
        """The paths of the files in `folder`, at any depth; none if there is no such folder."""
        paths: list[bytes] = []
        waiting = [folder] if folder in self._folders else []
        while waiting:
            above = waiting.pop()
            for name, (mode, _) in self._folders[above].items():
                (waiting if mode == _FOLDER else paths).append(above + b"/" + name if above else name)
        return paths

    def id(self) -> bytes:
        """The name of the whole tree."""
        for folder in sorted(self._stale, key=len, reverse=True):  # a folder's path is longer than those above it
            self._id = _tree_id(self._folders[folder])
            above, _, name = folder.rpartition(b"/")
            if folder:
                self._folders[above][name] = _FOLDER, self._id
        self._stale.clear()
        return self._id

    def _touch(self, folder: bytes) -> None:
        self._stale.add(folder)
        self._stale.update(folders_of(folder), [b""])


def folders_of(path: bytes) -> Iterator[bytes]:
    """The folders above `path`, the outermost first, without the root."""
    end = path.find(b"/")
    while end >= 0:
        yield path[:end]
        end = path.find(b"/", end + 1)


def _tree_id(entries: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    """The name of a tree: its entries are sorted as if the names of folders ended in a slash."""
    ordered = sorted((name + b"/" * (mode == _FOLDER), name, mode, id_) for name, (mode, id_) in entries.items())
    return object_id(b"tree", b"".join(b"%s %s\0%s" % (mode, name, id_) for _, name, mode, id_ in ordered))


def object_id(kind: bytes, content: bytes) -> bytes:
    """The name of an object: 20 bytes."""
    return hashlib.sha1(b"%s %d\0" % (kind, len(content)) + content, usedforsecurity=False).digest()
