"""The commands of the terminal's shell, run on the in-memory file system."""

from typing import NamedTuple

from data_gen.terminal.commit_summary import UTF8_WARNING, commit_summary, is_predictable, recorded_message
from data_gen.terminal.filesystem import File, FileSystem, FileSystemError
from data_gen.terminal.repository import BRANCH, Repository
from data_gen.terminal.status import long_status, short_status
from data_gen.terminal.words import ShellError, is_printable_text, is_utf8


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
        self._check_folder()
        outcome = self._run(words)
        self._check_folder()
        return outcome

    def _run(self, words: list[bytes]) -> Outcome:
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
                case [b"git", command, *arguments]:
                    return Outcome(tuple(self._git(command, arguments)))
                case [command, *arguments]:
                    self._change_files(command, arguments)
        except FileSystemError as error:
            raise ShellError(f"{b' '.join(words)[:80]!r}: {error}") from None
        return Outcome()

    def resolve(self, path: bytes) -> bytes:
        """`path`, typed in the current folder, relative to the root. It does not lead through links or files: a program
        would take `..` after a link for the folder above the link's target.
        """
        if path.startswith(b"/"):
            raise ShellError(f"{path!r} is outside the project")
        names = self.folder.split(b"/") if self.folder else []
        for position, name in enumerate(path.split(b"/")):
            if name == b".." and not names:
                raise ShellError(f"{path!r} is outside the project")
            above = self.filesystem.find(b"/".join(names))
            if not isinstance(above, dict) and (name == b".." or (position and above is not None)):
                raise ShellError(f"{path!r}: {b'/'.join(names)!r} is no folder")
            if name == b"..":
                names.pop()
            elif name not in (b"", b"."):
                names.append(name)
        return b"/".join(names)

    def file_to_edit(self, path: bytes) -> bytes:
        """What the editor calls `path`, relative to the root: a file or a new one, else `ShellError`."""
        try:
            resolved = self.resolve(path)
            folder, node = self.filesystem.find(resolved.rpartition(b"/")[0]), self.filesystem.find(resolved)
        except FileSystemError as error:
            raise ShellError(f"vim {error}") from None
        if not isinstance(node, File | None) or path.rpartition(b"/")[2] in (b"", b".", b".."):
            raise ShellError(f"vim {path!r}: not a file")
        if not isinstance(folder, dict):
            raise ShellError(f"vim {path!r}: no such folder")
        return resolved

    def _check_folder(self) -> None:
        if not isinstance(self.filesystem.find(self.folder), dict):
            raise ShellError(f"the current folder {self.folder!r} has been removed")

    def _vim(self, path: bytes) -> Outcome:
        if path.startswith((b"-", b"+")):
            raise ShellError(f"vim {path!r}: not a file")
        self.file_to_edit(path)
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

    def _git(self, command: bytes, arguments: list[bytes]) -> list[bytes]:
        """Run a command of git; return what it prints."""
        repository = self.repository
        if command == b"commit":
            return self._commit(arguments)
        options, paths = _split_options(arguments)
        match command, options, paths:
            case b"add", [] | [b"-f"], [_, *_]:
                for path in paths:
                    repository.add(self.resolve(path))
            case b"rm", [] | [b"-q"], [_, *_]:
                return self._remove(paths, is_quiet=bool(options))
            case b"mv", [], [source, target]:
                repository.move(self.resolve(source), self._into(source, target))
            case b"status", [], []:
                return long_status(repository.status(), self.folder, BRANCH, repository.head is not None)
            case b"status", [b"-s"], []:
                return short_status(repository.status(), self.folder)
            case _:
                raise ShellError(f"unknown command {b' '.join([b'git', command, *arguments])[:80]!r}")
        return []

    def _remove(self, paths: list[bytes], is_quiet: bool) -> list[bytes]:
        resolved = sorted({self.resolve(path) for path in paths})
        if not is_quiet and not all(map(is_printable_text, resolved)):
            raise ShellError(f"git rm {paths[0][:80]!r}: what it prints is not printable; -q is quiet")
        self.repository.remove(resolved)
        return [] if is_quiet else [b"rm '" + path + b"'" for path in resolved]

    def _commit(self, arguments: list[bytes]) -> list[bytes]:
        flags, rest = set(arguments[:-2]), arguments[-2:]
        if not flags <= {b"-q", b"--allow-empty", b"--allow-empty-message"} or rest[:1] != [b"-m"]:
            raise ShellError(f"unknown command {b' '.join([b'git commit', *arguments])[:80]!r}")
        repository, message = self.repository, rest[1]
        if not is_utf8(message):
            raise ShellError(f"git commit -m {message[:80]!r}: the message is not UTF-8")
        changes, is_root = repository.staged(), repository.head is None
        if b"-q" not in flags and not is_predictable(changes, message):
            raise ShellError(f"git commit -m {message[:80]!r}: what it prints is not predictable; -q is quiet")
        commit = repository.commit(message, b"--allow-empty" in flags, b"--allow-empty-message" in flags)
        warning = UTF8_WARNING if recorded_message(message) != message else ()
        summary = [] if b"-q" in flags else commit_summary(BRANCH, commit, is_root, message, changes)
        return [*warning, *summary]

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
