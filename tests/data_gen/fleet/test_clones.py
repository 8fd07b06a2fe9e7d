"""Clones are made once, whole or not at all, and let nothing of this machine or the other take part."""

import errno
import os
import shutil
import subprocess

import pytest

from data_gen.atomic import temporary_path
from data_gen.fleet.clones import CloneError, local_copy
from data_gen.replay.history import History


def url(repository):
    return f"file://{repository}"


def test_a_path_is_its_own_copy(tmp_path):
    assert local_copy("some/path", tmp_path / "clones") == type(tmp_path)("some/path")
    assert not list(tmp_path.iterdir())


def test_a_clone_has_the_history(repositories, tmp_path):
    clone = local_copy(url(repositories["ordinary"]), tmp_path / "clones")
    with History(clone) as history, History(repositories["ordinary"]) as original:
        assert list(history) == list(original)
    assert [entry.name for entry in (tmp_path / "clones").iterdir()] == [clone.name]


def test_a_clone_is_used_again(repositories, tmp_path):
    shutil.copytree(repositories["ordinary"], tmp_path / "origin")
    clone = local_copy(url(tmp_path / "origin"), tmp_path / "clones")
    shutil.rmtree(tmp_path / "origin")
    assert local_copy(url(tmp_path / "origin"), tmp_path / "clones") == clone


def test_what_a_killed_clone_left_is_removed(repositories, tmp_path):
    source = url(repositories["ordinary"])
    clone = local_copy(source, tmp_path)
    clone.rename(tmp_path / f"{clone.name}.other-1.partial")
    temporary_path(clone).mkdir()
    assert local_copy(source, tmp_path) == clone
    assert list(tmp_path.iterdir()) == [clone]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("file:///nowhere/at/all", "git clone: fatal: .*nowhere"),
        ("ext::touch {folder}/executed", "transport 'ext' not allowed"),
        ("http://localhost:9/x", "transport 'http' not allowed"),
        ("-oProxyCommand=touch:x", "git clone: fatal: strange hostname"),
    ],
)
def test_what_cannot_be_cloned(tmp_path, source, match):
    with pytest.raises(CloneError, match=match) as caught:
        local_copy(source.format(folder=tmp_path), tmp_path / "clones")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "clones").iterdir())
    assert not (tmp_path / "executed").exists()


def test_hooks_and_configuration_do_not_take_part(repositories, tmp_path, monkeypatch):
    hook = tmp_path / "template" / "hooks" / "post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    hook.chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f'[init]\n\ttemplateDir = {hook.parents[1]}\n[url "/nowhere"]\n\tinsteadOf = file\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(hook.parents[1]))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    clone = local_copy(url(repositories["ordinary"]), tmp_path / "clones")
    assert not (clone / "hooks").exists() and not (tmp_path / "executed").exists()
    head = subprocess.run(
        ["git", f"--git-dir={clone}", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    with History(repositories["ordinary"]) as history:
        assert head.stdout.strip() == history.head


def test_a_full_disk_is_no_fault_of_the_repository(tmp_path, monkeypatch):
    """Told as real git tells it; a disk cannot be filled in every place where tests run."""
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\necho 'fatal: write error: No space left on device' >&2\nexit 128\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    with pytest.raises(OSError, match="No space left on device") as caught:
        local_copy("https://localhost/x.git", tmp_path / "clones")
    assert caught.value.errno == errno.ENOSPC
    assert not list((tmp_path / "clones").iterdir())
