"""The schema of a claims table (`data/README.md` is its documentation for users)."""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from estimator.errors import nearest
from estimator.quantity import CLAIMED, CONFIRMABLE, MODELLED, QUANTITIES, SHARES, SIGNED, STOCKS

REQUIRED_COLUMNS = (
    "id",
    "quantity",
    "period_start",
    "period_end",
    "low",
    "value",
    "high",
    "unit",
    "hedge",
    "status",
    "origin",
    "source",
    "published",
    "citation",
)
OPTIONAL_COLUMNS = (
    "locator",
    "population",
    "speaker",
    "sd",
    "level",
    "evidence_group",
    "derived_from",
    "role",
    "note",
)
NUMBERS = ("low", "value", "high", "sd", "level")
_TOGETHER = ("quantity", "unit", "hedge", "status", "period_start", "period_end", *NUMBERS)
SPEAKERS = ("own", "enemy", "third_party")

# From the most to the least exact wording: decides between repeats of one figure.
HEDGES = ("exact", "about", "nearly", "more_than", "range", "at_least", "under", "up_to")
POINTS = ("exact", "about")
"""Hedges whose figure is a point; the others mean an interval."""
ONE_SIDED = ("more_than", "at_least", "under", "up_to")
"""Hedges whose figure is a bound."""
STATUSES = ("confirmed", "claimed", "estimated", "planned", "goal", "context")
LIKELIHOOD_STATUSES = ("confirmed", "claimed", "estimated")


# Of what Python reads as a number, neither 1_000 nor digits of other scripts: other tools do not.
_PLAIN_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Of the ISO forms only this one: 2025-W01-1 is a date to Python too.
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GROUP_NAME_PATTERN = "[A-Za-z0-9_-]*"
ONE_OF = "one of: "

_HINTS = 20  # unknown ids of which the nearest is looked for, and ids that are listed beside one

Problem = tuple[int, str, str, str]
"""Row, column, what was found in the cell and what is allowed there."""


def number(text: str) -> float:
    """Read a number in plain notation; NaN for an empty cell, ValueError for anything else."""
    if text == "":
        return math.nan
    if not _PLAIN_NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def is_number(text: str) -> bool:
    """Tell whether a cell is a number in plain notation, or empty."""
    try:
        number(text)
    except ValueError:
        return False
    return True


