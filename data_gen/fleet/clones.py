"""Bare clones of repositories on other machines, kept in a folder to be used again."""

import errno
import os
import pathlib
import shutil
import subprocess

from data_gen.atomic import sync_tree, temporary_path
from data_gen.errors import UserError, one_line
from data_gen.fleet.repositories import digest, is_url, plain_name

PROTOCOLS = "https:ssh:git:file"
_CLONE = (
    "git -c core.hooksPath=/dev/null -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60"
    " clone --quiet --bare --single-branch --no-tags --template= --"
)


class CloneError(UserError):
    """A repository cannot be cloned."""


def local_copy(source: str, clones: pathlib.Path) -> pathlib.Path:
    """A path as it is; for a URL its clone in the folder `clones`, made if it is not there.

    Neither hooks nor the configuration of this machine's git take part, and nobody is asked for a password. Raises
    `CloneError`, or `OSError` if the disk is full.
    """
    if not is_url(source):
        return pathlib.Path(source)
    clone = clones / f"{plain_name(source)}-{digest(source)}.git"
    if not clone.is_dir():
        clones.mkdir(parents=True, exist_ok=True)
        for leftover in clones.glob(f"{clone.name}.*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)
        _clone(source, clone)
    return clone


def _clone(source: str, clone: pathlib.Path) -> None:
    temporary = temporary_path(clone)
    command = [*_CLONE.split(), source, str(temporary)]
    done = subprocess.run(command, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        shutil.rmtree(temporary, ignore_errors=True)
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        full = os.strerror(errno.ENOSPC)
        if any(full in line for line in lines if not line.startswith("remote: ")):
            raise OSError(errno.ENOSPC, full, str(temporary))
        reason = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
        raise CloneError(f"{one_line(source)}: git clone: {one_line(reason)[:300]}")
    sync_tree(temporary)
    try:
        temporary.rename(clone)
    except OSError:
        if not clone.is_dir():
            raise
        shutil.rmtree(temporary)  # another process was faster


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return inherited | {
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    }
