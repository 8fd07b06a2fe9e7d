"""The commands of the terminal's shell, run on the in-memory file system."""

from typing import NamedTuple

from data_gen.terminal.filesystem import File, FileSystem, FileSystemError
from data_gen.terminal.repository import Repository
from data_gen.terminal.words import ShellError


class Outcome(NamedTuple):
    """What a command prints, the file that it opens in the editor, relative to the current folder, and whether the
    shell ends with it."""

    lines: tuple[bytes, ...] = ()
    edit: bytes | None = None
    exits: bool = False


class Commands:
    """Runs one command line after the other; one outside the subset, or that would fail, is a `ShellError`."""

    def __init__(self, filesystem: FileSystem, repository: Repository) -> None:
        self.filesystem = filesystem
        self.repository = repository
        self.folder = b""

    def run(self, words: list[bytes]) -> Outcome:
        """Run the command that `words` are."""
        try:
            match words:
                case []:
                    return Outcome()
                case [b"exit"]:
                    return Outcome(exits=True)
                case [b"vim", path]:
                    return self._vim(path)
                case [b"cd", folder]:
                    self._cd(folder)
                case [b"git", b"status", b"-s"]:
                    return Outcome(tuple(self._status()))
                case [b"git", command, *arguments]:
                    self._git(command, arguments)
                case [command, *arguments]:
                    self._change_files(command, arguments)
        except FileSystemError as error:
            raise ShellError(f"{b' '.join(words)[:80]!r}: {error}") from None
        return Outcome()

    def resolve(self, path: bytes) -> bytes:
        """`path`, typed in the current folder, relative to the root."""
        if path.startswith(b"/"):
            raise ShellError(f"{path!r} is outside the project")
        names = self.folder.split(b"/") if self.folder else []
        for name in path.split(b"/"):
            if name == b".." and not names:
                raise ShellError(f"{path!r} is outside the project")
            if name == b"..":
                names.pop()
            elif name not in (b"", b"."):
                names.append(name)
        return b"/".join(names)

    def _vim(self, path: bytes) -> Outcome:
        resolved = self.resolve(path)
        parent = self.filesystem.find(resolved.rpartition(b"/")[0])
        if path.startswith((b"-", b"+")) or not isinstance(self.filesystem.find(resolved), File | None):
            raise ShellError(f"vim {path!r}: not a file")
        if not isinstance(parent, dict):
            raise ShellError(f"vim {path!r}: no such folder")
        return Outcome(edit=path)

    def _cd(self, folder: bytes) -> None:
        resolved = self.resolve(folder)
        if folder.startswith(b"-") or not isinstance(self.filesystem.find(resolved), dict):
            raise ShellError(f"cd {folder!r}: no such folder")
        self.folder = resolved

    def _change_files(self, command: bytes, arguments: list[bytes]) -> None:
        options, paths = _split_options(arguments)
        files = self.filesystem
        match command, options, paths:
            case b"mkdir", [b"-p"], [_, *_]:
                for path in paths:
                    files.make_folder(self.resolve(path))
            case b"rm", [], [_, *_]:
                for path in paths:
                    files.remove(self.resolve(path))
            case b"rm", [b"-r"], [_, *_]:
                for path in paths:
                    files.remove_folder(self.resolve(path))
            case b"mv", [], [source, target]:
                files.move(self.resolve(source), self._into(source, target))
            case b"ln", [b"-s"], [target, path]:
                if files.find(self.resolve(path)) is not None:
                    raise ShellError(f"ln -s {path!r}: exists")
                files.link(self.resolve(path), target)
            case b"ln", [b"-sfn"], [target, path]:
                files.link(self.resolve(path), target)
            case b"chmod", [], [b"+x", _, *_]:
                for path in paths[1:]:
                    files.set_executable(self.resolve(path), True)
            case b"chmod", [b"-x"], [_, *_]:
                for path in paths:
                    files.set_executable(self.resolve(path), False)
            case _:
                raise ShellError(f"unknown command {b' '.join([command, *arguments])[:80]!r}")

    def _git(self, command: bytes, arguments: list[bytes]) -> None:
        repository = self.repository
        if command == b"commit":
            self._commit(arguments)
            return
        options, paths = _split_options(arguments)
        match command, options, paths:
            case b"add", [] | [b"-f"], [_, *_]:
                for path in paths:
                    repository.add(self.resolve(path))
            case b"rm", [b"-q"], [_, *_]:
                for path in paths:
                    repository.remove(self.resolve(path))
            case b"mv", [], [source, target]:
                repository.move(self.resolve(source), self._into(source, target))
            case _:
                raise ShellError(f"unknown command {b' '.join([b'git', command, *arguments])[:80]!r}")

    def _commit(self, arguments: list[bytes]) -> None:
        flags, rest = set(arguments[:-2]), arguments[-2:]
        if not {b"-q"} <= flags <= {b"-q", b"--allow-empty", b"--allow-empty-message"} or rest[:1] != [b"-m"]:
            raise ShellError(f"unknown command {b' '.join([b'git commit', *arguments])[:80]!r}")
        self.repository.commit(rest[1], b"--allow-empty" in flags, b"--allow-empty-message" in flags)

    def _status(self) -> list[bytes]:
        return [letters + b" " + _c_quoted(path) for letters, path in self.repository.status()]

    def _into(self, source: bytes, target: bytes) -> bytes:
        """Where a moved file goes: below `target` if that is a folder."""
        resolved = self.resolve(target)
        if isinstance(self.filesystem.find(resolved), dict):
            return (resolved + b"/" + source.rpartition(b"/")[2]).lstrip(b"/")
        return resolved


def _split_options(arguments: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The options before the operands; `--` may stand between them. An operand that looks like an option is one."""
    if b"--" in arguments:
        border = arguments.index(b"--")
        options, paths = arguments[:border], arguments[border + 1 :]
    else:
        options = [word for word in arguments if word.startswith(b"-") and word != b"-"]
        paths = [word for word in arguments if word not in options]
    if b"" in paths:
        raise ShellError("an empty path")
    return options, paths


def _c_quoted(path: bytes) -> bytes:
    """`path` as git prints it: quoted like a string of C where it holds anything but printable ASCII."""
    names = {0x07: b"\\a", 0x08: b"\\b", 0x09: b"\\t", 0x0A: b"\\n", 0x0B: b"\\v", 0x0C: b"\\f", 0x0D: b"\\r"}
    names |= {0x22: b'\\"', 0x5C: b"\\\\"}
    quoted = b"".join(names.get(byte) or (bytes((byte,)) if 0x20 <= byte < 0x7F else b"\\%03o" % byte) for byte in path)
    return b'"' + quoted + b'"' if quoted != path or b" " in path else path