def is_date(text: str) -> bool:
    """Tell whether a cell is a day as YYYY-MM-DD."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return _ISO_DATE.fullmatch(text) is not None


def each(test: Callable[[str], bool]) -> Callable[[pd.Series], pd.Series]:
    """Make a check of a column of a test of one cell, which is asked once for equal cells."""
    return lambda cells: cells.map({cell: test(cell) for cell in cells.unique()}).astype(bool)


# What a check means to other tools (`estimator.evidence.datapackage`) are its statistics.
def one_of(allowed: tuple[str, ...]) -> pa.Check:
    """Check that cells are among some words."""
    return pa.Check(
        lambda cells: cells.isin(allowed),
        error=f"{ONE_OF}{', '.join(a or '(empty)' for a in allowed)}",
        statistics={"required": "" not in allowed, "enum": [a for a in allowed if a]},
    )


NOT_EMPTY = pa.Check(
    lambda cells: cells.str.strip() != "", error="not empty", statistics={"required": True}
)
_UNIQUE = pa.Check(
    lambda cells: ~cells.duplicated(keep="first"),
    error="an id that no other row has",
    statistics={"unique": True},
)
_NUMBER = pa.Check(
    each(is_number),
    error="a number in plain notation, or empty",
    statistics={"type": "number"},
)
# It is a key of `conf/evidence` too, where spaces, dots and commas would mean something.
_GROUP_NAME = pa.Check(
    lambda cells: cells.str.fullmatch(_GROUP_NAME_PATTERN),
    error="a name of letters, digits, _ and -, or empty",
    statistics={"pattern": _GROUP_NAME_PATTERN},
)
DATE = pa.Check(
    each(is_date),
    error="a date as YYYY-MM-DD",
    statistics={"type": "date", "required": True},
)
DATE_OR_EMPTY = pa.Check(
    each(lambda cell: cell == "" or is_date(cell)),
    error="a date as YYYY-MM-DD, or empty",
    statistics={"type": "date"},
)


def _column(*checks: pa.Check, **kwargs: Any) -> pa.Column:
    return pa.Column(str, checks=list(checks), **kwargs)


CLAIMS_SCHEMA = pa.DataFrameSchema(
    {
        "id": _column(NOT_EMPTY, _UNIQUE),
        "quantity": _column(one_of(CLAIMED)),
        "period_start": _column(DATE_OR_EMPTY),
        "period_end": _column(DATE_OR_EMPTY),
        "unit": _column(
            one_of(tuple(dict.fromkeys(u for row in QUANTITIES.values() for u in row.claim_units)))
        ),
        "hedge": _column(one_of((*HEDGES, ""))),
        "status": _column(one_of(STATUSES)),
        "origin": _column(NOT_EMPTY),
        "source": _column(NOT_EMPTY),
        "published": _column(DATE),
        "citation": _column(NOT_EMPTY),
        **{name: _column(required=False) for name in OPTIONAL_COLUMNS},
        "speaker": _column(one_of((*SPEAKERS, "")), required=False),
        "evidence_group": _column(_GROUP_NAME, required=False),
        **{name: _column(_NUMBER, required=name in REQUIRED_COLUMNS) for name in NUMBERS},
    },
    strict=True,
)


def failed_cells(table: pd.DataFrame, schema: pa.DataFrameSchema) -> list[Problem]:
    """Check every cell of a table of text by itself.

    Parameters
    ----------
    table
        Text cells; the index is the number of the row in its file.
    schema
        Checks of columns; the `error` of each says what is allowed.

    Returns
    -------
    list of (row, column, found, allowed)
    """
    try:
        schema.validate(table, lazy=True)
    except pandera.errors.SchemaErrors as error:
        return [
            (row, column, str(table.at[row, column]), str(case.check))
            for case in error.failure_cases.itertuples()
            for row, column in [(int(str(case.index)), str(case.column))]
        ]
    return []


@functools.lru_cache(maxsize=1024)  # a word that is wrong is wrong in many rows
def hint(cell: str, allowed: str) -> str:
    """Return the allowed word that is nearest to a cell, in brackets; empty if there is none."""
    if not allowed.startswith(ONE_OF):
        return ""
    text = nearest(cell, allowed.removeprefix(ONE_OF).split(", "))
    return f" ({text})" if text.startswith("did you mean") else ""


def inconsistent_rows(table: pd.DataFrame) -> list[Problem]:
    """Check every row of a table of text as `row_problems` does.

    Parameters
    ----------
    table
        As for `failed_cells`.
    """
    names = [name for name in _TOGETHER if name in table]
    # Lists and not `to_dict`, which takes ten times as long.
    columns = [table[name].tolist() for name in names]
    return [
        (int(line), *problem)
        for line, *cells in zip(table.index, *columns, strict=True)
        for problem in row_problems(dict(zip(names, cells, strict=True)))
    ]


def row_problems(row: Mapping[Any, Any]) -> list[tuple[str, str, str]]:
    """Check what only several cells of one row together can show.

    Parameters
    ----------
    row
        One row of text cells.

    Returns
    -------
    list of (column, found, allowed)
        Empty if the row is consistent. A cell that cannot be read is the schema's business.
    """
    problems: list[tuple[str, str, str]] = []
    quantity, hedge = row["quantity"], row["hedge"]
    if quantity in CLAIMED and row["unit"] not in QUANTITIES[quantity].claim_units:
        allowed = ", ".join(unit or "(empty)" for unit in QUANTITIES[quantity].claim_units)
        problems.append(("unit", row["unit"], f"for {quantity}: {allowed}"))
    counts = row["status"] in LIKELIHOOD_STATUSES and quantity in MODELLED
    problems += _period_problems(row, counts)
    if all(is_number(row.get(name, "")) for name in NUMBERS):
        problems += _figure_problems(row, quantity, hedge, counts)
        problems += _spread_problems(row)
    if row["status"] == "confirmed" and quantity not in CONFIRMABLE:
        allowed = " or ".join(CONFIRMABLE)
        problems.append(("status", "confirmed", f"confirmed only for quantity {allowed}"))
    if row["status"] == "confirmed" and hedge in ("under", "up_to"):
        problems.append(("hedge", hedge, "a confirmed figure is a floor: not under or up_to"))
    return problems


def _period_problems(row: Mapping[Any, Any], counts: bool) -> list[tuple[str, str, str]]:
    start, end = row["period_start"], row["period_end"]
    if counts and not (start and end):
        return [("period_start", f"{start!r} to {end!r}", "both dates, for a claim that counts")]
    if start and end and is_date(start) and is_date(end) and end < start:
        return [("period_end", end, f"not before period_start {start}")]
    if row["quantity"] in STOCKS and start != end:
        return [("period_end", end, f"the same day as period_start {start}, for a stock")]
    return []


def _spread_problems(row: Mapping[Any, Any]) -> list[tuple[str, str, str]]:
    """Problems of a published standard error, and of the level of a published interval."""
    sd, level = row.get("sd", ""), row.get("level", "")
    problems = []
    if sd and row["quantity"] == "statement":
        problems.append(("sd", sd, "empty, for a statement"))
    elif number(sd) <= 0:
        problems.append(("sd", sd, "above 0"))
    if level and not (row["low"] and row["high"]):
        problems.append(("level", level, "empty, without low and high"))
    elif level and not 0 < number(level) < 1:
        problems.append(("level", level, "between 0 and 1, both left out"))
    return problems


def _figure_problems(
    row: Mapping[Any, Any], quantity: str, hedge: str, counts: bool
) -> list[tuple[str, str, str]]:
    low, value, high = (number(row[name]) for name in ("low", "value", "high"))
    figures = {"low": low, "value": value, "high": high}
    problems = []
    if low > high:
        problems.append(("low", row["low"], f"not above high {row['high']}"))
    elif low > value or value > high:
        problems.append(("value", row["value"], f"between low {row['low']} and high {row['high']}"))
    if quantity not in SIGNED:
        problems += [
            (name, row[name], "0 or more") for name, figure in figures.items() if figure < 0
        ]
    if quantity in SHARES:
        problems += [(n, row[n], "a share from 0 to 1") for n, f in figures.items() if f > 1]
    if quantity == "statement":
        problems += [("hedge", hedge, "empty, for a statement")] if hedge else []
        return problems + [
            (name, row[name], "empty, for a statement") for name in figures if row[name]
        ]
    if hedge == "":
        if counts:
            problems.append(("hedge", "", "a hedge, for a claim that counts"))
    elif hedge == "range":
        if math.isnan(low) or math.isnan(high) or low == high:
            problems.append(
                ("low", f"{row['low']!r} to {row['high']!r}", "low below high, for a range")
            )
    elif math.isnan(value):
        problems.append(("value", "", f"a value, for hedge {hedge}"))
    elif counts and value == 0 and quantity not in SIGNED:
        problems.append(("value", row["value"], "above 0, for a claim that counts"))
    elif counts and value == 1 and quantity in SHARES:
        problems.append(("value", row["value"], "below 1, for a claim that counts"))
    if row["status"] == "confirmed" and hedge == "range" and low == 0:
        problems.append(("low", row["low"], "above 0, for a floor"))
    return problems


def derivation_problems(derived_from: pd.Series, ids: Collection[str]) -> dict[str, str]:
    """Check what claims are derived from.

    Parameters
    ----------
    derived_from
        The column, with the ids of its rows as index.
    ids
        Ids of all tables.

    Returns
    -------
    dict
        What is allowed, for each id whose cell names itself, what is in no table, or a circle.
    """
    parents = {str(name): names_in(cell) for name, cell in derived_from.items() if cell}
    problems = {}
    hints: dict[str, str] = {}
    known = sorted(ids)
    listed = [*known[:_HINTS], "…"] if len(known) > _HINTS else known
    blocked = _blocked(parents)
    for name, named in parents.items():
        if unknown := [parent for parent in named if parent not in ids]:
            first = unknown[0]
            if first not in hints and len(hints) < _HINTS:
                hints[first] = f"; {nearest(first, known, listed=listed)}"
            problems[name] = f"ids of other claims{hints.get(first, '')}"
        elif name in blocked and name in ancestors(name, parents):
            problems[name] = "claims that are not derived from this one"
    return problems


def _blocked(parents: Mapping[str, Sequence[str]]) -> set[str]:
    """Claims in a circle, and those that are derived from one: in a sound table there are none."""
    order = TopologicalSorter(parents)
    free: set[str] = set()
    with suppress(CycleError):
        order.prepare()
    while order.is_active():
        ready = order.get_ready()
        free.update(ready)
        order.done(*ready)
    return set(parents) - free


def names_in(cell: str) -> list[str]:
    """Ids in a cell, separated by spaces or semicolons."""
    return cell.replace(";", " ").split()


def ancestors(name: str, parents: Mapping[str, Sequence[str]]) -> set[str]:
    """Ids of all that a claim is derived from, over any number of steps."""
    found: set[str] = set()
    open_ = list(parents.get(name, ()))
    while open_:
        parent = open_.pop()
        if parent not in found:
            found.add(parent)
            open_ += parents.get(parent, ())
    return found
