"""Figures as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from estimator.export import atomically
from estimator.show.figures._style import DPI

FORMATS = ("png", "svg")


def save_figure(
    figure: Figure,
    folder: Path,
    stem: str,
    formats: Sequence[str] = FORMATS,
    *,
    one_layout: bool = False,
) -> list[Path]:
    """Write a figure in each format, each file in one step, and empty it; return the files.

    Parameters
    ----------
    figure
        Of no use afterwards.
    folder
        Made if it is not there.
    stem
        Name of the files before their ending.
    formats
        Endings that matplotlib knows.
    one_layout
        Whether the layout stays as it was worked out for the first file: for large figures.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    written = []
    for ending in formats:
        # A date in the file would make two runs of one question differ.
        metadata = {"Date": None} if ending == "svg" else {}

        def save(partial: Path, metadata: dict[str, None] = metadata) -> None:
            figure.savefig(partial, dpi=DPI, metadata=metadata)

        written.append(atomically(folder / f"{stem}.{ending}", save))
        if one_layout:
            figure.set_layout_engine("none")
    figure.clear()
    return written
