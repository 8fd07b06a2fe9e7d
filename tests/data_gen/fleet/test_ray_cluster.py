"""A Ray cluster that loses a machine in mid-run gives the bytes of a local run."""

import random
import subprocess
import sys
import time

import pytest
from histories import Builder

FLAGS = ("--rows=8", "--cols=40", "--frames_per_record=4")


def lines(seed, count):
    words = random.Random(seed)
    return "".join(f"{words.randrange(10**8)} = {words.randrange(10**8)}\n" for _ in range(count)).encode()


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """A list of four histories, of which one is to be cloned, and of one that is not there."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("a", "b", "c", "d"):
        repository = Builder(folder / name)
        for number in range(6):
            repository.write(b"file%d" % (number % 3), lines(f"{name}{number}", 150))
            repository.commit(b"Change %d\n" % number)
    path = folder / "list"
    path.write_text(
        "".join(f"{source}\n" for source in ("/nowhere", *(folder / n for n in "abc"), f"file://{folder}/d"))
    )
    return path


def generate(*arguments):
    command = [sys.executable, "-m", "data_gen.generate", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    output, _ = process.communicate(timeout=400)
    assert process.returncode == 0, output
    return output


def snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def cluster(monkeypatch):
    pytest.importorskip("ray", reason="ray is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
def test_a_cluster_that_loses_a_machine(listed, cluster, tmp_path):
    finish(generate(f"--repos_file={listed}", f"--out={tmp_path / 'local'}", *FLAGS))
    machine = cluster.add_node(num_cpus=1)
    run = generate(
        f"--repos_file={listed}",
        f"--out={tmp_path / 'cluster'}",
        "--executor=ray",
        f"--ray_address={cluster.address}",
        *FLAGS,
    )
    writers = set()
    while len(writers) < 2:  # one at a time on each machine
        assert run.poll() is None, run.communicate()
        writers = {path.name.split("-")[-1] for path in tmp_path.rglob("*.array_record.*.partial")}
        time.sleep(0.05)
    cluster.remove_node(machine, allow_graceful=False)
    output = finish(run)
    assert "failed: nowhere: /nowhere: no such folder" in output
    assert snapshot(tmp_path / "cluster") == snapshot(tmp_path / "local")


@pytest.mark.slow
@pytest.mark.parametrize("address", ["localhost:1", "auto"])
def test_a_cluster_that_is_not_there(tmp_path, address):
    pytest.importorskip("ray", reason="ray is not installed")
    (tmp_path / "list").write_text("/nowhere\n")
    run = generate(
        f"--repos_file={tmp_path / 'list'}",
        f"--out={tmp_path / 'data'}",
        "--executor=ray",
        f"--ray_address={address}",
    )
    output, _ = run.communicate(timeout=100)
    assert run.returncode == 1
    assert output.splitlines()[-1].startswith(f"error: --ray_address={address}: ")
