"""The in-memory file system and the index, against a real file system and real git."""

import os
import pathlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.terminal.filesystem import File, FileSystem, FileSystemError, Link, is_safe

NAMES = st.sampled_from([b"a", b"b", b"c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, st.binary(max_size=3)),
        st.tuples(st.just("link"), PATHS, st.just(b"target")),
        st.tuples(st.sampled_from(["remove", "make_folder", "remove_folder", "prune"]), PATHS),
        st.tuples(st.just("set_executable"), PATHS, st.booleans()),
        st.tuples(st.just("move"), PATHS, PATHS),
    ),
    max_size=25,
)


class RealFileSystem:
    """The same operations on a disk; they raise `OSError`."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = os.fsencode(root)

    def at(self, path: bytes) -> bytes:
        return self.root + b"/" + path

    def write(self, path, content):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(self.at(path), flags, 0o644)
        os.write(descriptor, content)
        os.close(descriptor)

    def link(self, path, target):
        subprocess.run(["ln", "-sfnT", target, self.at(path)], check=True, stderr=subprocess.DEVNULL)

    def remove(self, path):
        os.unlink(self.at(path))

    def make_folder(self, path):
        os.makedirs(self.at(path), exist_ok=True)

    def remove_folder(self, path):
        if os.path.islink(self.at(path)):
            raise NotADirectoryError
        subprocess.run(["rm", "-r", self.at(path) + b"/"], check=True, stderr=subprocess.DEVNULL)

    def prune(self, path):
        while path:
            try:
                os.rmdir(self.at(path))
            except OSError:
                return
            path = path.rpartition(b"/")[0]

    def set_executable(self, path, executable):
        if not os.path.isfile(self.at(path)) or os.path.islink(self.at(path)):
            raise IsADirectoryError
        os.chmod(self.at(path), 0o755 if executable else 0o644)

    def move(self, source, target):
        if os.path.lexists(self.at(target)) or (os.path.isdir(self.at(source)) and not os.path.islink(self.at(source))):
            raise FileExistsError
        os.rename(self.at(source), self.at(target))

    def nodes(self):
        nodes = {}
        for folder, folders, files in os.walk(self.root):
            for name in folders + files:
                full = folder + b"/" + name
                path = full[len(self.root) + 1 :]
                if os.path.islink(full):
                    nodes[path] = Link(os.readlink(full))
                elif os.path.isdir(full):
                    nodes[path] = dict
                else:
                    nodes[path] = File(pathlib.Path(os.fsdecode(full)).read_bytes(), os.access(full, os.X_OK))
        return nodes


def nodes_of(filesystem: FileSystem, path: bytes = b"") -> dict:
    nodes = {}
    folder = filesystem.find(path)
    assert isinstance(folder, dict)
    for name, node in folder.items():
        full = path + b"/" + name if path else name
        nodes[full] = dict if isinstance(node, dict) else node
        nodes |= nodes_of(filesystem, full) if isinstance(node, dict) else {}
    return nodes


@given(operations=OPERATIONS)
def test_every_operation_does_what_a_disk_does(tmp_path_factory, operations):
    real = RealFileSystem(tmp_path_factory.mktemp("disk"))
    model = FileSystem()
    for name, *arguments in operations:
        try:
            getattr(real, name)(*arguments)
            refused = False
        except (OSError, subprocess.CalledProcessError):
            refused = True
        try:
            getattr(model, name)(*arguments)
            assert not refused, (name, arguments)
        except FileSystemError:
            assert refused, (name, arguments)
        assert nodes_of(model) == real.nodes()
    assert dict(model.entries()) == {path: node for path, node in nodes_of(model).items() if node is not dict}


@pytest.mark.parametrize(
    "path",
    [
        b"../a",
        b"a/../b",
        b"/a",
        b"a//b",
        b"a/",
        b".",
        b"./a",
        b".git",
        b"a/.GIT/config",
        b"a\0b",
        b"n" * 256,
        b"a/" * 2500,
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path):
    filesystem = FileSystem()
    assert not is_safe(path)
    filesystem.make_folder(b"a")
    for operation in (filesystem.read, filesystem.make_folder, filesystem.remove, lambda p: filesystem.write(p, b"")):
        with pytest.raises(FileSystemError):
            operation(path)


def test_a_deep_tree_is_walked():
    filesystem = FileSystem()
    deep = b"/".join([b"d"] * 1900)
    filesystem.make_folder(deep)
    filesystem.write(deep + b"/f", b"")
    assert list(filesystem.entries()) == [(deep + b"/f", File(b""))]
