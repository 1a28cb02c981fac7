"""Tables as files that are safe to open: CSV without formulas, Markdown without markup.

Text in a table may come from a claims table that somebody else wrote. A spreadsheet runs a cell
that begins with ``=``, ``+``, ``-`` or ``@`` (OWASP, "CSV injection"): such text gets an apostrophe
in front. Markdown is escaped character by character.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from estimator.errors import OutputError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What Markdown would read as markup. A bracket alone is text; a tag needs a letter after it.
_MARKUP = re.compile(r"[\\|*_`]|<(?=[A-Za-z/!?])|(?<=\])\(")


def atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file beside its place and put it there in one step; return its path.

    Raises
    ------
    OutputError
        If it cannot be written. What was there before stays.
    """
    partial = path.with_name(f".partial-{path.name}")  # the ending says what a writer shall write
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except OSError as error:
        if partial.is_file():
            partial.unlink()
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file in one step."""
    return atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_csv(frame: pd.DataFrame, path: Path, float_format: str | None = "%.6g") -> Path:
    """Write a table as CSV in one step, text that a spreadsheet would run made harmless."""
    safe = frame.rename(columns=_harmless)
    for column in safe.columns[[not pd.api.types.is_numeric_dtype(t) for t in safe.dtypes]]:
        safe[column] = safe[column].map(_harmless)
    return atomically(path, lambda p: safe.to_csv(p, index=False, float_format=float_format))


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def plain_numbers(value: Any) -> Any:
    """Make numbers JSON can hold (no infinities)."""
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_numbers(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def escape_markdown(text: object) -> str:
    """Make text plain in Markdown, on one line."""
    return " ".join(_MARKUP.sub(r"\\\g<0>", str(text)).split())


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table: the first column to the left, the others to the right."""
    lines = [
        "| " + " | ".join(escape_markdown(heading) for heading in headings) + " |",
        "|" + "|".join(["---", *["---:"] * (len(headings) - 1)]) + "|",
        *("| " + " | ".join(escape_markdown(cell) for cell in cells) + " |" for cells in rows),
    ]
    return "\n".join(lines) + "\n"
