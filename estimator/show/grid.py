"""A table of texts, shown the same way in the terminal, in Markdown and on the page.

Every text may come from a claims table that somebody else wrote: the terminal reads no markup in it
and prints no control characters, Markdown is escaped, and the page's templates escape HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

Kind = Literal["name", "text", "long", "number"]
"""Names and long texts wrap where it is narrow; short texts and numbers are never cut."""

FAILED = "failed"
"""Style of what rests on draws that failed their checks."""

# Colours of the terminal by style; the page has the same names in its style sheet.
_COLORS = {
    FAILED: "red",
    "in conflict": "bold red",
    "strained": "yellow",
    "turned": "yellow",
    "repeat": "dim",
}
# Characters that are left to names and long texts, and at which words of headings are broken: the
# narrower the terminal, the fewer.
_WIDE, _HALF, _NARROW, _WORD = 10_000, 20, 12, 8
_GAP = 2
# What Markdown would read as markup. A bracket alone is text; a tag needs a letter after it.
_MARKUP = re.compile(r"[\\|*_`]|<(?=[A-Za-z/!?])|(?<=\])\(")


@dataclass(frozen=True)
class Cell:
    """One cell, or the heading of a column.

    Attributes
    ----------
    text
        What it says.
    below
        What belongs to it, smaller and below it where there is room: the range of a median.
    style
        How it is marked: `FAILED`, a verdict, or another class of the page's style sheet.
    """

    text: str
    below: str = ""
    style: str = ""

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.text} {self.below}".strip()


@dataclass(frozen=True)
class Column:
    """A heading and what stands below it.

    Attributes
    ----------
    heading
        What the cells are.
    kind
        `number` stands to the right, all else to the left.
    """

    heading: Cell
    kind: Kind = "number"


def column(heading: str, kind: Kind = "number", below: str = "") -> Column:
    """Make a column, e.g. ``column("note", "long")``."""
    return Column(Cell(heading, below), kind)


@dataclass(frozen=True)
class Grid:
    """A table with a title and notes; the first cell of a row names it.

    Attributes
    ----------
    title
        What it shows, with the unit.
    columns
        Headings, and how cells are aligned.
    rows
        Cells, as many as columns.
    notes
        What has to be known to read it, below it.
    most
        Rows that the terminal shows; Markdown and the page have all.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    most: int | None = None

    @classmethod
    def of(
        cls,
        title: str,
        columns: Sequence[Column | str],
        rows: Iterable[Sequence[Cell | str]],
        notes: Iterable[str] = (),
        most: int | None = None,
    ) -> Grid:
        """Make a grid of texts; of mere headings the first is of names, the others of numbers.

        Raises
        ------
        ValueError
            If a row has not as many cells as there are columns.
        """
        heads = tuple(
            head if isinstance(head, Column) else column(head, "number" if n else "name")
            for n, head in enumerate(columns)
        )
        body = tuple(
            tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in rows
        )
        if any(len(row) != len(heads) for row in body):
            raise ValueError(f"table {title!r}: each row must have {len(heads)} cells")
        return cls(title, heads, body, tuple(notes), most)

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings on one line each."""
        return tuple(head.heading.line for head in self.columns)

    @property
    def texts(self) -> list[tuple[str, ...]]:
        """Cells of all rows on one line each."""
        return [tuple(cell.line for cell in row) for row in self.rows]

    def markdown(self) -> str:
        """Table as Markdown, with the title as a heading and the notes as paragraphs."""
        title = [f"## {escape_markdown(self.title)}\n"] if self.title else []
        table = "\n".join(
            [
                _markdown_row(self.headings),
                f"|{'|'.join('---:' if c.kind == 'number' else '---' for c in self.columns)}|",
                *map(_markdown_row, self.texts),
            ]
        )
        return "\n".join([*title, f"{table}\n", *(f"{escape_markdown(n)}\n" for n in self.notes)])

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Draw it for the terminal: where it is too wide, numbers go into further tables below."""
        from rich.text import Text

        if self.title:
            yield Text(printable(self.title), style="bold")
        yield from replace(self, rows=self.rows[: self.most])._tables(options.max_width)
        if self.most is not None and len(self.rows) > self.most:
            yield Text(f"The first {self.most} of {len(self.rows):,}.")
        yield from (Text(printable(note)) for note in self.notes)
        yield Text()

    def _tables(self, width: int) -> Iterator[RenderableType]:
        """Fold ranges below their medians, put names on lines of their own, and last of all cut."""
        everything = range(len(self.columns))
        for folded in (False, True):
            if self._fits(everything, width, folded=folded, name=_HALF):
                yield self._table(everything, width, folded=folded)
                return
        named = self.columns[0].kind == "name" and len(self.columns) > 1
        kept, gap = ([], 1) if named else ([0], _GAP)
        blocks: list[list[int]] = [[]]
        for n in everything[1:]:
            wider = [*kept, *blocks[-1], n]
            if blocks[-1] and not self._fits(wider, width, folded=True, name=_HALF, gap=gap):
                blocks.append([])
            blocks[-1].append(n)
        for block in blocks:
            if named:
                yield from self._named(block, width)
            else:
                yield self._table([*kept, *block], width, folded=True)

    def _named(self, block: Sequence[int], width: int) -> Iterator[RenderableType]:
        """Draw each row below a line with its name; rows without a name belong to the one above."""
        from rich.text import Text

        head = replace(self, rows=())
        yield head._table(block, width, folded=True, gap=1, widths_of=self)
        widths = self._widths(block, width, folded=True, gap=1)
        yield Text("─" * (sum(widths) + len(widths) - 1))
        for row in self.rows:
            name = row[0]
            if name.line:
                text = "  ".join(printable(part) for part in (name.text, name.below) if part)
                yield Text(text, style=_COLORS.get(name.style, "bold"))
            rows = replace(self, rows=(row,))
            yield rows._table(block, width, folded=True, gap=1, widths_of=self, header=False)
        yield Text()

    def _fits(
        self,
        block: Sequence[int],
        width: int,
        *,
        folded: bool,
        name: int = _NARROW,
        gap: int = _GAP,
    ) -> bool:
        """Whether columns are narrow enough with names wrapped at a width."""
        return sum(self._least(n, folded=folded, name=name) + gap for n in block) <= width

    def _lines(self, n: int, *, folded: bool) -> list[str]:
        """Lines of the cells of a column."""
        split = folded or self.columns[n].kind != "number"
        cells = [row[n] for row in self.rows]
        lines = [(cell.text, cell.below) if split else (cell.line,) for cell in cells]
        return [printable(line) for pair in lines for line in pair]

    def _least(self, n: int, *, folded: bool, word: int = _WORD, name: int = _NARROW) -> int:
        """Width of a column with names wrapped, and headings of numbers broken, at some width."""
        from rich.cells import cell_len

        cells = max((cell_len(line) for line in self._lines(n, folded=folded)), default=1)
        words = max((cell_len(part) for part in self.columns[n].heading.line.split()), default=1)
        if self.columns[n].kind in ("name", "long"):
            return min(max(cells, words), name)
        return max(cells, min(words, word), 1)

    def _widths(
        self, block: Sequence[int], width: int, *, folded: bool, gap: int = _GAP
    ) -> list[int]:
        """Widths of columns: as wide as all is on one line, and narrowed step by step."""
        from rich.cells import cell_len

        widths = [
            max(cell_len(line) for line in (*self._lines(n, folded=folded), *self._heads(n), "-"))
            for n in block
        ]
        for word, name in ((_WIDE, _WIDE), (_WIDE, _HALF), (_WORD, _HALF), (_WORD, _NARROW)):
            least = [self._least(n, folded=folded, word=word, name=name) for n in block]
            while sum(widths) + gap * len(widths) > width:
                wide = [at for at in range(len(widths)) if widths[at] > least[at]]
                if not wide:
                    break
                widths[max(wide, key=widths.__getitem__)] -= 1
        return widths

    def _heads(self, n: int) -> list[str]:
        heading = self.columns[n].heading
        return [printable(heading.text), printable(heading.below)]

    def _table(
        self,
        block: Sequence[int],
        width: int,
        *,
        folded: bool,
        gap: int = _GAP,
        widths_of: Grid | None = None,
        header: bool = True,
    ) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        def text(cell: Cell, n: int) -> Text:
            line = "\n" if folded or self.columns[n].kind != "number" else " "
            parts = [printable(part) for part in (cell.text, cell.below) if part]
            return Text(line.join(parts), style=_COLORS.get(cell.style, ""))

        table = Table(
            box=box.SIMPLE_HEAD if gap == _GAP else None,
            show_header=header,
            padding=(0, 0, 0, 1),
            pad_edge=False,
            leading=1
            if folded and any(row[n].below for row in self.rows for n in block[1:])
            else 0,
        )
        widths = (widths_of or self)._widths(block, width, folded=folded, gap=gap)
        for n, wide in zip(block, widths, strict=True):
            side: Literal["left", "right"] = "right" if self.columns[n].kind == "number" else "left"
            head = Text("\n".join(part for part in self._heads(n) if part))
            table.add_column(head, justify=side, overflow="fold", width=wide)
        for row in self.rows:
            failed = row[0].style == FAILED
            table.add_row(*(text(row[n], n) for n in block), style="red" if failed else "")
        return table


def set_cell(label: str, *, failed: bool) -> Cell:
    """Name a set at the head of its row; one that failed its checks is marked."""
    return Cell(f"{label} (FAILED)", style=FAILED) if failed else Cell(label)


def printable(text: str) -> str:
    """Leave out what would move a terminal's cursor or break an SVG."""
    return "".join(character if character.isprintable() else " " for character in text)


def escape_markdown(text: object) -> str:
    """Make text plain in Markdown, on one line."""
    return " ".join(_MARKUP.sub(r"\\\g<0>", str(text)).split())


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(escape_markdown, cells))} |"
