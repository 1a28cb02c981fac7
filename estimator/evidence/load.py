"""Read claims tables and report every bad row at once."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from estimator.errors import EvidenceError, nearest, problems_text
from estimator.evidence.schema import (
    CLAIMS_SCHEMA,
    NUMBERS,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    derivation_problems,
    failed_cells,
    hint,
    inconsistent_rows,
    number,
)
from estimator.paths import data_dir

SHIPPED = {
    "shipped": "claims.csv",
    "registries": "registries.csv",
    "halves": "general_staff_halves.csv",
}
"""Words that stand for the tables that come with the package."""


def claims_paths(files: Sequence[str]) -> list[Path]:
    """Resolve file names; the words of `SHIPPED` stand for tables that come with the package."""
    return [data_dir() / SHIPPED[name] if name in SHIPPED else Path(name) for name in files]


@functools.cache
def shipped_groups() -> frozenset[str]:
    """Evidence groups of the table that comes with the package."""
    with claims_paths(["shipped"])[0].open(encoding="utf-8", newline="") as file:
        return frozenset(row["evidence_group"] for row in csv.DictReader(file)) - {""}


def data_hash(contents: Iterable[bytes]) -> str:
    """SHA-256 of the bytes of claims files, one after the other."""
    return hashlib.sha256(b"".join(contents)).hexdigest()


def read_claims(files: Sequence[str] = ("shipped",)) -> pd.DataFrame:
    """Read, check and join claims tables.

    Parameters
    ----------
    files
        Paths of CSV files (UTF-8); the words of `SHIPPED` stand for shipped tables.

    Returns
    -------
    pandas.DataFrame
        One row a claim in the order of the files, the columns of `data/README.md` typed: dates as
        `datetime64`, numbers as float (NaN where empty), text as str. ``attrs["data_hash"]`` is
        the SHA-256 of the files' bytes.

    Raises
    ------
    EvidenceError
        With every problem: file, row (the header is row 1), column, found, allowed.
    """
    problems: list[str] = []
    tables: list[tuple[Path, pd.DataFrame]] = []
    contents: list[bytes] = []
    for path in claims_paths(files):
        try:
            content = path.read_bytes()
        except OSError as error:
            problems.append(f"{path}: cannot be read ({error.strerror})")
            continue
        contents.append(content)
        table, found = _read_one(path, content)
        problems += found
        tables.append((path, table))
    problems += _shared_ids(tables)
    if not problems:
        problems = _derivations(tables)
    if problems:
        raise EvidenceError(problems_text("The claims cannot be used:", problems))
    claims = _typed(pd.concat([table for _, table in tables], ignore_index=True))
    claims.attrs["data_hash"] = data_hash(contents)
    return claims


@functools.lru_cache(maxsize=4)  # checking every cell takes 0.1 s, and sets share their tables
def _read_one(path: Path, content: bytes) -> tuple[pd.DataFrame, list[str]]:
    """Return the table as text, its index the row numbers of the file, and what is wrong in it."""
    empty = pd.DataFrame(columns=list(REQUIRED_COLUMNS), dtype=str)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return empty, [
            f"{path}: row {line}: not UTF-8 (byte {content[error.start]:#04x}); save it as UTF-8"
        ]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return empty, [f"{path}: not a CSV table ({error})"]
    if not any(rows):
        return empty, [f"{path}: the file is empty; its first row must be the header"]
    header, body = rows[0], {line: row for line, row in enumerate(rows[1:], start=2) if row}
    problems = [
        f"{path}: column {name!r} is missing" for name in REQUIRED_COLUMNS if name not in header
    ]
    known = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    problems += [
        f"{path}: unknown column {name!r}; {nearest(name, known)}"
        for name in header
        if name not in known
    ]
    problems += [
        f"{path}: column {name!r} stands {header.count(name)} times"
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    problems += [
        f"{path}: row {line}: {len(row)} cells, the header has {len(header)}"
        for line, row in body.items()
        if len(row) != len(header)
    ]
    if not problems and not body:
        problems.append(f"{path}: the table has no rows")
    if problems:
        return empty, problems
    table = pd.DataFrame(list(body.values()), index=list(body), columns=header, dtype=str)
    return table, _cell_problems(path, table)


def _cell_problems(path: Path, table: pd.DataFrame) -> list[str]:
    found = failed_cells(table, CLAIMS_SCHEMA) + inconsistent_rows(table)
    return [
        f"{path}: row {row} (id {table.at[row, 'id']!r}), column {column!r}: found {cell!r}; "
        f"allowed: {allowed}{hint(cell, allowed)}"
        for row, column, cell, allowed in sorted(dict.fromkeys(found))
    ]


def _shared_ids(tables: list[tuple[Path, pd.DataFrame]]) -> list[str]:
    first: dict[str, Path] = {}
    problems = []
    for path, table in tables:
        problems += [
            f"{path}: row {row} (id {name!r}), column 'id': found {name!r}, which {first[name]} "
            "has too; allowed: an id that no other row has"
            for row, name in table["id"].items()
            if name in first
        ]
        first = dict.fromkeys(table["id"], path) | first
    return problems


def _derivations(tables: list[tuple[Path, pd.DataFrame]]) -> list[str]:
    """Say where claims are derived from what is in no table, or from one another in a circle."""
    named = pd.concat(
        [
            table.set_index("id").get("derived_from", pd.Series("", index=table["id"], dtype=str))
            for _, table in tables
        ]
    )
    found = derivation_problems(named, set(named.index))
    return [
        f"{path}: row {row} (id {name!r}), column 'derived_from': found {named[name]!r}; "
        f"allowed: {found[name]}"
        for path, table in tables
        for row, name in table["id"].items()
        if name in found
    ]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    claims = table.reindex(columns=[*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS], fill_value="").fillna("")
    for name in NUMBERS:
        claims[name] = claims[name].map(number).astype(float)
    for name in ("period_start", "period_end", "published"):
        claims[name] = pd.to_datetime(claims[name], format="%Y-%m-%d", errors="coerce")
    return claims
