"""Numbers, ranges, probabilities, months and counts as text: the one place that writes them.

A minus is a true minus sign, thousands are separated by commas, and a number that is missing or not
finite is `NOTHING`. A probability that draws gave is never written as certain.
"""

from __future__ import annotations

import calendar
import functools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from estimator.quantity import TOTAL

NOTHING = "–"
"""What stands where there is no number."""

Write = Callable[[float], str]
"""How the numbers of one column are written."""

_DIGITS = 3
_SHOWN = 12  # decimals before zeros at the end are taken away
_THOUSAND = 1000.0
_HARD = "\N{NO-BREAK SPACE}"
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def fixed(value: float, digits: int = 0, *, sign: bool = False) -> str:
    """Write a number with so many decimals.

    Parameters
    ----------
    value
        In the unit that the reader is told.
    digits
        Decimals.
    sign
        Write a plus sign, too.

    Examples
    --------
    >>> fixed(-1234.56, 1), fixed(-0.04, 1), fixed(4912.0, sign=True), fixed(float("nan"))
    ('−1,234.6', '0.0', '+4,912', '–')
    """
    if not math.isfinite(value):
        return NOTHING
    rounded = round(float(value), digits) + 0.0  # no minus before 0
    return _minus(f"{rounded:{'+' if sign and rounded else ''},.{digits}f}")


def significant(value: float, digits: int = 4) -> str:
    """Write a number to so many significant digits, without an exponent.

    Examples
    --------
    >>> significant(15_000.0), significant(0.000123456), significant(-0.25)
    ('15,000', '0.0001235', '−0.25')
    """
    if not math.isfinite(value):
        return NOTHING
    return _minus(f"{float(f'{value:.{digits}g}') + 0.0:,.10g}")


def resolved(value: float, resolution: float) -> str:
    """Write a number to the first digit of what it is known to.

    Examples
    --------
    >>> resolved(0.4137, 0.03), resolved(8213.4, 350.0)
    ('0.41', '8,200')
    """
    if not resolution > 0:
        return significant(value)
    digits = min(-math.floor(math.log10(resolution)), 6)
    return fixed(round(value, digits), max(digits, 0))


def compact(value: float) -> str:
    """Write a number to about three digits; thousands as k.

    Examples
    --------
    >>> compact(15_000.0), compact(1234.0), compact(-0.123)
    ('15k', '1.2k', '−0.12')
    """
    if abs(value) >= _THOUSAND:
        return f"{fixed(value / _THOUSAND, 0 if abs(value) >= 10_000 else 1)}k"
    return fixed(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)


def rounded(value: float, unit: str = "persons", *, sign: bool = False) -> str:
    """Write a number to three digits, persons to hundreds at most; shares as per cent.

    Parameters
    ----------
    value
        In its unit.
    unit
        `share` and `probability` give per cent.
    sign
        Write a plus sign, too.

    Examples
    --------
    >>> rounded(33417.0), rounded(-307.2, sign=True), rounded(0.31, "ratio")
    ('33,400', '−310', '0.31')
    """
    if not math.isfinite(value):
        return NOTHING
    if unit in ("share", "probability"):
        return _per_cent(value, whole=unit == "probability", sign=sign)
    to_digits = _to_digits(value, persons=unit.startswith("persons"))
    text = f"{to_digits:{'+' if sign and to_digits else ''},.{_SHOWN}f}"
    return _minus(text.rstrip("0").removesuffix("."))


def span(low: float, high: float, unit: str = "persons", *, sign: bool = False) -> str:
    """Write a range as `rounded` writes its ends: 31,400 to 36,500."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOTHING
    return f"{rounded(low, unit, sign=sign)} to {rounded(high, unit, sign=sign)}"


def interval(low: float, high: float, write: Write = fixed) -> str:
    """Write a range in brackets; nothing where there is none.

    Examples
    --------
    >>> interval(-1204.0, 1385.0)
    '[−1,204, 1,385]'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{write(low)}, {write(high)}]"


def with_error(value: float, error: float, write: Write | None = None) -> str:
    """Write a number and its standard error, to the first digit of the error unless told otherwise.

    Examples
    --------
    >>> with_error(0.15354, 0.0041), with_error(0.5, 0.2)
    ('0.154 ± 0.004', '0.50 ± 0.20')
    """
    if not math.isfinite(value):
        return NOTHING
    if write is None:
        digits = min(max(2, -math.floor(math.log10(error))), 5) if error > 0 else 2
        write = functools.partial(fixed, digits=digits)
    return f"{write(value)} ± {write(error)}"


