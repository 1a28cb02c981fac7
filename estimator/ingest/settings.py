"""What a user may say of a table beside the table itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.errors import IngestError, nearest
from estimator.ingest.cells import is_given, plain, shown, snake
from estimator.ingest.ledger import Ledger
from estimator.quantity import CLAIMED

if TYPE_CHECKING:
    from estimator.ingest.reading import Table
    from estimator.ingest.restarts import Restart

_NAMES_SHOWN = 12
SPEAKERS = ("own", "enemy", "third_party")


@dataclass(frozen=True)
class Settings:
    """Options of one ingestion; None or 0: as the format or ``conf/ingest`` says.

    Attributes
    ----------
    origins
        Origin by the table's name of a source, or by ``source:quantity``; the key "" stands for
        all others.
    source, citation, population, speaker
        Cells of all claims.
    speakers
        Speaker by the table's name of a source; before `speaker`.
    prefix
        Stands before the ids of all claims, for tables that are used together.
    country
        Only rows of this country; where the format has no such column, whose forces it counts.
    sides
        Parties whose dead are asked for, as the events name them.
    war_start
        First day of what is totalled.
    published
        Day of publication of all claims.
    every
        Length of the periods: day, week, month.
    cumulative
        What becomes of running totals: `auto`, `difference`, `keep`.
    dense_days, dense_totals
        How close together, and how many, running totals make a series that is differenced.
    gap_steps, coarse
        What is told of such a series: steps so many times the usual, and differences of which so
        large a share may be rounding.
    restart
        What makes totals that fall a count that begins anew. None: none is looked for.
    week_start
        Sources whose totals are dated by the first day of the week that they hold to its end.
    mapping
        File that says what the columns of any table mean.
    max_megabytes
        Larger files are refused.
    """

    origins: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    citation: str | None = None
    population: str | None = None
    speaker: str | None = None
    speakers: Mapping[str, str] = field(default_factory=dict)
    prefix: str | None = None
    country: str | None = None
    sides: tuple[str, ...] = ()
    war_start: dt.date | None = None
    published: dt.date | None = None
    every: str | None = None
    cumulative: str | None = None
    dense_days: float = 0.0
    dense_totals: int = 0
    gap_steps: float = 0.0
    coarse: float = 0.0
    restart: Restart | None = None
    week_start: tuple[str, ...] = ()
    mapping: Path | None = None
    max_megabytes: float = 0.0

    def need_war_start(self, why: str) -> dt.date:
        """Return the first day of the war.

        Raises
        ------
        IngestError
            If it was not given.
        """
        if self.war_start is None:
            raise IngestError(f"{why}: say from which day on with --war-start YYYY-MM-DD")
        return self.war_start

    def check_war_start(self, said: dt.date, by: str) -> None:
        """Refuse a start later than the table's: the first total holds what came before.

        Raises
        ------
        IngestError
            If it is later than `said`, the start by the words of `by`.
        """
        if self.war_start is not None and self.war_start > said:
            raise IngestError(
                f"--war-start: found {self.war_start}; allowed: up to {said}, from which on the "
                f"totals count by {by} (a run begins later with window.start)"
            )

    def population_of(self, country: str) -> str:
        """Name of the population that the figures of a country's forces count."""
        return self.population or f"{snake(country)}_forces"


def _source_key(text: str) -> str:
    """Key of what was said of a source, or of its figures on one quantity (``source:quantity``)."""
    source, _, quantity = text.rpartition(":")
    if source and quantity.strip() in CLAIMED:
        return f"{snake(source)}:{quantity.strip()}"
    return snake(text) if text else ""


class Origins:
    """What was said of a table's sources by their names; remembers which names became one."""

    def __init__(self, settings: Settings) -> None:
        self._given = {_source_key(key): name for key, name in settings.origins.items()}
        self._speakers = {snake(key): who for key, who in settings.speakers.items()}
        self._week_start = frozenset(map(snake, settings.week_start))
        self._speaker = settings.speaker
        self._names: dict[str, set[str]] = {}
        self._met: set[str] = set()

    def of(self, source: str, quantity: str) -> str:
        """Origin of a source's figures on a quantity.

        What was given for both, for the source, for all, or its name in snake_case.
        """
        name = snake(source)
        keys = (f"{name}:{quantity}", name)
        self._met.update(keys)
        for key in (*keys, ""):
            if key in self._given:
                return self._given[key]
        self._names.setdefault(name, set()).add(plain(source))
        return name

    def speaker_of(self, source: str, otherwise: str) -> str:
        """Speaker of a source: what was given for it, for all, or `otherwise`."""
        return self._speakers.get(snake(source)) or self._speaker or otherwise

    def begins_week(self, source: str) -> bool:
        """Whether totals of a source are dated by the first day of the week that they hold."""
        return snake(source) in self._week_start

    def report(self, ledger: Ledger) -> None:
        """Tell of sources whose names became one origin, and of given names that were not met."""
        for name, texts in sorted(self._names.items()):
            if len(texts) > 1:
                ledger.remark(
                    "several sources have one origin by their names",
                    f"{name}: {', '.join(sorted(map(repr, texts)))}",
                )
        for what, given in (
            ("an origin", self._given),
            ("a speaker", self._speakers),
            ("--week-start", self._week_start),
        ):
            for name in sorted(set(given) - self._met - {""}):
                ledger.remark(f"{what} was given for a source that no row has", name)


def hedge_of(low: float, value: float, high: float) -> tuple[str, float, float, float]:
    """Wording that fits the figures that a row has: (hedge, low, value, high).

    Both bounds make a ``range`` (with a best guess, if there is one), one bound alone ``at_least``
    or ``up_to``, a figure alone ``about``. One bound beside a figure is left out.
    """
    nothing = float("nan")
    if is_given(low) and is_given(high) and low < high:
        return "range", low, value, high
    if is_given(value) or (is_given(low) and low == high):
        return "about", nothing, value if is_given(value) else low, nothing
    return (
        ("at_least", nothing, low, nothing) if is_given(low) else ("up_to", nothing, high, nothing)
    )


def of_country(
    table: Table, country: str | None, found: Sequence[str], population: str | None = None
) -> str | None:
    """Country to filter by, in snake_case.

    Raises
    ------
    IngestError
        If no row is of it, or rows of several countries would be figures on one `population`.
    """
    names = sorted(set(found))
    if country is None and population is not None and len({snake(name) for name in names}) > 1:
        raise IngestError(
            f"{table.path}: one --population for rows of several countries: say which with "
            f"--country NAME. Found: {', '.join(map(shown, names[:_NAMES_SHOWN]))}"
        )
    if country is None or not found:
        return None
    if snake(country) not in {snake(name) for name in names}:
        raise IngestError(
            f"{table.path}: no row is of country {country!r}; {nearest(country, names)}"
        )
    return snake(country)
