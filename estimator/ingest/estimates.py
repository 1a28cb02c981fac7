"""Estimates by many sources, each a running total since the start of the war, as claims."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from estimator.ingest.cells import is_given, shown, snake
from estimator.ingest.draft import Draft
from estimator.ingest.reading import Table
from estimator.ingest.series import Reported, totals_to_drafts
from estimator.ingest.settings import Origins, Settings, hedge_of, of_country
from estimator.ingest.totals import Piece, period_of

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
    reported = []
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
        reported.append(
            Reported(
                estimate.rows,
                (origin, estimate.quantity, settings.population_of(estimate.country)),
                day,
                hedge,
                low,
                value,
                high,
                {
                    "status": "claimed" if estimate.of_a_party else "estimated",
                    "speaker": speaker,
                    "citation": f"{estimate.source}, {_VIA}",
                    "locator": estimate.url,
                    "source": source,
                },
            )
        )
    origins.report(ledger)

    def make(item: Reported, piece: Piece, hedge: str) -> Draft:
        return _draft(item, piece, hedge, settings)

    return totals_to_drafts(reported, start, settings, ledger, make)


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


def _draft(item: Reported, piece: Piece, hedge: str, settings: Settings) -> Draft:
    origin, quantity, population = item.key
    return Draft(
        rows=piece.rows,
        quantity=quantity,
        start=piece.start,
        end=piece.end,
        value=piece.value,
        low=piece.low,
        high=piece.high,
        hedge=hedge,
        status=item.cells["status"],
        origin=origin,
        source=settings.source or item.cells["source"],
        published=settings.published or item.date,
        citation=settings.citation or item.cells["citation"],
        population=population,
        speaker=item.cells["speaker"],
        locator=item.cells["locator"],
        note=piece.note + ("" if settings.published else "; published: the row's date"),
    )
