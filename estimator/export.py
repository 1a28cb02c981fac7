"""Files in one step, and CSV that is safe to open.

Text in a table may come from a claims table that somebody else wrote. A spreadsheet runs a cell
that begins with ``=``, ``+``, ``-`` or ``@`` (OWASP, "CSV injection"): such text gets an apostrophe
in front.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimator.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def read_text(path: Path) -> str:
    """Read a text file of a run, a sweep or a user.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise OutputError(f"{path}: not text in UTF-8; save it so, or delete it") from error


def read_csv(path: Path, **how: Any) -> pd.DataFrame:
    """Read a CSV table that `write_csv` wrote; `how` as pandas takes it.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    import pandas as pd

    try:
        table: pd.DataFrame = pd.read_csv(path, keep_default_na=False, **how)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        advice = "it is damaged: delete it, and run the command that wrote it again"
        raise OutputError(f"{path}: cannot be read ({reason}); {advice}") from error
    return table


def write_csv(frame: pd.DataFrame, path: Path, float_format: str | None = "%.6g") -> Path:
    """Write a table as CSV in one step, text that a spreadsheet would run made harmless."""
    import pandas as pd

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
