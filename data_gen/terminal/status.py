"""What `git status` prints, as `dotfiles/gitconfig` has it: renames and untracked files are not looked for."""

from data_gen.terminal.git_paths import c_quoted, relative

_LABELS = {
    b"A": b"\tnew file:   ",
    b"D": b"\tdeleted:    ",
    b"M": b"\tmodified:   ",
    b"T": b"\ttypechange: ",
}
_NOT_ADDED = b'no changes added to commit (use "git add" and/or "git commit -a")'
_NOTHING_YET = b'nothing to commit (create/copy files and use "git add" to track)'
_NOTHING = b"nothing to commit (use -u to show untracked files)"
_UNTRACKED = b"Untracked files not listed (use -u option to show untracked files)"


def short_status(entries: list[tuple[bytes, bytes]], folder: bytes) -> list[bytes]:
    """`git status -s` in `folder`; `entries` are those of `Repository.status`."""
    lines = []
    for letters, path in entries:
        name = c_quoted(relative(path, folder))
        lines.append(letters + b" " + (b'"' + name + b'"' if b" " in name and name[:1] != b'"' else name))
    return lines


def long_status(entries: list[tuple[bytes, bytes]], folder: bytes, branch: str, has_commits: bool) -> list[bytes]:
    """`git status` in `folder`."""
    staged = [(letters[:1], path) for letters, path in entries if letters[:1] != b" "]
    changed = [(letters[1:], path) for letters, path in entries if letters[1:] != b" "]
    lines = [b"On branch " + branch.encode()]
    lines += [] if has_commits else [b"", b"No commits yet", b""]
    if staged:
        unstage = b"git restore --staged" if has_commits else b"git rm --cached"
        lines += [b"Changes to be committed:", b'  (use "' + unstage + b' <file>..." to unstage)']
        lines += [*_listed(staged, folder), b""]
    if changed:
        add = b"git add/rm" if any(letter == b"D" for letter, _ in changed) else b"git add"
        lines += [b"Changes not staged for commit:"]
        lines += [b'  (use "' + add + b' <file>..." to update what will be committed)']
        lines += [b'  (use "git restore <file>..." to discard changes in working directory)']
        lines += [*_listed(changed, folder), b""]
    if staged:
        return [*lines, _UNTRACKED]
    return [*lines, _NOT_ADDED if changed else _NOTHING if has_commits else _NOTHING_YET]


def _listed(changes: list[tuple[bytes, bytes]], folder: bytes) -> list[bytes]:
    return [_LABELS[letter] + c_quoted(relative(path, folder)) for letter, path in changes]
