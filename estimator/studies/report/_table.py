"""A table as the templates draw it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

NUMBER = "number"
LONG = "long"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text
        What it says.
    kind
        How it looks: `NUMBER`, `LONG` (a text that may wrap) or another class of the style sheet.
    below
        A second, smaller line.
    """

    text: object
    kind: str = ""
    below: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first cell of each row is its heading.

    Attributes
    ----------
    caption
        What it shows.
    head
        Headings of the columns.
    rows
        Cells, as many as headings.
    """

    caption: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(
        cls, caption: str, head: Sequence[Cell | str], rows: Iterable[Sequence[Cell | str]]
    ) -> Table:
        """Make a table; a plain text is a cell. Headings of columns of numbers stand to the right.

        Raises
        ------
        ValueError
            If a row has not as many cells as there are headings.
        """
        body = tuple(_cells(row) for row in rows)
        headings = _cells(head)
        if any(len(row) != len(headings) for row in body):
            raise ValueError(f"table {caption!r}: each row must have {len(headings)} cells")
        if body:
            headings = tuple(
                replace(heading, kind=NUMBER) if cell.kind == NUMBER else heading
                for heading, cell in zip(headings, body[0], strict=True)
            )
        return cls(caption, headings, body)


def _cells(row: Sequence[Cell | str]) -> tuple[Cell, ...]:
    return tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row)


def amount(text: str, below: str = "", kind: str = NUMBER) -> Cell:
    """Make a cell with a number, and its range below it."""
    return Cell(text, kind, below)


def long(text: object) -> Cell:
    """Make a cell with a text that may wrap."""
    return Cell(text, LONG)
