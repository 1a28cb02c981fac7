"""Dated estimates and what came later, in the columns of the hubverse (https://hubverse.io).

Estimates have those of its ``model_out_tbl``: model_id, the task ids, output_type, output_type_id,
value. What came later has those of its target data. A task is a month of a target as it was
estimated on a day: `target_end_date` is the last day of the month, as hubs name the period of a
target, and a month has one last day only. Numbers are in the unit of the quantity: persons of the
whole month, persons on its last day, shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from estimator.errors import IngestError, ScoreError, problems_text
from estimator.evidence.schema import (
    DATE,
    DATE_OR_EMPTY,
    NOT_EMPTY,
    ONE_OF,
    Problem,
    failed_cells,
    hint,
    is_date,
    is_number,
    number,
    one_of,
)
from estimator.ingest.cells import is_empty, shown
from estimator.ingest.reading import Columns, read_csv
from estimator.quantity import MONTHLY, SHARES, SIGNED

KEYS = ("model_id", "reference_date", "target", "target_end_date")
"""Who estimated, on what day, and which month of what: one estimate."""
MONTHS_OF = ("target", "target_end_date")
"""What has one observation."""
COLUMNS = (*KEYS, "output_type", "output_type_id", "value")
LATER_COLUMNS = (*MONTHS_OF, "as_of", "observation")
OUTPUT_TYPES = ("quantile", "median", "mean")
MOST_PROBLEMS = 20

_DIGITS = 6  # of a level: 1 - 0.9 and 0.1 are one
_UNLIMITED = float("inf")
# Other names that hubs give these columns.
_ALIASES = {
    "origin_date": "reference_date",
    "forecast_date": "reference_date",
    "target_date": "target_end_date",
    "oracle_value": "observation",
}


def _is_target(text: str) -> bool:
    origin, colon, quantity = text.rpartition(":")
    return quantity in MONTHLY and bool(origin) == bool(colon)


def _is_month_end(text: str) -> bool:
    return is_date(text) and pd.Timestamp(text).is_month_end


_TARGET = pa.Check(
    lambda cells: cells.map(_is_target),
    error=f"{ONE_OF}{', '.join(MONTHLY)}, or origin:quantity, what an origin says of one of them",
)
_MONTH_END = pa.Check(
    lambda cells: cells.map(_is_month_end), error="the last day of a month as YYYY-MM-DD"
)
_NUMBER = pa.Check(
    lambda cells: cells.map(lambda c: c != "" and is_number(c)), error="a number in plain notation"
)


def _schema(**checks: pa.Check) -> pa.DataFrameSchema:
    return pa.DataFrameSchema({name: pa.Column(str, check) for name, check in checks.items()})


@dataclass(frozen=True)
class _Format:
    """Columns of a file, what its cells may hold, and which column has the numbers."""

    columns: Columns
    schema: pa.DataFrameSchema
    numbers: str


_ESTIMATES = _Format(
    Columns(COLUMNS, ("horizon",), _ALIASES),
    _schema(
        model_id=NOT_EMPTY,
        reference_date=DATE,
        target=_TARGET,
        target_end_date=_MONTH_END,
        output_type=one_of(OUTPUT_TYPES),
        value=_NUMBER,
    ),
    "value",
)
_LATER = _Format(
    Columns((*MONTHS_OF, "observation"), ("as_of", "output_type", "output_type_id"), _ALIASES),
    _schema(target=_TARGET, target_end_date=_MONTH_END, as_of=DATE_OR_EMPTY, observation=_NUMBER),
    "observation",
)


@dataclass(frozen=True)
class Tables:
    """What was read.

    Attributes
    ----------
    estimates
        One row a number: the columns `KEYS`, level (of the quantile; NaN for a mean), value. A
        median is the quantile of level 0.5. No number stands twice, and quantiles rise.
    later
        One row a month of a target: `MONTHS_OF`, observation (as it was known last), known_since
        (its first as_of; missing where none is said).
    remarks
        What was not used of the files.
    """

    estimates: pd.DataFrame
    later: pd.DataFrame
    remarks: tuple[str, ...] = ()


def model_out(wide: pd.DataFrame, levels: Mapping[str, float]) -> pd.DataFrame:
    """Bring quantiles that stand beside each other into the columns of ``model_out_tbl``.

    Parameters
    ----------
    wide
        One row an estimate: `KEYS`, dates as text, and columns of quantiles.
    levels
        Level of each column of quantiles.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, one row a number; estimates in their order, quantiles rising.
    """
    long = wide.reset_index(drop=True).melt(
        id_vars=list(KEYS),
        value_vars=list(levels),
        var_name="output_type_id",
        value_name="value",
        ignore_index=False,
    )
    long["output_type_id"] = long["output_type_id"].map(levels).astype(float)
    long = long.assign(output_type="quantile", at=long.index).sort_values(["at", "output_type_id"])
    return long.reset_index(drop=True)[list(COLUMNS)]


def month_end(months: Sequence[str] | pd.Series) -> list[str]:
    """Write the last day of months.

    Examples
    --------
    >>> month_end(["2026-01", "2024-02"])
    ['2026-01-31', '2024-02-29']
    """
    return (
        pd.PeriodIndex(list(months), freq="M").to_timestamp(how="end").strftime("%Y-%m-%d").tolist()
    )


def read_tables(estimates: Sequence[Path], later: Path) -> Tables:
    """Read and check estimates and what came later.

    Parameters
    ----------
    estimates
        Files with the columns `COLUMNS`, in any order; more columns are not used.
    later
        A file with target, target_end_date, and observation or oracle_value; with as_of, of several
        versions of one observation the last counts.

    Raises
    ------
    ScoreError
        With the first `MOST_PROBLEMS` of all problems of all files, and their number.
    """
    problems: list[str] = []
    remarks: list[str] = []
    tables = [_read(path, _ESTIMATES, problems, remarks) for path in dict.fromkeys(estimates)]
    joined = pd.concat(tables, ignore_index=True)
    came = _read(later, _LATER, problems, remarks)
    numbers = _numbers(joined, problems)
    observations = _observations(came, problems)
    if problems:
        raise ScoreError(problems_text("Nothing can be scored:", problems, MOST_PROBLEMS))
    return Tables(numbers, observations, tuple(remarks))


def _read(path: Path, made: _Format, problems: list[str], remarks: list[str]) -> pd.DataFrame:
    """Return the rows whose cells are good, as text and with their place; tell of the others."""
    names = (*made.columns.needed, *made.columns.known)
    empty = pd.DataFrame(columns=[*names, "place"], dtype=str)
    try:
        table = read_csv(path, made.columns, _UNLIMITED, separator=None)
    except IngestError as error:
        problems.append(str(error))
        return empty
    remarks += [f"{path}: {entry.reason}: {entry.detail}" for entry in table.ledger.remarks]
    problems += [
        f"{path}: row {entry.row}: {entry.reason} ({entry.detail})" for entry in table.ledger.bad
    ]
    cells = pd.DataFrame(
        [{name: row.get(name, "").strip() for name in names} for _, row in table.rows],
        index=[number for number, _ in table.rows],
        columns=list(names),
        dtype=str,
    )
    if made is _LATER:  # what is not known yet may stand there as nothing
        cells = cells[~cells["observation"].map(is_empty)]
    found = _problems_of(cells, made)
    problems += [
        f"{path}: row {row}, column {column!r}: found {shown(cell)}; "
        f"allowed: {allowed}{hint(cell, allowed)}"
        for row, column, cell, allowed in found
    ]
    good = cells.drop(index=list({row for row, *_ in found}))
    return good.assign(place=[f"{path}: row {row}" for row in good.index])


def _problems_of(cells: pd.DataFrame, made: _Format) -> list[Problem]:
    found = failed_cells(cells, made.schema)
    for row, one in zip(cells.index, cells.to_dict("records"), strict=True):
        if made is _ESTIMATES:
            found += [(int(row), *problem) for problem in _level_problems(one)]
        found += [(int(row), *problem) for problem in _size_problems(one, made.numbers)]
    return sorted(dict.fromkeys(found))


def _level_problems(row: Mapping[Hashable, Any]) -> list[tuple[str, str, str]]:
    kind, cell = row["output_type"], row["output_type_id"]
    if kind == "quantile":
        if is_number(cell) and 0.0 < number(cell) < 1.0:
            return []
        return [("output_type_id", cell, "a level between 0 and 1, for a quantile")]
    if kind in OUTPUT_TYPES and not is_empty(cell):
        return [("output_type_id", cell, f"empty or NA, for a {kind}")]
    return []


def _size_problems(row: Mapping[Hashable, Any], column: str) -> list[tuple[str, str, str]]:
    target, cell = row["target"], row[column]
    if not (_is_target(target) and is_number(cell)):
        return []
    quantity = target.rpartition(":")[2]
    if quantity not in SIGNED and number(cell) < 0:
        return [(column, cell, f"0 or more, for {quantity}")]
    if quantity in SHARES and number(cell) > 1:
        return [(column, cell, f"from 0 to 1, for {quantity}")]
    return []


def _numbers(cells: pd.DataFrame, problems: list[str]) -> pd.DataFrame:
    """Type estimates; tell of numbers that contradict each other, and of quantiles that fall."""
    level = cells["output_type_id"].where(cells["output_type"] == "quantile", "0.5")
    typed = cells[["model_id", "target", "place"]].assign(
        level=level.map(number).astype(float).round(_DIGITS).where(cells["output_type"] != "mean"),
        value=cells["value"].map(number).astype(float),
        **{name: pd.to_datetime(cells[name]) for name in ("reference_date", "target_end_date")},
    )
    single = _once(typed, [*KEYS, "level"], "value", problems)
    rising = single.dropna(subset="level").sort_values([*KEYS, "level"])
    before = rising.groupby(list(KEYS))[["level", "value"]].shift()
    falls = rising["value"] < before["value"]
    problems += [
        f"{place}, column 'value': found {value:.10g} at level {level:g}; allowed: at least "
        f"{least:.10g}, the value at level {lower:g}"
        for place, value, level, least, lower in zip(
            *(rising.loc[falls, name] for name in ("place", "value", "level")),
            *(before.loc[falls, name] for name in ("value", "level")),
            strict=True,
        )
    ]
    return single[[*KEYS, "level", "value"]].sort_values([*KEYS, "level"], ignore_index=True)


def _observations(cells: pd.DataFrame, problems: list[str]) -> pd.DataFrame:
    """Type what came; of several versions the last counts."""
    typed = cells[["target", "place"]].assign(
        observation=cells["observation"].map(number).astype(float),
        **{
            name: pd.to_datetime(cells[name], format="%Y-%m-%d", errors="coerce")
            for name in ("target_end_date", "as_of")
        },
    )
    single = _once(typed, [*MONTHS_OF, "as_of"], "observation", problems)
    versions = single.sort_values("as_of", na_position="first").groupby(list(MONTHS_OF))
    return versions.agg(
        observation=("observation", "last"), known_since=("as_of", "min")
    ).reset_index()


def _once(typed: pd.DataFrame, keys: list[str], column: str, problems: list[str]) -> pd.DataFrame:
    """Keep one row of each key; tell of those that say another number than the first."""
    first = typed.groupby(keys, dropna=False)[[column, "place"]].transform("first")
    differs = typed[column] != first[column]
    problems += [
        f"{place}, column {column!r}: found {value:.10g}; allowed: one number of each {keys[-1]}, "
        f"and {where} has {other:.10g}"
        for place, value, other, where in zip(
            *(typed.loc[differs, name] for name in ("place", column)),
            *(first.loc[differs, name] for name in (column, "place")),
            strict=True,
        )
    ]
    return typed.drop_duplicates(keys)