def scale(unit: str, values: Sequence[float] | np.ndarray, more: int = 0) -> tuple[Write, str]:
    """Say how the numbers of a column are written, and in which unit; persons are in thousands.

    Parameters
    ----------
    unit
        Of the values.
    values
        Those that set the number of decimals; with missing ones.
    more
        Decimals beside the usual ones: for differences.
    """
    if unit.startswith("persons") and unit != "persons/km":
        known = np.abs(np.asarray(values, dtype=float))
        largest = float(np.nanmax(known, initial=0.0, where=np.isfinite(known))) / _THOUSAND
        digits = (0 if largest >= _THOUSAND else 1) + more
        return (lambda value: fixed(value / _THOUSAND, digits)), f"thousand {unit}"
    digits = (1 if unit == "persons/km" else 3) + (more if unit != "probability" else 0)
    return functools.partial(fixed, digits=digits), unit


def probability(value: float, digits: int = 2) -> str:
    """Write a probability, never as certain.

    Examples
    --------
    >>> probability(0.526), probability(1.0), probability(0.0004, 3)
    ('0.53', '>0.99', '<0.001')
    """
    if not math.isfinite(value):
        return NOTHING
    least = 10.0**-digits
    if value < least / 2:
        return f"<{least:.{digits}f}"
    return f">{1 - least:.{digits}f}" if value > 1 - least / 2 else f"{value:.{digits}f}"


def p_value(value: float) -> str:
    """Write a p value to three decimals, small ones as < 0.001."""
    if not math.isfinite(value):
        return NOTHING
    return fixed(value, 3) if value >= 0.001 else "< 0.001"


def tail(value: float) -> str:
    """Write a tail probability, small ones more exactly and all of them short.

    Examples
    --------
    >>> tail(0.0004), tail(0.0123), tail(0.456)
    ('<.001', '0.012', '0.46')
    """
    return "<.001" if value < 0.001 else fixed(value, 3 if value < 0.1 else 2)


def hundredths(share: float) -> str:
    """Write a mass in per cent without the sign, with no more digits than it has.

    Examples
    --------
    >>> hundredths(0.9), hundredths(0.975)
    ('90', '97.5')
    """
    return f"{100.0 * share:.10g}"


def chances(low: float, high: float | None = None) -> str:
    """Write a probability, or a range of them, as a count of draws: 34 to 96 of 100."""
    first, last = _of_hundred(low), _of_hundred(low if high is None else high)
    return f"{first if first == last else f'{first} to {last}'} of 100"


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun: 1 set, 8 sets."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def month(text: str) -> str:
    """Write 2026-01 as January 2026; what is no month stays as it is."""
    parts = _MONTH.fullmatch(text)
    if parts is None or not 1 <= int(parts[2]) <= 12:
        return text
    return f"{calendar.month_name[int(parts[2])]} {parts[1]}"


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


def cut_months(days: Mapping[str, int]) -> str:
    """Say of which months only some days are estimated; nothing if all are whole.

    Parameters
    ----------
    days
        As `estimator.evidence.periods.Window.cut_months` gives them.

    Examples
    --------
    >>> cut_months({"2022-02": 5, "2026-02": 15})
    '2022-02 has only 5 days in the window, 2026-02 only 15.'
    """
    texts = [f"{label} has only {n} days in the window" for label, n in list(days.items())[:1]]
    texts += [f"{label} only {n}" for label, n in list(days.items())[1:]]
    return f"{', '.join(texts)}." if texts else ""


def listed(names: Iterable[str], most: int = 6) -> str:
    """Join names with commas and "and"; of many only the first, and how many more."""
    texts = list(names)
    if len(texts) > most:
        texts = [*texts[:most], f"{len(texts) - most} more"]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _of_hundred(value: float) -> str:
    if not math.isfinite(value):
        return NOTHING
    whole = round(100 * value)
    if whole == 100 and value < 1:
        return "more than 99"
    if whole == 0 and value > 0:
        return "fewer than 1"
    return str(whole)


def _to_digits(value: float, *, persons: bool) -> float:
    if value == 0:
        return 0.0
    places = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    if persons:  # no finer than hundreds, below a thousand to two digits, whole ones
        places = min(max(places - 1, -1), 0) if abs(value) < _THOUSAND else min(places, -2)
    return round(value, places) + 0.0  # no minus before 0


def _per_cent(value: float, *, whole: bool, sign: bool) -> str:
    parts = 100 * value
    if whole and 0.0 < parts < 0.5:
        return f"under 1{_HARD}%"
    if whole and 99.5 < parts < 100.0:
        return f"over 99{_HARD}%"
    decimals = 0 if whole or abs(parts) >= 10 else 1
    to_decimals = round(parts, decimals) + 0.0  # no minus before 0
    if to_decimals == 0:
        decimals = 0
    plus = "+" if sign and to_decimals else ""
    return _minus(f"{to_decimals:{plus}.{decimals}f}{_HARD}%")
