"""How small and how fast texz is beside other formats, over the same frames in the same records.

  python -m benchmarks.codec --data=DIR
  python -m benchmarks.codec --repo=../some/repository --out=DIR

Prints a table; with --out also writes it there as codec.json and codec.png. xz is LZMA at preset 9, zstd its level 19;
each record is compressed by itself, with its actions where the format can hold them. Of the other formats only the
compression is timed, since their text is painted in Python.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator, Sequence

from absl import flags
from matplotlib.figure import Figure

from benchmarks.codec_measures import Measured, measure, sample_records
from data_gen.atomic import write_file
from data_gen.dataset import Dataset, to_json
from data_gen.errors import UserError
from data_gen.program import run
from data_gen.record import Settings, record_history
from data_gen.texz.recording import Recording
from rcfam_jax.analysis.figures import write_figure

_DATA = flags.DEFINE_string("data", None, "A dataset's folder.")
_REPO = flags.DEFINE_string("repo", None, "A git repository to replay instead.")
_OUT = flags.DEFINE_string("out", None, "Where the table and the plot are written.")
_RECORDS = flags.DEFINE_integer("records", 8, "Records to measure, evenly spaced.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often each is timed, in turns; the median counts.", lower_bound=1)
_FRAMES = flags.DEFINE_integer("frames", 60_000, "With --repo: about how many frames to replay.", lower_bound=1)


def main() -> None:
    """Measure, print, write."""
    if (_DATA.value is None) == (_REPO.value is None):
        raise UserError("give either --data or --repo")
    with _recordings() as recordings:
        measured = measure(sample_records(recordings, _RECORDS.value), _ROUNDS.value)
    print(table(measured))
    if _OUT.value:
        folder = pathlib.Path(_OUT.value)
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / "codec.json", to_json([m._asdict() for m in measured]))
        plot(measured, folder / "codec.png")
        print(f"{folder / 'codec.json'}, {folder / 'codec.png'}")


@contextlib.contextmanager
def _recordings() -> Iterator[Sequence[Recording]]:
    """The dataset's, or the repository's for as long as the block runs."""
    if _DATA.value is not None:
        yield list(Dataset(pathlib.Path(_DATA.value)).recordings.values())
        return
    assert _REPO.value is not None
    settings = Settings(max_frames=_FRAMES.value)
    with tempfile.TemporaryDirectory() as folder:
        entry = record_history(pathlib.Path(_REPO.value), "measured", pathlib.Path(folder), settings, lambda _: None)
        yield [Recording(pathlib.Path(folder), entry, settings.frames_per_record)]


def table(measured: Sequence[Measured]) -> str:
    """One line a format."""
    header = ("format", "bytes/frame", "ratio", "encode fr/s", "decode fr/s", "64 frames ms", "memory MiB")
    rows = [
        (
            m.name,
            f"{m.bytes_per_frame:.2f}",
            f"{m.ratio:,.0f}x",
            f"{m.encoded_per_second:,.0f}",
            "-" if m.decoded_per_second is None else f"{m.decoded_per_second:,.0f}",
            "-" if m.window_milliseconds is None else f"{m.window_milliseconds:.2f}",
            "-" if m.decoder_mebibytes is None else f"{m.decoder_mebibytes:.1f}",
        )
        for m in measured
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [header, *rows]
    )


def plot(measured: Sequence[Measured], path: pathlib.Path) -> None:
    """Bytes a frame, as bars, the smallest on top."""
    figure = Figure(figsize=(8, 0.4 * len(measured) + 1.2), layout="constrained")
    axes = figure.subplots()
    names = [m.name for m in measured]
    bars = axes.barh(names, [m.bytes_per_frame for m in measured], color=[_colour(name) for name in names])
    axes.bar_label(bars, [f"{m.bytes_per_frame:.1f}  ({m.ratio:,.0f}x)" for m in measured], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlabel("bytes a frame (and times smaller than 40 bits a cell)")
    write_figure(figure, path)


def _colour(name: str) -> str:
    return "tab:blue" if name.startswith(("columnar", "bitpacked")) else "tab:gray"


if __name__ == "__main__":
    run(main)
