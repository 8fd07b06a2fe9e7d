"""The report of a run: what was learned, as text, tables and plots."""

import json
import pathlib
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from data_gen.atomic import write_file
from data_gen.dataset import Dataset
from data_gen.viewing import paint
from rcfam_jax.analysis.figures import write_figure

PREDICTORS = {
    "model": "the model",
    "frequent_token": "most frequent token",
    "frequent_follower": "most frequent token given the previous one",
}


def write_report(folder: pathlib.Path, data: pathlib.Path, workdir: pathlib.Path, repository: str) -> pathlib.Path:
    """Write `report.md` and its plots into `folder`; returns the report's path."""
    dataset, lines, evaluation = Dataset(data), _metrics(workdir), _evaluation(workdir)
    _plot_frame(dataset, folder / "frame.png")
    _plot_loss(lines, evaluation, folder / "loss.png")
    _plot_accuracy(evaluation, folder / "accuracy.png")
    text = "\n".join(
        [
            f"# Learning to type {repository}",
            "",
            "![a frame of the recording](frame.png)",
            "",
            "```",
            dataset.summary(),
            "```",
            "",
            "![training and validation loss](loss.png)",
            "",
            *_table(evaluation),
            "",
            "![accuracy on held-out windows](accuracy.png)",
            "",
            *conclusion(workdir).splitlines(),
            "",
        ]
    )
    write_file(folder / "report.md", text.encode())
    return folder / "report.md"


def conclusion(workdir: pathlib.Path) -> str:
    """The training loss at the start and the end, and how the model did on held-out windows beside the baselines."""
    lines, evaluation = _metrics(workdir), _evaluation(workdir)
    losses = [line["loss"] for line in lines if "frames_per_second" in line]
    ends = max(1, len(losses) // 20)
    rows = [
        f"training loss {np.mean(losses[:ends]):.3f} at the start, {np.mean(losses[-ends:]):.3f} at the end "
        f"({lines[-1]['step']:,} steps)",
        f"held-out windows: {evaluation['model']['windows']:,} with {evaluation['model']['tokens']:,} tokens",
    ]
    for key, name in PREDICTORS.items():
        measured = evaluation[key]
        rows.append(
            f"  {name:<44} loss {measured['cross_entropy']['value']:.3f}   "
            f"accuracy {measured['accuracy']['value']:.1%}   "
            f"sustained accuracy {measured['sustained_accuracy']['value']:.2f}"
        )
    return "\n".join([*rows, _verdict(evaluation)])


def _verdict(evaluation: dict[str, Any]) -> str:
    """Whether the model beats both baselines in accuracy, in one sentence."""
    accuracy = {key: evaluation[key]["accuracy"]["value"] for key in PREDICTORS}
    unbeaten = [PREDICTORS[key] for key in PREDICTORS if key != "model" and accuracy[key] >= accuracy["model"]]
    if unbeaten:
        return f"The model does NOT beat: {' and '.join(unbeaten)}."
    return "The model beats both baselines, which see no frames."


def _metrics(workdir: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def _evaluation(workdir: pathlib.Path) -> dict[str, Any]:
    return json.loads((workdir / "evaluation.json").read_text())


def _table(evaluation: dict[str, Any]) -> list[str]:
    rows = ["| held-out windows | loss | accuracy | sustained accuracy | error-free prefix |", "|---|---|---|---|---|"]
    for key, name in PREDICTORS.items():
        cells = []
        for metric in ("cross_entropy", "accuracy", "sustained_accuracy", "error_free_prefix"):
            estimate = evaluation[key][metric]
            cells.append(f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def _plot_frame(dataset: Dataset, path: pathlib.Path) -> None:
    recording = next(iter(dataset.recordings.values()))
    codepoints_1xRxC, styles_1xRxC = recording.read(np.array([recording.frames // 2]))
    paint.picture(codepoints_1xRxC[0], styles_1xRxC[0]).save(path, format="PNG")


def _plot_loss(lines: list[dict[str, Any]], evaluation: dict[str, Any], path: pathlib.Path) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([line["step"] for line in lines], [line["loss"] for line in lines], label="training", alpha=0.7)
    validated = [line for line in lines if "validation_cross_entropy" in line]
    if validated:
        steps = [line["step"] for line in validated]
        axes.plot(steps, [line["validation_cross_entropy"] for line in validated], "o-", label="held out")
    for key, style in (("frequent_token", ":"), ("frequent_follower", "--")):
        axes.axhline(evaluation[key]["cross_entropy"]["value"], color="gray", linestyle=style, label=PREDICTORS[key])
    axes.set(xlabel="step", ylabel="cross-entropy, nats a token")
    axes.legend()
    write_figure(figure, path)


def _plot_accuracy(evaluation: dict[str, Any], path: pathlib.Path) -> None:
    estimates = [evaluation[key]["accuracy"] for key in PREDICTORS]
    values = np.array([estimate["value"] for estimate in estimates])
    errors = np.abs(np.array([[estimate["low"], estimate["high"]] for estimate in estimates]).T - values)
    figure = Figure(figsize=(7, 2.5), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(PREDICTORS.values()), values, xerr=errors, color=["C0", "lightgray", "lightgray"])
    axes.invert_yaxis()
    axes.set(xlabel="accuracy on held-out windows, with 95% intervals")
    write_figure(figure, path)
