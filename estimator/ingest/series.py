"""Running totals of many origins at once: to claims, dense series as increments."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from estimator.ingest.cells import is_given
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.restarts import continued
from estimator.ingest.settings import Settings, hedge_of
from estimator.ingest.totals import (
    DAY,
    increments,
    is_dense,
    months_later,
    never_falling,
    on_first_days,
    on_firsts_of_months,
    period_of,
    report_coarse,
    report_long_steps,
    settle,
    sums,
    thin,
)


def totals_to_drafts(
    totals: Sequence[Draft], start: dt.date, settings: Settings, ledger: Ledger
) -> list[Draft]:
    """Turn running totals into sums over periods.

    Parameters
    ----------
    totals
        Running totals since `start`, of any origins and quantities.
    start
        Their first day.
    settings
        `cumulative`: ``auto`` differences a series where it is dense, and keeps sparse totals and
        those without a figure of their own (at least, up to, ranges) as sums from the start.
    ledger
        Gets what is left out, and what was differenced.
    """
    every = settings.every or "day"
    drafts: list[Draft] = []
    for same in _by_series(totals):
        drafts += _points([t for t in same if t.has_point], start, settings, every, ledger)
        drafts += _bounds([t for t in same if not t.has_point], start, settings, every, ledger)
    return drafts


def whole_months(totals: Sequence[Draft], start: dt.date, ledger: Ledger) -> list[Draft]:
    """Date totals of the firsts of months by the last day that they hold.

    That is the day before; or, where the first of them, above 0, is of the month that `start` lies
    in, the last day of the period (months, quarters, years) that its first day names.
    """
    return [total for same in _by_series(totals) for total in _whole_months(same, start, ledger)]


def _by_series(totals: Sequence[Draft]) -> list[list[Draft]]:
    series: dict[tuple[str, str, str], list[Draft]] = {}
    for total in totals:
        series.setdefault(total.series, []).append(total)
    return list(series.values())


def _whole_months(totals: list[Draft], start: dt.date, ledger: Ledger) -> list[Draft]:
    days = sorted({total.end for total in totals})
    if not on_firsts_of_months(days):
        return totals
    firsts = [day for day in days if day.day == 1]
    names = firsts[0] == start.replace(day=1) and all(
        total.value != 0 for total in totals if total.end == firsts[0]
    )
    months = min(
        12 * (b.year - a.year) + b.month - a.month for a, b in itertools.pairwise(firsts)
    )  # of the periods: one, or three, or twelve
    moved = []
    for total in totals:
        end = (months_later(total.end, months) if names else total.end) - DAY
        if total.end.day != 1 or end < start:
            moved.append(total)
            continue
        published = end if names and total.published == total.end else total.published
        note = total.noted(f"dated {total.end}")
        moved.append(replace(total, end=end, published=published, note=note))
    until = "the end of the period that the date begins" if names else "the day before"
    ledger.remark(
        f"running totals on the firsts of months, taken as up to {until}",
        f"{len(firsts)} of {', '.join(totals[0].series[:2])}, first {firsts[0]}",
        totals[0].rows[0],
    )
    return moved


def _points(
    totals: Sequence[Draft], start: dt.date, settings: Settings, every: str, ledger: Ledger
) -> list[Draft]:
    """Difference a series of figures, or keep its totals."""
    settled = settle([_with_bounds_of_ranges(total) for total in totals], ledger)
    settled = continued(settled, settings.restart, ledger)
    mode = settings.cumulative or "auto"
    dense = is_dense(settled, settings.dense_days, settings.dense_totals)
    name = ", ".join(totals[0].series[:2]) if totals else ""
    if mode == "keep" or (mode == "auto" and not dense):
        if mode == "auto" and len(settled) > 1:
            ledger.remark(
                "sparse running totals of one origin, kept as sums that overlap",
                f"{len(settled)} of {name}",
            )
        return sums(settled, start, ledger)
    rising = never_falling(settled, ledger)
    thinned = thin(rising, every)
    pieces = increments(thinned, start, ledger)
    ledger.remark(
        "running totals of one origin, turned into increments that do not overlap",
        f"{len(settled)} of {name}: {len(pieces)} claims",
    )
    report_long_steps(name, rising, settings.gap_steps, ledger)
    report_coarse(name, thinned, settings.coarse, ledger)
    if on_first_days(settled):
        ledger.remark(
            "running totals on Mondays; dated by the first day of the week? (--week-start SOURCE)",
            name,
        )
    return [
        piece
        if piece.hedge == "exact"
        else replace(piece, hedge=hedge_of(piece.low, piece.value, piece.high)[0])
        for piece in pieces
    ]


def _with_bounds_of_ranges(total: Draft) -> Draft:
    """Leave the bounds of a range alone: those beside a figure are not of the same kind."""
    return total if total.hedge == "range" else replace(total, low=math.nan, high=math.nan)


def _bounds(
    totals: Sequence[Draft], start: dt.date, settings: Settings, every: str, ledger: Ledger
) -> list[Draft]:
    """Keep sums that are ranges or bounds: of one hedge and period the last."""
    last: dict[tuple[str, dt.date], Draft] = {}
    for hedge in dict.fromkeys(total.hedge for total in totals):
        settled = settle([total for total in totals if total.hedge == hedge], ledger)
        for total in continued(settled, settings.restart, ledger):
            place = (hedge, period_of(total.end, every)[0])
            if place in last:
                ledger.skip_all(
                    last[place].rows,
                    f"a later sum of the same origin and wording in the same {every} is kept",
                )
            last[place] = total
    drafts = []
    for total in last.values():
        if is_given(total.value) and total.value <= 0:
            ledger.skip_all(total.rows, "a total of 0 says nothing on a log scale")
        else:
            note = total.noted(f"sum up to {total.end}")
            drafts.append(replace(total, start=start, note=note))
    return drafts
