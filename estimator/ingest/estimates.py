"""Estimates by many sources, each a running total since the start of the war, as claims."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from estimator.ingest.cells import is_given, shown, snake
from estimator.ingest.draft import Draft
from estimator.ingest.reading import Table
from estimator.ingest.series import totals_to_drafts, whole_months
from estimator.ingest.settings import Origins, Settings, hedge_of, of_country
from estimator.ingest.totals import period_of

_VIA = "as listed by The Economist, Ukraine war dead and wounded estimates"


@dataclass(frozen=True)
class Estimate:
    """A running total with its source.

    Attributes
    ----------
    rows
        Of the table.
    date
        Up to and with it.
    source, country, quantity
        Whose estimate of what.
    low, value, high
        In persons; NaN where not given.
    url
        Where it was published.
    of_a_party
        Whether the table says that the source is a party to the war.
    """

    rows: tuple[int, ...]
    date: dt.date
    source: str
    country: str
    quantity: str
    low: float
    value: float
    high: float
    url: str = ""
    of_a_party: bool = False


def estimates_to_drafts(
    table: Table,
    estimates: Sequence[Estimate],
    start: dt.date,
    settings: Settings,
    source: str,
) -> list[Draft]:
    """Turn estimates into drafts.

    Parameters
    ----------
    table
        Whose ledger gets what is left out.
    estimates
        Running totals since `start`.
    start
        First day of the war.
    settings
        Options.
    source
        Where they were published, unless the settings say otherwise.

    Raises
    ------
    IngestError
        If no estimate is of the country of the settings.
    """
    ledger = table.ledger
    countries = [estimate.country for estimate in estimates]
    wanted = of_country(table, settings.country, countries, settings.population)
    origins = Origins(settings)
    totals = []
    for estimate in estimates:
        if wanted is not None and snake(estimate.country) != wanted:
            ledger.skip_all(estimate.rows, "of another country", shown(estimate.country))
            continue
        problem, bad = _problem(estimate, start)
        if problem:
            ledger.skip_all(estimate.rows, problem, str(estimate.date), bad=bad)
            continue
        origin = origins.of(estimate.source, estimate.quantity)
        speaker = origins.speaker_of(estimate.source, "" if estimate.of_a_party else "third_party")
        if not speaker:
            ledger.remark(
                "a party to the war, own or enemy is not said: --speaker SOURCE=WHO",
                estimate.source,
                estimate.rows[0],
            )
        day = estimate.date
        if origins.begins_week(estimate.source):
            day = period_of(day, "week")[1]
        low, value, high = estimate.low, estimate.value, estimate.high
        if not low < high and is_given(low) and is_given(high) and is_given(value) and low != high:
            ledger.remark("bounds the wrong way round, not used", row=estimate.rows[0])
            low = high = math.nan
        hedge, low, value, high = hedge_of(low, value, high)
        totals.append(
            Draft(
                rows=estimate.rows,
                quantity=estimate.quantity,
                start=start,
                end=day,
                low=low,
                value=value,
                high=high,
                hedge=hedge,
                status="claimed" if estimate.of_a_party else "estimated",
                origin=origin,
                source=settings.source or source,
                published=settings.published or day,
                citation=settings.citation or f"{estimate.source}, {_VIA}",
                population=settings.population_of(estimate.country),
                speaker=speaker,
                locator=estimate.url,
                note="" if settings.published else "published: the row's date",
            )
        )
    origins.report(ledger)
    return totals_to_drafts(whole_months(totals, start, ledger), start, settings, ledger)


def _problem(estimate: Estimate, start: dt.date) -> tuple[str, bool]:
    figures = [f for f in (estimate.low, estimate.value, estimate.high) if is_given(f)]
    low, value, high = estimate.low, estimate.value, estimate.high
    if not figures:
        return "no figure", True
    if estimate.date < start:
        return "before the start of the war", True
    if max(figures) <= 0:
        return "a total of 0 says nothing on a log scale", False
    if not is_given(value) and low > high:
        return "estimate_low above estimate_high", True
    if low <= high and (value < low or value > high):
        return "estimate not between its bounds", True
    return "", False
