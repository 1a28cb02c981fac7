"""What a study says, and the one way in which it is printed and written.

A study yields parts. Each has tables for other programs, grids and sentences for readers, and
pictures; `publish` prints them and writes their files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from estimator.export import write_csv, write_text
from estimator.show.grid import Grid, escape_markdown, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console


@dataclass(frozen=True)
class Part:
    """One part of what a study says.

    Attributes
    ----------
    title
        Heading of the sentences; empty where grids have titles enough.
    sentences
        What is said in words, before the grids.
    grids
        Tables for readers.
    tables
        Tables for other programs, by the name of their file.
    figures
        Draws pictures, each with the path of its files below the folder, less the ending; None if
        there are none. Nothing is drawn before it is called.
    brief
        Whether it is printed where only the gist is wanted.
    """

    title: str = ""
    sentences: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Callable[[], Iterator[tuple[str, Figure]]] | None = None
    brief: bool = False

    def markdown(self) -> list[str]:
        """Paragraphs and tables of Markdown."""
        return [
            *([f"## {escape_markdown(self.title)}\n"] if self.title else []),
            *(f"{escape_markdown(sentence)}\n" for sentence in self.sentences),
            *(grid.markdown() for grid in self.grids),
        ]


def print_part(part: Part, console: Console) -> None:
    """Print title, sentences and grids of a part."""
    from rich.text import Text

    if part.title:
        console.print(Text(printable(part.title), style="bold"))
    for sentence in part.sentences:
        console.print(Text(printable(sentence)), end="\n\n")
    for grid in part.grids:
        console.print(grid)


def publish(
    parts: Iterable[Part],
    folder: Path,
    *,
    document: str,
    heading: str,
    console: Console | None = None,
    plots: bool = True,
    formats: Sequence[str] = ("png", "svg"),
    brief: bool = False,
) -> list[Path]:
    """Print each part as soon as it is there, and write its files; pictures come last.

    Parameters
    ----------
    parts
        Worked out one after the other.
    folder
        Where tables, document and pictures go.
    document
        Name of the Markdown file of all parts, without its ending.
    heading
        Its first heading.
    console
        Where parts are printed; None prints none.
    plots
        Whether pictures are drawn.
    formats
        Endings of the pictures.
    brief
        Print the gist alone; all is written.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    written: list[Path] = []
    texts = [f"# {escape_markdown(heading)}\n"]
    drawn: list[Callable[[], Iterator[tuple[str, Figure]]]] = []
    for part in parts:
        if console is not None and (part.brief or not brief):
            print_part(part, console)
        texts += part.markdown()
        written += [write_csv(table, folder / f"{name}.csv") for name, table in part.tables.items()]
        if part.figures is not None:
            drawn.append(part.figures)
    written.append(write_text(folder / f"{document}.md", "\n".join(texts)))
    if plots and drawn:
        from estimator.show.figures import save_figures  # matplotlib takes a second

        for figures in drawn:
            written += save_figures(figures(), folder, formats)
    return written
