"""The codec benchmark, started as its users do."""

import json
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks.codec", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_a_wrong_choice_of_frames_is_one_line():
    result = run("--data=DIR", "--repo=PATH")
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["error: give either --data or --repo"]


@pytest.mark.slow
def test_all_formats_are_measured_over_the_same_frames(tmp_path):
    pytest.importorskip("zstandard")
    subprocess.run(["git", "init", "-q", tmp_path / "project"], check=True)
    (tmp_path / "project" / "code.py").write_text("".join(f"def f{i}():\n    return {i}\n" for i in range(60)))
    identity = ("-c", "user.name=x", "-c", "user.email=x@y")
    for arguments in (("add", "."), ("commit", "-q", "-m", "Add code")):
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path / "project", check=True)
    out = tmp_path / "out"
    result = run(f"--repo={tmp_path / 'project'}", f"--out={out}", "--records=1", "--rounds=1")
    assert result.returncode == 0, result.stderr
    measured = {row["name"]: row for row in json.loads((out / "codec.json").read_text())}
    assert len(measured) == 8 and all(name in result.stdout for name in measured)
    for row in measured.values():  # the naive size of a frame of 48x160 cells, 40 bits each
        assert row["bytes_per_frame"] * row["ratio"] == pytest.approx(48 * 160 * 5)
    sizes = [row["bytes_per_frame"] for row in measured.values()]
    assert sizes == sorted(sizes) and next(iter(measured)) == "columnar"
    assert measured["bitpacked + xz"]["bytes_per_frame"] < measured["bitpacked"]["bytes_per_frame"]
    assert measured["columnar"]["decoded_per_second"] > 0 and measured["cell deltas + xz"]["decoded_per_second"] is None
    assert Image.open(out / "codec.png").size[0] > 400
