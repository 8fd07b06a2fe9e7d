"""Generation that is killed at any moment, or runs out of disk, and is resumed: every file as if nothing happened."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from histories import Builder

FLAGS = ("--rows=8", "--cols=40", "--frames_per_record=4", "--workers=2")
KILLS = 4


def lines(seed, count):
    words = random.Random(seed)
    return "".join(f"{words.randrange(10**8)} = {words.randrange(10**8)}\n" for _ in range(count)).encode()


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Three histories of different lengths."""
    folders = [tmp_path_factory.mktemp("sources") / name for name in ("long", "short", "longer")]
    for folder, commits in zip(folders, (8, 2, 12), strict=True):
        repository = Builder(folder)
        for number in range(commits):
            repository.write(b"file%d" % (number % 5), lines(number, 150 + number))
            repository.commit(b"Change %d\n" % number)
    return [f"--repo={folder}" for folder in folders]


def start(*arguments):
    command = [sys.executable, "-m", "data_gen.generate", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def finish(*arguments):
    process = start(*arguments)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output.decode()


def snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def count_files(folder):
    return sum(1 for _ in folder.rglob("*.array_record"))


@pytest.fixture(scope="module")
def whole(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "data"
    finish(*sources, f"--out={folder}", *FLAGS)
    assert count_files(folder) > KILLS * 3
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("power_cut", [True, False])
def test_kills(sources, whole, tmp_path, power_cut):
    """`power_cut`: all processes die at once; else only the first, and its children have to notice."""
    moments = random.Random(power_cut)
    out = tmp_path / "data"
    kept = 0
    for kill in range(KILLS):
        process = start(*sources, f"--out={out}", *FLAGS, "--resume")
        enough = kept + moments.randrange(3)
        while process.poll() is None and count_files(tmp_path) < enough:
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 0.4))
        if process.poll() is None:
            (os.killpg if power_cut else os.kill)(process.pid, signal.SIGKILL)
        process.stdout.close()
        if process.wait() == 0:
            assert kill >= 2  # on a fast machine the last kills may come too late
            break
        assert process.returncode == -signal.SIGKILL and not out.exists()
        kept, before = count_files(tmp_path), kept
        assert kept >= before
    assert 0 < kept <= count_files(whole)
    finish(*sources, f"--out={out}", *FLAGS, "--resume")
    assert snapshot(out) == snapshot(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert "already complete" in finish(*sources, f"--out={out}", *FLAGS, "--resume")


@pytest.mark.slow
def test_control_c(sources, tmp_path):
    process = start(*sources, f"--out={tmp_path / 'data'}", *FLAGS)
    while not any(tmp_path.rglob("*.array_record.*")):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and b"Traceback" not in output
    assert output.splitlines()[-1].startswith(b"interrupted; what is finished stays in ")
    assert [path.name for path in tmp_path.iterdir()] == ["data.partial"]


@pytest.mark.slow
def test_files_that_may_not_grow(sources, whole, tmp_path):
    flags = (*sources, f"--out={tmp_path / 'data'}", *FLAGS)
    command = ["bash", "-c", 'ulimit -f 50; exec "$@"', "-", sys.executable, "-m", "data_gen.generate", *flags]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    last = result.stderr.splitlines()[-1]
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert last.startswith("error: ") and "File too large" in last and "go on with --resume" in last
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.partial"]
    assert not count_files(tmp_path) and not list(tmp_path.rglob("dataset.json"))
    refused = start(*flags)
    assert refused.communicate(timeout=60)[0].strip().endswith(b"go on with --resume, or remove it")
    assert refused.returncode == 1
    finish(*flags, "--resume")
    assert snapshot(tmp_path / "data") == snapshot(whole)


@pytest.mark.slow
def test_a_full_disk(sources, whole, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs is not permitted here")
    try:
        process = start(*sources, f"--out={disk / 'data'}", *FLAGS)
        output, _ = process.communicate(timeout=300)
        last = output.decode().splitlines()[-1]
        assert process.returncode == 1 and b"Traceback" not in output
        assert last.startswith("error: ") and "No space left on device" in last and "--resume" in last
        assert [path.name for path in disk.iterdir()] == ["data.partial"]
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        finish(*sources, f"--out={disk / 'data'}", *FLAGS, "--resume")
        assert snapshot(disk / "data") == snapshot(whole)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
