"""Running totals of many origins at once: to claims, dense series as increments."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from estimator.ingest.cells import is_given
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.settings import Settings, hedge_of
from estimator.ingest.totals import (
    Piece,
    Total,
    increments,
    is_dense,
    never_falling,
    on_first_days,
    period_of,
    report_coarse,
    report_long_steps,
    settle,
    sums,
    thin,
)

_POINTS = ("about", "exact")


@dataclass(frozen=True)
class Reported:
    """A figure of a table, worded, with whose it is.

    Attributes
    ----------
    rows
        Of the table.
    key
        What makes a series: origin, quantity, population.
    date
        Of the figure; a running total holds up to it.
    hedge, low, value, high
        As in a claims table.
    cells
        Columns of the claim that come from the row.
    """

    rows: tuple[int, ...]
    key: tuple[str, str, str]
    date: dt.date
    hedge: str
    low: float
    value: float
    high: float
    cells: dict[str, str]

    @property
    def has_point(self) -> bool:
        """Whether it is a point that can be differenced: a figure, bounds or not."""
        return is_given(self.value) and self.hedge in (*_POINTS, "range")


MakeDraft = Callable[[Reported, Piece, str], Draft]


def totals_to_drafts(
    reported: Sequence[Reported],
    start: dt.date,
    settings: Settings,
    ledger: Ledger,
    make: MakeDraft,
) -> list[Draft]:
    """Turn running totals into drafts.

    Parameters
    ----------
    reported
        Running totals since `start`, of any origins and quantities.
    start
        Their first day.
    settings
        `cumulative`: ``auto`` differences a series where it is dense, and keeps sparse totals and
        those without a figure of their own (at least, up to, ranges) as sums from the start.
    ledger
        Gets what is left out, and what was differenced.
    make
        Makes a draft of a figure's cells, a piece and its hedge.
    """
    every = settings.every or "day"
    drafts: list[Draft] = []
    groups: dict[tuple[str, str, str], list[Reported]] = {}
    for item in reported:
        groups.setdefault(item.key, []).append(item)
    for key, items in groups.items():
        points = [item for item in items if item.has_point]
        others = [item for item in items if not item.has_point]
        drafts += _points(key, points, start, settings, every, ledger, make)
        drafts += _bounds(others, start, settings, every, ledger, make)
    return drafts


def _points(
    key: tuple[str, str, str],
    items: Sequence[Reported],
    start: dt.date,
    settings: Settings,
    every: str,
    ledger: Ledger,
    make: MakeDraft,
) -> list[Draft]:
    by_row = {item.rows: item for item in items}
    settled = settle([_total(item) for item in items], ledger)
    mode = settings.cumulative or "auto"
    dense = is_dense(settled, settings.dense_days, settings.dense_totals)
    if mode == "keep" or (mode == "auto" and not dense):
        if mode == "auto" and len(settled) > 1:
            ledger.remark(
                "sparse running totals of one origin, kept as sums that overlap",
                f"{len(settled)} of {key[0]}, {key[1]}",
            )
        return [
            make(by_row[piece.rows], piece, by_row[piece.rows].hedge)
            for piece in sums(settled, start, ledger)
        ]
    rising = never_falling(settled, ledger)
    thinned = thin(rising, every)
    pieces = increments(thinned, start, ledger)
    name = f"{key[0]}, {key[1]}"
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
    by_last = {item.rows[-1]: item for item in items}
    drafts = []
    for piece in pieces:
        item = by_last[piece.rows[-1]]
        worded = hedge_of(piece.low, piece.value, piece.high)[0]
        drafts.append(make(item, piece, item.hedge if item.hedge == "exact" else worded))
    return drafts


def _bounds(
    items: Sequence[Reported],
    start: dt.date,
    settings: Settings,
    every: str,
    ledger: Ledger,
    make: MakeDraft,
) -> list[Draft]:
    """Keep sums that are ranges or bounds: of one hedge and period the last."""
    drafts = []
    last: dict[tuple[str, dt.date], Reported] = {}
    for hedge in dict.fromkeys(item.hedge for item in items):
        same = {item.rows: item for item in items if item.hedge == hedge}
        for total in settle([_total(item) for item in same.values()], ledger):
            place = (hedge, period_of(total.date, every)[0])
            if place in last:
                ledger.skip_all(
                    last[place].rows,
                    f"a later sum of the same origin and wording in the same {every} is kept",
                )
            last[place] = same[total.rows]
    for item in last.values():
        note = f"sum up to {item.date}"
        piece = Piece(item.rows, start, item.date, item.value, item.low, item.high, note)
        if is_given(item.value) and item.value <= 0:
            ledger.skip_all(item.rows, "a total of 0 says nothing on a log scale")
        else:
            drafts.append(make(item, piece, item.hedge))
    return drafts


def _total(item: Reported) -> Total:
    whole = item.hedge == "range" or not item.has_point
    low, high = (item.low, item.high) if whole else (math.nan, math.nan)
    return Total(item.rows, item.date, item.value, low, high)
