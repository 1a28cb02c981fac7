"""What the columns of any table mean: a YAML file, checked with all problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from estimator.errors import IngestError, nearest, problems_text
from estimator.evidence.schema import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from estimator.ingest.cells import DATE_FORMS
from estimator.ingest.dates import says_day, says_month
from estimator.ingest.files import read_bytes

CLAIM_COLUMNS = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
FIGURES = ("low", "value", "high")
DATES = ("period_start", "period_end", "published")
_MOST_MEGABYTES = 1.0
_SPACES = re.compile(r"\s")

TEMPLATE = """\
# Which column of the table gives which column of the claims (data/README.md has them all).
# A column by its name, a constant, or a column whose words are translated:
columns:
  period_end: date
  value: {column: number, multiply: 1000}       # the table counts in thousands
  quantity: {column: kind, words: {deaths: killed, casualties: losses}}
  origin: who                                   # becomes snake_case
  population: {constant: my_forces}
  status: {constant: estimated}
  citation: {constant: "Somebody (2025), Some table"}
# Not mapped: unit is persons; hedge follows from the figures (about, range, at_least, up_to);
# published is the last day of the period; source is the file's name.
date_format: "%d/%m/%Y"        # as Python's strptime; the default is "%Y-%m-%d"
separator: ","                 # between columns; or ";", "\\t" (a tab), "|"
thousands: ","                 # one character, or "" for none
decimal: "."
# What a figure counts: `period` (period_start and period_end are mapped), `day`, `week`, `month`
# (the one that period_end lies in), or `cumulative` (a running total since --war-start).
figures: cumulative
# Rows that are left out, with the reason for the report: `drop` or `keep` these words.
filters:
  - {column: kind, drop: [civilians], reason: civilians are not counted}
known: [comment]               # columns that are not used on purpose
"""
"""A mapping to begin with (`estimator new mapping`)."""

EXAMPLE = """\
date,number,kind,who,comment
31/12/2025,420,deaths,Some institute,running total in thousands
31/01/2026,428,deaths,Some institute,
31/01/2026,3.1,civilians,Some institute,left out by a filter
"""
"""A table that it fits."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _no_booleans(words: Iterable[object]) -> None:
    """Refuse words that YAML took for true or false, since no cell would be equal to them."""
    if any(isinstance(word, bool) for word in words):
        raise ValueError("yes, no, on, off, true and false are words only in quotes, as 'no'")


class From(_Part):
    """Where one column of the claims comes from.

    Attributes
    ----------
    column
        Of the table; or
    constant
        the same text for all rows.
    words
        Words of the table's column and what they become; others are bad cells.
    multiply
        Factor of a figure.
    """

    column: str | None = None
    constant: str | None = None
    words: dict[str, str] | None = None
    multiply: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)

    @field_validator("constant", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return value if value is None or isinstance(value, (dict, list)) else str(value)

    @field_validator("words", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if isinstance(value, dict):
            _no_booleans(value)
            return {str(key).strip().lower(): str(word) for key, word in value.items()}
        return value

    @model_validator(mode="after")
    def _one(self) -> From:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either column or constant")
        if self.words is not None and self.column is None:
            raise ValueError("words need a column")
        return self


class Filter(_Part):
    """Rows that are left out, and why."""

    column: str
    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    reason: str = Field(min_length=1)

    @field_validator("keep", "drop", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        _no_booleans(value)
        return tuple(str(word).strip().lower() for word in value)

    @model_validator(mode="after")
    def _one(self) -> Filter:
        if (self.keep is None) == (self.drop is None):
            raise ValueError("give either keep or drop")
        return self


class Mapping(_Part):
    """The whole file; see `TEMPLATE`."""

    columns: dict[str, From]
    date_format: str = "%Y-%m-%d"
    separator: Literal[",", ";", "\t", "|"] = ","
    thousands: str = Field(default=",", max_length=1)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    figures: Literal["period", "day", "week", "month", "cumulative"] = "period"
    filters: tuple[Filter, ...] = ()
    known: tuple[str, ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: {"column": v} if isinstance(v, str) else v for k, v in value.items()}

    @model_validator(mode="after")
    def _possible(self) -> Mapping:
        problems = [
            f"columns.{name}: no column of a claims table; {nearest(name, CLAIM_COLUMNS)}"
            for name in self.columns
            if name not in CLAIM_COLUMNS
        ]
        needed = ["quantity", "period_end", *(["period_start"] if self.figures == "period" else [])]
        problems += [f"columns.{name}: is needed" for name in needed if name not in self.columns]
        if self.figures in ("day", "week", "month") and "period_start" in self.columns:
            problems.append(f"columns.period_start: not with figures: {self.figures}")
        if not set(FIGURES) & set(self.columns):
            problems.append(f"columns: one of {', '.join(FIGURES)} is needed")
        if self.thousands == self.decimal:
            problems.append(f"thousands and decimal are both {self.decimal!r}")
        if "%" not in self.date_format:
            problems.append(f"date_format: {self.date_format!r}; e.g. {', '.join(DATE_FORMS)}")
        elif (self.figures == "day" and not says_day(self.date_format)) or (
            self.figures in ("week", "month") and not says_month(self.date_format)
        ):
            problems.append(
                f"figures: {self.figures}, but date_format {self.date_format!r} is longer"
            )
        problems += [
            f"columns.{name}.multiply: only for {', '.join((*FIGURES, 'sd'))}"
            for name, source in self.columns.items()
            if source.multiply != 1.0 and name not in (*FIGURES, "sd")
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def source_columns(self) -> list[str]:
        """Columns of the table that are used, in lower case."""
        names = [source.column for source in self.columns.values()]
        names += [rule.column for rule in self.filters]
        return list(dict.fromkeys(name.strip().lower() for name in names if name is not None))


def _hint(kind: str, place: tuple[int | str, ...]) -> str:
    """Say which key may be meant by one that is not known."""
    if kind != "extra_forbidden":
        return ""
    parts: dict[str, type[_Part]] = {"columns": From, "filters": Filter}
    part = parts.get(str(place[0]), Mapping)
    return f"; {nearest(str(place[-1]), part.model_fields)}"


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises
    ------
    IngestError
        With all problems.
    """
    content = read_bytes(path, _MOST_MEGABYTES)
    try:
        found = yaml.safe_load(content.decode("utf-8-sig"))
        return Mapping.model_validate(found)
    except UnicodeDecodeError as error:
        raise IngestError(f"{path}: not UTF-8 ({error.reason})") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, ValidationError):
            problems = [
                f"{'.'.join(str(part) for part in e['loc']) or 'the file'}: "
                f"{e['msg'].removeprefix('Value error, ')}{_hint(e['type'], e['loc'])}"
                for e in error.errors()
            ]
            raise IngestError(problems_text(f"{path}: not a mapping:", problems)) from error
        raise IngestError(f"{path}: not YAML ({_SPACES.sub(' ', str(error))})") from error
