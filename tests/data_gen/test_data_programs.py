"""The programs as their users start them: a whole small dataset, and one clear line for each mistake."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from data_gen import actions
from data_gen.dataset import Dataset
from data_gen.texz.record import Codec, unpack
from data_gen.tokenizer import Tokenizer

FLAGS = ("--rows=8", "--cols=40", "--frames_per_record=64")


def run(program, *arguments):
    command = [sys.executable, "-m", f"data_gen.{program}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def git(folder, *arguments):
    identity = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=os.environ | identity)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    git(folder, "init", "-q")
    for number in range(6):
        (folder / "code.py").write_text("".join(f"def f{line}():\n\treturn {line}\n" for line in range(number * 2 + 1)))
        (folder / f"note{number}").write_bytes(b"\x00binary" if number == 3 else "größer ✓\n".encode())
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"Add part {number}")
    return folder


@pytest.fixture(scope="module")
def dataset(repository, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "set"
    result = run("generate", f"--repo={repository}", f"--out={out}", *FLAGS)
    assert result.returncode == 0, result.stderr
    assert "6 commits" in result.stdout and "1 binary" in result.stdout
    return out


def test_the_same_history_gives_the_same_bytes(repository, dataset, tmp_path):
    assert run("generate", f"--repo={repository}", *FLAGS, f"--out={tmp_path / 'again'}").returncode == 0
    assert Dataset(tmp_path / "again").checksum == Dataset(dataset).checksum
    Dataset(tmp_path / "again").check_files()


def test_both_codecs_record_the_same_frames(repository, dataset, tmp_path):
    out = tmp_path / "bitpacked"
    flags = (f"--repo={repository}", "--rows=8", "--cols=40", "--frames_per_record=64", "--codec=bitpacked")
    assert run("generate", *flags, f"--out={out}").returncode == 0
    columnar, bitpacked = (next(iter(Dataset(path).recordings.values())) for path in (dataset, out))
    assert (unpack(columnar.record(0)).codec, unpack(bitpacked.record(0)).codec) == (Codec.COLUMNAR, Codec.BITPACKED)
    for expected, frames in zip(*(r.read(np.arange(r.frames)) for r in (columnar, bitpacked)), strict=True):
        np.testing.assert_array_equal(frames, expected)
    assert bitpacked.events() == columnar.events()


def test_a_list_of_repositories(repository, dataset, tmp_path):
    """A path, a URL and a failure; the path's recording has the bytes that it has alone."""
    listed = tmp_path / "list"
    listed.write_text(f"# three\n{repository}\nfile://{repository}/.git\n/nowhere/at/all\n")
    result = run("generate", f"--repos_file={listed}", f"--out={tmp_path / 'many'}", "--workers=3", *FLAGS)
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "failed: all: /nowhere/at/all: no such folder"
    many = Dataset(tmp_path / "many")
    many.check_files()
    assert [name.startswith(f"{repository.name}-") for name in many.recordings] == [True, True]
    assert [failure["name"] for failure in many.manifest["failures"]] == ["all"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["list", "many", "many.clones"]
    again = run("generate", f"--repos_file={listed}", f"--out={tmp_path / 'many'}", "--resume", *FLAGS)
    assert again.returncode == 0 and "already complete" in again.stdout


def test_what_was_typed_is_in_the_recording(dataset):
    recording = next(iter(Dataset(dataset).recordings.values()))
    typed = actions.to_bytes(np.concatenate(list(recording.actions())))
    assert b"git commit -m 'Add part 5'\r" in typed and "größer ✓".encode() in typed
    commits = [event for event in recording.events() if event.kind == "commit"]
    assert len(commits) == 6 and commits[0].frame == 0
    assert [event.frame for event in commits] == sorted(event.frame for event in commits)


def test_a_tokenizer_is_trained_beside_the_dataset(dataset):
    result = run("train_tokenizer", f"--data={dataset}", "--vocab_size=320")
    assert result.returncode == 0, result.stderr
    assert Tokenizer.load(dataset / "tokenizer.json").vocab_size == 320


def test_play_ends_quietly_when_its_reader_has_seen_enough(dataset):
    command = [sys.executable, "-m", "data_gen.play", f"--data={dataset}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, pipesize=4096) as player:
        assert player.stdout.readline().startswith(b"--- frame 0")
        player.stdout.close()
        assert player.stderr.read() == b""
    assert player.returncode == -signal.SIGPIPE


def test_play_prints_frames_and_exports_them(dataset, tmp_path):
    result = run("play", f"--data={dataset}", "--frames=3")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("--- frame") == 3 and "(main)$" in result.stdout
    begins = {"png": b"\x89PNG", "gif": b"GIF89a", "asciicast": b'{"version": 2', "html": b"<!doctype html>"}
    for kind, begin in begins.items():
        file = tmp_path / kind
        result = run("play", f"--data={dataset}", "--commit=2", "--frames=20", f"--export={kind}", f"--out={file}")
        assert result.returncode == 0 and str(file) in result.stdout, result.stderr
        assert file.read_bytes().startswith(begin)
    assert Image.open(tmp_path / "png").size[0] > 100


def test_help_tells_what_the_programs_do():
    for program, flag in (("generate", "--max_commits"), ("train_tokenizer", "--vocab_size"), ("play", "--speed")):
        result = run(program, "--help")
        assert f"python -m data_gen.{program}" in result.stdout and flag in result.stdout


def mistakes(tmp_path, repository, dataset):
    (tmp_path / "plain").mkdir()
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    (tmp_path / "old").mkdir()
    manifest = json.loads((dataset / "dataset.json").read_text()) | {"format_version": 99}
    (tmp_path / "old" / "dataset.json").write_text(json.dumps(manifest))
    out = f"--out={tmp_path / 'out'}"
    yield ("generate", "--repo=/nowhere/at/all", out), "/nowhere/at/all: no such folder"
    yield ("generate", f"--repo={tmp_path / 'plain'}", out), "not a git repository"
    yield ("generate", f"--repo={tmp_path / 'empty'}", out), "no history yet"
    yield ("generate", f"--repo={repository}", f"--out={dataset}"), "already exists"
    yield ("generate", f"--repo={repository}", f"--out={dataset}", "--resume", "--rows=9"), "begun with rows 8, not 9"
    yield ("generate", f"--repos_file={tmp_path / 'none'}", out), "No such file or directory"
    yield ("play", f"--data={tmp_path / 'plain'}"), "dataset.json"
    yield ("play", f"--data={tmp_path / 'old'}"), "format version 99"
    yield ("play", f"--data={dataset}", "--recording=other"), "no recording 'other'"
    yield ("play", f"--data={dataset}", "--start=999999999"), "frame 999999999: "
    yield ("play", f"--data={dataset}", "--commit=7"), "no commit has the number '7'"
    yield ("play", f"--data={dataset}", "--commit=1", "--start=1"), "give one of them"
    yield ("play", f"--data={dataset}", "--export=png"), "give both or none"
    yield ("play", f"--data={dataset}", "--tokenizer=x"), "--tokenizer is for --export=html"
    yield ("play", f"--data={dataset}", "--export=png", "--out=/nowhere/at/all"), "/nowhere/at/all"
    yield ("train_tokenizer", f"--data={dataset}", "--vocab_size=273"), "multiple of 8"


def test_a_mistake_ends_with_one_line(tmp_path, repository, dataset):
    for arguments, message in mistakes(tmp_path, repository, dataset):
        result = run(*arguments)
        last = result.stderr.strip().splitlines()[-1]
        assert result.returncode == 1 and "Traceback" not in result.stderr, (arguments, result.stderr)
        assert last.startswith("error: ") and message in last, (arguments, last)
    assert not list(pathlib.Path(tmp_path).glob("out*"))
