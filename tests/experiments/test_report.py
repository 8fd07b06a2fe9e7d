"""A run's report, from numbers made up for it."""

import json

import pytest
from PIL import Image

from data_gen.dataset import recording_folder, write_manifest
from data_gen.terminal.screen import log_frame, new_log, new_screen
from data_gen.texz.recording import RecordingWriter
from experiments.report import conclusion, write_report


@pytest.fixture
def data(tmp_path):
    """A dataset of five frames."""
    screen, log = new_screen(4, 16), new_log(64, 4, 16)
    for action in b"hello":
        log_frame(screen, log, action)
    writer = RecordingWriter(recording_folder(tmp_path / "data", "one"), 64)
    writer.add(log, [])
    entry = {"name": "one", "commits": 1, "files_edited": 2, "skipped": {"binary": 3}, **writer.close()}
    write_manifest(tmp_path / "data", 4, 16, 64, {"seed": 0}, [entry])
    return tmp_path / "data"


@pytest.fixture
def workdir(tmp_path):
    """40 steps whose loss falls from 4 to 2.05, validated twice, and a model better than both baselines."""
    folder = tmp_path / "run"
    folder.mkdir()
    lines = [{"step": step, "loss": 4 - 0.05 * (step - 1), "frames_per_second": 10.0} for step in range(1, 41)]
    for step in (20, 40):
        lines.append({"step": step, "loss": 100.0, "validation_cross_entropy": 3.0})  # no step of its own
    lines.sort(key=lambda line: line["step"])
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_evaluation(folder, {"model": 0.5, "frequent_token": 0.1, "frequent_follower": 0.4})
    return folder


def write_evaluation(folder, accuracies):
    """Each metric a number of its own: accuracy a, loss a + 1, sustained accuracy a + 2, prefix a + 3."""

    def described(accuracy):
        metrics = ("accuracy", "cross_entropy", "sustained_accuracy", "error_free_prefix")
        values = {name: accuracy + offset for offset, name in enumerate(metrics)}
        estimates = {name: {"value": v, "low": v - 0.05, "high": v + 0.05} for name, v in values.items()}
        return {"windows": 1234, "tokens": 56789, **estimates}

    evaluation = {"step": 40, **{name: described(accuracy) for name, accuracy in accuracies.items()}}
    (folder / "evaluation.json").write_text(json.dumps(evaluation))


def test_the_conclusion_has_both_ends_of_the_loss_and_every_predictor(workdir):
    text = conclusion(workdir).splitlines()
    assert text[0] == "training loss 3.975 at the start, 2.075 at the end (40 steps)"  # the mean of two steps each
    assert text[1] == "held-out windows: 1,234 with 56,789 tokens"
    assert "the model " in text[2] and "loss 1.500   accuracy 50.0%   sustained accuracy 2.50" in text[2]
    assert "loss 1.100   accuracy 10.0%   sustained accuracy 2.10" in text[3]
    assert "loss 1.400   accuracy 40.0%   sustained accuracy 2.40" in text[4]
    assert text[5] == "The model beats both baselines, which see no frames."


@pytest.mark.parametrize(
    ("token", "follower", "verdict"),
    [
        (0.5, 0.1, "The model does NOT beat: most frequent token."),
        (0.1, 0.6, "The model does NOT beat: most frequent token given the previous one."),
        (0.6, 0.6, "The model does NOT beat: most frequent token and most frequent token given the previous one."),
    ],
)
def test_a_baseline_that_is_as_good_is_named(workdir, token, follower, verdict):
    write_evaluation(workdir, {"model": 0.5, "frequent_token": token, "frequent_follower": follower})
    assert conclusion(workdir).splitlines()[-1] == verdict


def test_the_report_has_text_table_and_plots(tmp_path, data, workdir):
    path = write_report(tmp_path, data, workdir, "a repository")
    text = path.read_text()
    assert text.startswith("# Learning to type a repository\n")
    assert "1 commits, 2 file edits, 5 actions and as many frames of 4x16" in text
    assert "left out: 3 binary" in text
    assert "| the model | 1.500 (1.450 to 1.550) | 0.500 (0.450 to 0.550) | 2.500 (" in text
    assert all(line in text for line in conclusion(workdir).splitlines())
    for name in ("frame.png", "loss.png", "accuracy.png"):
        assert f"]({name})" in text
        with Image.open(tmp_path / name) as picture:
            low, high = picture.convert("L").getextrema()
            assert low < high
