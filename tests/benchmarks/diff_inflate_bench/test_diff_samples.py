"""Frozen sets of samples, and the program that makes them."""

import hashlib
import json
import pathlib
import subprocess
import sys

import pytest
from histories import Builder
from moved_lines import STATES, lines

from benchmarks.diff_inflate_bench.samples import read_samples, write_samples
from benchmarks.diff_inflate_bench.selection import Choice, choose_samples
from data_gen.errors import UserError

ROOT = pathlib.Path(__file__).parents[3]


def build(*arguments):
    command = [sys.executable, "-m", "benchmarks.diff_inflate_bench.build", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture
def frozen(moved, tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, choose_samples(str(moved.folder), Choice(patches=(1, 2, 4))))
    return path


def signed(record):
    """A line of a file of samples whose hash is right."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return json.dumps({**record, "sha256": hashlib.sha256(text.encode()).hexdigest()})


def many_files(folder, files):
    repo = Builder(folder)
    for state in (b"1\n", b"2\n"):
        for number in range(files):
            repo.write(b"%d.py" % number, state * (number + 1))
        repo.commit()
    return str(repo.folder)


def test_samples_are_the_first_states(frozen):
    samples = read_samples(frozen).samples
    assert [sample.truth for sample in samples] == [lines(STATES[number - 1]) for number in (1, 2, 4)]


def test_a_set_is_the_same_twice_and_another_with_another_seed(tmp_path):
    repository = many_files(tmp_path / "many", 12)
    choice = Choice(patches=(1, 2), per_length=5)
    first = choose_samples(repository, choice)
    assert first == choose_samples(repository, choice)
    other = choose_samples(repository, Choice(patches=(1, 2), per_length=5, seed=1))
    assert {sample.path for sample in other.samples} != {sample.path for sample in first.samples}
    assert other.sha256 != first.sha256


def test_lengths_have_the_same_files_and_different_chains(tmp_path):
    samples = choose_samples(many_files(tmp_path / "many", 9), Choice(patches=(2, 1), per_length=6)).samples
    by_length = {length: [s.path for s in samples if len(s.commits) == length] for length in (1, 2)}
    assert by_length[1] == by_length[2] and len(set(by_length[1])) == 6


def test_files_and_patches_that_are_too_large_are_left_out(tmp_path):
    repository = many_files(tmp_path / "many", 9)
    small = choose_samples(repository, Choice(patches=(2,), max_file_tokens=3)).samples
    assert {sample.path for sample in small} == {"0.py", "1.py", "2.py", "3.py"}  # 2, 4, 6, 8 characters
    sizes = {s.path: len("".join(s.diffs[3])) for s in choose_samples(repository, Choice(patches=(2,))).samples}
    limit = sorted(sizes.values())[3] // 3 + 1
    kept = choose_samples(repository, Choice(patches=(2,), max_patch_tokens=limit)).samples
    assert {sample.path for sample in kept} == {path for path, size in sizes.items() if size <= 3 * limit}


def test_what_is_read_is_what_was_written(frozen, tmp_path):
    again = tmp_path / "again.jsonl"
    write_samples(again, read_samples(frozen))
    assert again.read_bytes() == frozen.read_bytes()


def test_a_changed_sample_is_named(frozen):
    text = frozen.read_text().splitlines()
    text[2] = text[2].replace("+X", "+Y")
    frozen.write_text("\n".join(text))
    with pytest.raises(UserError, match=r"samples\.jsonl:3: the sample has been changed"):
        read_samples(frozen)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda text: text[:-1], ":1: the samples are not those that were frozen"),
        (lambda text: [text[0], text[2], text[1], text[3]], ":1: the samples are not those that were frozen"),
        (lambda text: text[1:], ":1: not a file of samples"),
        (lambda text: [], ":1: not JSON"),
        (lambda text: [*text, "[]"], ":5: not a JSON object"),
        (lambda text: [*text, "{"], ":5: not JSON"),
        (lambda text: [*text, "[" * 100_000], ":5: not JSON"),
        (
            lambda text: [*text, signed({"truth": "\ud800", "path": "", "commits": [], "diffs": {}, "blob": ""})],
            ":5: not a sample",
        ),
        (
            lambda text: [*text, signed({"truth": 1, "path": "", "commits": [], "diffs": {}, "blob": ""})],
            ":5: not a sample",
        ),
        (lambda text: [*text, signed({"truth": ""})], ":5: not a sample"),
        (
            lambda text: [*text, signed({"truth": "a", "path": "", "commits": [], "diffs": {}, "blob": "1"})],
            ":5: the ground truth is not the blob 1",
        ),
    ],
)
def test_a_damaged_file_is_one_line(frozen, change, message):
    frozen.write_text("".join(f"{line}\n" for line in change(frozen.read_text().splitlines())))
    with pytest.raises(UserError, match=message):
        read_samples(frozen)


def test_the_program_freezes_and_a_dry_run_only_prints(moved, tmp_path):
    out = tmp_path / "out.jsonl"
    dry = build(f"--repo={moved.folder}", "--dry_run")
    assert dry.returncode == 0, dry.stderr
    assert not out.exists()
    result = build(f"--repo={moved.folder}", f"--out={out}")
    assert result.stdout == dry.stdout
    frozen = read_samples(out)
    assert frozen.sha256 in result.stdout
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["4", "1"] in rows and ["8", "0"] in rows
    prices = json.loads((ROOT / "benchmarks/diff_inflate_bench/prices.json").read_text())
    for model, price in prices.items():
        (row,) = (row for row in rows if row[:2] == [model, "judge"])
        tokens_in, tokens_out = (int(cell.replace(",", "")) for cell in row[2:4])
        dollars = (tokens_in * price["input"] + tokens_out * price["output"]) / 1e6
        assert float(row[4].removeprefix("$")) == pytest.approx(dollars, abs=0.005)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--repo={folder}", "--dry_run", "--patches=7"], "no file *.py has a chain of 7 patches within the limits"),
        (["--repo={folder}", "--dry_run", "--patches=1,x"], "error: --patches=1,x: not different numbers of patches"),
        (["--repo={folder}"], "error: give either --out=FILE or --dry_run"),
        (["--repo={folder}/none", "--dry_run"], "no such folder"),
        (["--repo={folder}", "--dry_run", "--prices={folder}/none"], "none: No such file or directory"),
        (["--repo={folder}", "--out={folder}/none/out.jsonl"], "No such file or directory"),
        (["--repo={folder}", "--dry_run", "--prices={folder}/moved.py"], "moved.py: not prices such as"),
    ],
)
def test_bad_input_is_one_line(moved, arguments, message):
    result = build(*(argument.format(folder=moved.folder) for argument in arguments))
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert message in line
