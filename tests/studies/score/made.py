"""Tables of estimates and of what came, as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from estimator.store.model_out import Tables, read_tables

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
STAFF = "general_staff_ukraine:losses"
HEADER = "model_id,reference_date,target,target_end_date,output_type,output_type_id,value"
LATER = "target,target_end_date,observation\nlosses,2026-01-31,12\nlosses,2026-02-28,10\n"


def quantiles(
    values: tuple[float, ...] = (5.0, 8.0, 10.0, 11.0, 15.0),
    *,
    model: str = "a-b",
    day: str = "2026-01-10",
    target: str = "losses",
    end: str = "2026-01-31",
    levels: tuple[float, ...] = LEVELS,
) -> list[str]:
    """Rows of one estimate."""
    pairs = zip(levels, values, strict=True)
    return [f"{model},{day},{target},{end},quantile,{level},{value}" for level, value in pairs]


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def tables(folder: Path, rows: list[str], later: str = LATER) -> Tables:
    """Read rows and what came as the command does."""
    came = folder / "later.csv"
    came.write_text(later, encoding="utf-8")
    return read_tables([write(folder / "estimates.csv", *rows)], came)


def by_model(table: pd.DataFrame, scope: str = "own", horizon: str = "all") -> pd.DataFrame:
    rows = table[(table["scope"] == scope) & (table["horizon"] == horizon)]
    assert len(rows)
    return rows.set_index("model_id")
