"""Small claims tables for the tests of the evidence."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from estimator.assumptions.fields import Names
from estimator.assumptions.groups import EvidenceOptions
from estimator.evidence import read_claims
from estimator.evidence.periods import Window
from estimator.evidence.schema import REQUIRED_COLUMNS
from estimator.evidence.select import select_claims

GOOD = {
    "id": "A",
    "quantity": "losses",
    "period_start": "2025-01-01",
    "period_end": "2025-01-31",
    "low": "",
    "value": "30000",
    "high": "",
    "unit": "persons",
    "hedge": "about",
    "status": "claimed",
    "origin": "counter",
    "source": "paper",
    "published": "2025-03-01",
    "citation": "somebody",
}
FLOOR = {"id": "F", "status": "confirmed", "origin": "video", "value": "20000", "hedge": "at_least"}
YEAR = Window(pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-31"), 31)


def row(**cells: str) -> dict[str, str]:
    """A good row, with some cells changed."""
    return GOOD | cells


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write a table; its header has what the rows have beyond the required columns."""
    rows = list(rows)
    columns = dict.fromkeys([*REQUIRED_COLUMNS, *(name for cells in rows for name in cells)])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def claims(folder: Path, *rows: Mapping[str, str]) -> pd.DataFrame:
    """Read rows back as checked claims; a floor is added."""
    return read_claims([str(write(folder / "claims.csv", [row(**FLOOR), *rows]))])


def evidence_options(
    files: tuple[str, ...] = ("shipped",),
    sources: Names = "all",
    origins: dict[str, Names] | None = None,
    populations: Names = "all",
    as_of: str | None = None,
    drop: tuple[str, ...] = (),
    groups: dict[str, str] | None = None,
    other_groups: str = "all",
) -> EvidenceOptions:
    """Evidence options under which every claim counts, but for what is given."""
    return EvidenceOptions.model_validate(
        {
            "files": files,
            "sources": sources,
            "origins": origins or {},
            "populations": populations,
            "as_of": as_of,
            "drop": drop,
            "groups": groups or {},
            "other_groups": other_groups,
        }
    )


def select(
    table: pd.DataFrame,
    options: EvidenceOptions | None = None,
    killed_origins: Names = "all",
    window: Window = YEAR,
) -> pd.DataFrame:
    """Select claims, with the ids as index."""
    selected = select_claims(table, options or evidence_options(), killed_origins, window)
    return selected.set_index("id")
