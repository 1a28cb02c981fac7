"""Types of fields that many options share, each with its own error text."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from estimator.errors import nearest
from estimator.quantity import MODELLED, MONTHLY

OF_A_GROUP = ("all", "original", "one", "none")
"""Which claims of an evidence group may count, but for one that is named."""


def _date(value: Any) -> dt.date:
    """Read YYYY-MM-DD only: pydantic alone would take a number for seconds since 1970."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"must be a date as YYYY-MM-DD. Got {value!r}") from error


def _list_of_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"must be a list of names, e.g. [a, b]. Got {value!r}")
    return tuple(value)


def _all_or_names(value: Any) -> str | tuple[str, ...]:
    try:
        return "all" if value == "all" else _list_of_names(value)
    except ValueError as error:
        raise ValueError(f"must be all, or a list of names. Got {value!r}") from error


def _member(value: Any) -> str:
    """Read what counts of a group; an id may look like a whole number."""
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise ValueError(f"must be {', '.join(OF_A_GROUP)}, or the id of a claim. Got {value!r}")
    return str(value)


def _known_quantity(name: str) -> str:
    if name not in MODELLED:
        raise ValueError(f"unknown quantity; {nearest(name, MODELLED)}")
    return name


def _monthly_quantity(name: str) -> str:
    if name not in MONTHLY:
        raise ValueError(f"no quantity by month; {nearest(name, MONTHLY)}. Got {name!r}")
    return name


Date = Annotated[dt.date, BeforeValidator(_date)]
Persistence = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Names = Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_all_or_names)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_list_of_names)]
Member = Annotated[str, BeforeValidator(_member)]
ModelledQuantity = Annotated[str, AfterValidator(_known_quantity)]
MonthlyQuantity = Annotated[str, AfterValidator(_monthly_quantity)]
