"""Chains against git: which there are, what it prints for them, and where its own `git apply` leads."""

import subprocess

import pytest
from histories import BUILDERS, Builder

from benchmarks.diff_inflate_bench.chains import find_chains
from benchmarks.diff_inflate_bench.diffs import git_diffs
from benchmarks.diff_inflate_bench.patches import apply, apply_all, parse_diff
from benchmarks.diff_inflate_bench.samples import CONTEXTS
from benchmarks.diff_inflate_bench.selection import Choice, choose_samples
from data_gen.replay.history import History

EVERYTHING = Choice(patches=(1, 2, 3, 4), per_length=1000, suffix="")


def whole_chains(repo):
    """A sample of each chain, with all of its patches."""
    longest = {}
    for sample in choose_samples(str(repo.folder), EVERYTHING).samples:  # the shorter ones come first
        longest[sample.path, sample.commits[0]] = sample
    assert longest
    return list(longest.values())


def lengths(folder, suffix=b""):
    with History(folder) as history:
        return [(chain.path, len(chain.blobs)) for chain in find_chains(history, suffix)]


@pytest.fixture
def ended(tmp_path):
    """Every way in which a chain ends."""
    repo = Builder(tmp_path / "ended")
    for name in (b"deleted", b"renamed", b"mode", b"merged", b"whole"):
        repo.write(name, name + b"\n")
    repo.commit()
    for name in (b"deleted", b"renamed", b"mode", b"merged", b"whole"):
        repo.write(name, name + b"\nmore\n")
    repo.commit()
    repo.remove(b"deleted")
    repo.move(b"renamed", b"new name")
    repo.write(b"mode", b"mode\nmore\n", executable=True)
    repo.commit()
    other = repo.git("rev-parse", "HEAD").decode().strip()
    repo.write(b"merged", b"merged\nby a merge\n")
    repo.write(b"comes by a merge", b"x\n")
    repo.git("add", "--all")
    repo.commit_tree(repo.git("write-tree").decode().strip(), b"Merge\n", other + "^")
    for name in (b"deleted", b"new name", b"mode", b"merged", b"whole", b"comes by a merge"):
        repo.write(name, name + b"\nin the end\n", executable=name == b"mode")
    repo.commit()
    return repo


def test_chains_end_at_deletions_renames_modes_and_merges(ended):
    assert lengths(ended.folder) == [
        (b"deleted", 2), (b"deleted", 1), (b"merged", 2), (b"mode", 2), (b"renamed", 2), (b"whole", 3),
    ]  # fmt: skip


def test_the_suffix_chooses_the_files(ended):
    assert lengths(ended.folder, b"ed") == [(b"deleted", 2), (b"deleted", 1), (b"merged", 2), (b"renamed", 2)]


@pytest.mark.parametrize("name", ["ordinary", "odd_contents", "odd_names"])
def test_diffs_are_what_git_prints_in_the_repository(name, tmp_path):
    repo = BUILDERS[name](tmp_path / name)
    for sample in whole_chains(repo):
        for context in CONTEXTS:
            for commit, diff in zip(sample.commits, sample.diffs[context], strict=True):
                parents = repo.git("log", "--format=%P", "-1", commit).split()
                old = parents[0].decode() if parents else repo.git("hash-object", "-t", "tree", "/dev/null").strip()
                path = b":(literal)" + sample.path.encode()
                assert repo.git("diff", f"-U{context}", old, commit, "--", path).decode() == diff


@pytest.mark.parametrize("name", ["ordinary", "odd_contents", "odd_names", "odd_kinds"])
def test_git_apply_leads_to_the_ground_truth(name, tmp_path):
    repo = BUILDERS[name](tmp_path / name)
    for number, sample in enumerate(whole_chains(repo)):
        for context in CONTEXTS:
            folder = tmp_path / f"applied-{number}-{context}"
            folder.mkdir()
            for diff in sample.diffs[context]:
                command = ["git", "apply", "--unidiff-zero", "-"]
                subprocess.run(command, cwd=folder, input=diff.encode(), check=True)
            (file,) = (path for path in folder.rglob("*") if path.is_file())
            assert file.read_bytes() == sample.truth.encode()
            assert repo.git("cat-file", "blob", sample.blob) == sample.truth.encode()


def test_patches_are_applied_as_git_does_at_the_ends_of_files():
    states = [b"a\nb", b"a\nb\n", b"\na\nb\n\n", b"b\n\n\n\nc", b"x", b"y\nx"]
    for context in CONTEXTS:
        diffs = git_diffs(b"file", 0o100644, states, context)
        assert [apply_all(diffs[: number + 1]).encode() for number in range(len(states))] == states


def test_a_diff_made_against_other_lines_is_refused():
    (_, diff) = git_diffs(b"file", 0o100644, [b"a\nb\nc\n", b"a\nB\nc\n"], 1)
    with pytest.raises(ValueError, match="line 1 does not apply"):
        apply(["x\n", "b\n", "c\n"], parse_diff(diff))
