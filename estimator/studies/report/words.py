"""Numbers, months and names as a reader sees them."""

from __future__ import annotations

import calendar
import functools
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from estimator.assumptions import ASSUMPTIONS
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTITIES, SIGNED, TOTAL

NOTHING = "–"
"""What stands where there is no number."""

_DIGITS = 3
_SHOWN = 12  # decimals before zeros at the end are taken away
_HARD = "\N{NO-BREAK SPACE}"
_REPORTING = re.compile(
    r"reporting\.(?:default|origins\.(?P<origin>.+?))\.(?P<quantity>[a-z_]+)\."
    r"(?P<what>(?:bias|undercount|drift|noise).*)"
)
_BIAS = re.compile(r"reporting_(?P<what>bias|drift)\[(?P<origin>.+):(?P<quantity>[a-z_]+)\]")
_MONTH_INSIDE = re.compile(r"\b\d{4}-\d{2}\b(?!-)")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def plain(name: str) -> str:
    """Write a name of data or configuration as words."""
    return name.replace("_", " ")


def quantity(name: str) -> str:
    """Write a quantity's name as words."""
    return QUANTITIES[name].words if name in QUANTITIES else plain(name)


def number(value: float, unit: str = "persons", *, sign: bool = False) -> str:
    """Write a number to three digits, persons to hundreds at most; shares as per cent.

    Parameters
    ----------
    value
        In its unit.
    unit
        `share` and `probability` give per cent.
    sign
        Write a plus sign, too.
    """
    if not math.isfinite(value):
        return NOTHING
    if unit in ("share", "probability"):
        return _percent(value, whole=unit == "probability", sign=sign)
    rounded = _rounded(value, persons=unit.startswith("persons"))
    text = f"{rounded:{'+' if sign and rounded else ''},.{_SHOWN}f}".rstrip("0").removesuffix(".")
    return text.replace("-", "−")


def span(low: float, high: float, unit: str = "persons", *, sign: bool = False) -> str:
    """Write a range: 31,400 to 36,500."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOTHING
    return f"{number(low, unit, sign=sign)} to {number(high, unit, sign=sign)}"


def is_signed(name: str) -> bool:
    """Whether a quantity may be below 0, so that its sign is written."""
    return name in SIGNED


def chances(low: float, high: float | None = None) -> str:
    """Write a probability, or a range of them, as a count of draws: 34 to 96 of 100."""
    first, last = _of_hundred(low), _of_hundred(low if high is None else high)
    return f"{first if first == last else f'{first} to {last}'} of 100"


def _of_hundred(probability: float) -> str:
    if not math.isfinite(probability):
        return NOTHING
    rounded = round(100 * probability)
    if rounded == 100 and probability < 1:
        return "more than 99"
    if rounded == 0 and probability > 0:
        return "fewer than 1"
    return str(rounded)


def month(text: str) -> str:
    """Write 2026-01 as January 2026; what is no month stays as it is."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12:
        return text
    return f"{calendar.month_name[int(found[2])]} {found[1]}"


@functools.lru_cache(maxsize=4096)
def dates(start: Any, end: Any) -> str:
    """Write a period of days; whole months by their names."""
    first, last = (pd.to_datetime(day, errors="coerce") for day in (start, end))
    if pd.isna(first) or pd.isna(last):
        return "no period said"
    if first == last:
        return str(first.date())
    if first.is_month_start and last.is_month_end:
        months = [month(str(day.to_period("M"))) for day in (first, last)]
        return " to ".join(dict.fromkeys(months))
    return f"{first.date()} to {last.date()}"


def period(name: str, months: Sequence[str]) -> str:
    """Write the period of an answer: a month, or from the window's first to its last."""
    if name == TOTAL:
        return f"{month(months[0])} to {month(months[-1])}"
    return month(name)


def answer(given: Answer, months: Sequence[str]) -> str:
    """Write an answer as a heading: losses, January 2026."""
    words = quantity(given.quantity)
    if given.below_zero:
        words = f"{words} below 0"
    return f"{words}, {period(given.period, months)}"


def phrase(given: Answer, months: Sequence[str]) -> str:
    """Write an answer inside a sentence: losses in January 2026."""
    words = quantity(given.quantity)
    within = "from" if given.period == TOTAL else "in"
    return f"{words} {within} {period(given.period, months)}"


def heading(text: str, months: Sequence[str]) -> str:
    """Write the answer that a table names as a heading."""
    return capital(answer(Answer.parse(text), months))


def capital(text: str) -> str:
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]


def assumption(key: str) -> str:
    """Say what an assumption is, also a part of one; a key that is none is written as words."""
    for known, spec in ASSUMPTIONS.items():
        if key == known:
            return spec.description
        if key.startswith(f"{known}."):
            return f"{spec.description}: {plain(key.removeprefix(f'{known}.'))}"
    reporting = _REPORTING.fullmatch(key) or _BIAS.fullmatch(key)
    if reporting:
        origin = plain(reporting["origin"]) if reporting["origin"] else "other origins"
        what = plain(reporting["what"]).replace(".", ": ")
        return f"{origin} on {quantity(reporting['quantity'])}: {what}"
    return plain(key)


def event(text: str) -> str:
    """Write an event as a sentence has it: months by name, below and above for the signs."""
    text = text.replace(" < ", " is below ").replace(" > ", " is above ")
    return _MONTH_INSIDE.sub(lambda found: month(found[0]), text)


def which(labels: Iterable[str], names: Sequence[str]) -> str:
    """Say which of the named sets are meant: all, all but a few, or each by its name."""
    found = list(labels)
    missing = [name for name in names if name not in found]
    if not missing and len(names) > 1:
        return "all sets"
    if len(names) > 4 and len(missing) <= 2:
        return f"all but {listed(missing)}"
    return listed(found, 40)


def listed(names: Iterable[str], most: int = 6) -> str:
    """Join names with commas and "and"; of many only the first, and how many more."""
    found = list(names)
    if len(found) > most:
        found = [*found[:most], f"{len(found) - most} more"]
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} and {found[-1]}"


def count(amount: int, one: str, several: str | None = None) -> str:
    """Write a count with its noun: 1 set, 8 sets."""
    return f"{amount:,} {one if amount == 1 else several or one + 's'}"


def _rounded(value: float, *, persons: bool) -> float:
    if value == 0:
        return 0.0
    places = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    if persons:  # no finer than hundreds, below a thousand to two digits, whole ones
        places = min(max(places - 1, -1), 0) if abs(value) < 1000 else min(places, -2)
    return round(value, places) + 0.0  # no minus before 0


def _percent(value: float, *, whole: bool, sign: bool) -> str:
    hundredths = 100 * value
    if whole and 0.0 < hundredths < 0.5:
        return f"under 1{_HARD}%"
    if whole and 99.5 < hundredths < 100.0:
        return f"over 99{_HARD}%"
    decimals = 0 if whole or abs(hundredths) >= 10 else 1
    rounded = round(hundredths, decimals) + 0.0  # no minus before 0
    if rounded == 0:
        decimals = 0
    plus = "+" if sign and rounded else ""
    return f"{rounded:{plus}.{decimals}f}{_HARD}%".replace("-", "−")
