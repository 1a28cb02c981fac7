"""From which days is forecast, and what: the origins of a back-test and their targets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estimator.assumptions import AssumptionSet
from estimator.errors import EvidenceError
from estimator.evidence import Evidence, load_evidence, quiet_evidence
from estimator.evidence.schema import POINTS
from estimator.quantity import COUNTS
from estimator.studies.backtest.options import BacktestOptions

_FIGURES = (
    *POINTS,
    "range",
    "nearly",
    "more_than",
)  # of "at least" or "under" nothing came to score

FORECAST, IN_HAND, VINTAGE = "forecast", "in hand", "vintage"
"""Kinds of targets: a month that is still to come, one of which the first part is known, and a
later claim on a period that has ended."""


@dataclass(frozen=True)
class Target:
    """One claim that is forecast.

    Attributes
    ----------
    claim, source
        Its id, and who reports what.
    row
        Its position among the claims of the evidence.
    kind
        `FORECAST`, `IN_HAND` or `VINTAGE`.
    month
        Position of its month in the window; of a vintage that of the last month of its period.
    horizon
        Months after the origin's; 0 for a vintage.
    published
        When it came.
    """

    claim: str
    source: str
    row: int
    kind: str
    month: int
    horizon: int
    published: dt.date


@dataclass(frozen=True)
class Origin:
    """A day from which is forecast.

    Attributes
    ----------
    month, position
        The last month whose figure was known, and its position in the window.
    as_of
        The day on which that was published; what was published later is unknown.
    targets
        What is forecast.
    """

    month: str
    position: int
    as_of: dt.date
    targets: tuple[Target, ...]


def evidence_as_of(
    assumptions: AssumptionSet, claims: pd.DataFrame | None, day: dt.date
) -> tuple[AssumptionSet, Evidence]:
    """Load what was known on a day.

    Returns
    -------
    assumptions, evidence
        The set with `evidence.as_of` at the day (or its own, if that is earlier).
    """
    own = assumptions.evidence.as_of
    as_of = day if own is None else min(day, own)
    evidence = assumptions.evidence.model_copy(update={"as_of": as_of})
    then = assumptions.model_copy(update={"evidence": evidence})
    with quiet_evidence():
        return then, load_evidence(then, claims)


def monthly_rows(evidence: Evidence, source: str) -> dict[int, int]:
    """Claims of a source on whole months that count, by the position of the month.

    Returns
    -------
    dict
        Position of the month in the window: position of the claim.
    """
    data = evidence.dataset
    whole = (data["weight"].values > 0).sum(axis=1) == 1
    first, last = (pd.to_datetime(data[name].values) for name in ("period_start", "period_end"))
    whole &= np.asarray((first.day == 1) & last.is_month_end)
    point = np.isin(data["hedge"].values, POINTS)
    rows = np.flatnonzero(whole & point & data["used"].values & (data["source"].values == source))
    return {int(np.argmax(data["weight"].values[row])): int(row) for row in rows}


def unknown_then(origin: Origin, then: Evidence) -> Origin:
    """Leave out months of which an earlier figure, revised since, was known on the origin's day.

    Parameters
    ----------
    origin
        With the targets that the last figures make.
    then
        What was known on its day.
    """
    known = {one.source: monthly_rows(then, one.source) for one in origin.targets}
    left = [t for t in origin.targets if t.kind != FORECAST or t.month not in known[t.source]]
    return replace(origin, targets=tuple(left))


def origins_of(
    assumptions: AssumptionSet, evidence: Evidence, options: BacktestOptions
) -> tuple[Origin, ...]:
    """List the origins of a set.

    Parameters
    ----------
    assumptions
        The set.
    evidence
        All that it counts, whenever it was published.
    options
        Sources, months and horizons.

    Raises
    ------
    EvidenceError
        If there is nothing to be forecast, with the reason.
    """
    data = evidence.dataset
    months = data["month"].values.tolist()
    known = {source: monthly_rows(evidence, source) for source in options.sources}
    lead = known[options.sources[0]]
    if not lead:
        raise EvidenceError(
            f"{assumptions.label}: no monthly figure of {options.sources[0]} counts in it "
            "(evidence.sources, evidence.origins, evidence.drop), so there is nothing to forecast"
        )
    published = [dt.date.fromisoformat(day) for day in data["published"].values.tolist()]
    last = options.last or months[max(len(months) - 2, 0)]
    found = []
    for position, row in sorted(lead.items()):
        if not options.first <= months[position] <= last:
            continue
        forecasts = _forecasts(evidence, known, published, position, published[row], options)
        if forecasts:
            vintages = _vintages(evidence, published, position, published[row], options)
            targets = (*forecasts, *vintages)
            found.append(Origin(months[position], position, published[row], targets))
    if not found:
        days = ", ".join(sorted({f"{published[row]}" for row in lead.values()})[:3])
        raise EvidenceError(
            f"{assumptions.label}: no month from {options.first} to {last} has a figure of "
            f"{options.sources[0]} after which another one was published (published: {days})"
        )
    return tuple(found)


def _forecasts(
    evidence: Evidence,
    known: dict[str, dict[int, int]],
    published: Sequence[dt.date],
    position: int,
    as_of: dt.date,
    options: BacktestOptions,
) -> list[Target]:
    """Months after the origin whose figures were not published by its day."""
    claims = evidence.dataset["claim"].values.tolist()
    return [
        Target(
            claim=claims[rows[month]],
            source=source,
            row=rows[month],
            kind=FORECAST,
            month=month,
            horizon=month - position,
            published=published[rows[month]],
        )
        for source, rows in known.items()
        for month in range(position + 1, position + options.horizons + 1)
        if month in rows and published[rows[month]] > as_of
    ]


def _vintages(
    evidence: Evidence,
    published: Sequence[dt.date],
    position: int,
    as_of: dt.date,
    options: BacktestOptions,
) -> list[Target]:
    """Claims published after the origin's day on periods that end by its month.

    A bound alone (at least, under, up to) is no figure that a range could hold.
    """
    data = evidence.dataset
    end = pd.Period(str(data["month"].values[position]), freq="M").end_time.date()
    found = []
    for row, (origin, quantity, last) in enumerate(
        zip(
            *(data[name].values.tolist() for name in ("origin", "quantity", "period_end")),
            strict=True,
        )
    ):
        wanted = options.vintages == "all" or origin in options.vintages
        wanted &= str(data["hedge"].values[row]) in _FIGURES
        if not (wanted and data["used"].values[row] and quantity in COUNTS):
            continue
        if published[row] > as_of and dt.date.fromisoformat(last) <= end:
            month = int(np.flatnonzero(data["weight"].values[row])[-1])
            source = f"{origin}:{quantity}"
            claim = str(data["claim"].values[row])
            found.append(Target(claim, source, row, VINTAGE, month, 0, published[row]))
    return found
