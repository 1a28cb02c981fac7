"""Bad tables: claims, registries, tables of others with their mapping, estimates to score."""

from __future__ import annotations

import csv
import functools
import io
from pathlib import Path

import numpy as np

from estimator.paths import data_dir
from tests.benchmarks import nasty
from tests.benchmarks.forks import FEW, QUICK
from tests.benchmarks.nasty import one
from tests.benchmarks.war_tables import KINDS, Table

Rows = list[list[str]]
_ROWS = 40  # of a shipped table that are taken
_OF_OTHERS = (
    "weekly_registry", "ged_events", "daily_totals", "list_of_estimates", "replication_table",
    "months_with_zeros", "restarts",
)  # fmt: skip


def table(rng: np.random.Generator, folder: Path, base: Path) -> list[str]:
    """Write a bad table into a folder; return the command that reads it."""
    kind = one(rng, ("claims", "claims", "registries", "others", "others", "estimates"))
    bad = folder / one(rng, ("bad.csv", "bad.csv", "bad table.csv", "bad.xlsx", "früh.csv"))
    if kind == "others":
        return _of_others(rng, folder)
    if kind == "estimates":
        given = base / "outputs" / "set" / "article" / "estimates.csv"
        bad.write_bytes(_spoilt(rng, given.read_bytes()))
        later = folder / "later.csv"
        later.write_text("target,target_end_date,observation\nlosses,2025-12-31,33000\n")
        files = [bad.name, later.name] if rng.random() < 0.7 else [str(given), bad.name]
        return ["score", files[0], "--against", files[1], "--no-plots", "--output", "scored"]
    bad.write_bytes(_spoilt(rng, _shipped(f"{kind}.csv")))
    tables = f"['{bad.name}']" if kind == "claims" else f"[shipped,'{bad.name}']"
    return ["run", *QUICK, FEW, f"evidence.files={tables}"]


@functools.cache
def _shipped(name: str) -> bytes:
    """Some rows of a shipped table that hang on no others, so that they are good as they are."""
    with (data_dir() / name).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    own = header.index("derived_from") if "derived_from" in header else None
    free = [row for row in rows if own is None or not row[own]]
    return _written([header, *free[:_ROWS]])


@functools.cache
def _others(name: str) -> Table:
    return KINDS[name].made(name, 1)[1][0]


def _of_others(rng: np.random.Generator, folder: Path) -> list[str]:
    made = _others(one(rng, _OF_OTHERS))
    style, *words = made.words
    text, mapping = made.text.encode(), made.mapping.encode()
    if mapping and rng.random() < 0.5:
        mapping = nasty.garbled(rng, mapping)
    elif made.name.endswith(".json"):
        text = _json(rng, text)
    else:
        text = _spoilt(rng, text)
    (folder / made.name).write_bytes(text)
    if mapping:
        (folder / "mapping.yaml").write_bytes(mapping)
        words += ["--mapping", "mapping.yaml"]
    strict = ["--strict"] if rng.random() < 0.3 else []
    return ["ingest", style, made.name, *words, *strict, "-o", "claims.csv"]


def _json(rng: np.random.Generator, content: bytes) -> bytes:
    if rng.random() < 0.4:
        return nasty.garbled(rng, content)
    swaps = (
        b'"date": null', b'"date": 5', b'"personnel": null', b'"personnel": "1,5"', b'"x": [[]]',
        b'"personnel": NaN', b'"personnel": -1', b'"personnel": 1e999', b'"personnel": {}',
        b'"date": "2022-02-30"', b'"date": "9999-12-31"', b'"personnel": ' + b"9" * 5000,
        b'"date": "2022-02-24"', b'"personnel": true', b'"a": ' + b"[" * 3000,
    )  # fmt: skip
    records = content.split(b"}")
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(records) - 1))
        inside = records[at].split(b", ")
        inside[int(rng.integers(len(inside)))] = one(rng, swaps)
        records[at] = (b"[{" if at == 0 else b", {") + b", ".join(inside).lstrip(b"[{, ")
    return b"}".join(records)


def _written(rows: Rows) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode("utf-8", "replace")


def _spoilt(rng: np.random.Generator, content: bytes) -> bytes:
    """Spoil a table: its cells, its rows and columns, then perhaps its bytes."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    ways = (_cells, _cells, _column, _rows)
    for _ in range(int(rng.integers(1, 4))):
        one(rng, ways)(rng, rows)
    found = _written(rows)
    return nasty.garbled(rng, found) if rng.random() < 0.25 else found


def _cells(rng: np.random.Generator, rows: Rows) -> None:
    """Put something nasty into a few cells, or down a whole column."""
    column = int(rng.integers(len(rows[0])))
    down = rng.random() < 0.15
    word = one(rng, nasty.RAW if rng.random() < 0.1 else nasty.WORDS)
    for at in range(1, len(rows)) if down else rng.integers(len(rows), size=2):
        if column < len(rows[at]):
            rows[at][column] = word


def _column(rng: np.random.Generator, rows: Rows) -> None:
    """Drop, double, rename or add a column."""
    at, way = int(rng.integers(len(rows[0]))), int(rng.integers(4))
    if way == 0 and len(rows[0]) > 1:
        for row in rows:
            del row[at : at + 1]
    elif way == 1:
        rows[0][at] = one(rng, (nasty.misspelt(rng, rows[0][at]), "", rows[0][0], "\ufeffid"))
    else:
        for n, row in enumerate(rows):
            row.append(row[at] if way == 2 and at < len(row) else f"{'' if n else 'extra'}")


def _rows(rng: np.random.Generator, rows: Rows) -> None:
    """Repeat, shorten, lengthen or drop rows."""
    at, way = int(rng.integers(1, max(len(rows), 2))), int(rng.integers(5))
    if at >= len(rows):
        return
    if way == 0:
        rows.append(list(rows[at]))
    elif way == 1:
        rows[at] = rows[at][:-2]
    elif way == 2:
        rows[at] = [*rows[at], "more", "cells"]
    elif way == 3:
        del rows[1:]
    else:
        rows.insert(at, list(rows[0]))
