"""Running totals of one origin: settled, made never to fall, and turned into increments.

Running totals of one origin overlap: each holds all that went before, so their errors are not
independent, and hundreds of them in a likelihood would count the same persons hundreds of times.
The increments between them say the same and do not overlap.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from estimator.ingest.cells import is_given
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger

DAY = dt.timedelta(days=1)
EVERY = ("day", "week", "month")
MODES = ("auto", "difference", "keep")
_FEW = 3  # totals on Mondays may be chance; so many on firsts of months are none
_OFTEN = 0.2  # share of totals that would have to fall; misprints are rarer, and a few are nothing


def period_of(day: dt.date, every: str) -> tuple[dt.date, dt.date]:
    """First and last day of the day, ISO week or calendar month that a day is in."""
    if every == "week":
        first = day - dt.timedelta(days=day.weekday())
        return first, first + 6 * DAY
    if every == "month":
        first = day.replace(day=1)
        return first, (first + 31 * DAY).replace(day=1) - DAY
    return day, day


def settle(totals: Sequence[Draft], ledger: Ledger) -> list[Draft]:
    """Leave one total a day, in order: equal ones are repeats, contradicting ones all go."""
    days: dict[dt.date, list[Draft]] = {}
    for total in totals:
        days.setdefault(total.end, []).append(total)
    settled = []
    for day in sorted(days):
        first, *others = days[day]
        if any(not _equal(first, other) for other in others):
            found = ", ".join(f"{total.value:,.10g}" for total in days[day])
            for total in days[day]:
                ledger.skip_all(
                    total.rows, "contradicts another total of the same day", found, bad=True
                )
            continue
        for other in others:
            ledger.skip_all(other.rows, "repeats another row", f"row {first.rows[0]}")
        settled.append(first)
    return settled


def _equal(one: Draft, other: Draft) -> bool:
    return all(
        a == b or (math.isnan(a) and math.isnan(b))
        for a, b in ((one.value, other.value), (one.low, other.low), (one.high, other.high))
    )


def rising_places(figures: Sequence[float]) -> list[int]:
    """Places of as many figures as possible that never fall in their order."""
    tails: list[float] = []
    ends: list[int] = []
    before: list[int] = []
    for place, figure in enumerate(figures):
        length = bisect.bisect_right(tails, figure)
        before.append(ends[length - 1] if length else -1)
        tails[length:] = [figure] if length == len(tails) else [figure, *tails[length + 1 :]]
        ends[length:] = [place] if length == len(ends) else [place, *ends[length + 1 :]]
    kept: list[int] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        kept.append(place)
        place = before[place]
    return kept[::-1]


def never_falling(totals: Sequence[Draft], ledger: Ledger) -> list[Draft]:
    """Leave out as few totals as possible, so that the others never fall (in order of days)."""
    chosen = set(rising_places([total.value for total in totals]))
    for place, total in enumerate(totals):
        if place not in chosen:
            ledger.skip_all(
                total.rows,
                "a running total that does not fit: it would have to fall",
                f"{total.value:,.10g} on {total.end}",
                bad=True,
            )
    falling = len(totals) - len(chosen)
    if 2 * falling > len(totals):
        ledger.remark(
            "most running totals would have to fall: are they sums of single periods?",
            f"{falling} of {len(totals)}",
            totals[0].rows[0],
            bad=True,
        )
    elif falling > max(_OFTEN * len(totals), _FEW):
        ledger.remark(
            "many running totals would have to fall: they are no one count, and their differences "
            "say little of single months (--cumulative keep)",
            f"{falling} of {len(totals)}",
            totals[0].rows[0],
        )
    return [total for place, total in enumerate(totals) if place in chosen]


def thin(totals: Sequence[Draft], every: str) -> list[Draft]:
    """Leave the last total of each period; the rows of the others become part of it."""
    periods: dict[dt.date, Draft] = {}
    for total in totals:
        first = period_of(total.end, every)[0]
        earlier = periods[first].rows if first in periods else ()
        periods[first] = replace(total, rows=earlier + total.rows)
    return list(periods.values())


def increments(totals: Sequence[Draft], start: dt.date | None, ledger: Ledger) -> list[Draft]:
    """Turn totals that never fall into sums over the days between them.

    Days on which the total did not rise go with the next rise, since a claim of 0 says nothing on a
    log scale; so the sum of the increments is the last total less the first.

    Parameters
    ----------
    totals
        In order of days.
    start
        First day of what is totalled: the first total is then an increment too. None: it is only
        what the second is reckoned from.
    ledger
        Gets the rows of which nothing follows.
    """
    if not totals:
        return []
    if start is None:
        last, pending, rest = totals[0], totals[0].rows, totals[1:]
    else:
        nothing = replace(totals[0], rows=(), end=start - DAY, low=0.0, value=0.0, high=0.0)
        last, pending, rest = nothing, (), totals
    pieces: list[Draft] = []
    for total in rest:
        pending += total.rows
        if total.value <= last.value:
            continue
        low, high = _bounds(last, total)
        note = f"running total {total.value:,.10g} on {total.end}"
        note += f" less {last.value:,.10g} on {last.end}" if last.rows else ""
        pieces.append(
            replace(
                total,
                rows=pending,
                start=last.end + DAY,
                low=low,
                value=total.value - last.value,
                high=high,
                note=total.noted(note),
            )
        )
        last, pending = total, ()
    ledger.skip_all(pending, "the running total did not rise any more: no claim")
    return pieces


def _bounds(last: Draft, total: Draft) -> tuple[float, float]:
    """Differences of the bounds, if they enclose that of the totals."""
    low, value, high = total.low - last.low, total.value - last.value, total.high - last.high
    return (low, high) if 0.0 <= low <= value <= high and low < high else (math.nan, math.nan)


def report_gaps(totals: Sequence[Draft], ledger: Ledger) -> None:
    """Tell of days without a total between the first and the last."""
    for one, other in itertools.pairwise(totals):
        missing = (other.end - one.end).days - 1
        if missing > 0:
            ledger.remark(
                "days without a total; the next difference covers them",
                f"{missing} after {one.end}",
                other.rows[0],
            )


def report_long_steps(name: str, totals: Sequence[Draft], gap_steps: float, ledger: Ledger) -> None:
    """Tell of steps of a series that are longer than `gap_steps` times its usual (median) one."""
    steps = [((b.end - a.end).days, a, b) for a, b in itertools.pairwise(totals)]
    usual = statistics.median(days for days, _, _ in steps) if steps else 0
    long = [step for step in steps if step[0] > gap_steps * usual]
    if long:
        days, before, after = max(long, key=lambda step: step[0])
        ledger.remark(
            "gaps in running totals of one origin; the next difference covers each",
            f"{len(long)} of {name}, the longest {days} days after {before.end}; "
            f"usual {usual:g} days",
            after.rows[-1],
        )


def report_coarse(name: str, totals: Sequence[Draft], coarse: float, ledger: Ledger) -> None:
    """Tell of differences of which more than the share `coarse` may be what was rounded off.

    The rounding is read from the zeros at the end of a total: half a unit of the last other digit.
    """
    found = [
        (a, b)
        for a, b in itertools.pairwise(totals)
        if b.value > a.value and _rounding(a) + _rounding(b) > coarse * (b.value - a.value)
    ]
    if found:
        a, b = found[0]
        ledger.remark(
            "differences of rounded totals: much of them may be rounding (take longer periods)",
            f"{len(found)} of {name}, first {b.value:,.10g} less {a.value:,.10g}",
            b.rows[-1],
        )


def _rounding(total: Draft) -> float:
    digits = f"{total.value:.0f}" if total.value == round(total.value) else ""
    zeros = len(digits) - len(digits.rstrip("0"))
    return 0.5 * 10.0**zeros if zeros else 0.0


def on_first_days(totals: Sequence[Draft]) -> bool:
    """Tell whether all totals but the first are on Mondays, the first days of weeks."""
    return len(totals) > _FEW and all(total.end.weekday() == 0 for total in totals[1:])


def on_firsts_of_months(days: Sequence[dt.date]) -> bool:
    """Tell whether days in order, but for the first and the last, are firsts of months."""
    firsts = sum(day.day == 1 for day in days)
    return firsts >= _FEW and all(day.day == 1 for day in days[1:-1])


def months_later(day: dt.date, months: int) -> dt.date:
    """First of a month, some months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, 1)


def is_dense(totals: Sequence[Draft], dense_days: float, dense_totals: int) -> bool:
    """Tell whether totals are a series: so many, and half of the steps at most so many days."""
    steps = [(b.end - a.end).days for a, b in itertools.pairwise(totals)]
    return len(totals) >= max(dense_totals, 2) and statistics.median(steps) <= dense_days


def sums(totals: Sequence[Draft], start: dt.date, ledger: Ledger) -> list[Draft]:
    """Keep totals as they are: sums from the start, which overlap."""
    pieces = []
    for total in totals:
        if is_given(total.value) and total.value <= 0:
            ledger.skip_all(total.rows, "a total of 0 says nothing on a log scale")
        else:
            note = total.noted(f"running total on {total.end}")
            pieces.append(replace(total, start=start, note=note))
    return pieces
