"""Weekly counts of the dead from a registry: estimates with bounds, and names counted one by one.

A table by ISO year and week. The estimate becomes a claim on the killed (``about``, with the
registry's own interval); the count of names is a floor of its own origin, ``<origin>_named``, with
the hedge ``at_least``. Such counts grow with every vintage, so the day of publication is needed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from estimator.errors import IngestError
from estimator.ingest.cells import RowSkipped, figure, is_empty, is_given, shown, snake, whole
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.reading import Columns, each_row, read_csv
from estimator.ingest.settings import Settings
from estimator.ingest.zeros import zeros_joined

# The aliases are the columns of the weekly table that Mediazona and Meduza publish; of its sums
# "assembled" is the one that its schema calls the most trusted.
ALIASES = {
    "edassembled": "estimate",
    "edassembledlow": "estimate_low",
    "edassembledhigh": "estimate_high",
    "bmznow": "named",
}
_ISO_WEEK = re.compile(r"(?:([0-9]{4})-?)?W([0-9]{1,2})", re.IGNORECASE)  # 2024-W05, 2024W05, W05
COLUMNS = Columns(
    ("week",),
    (
        "year",
        "estimate",
        "estimate_low",
        "estimate_high",
        "named",
        *(f"bmz{year}" for year in range(2022, 2031)),
        "ecsuperlates",
        "edsuperlatesfromcoeffs",
        "edsuperlatescourts",
        "ed",
        "edhigh",
        "edlow",
        "edprediction",
        "edpredictionhigh",
        "edpredictionlow",
    ),
    ALIASES,
)
ORIGIN = "weekly_registry"
SOURCE = "weekly_registry"
_NEEDED = ("estimate", "named")


@dataclass(frozen=True)
class _Week:
    row: int
    start: dt.date
    end: dt.date
    low: float
    estimate: float
    high: float
    named: float

    @property
    def figures(self) -> tuple[float | None, ...]:
        """Figures that can be compared: None for those that are not given."""
        found = (self.low, self.estimate, self.high, self.named)
        return tuple(f if is_given(f) else None for f in found)


def read(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read the weeks; estimates and counts of names become claims on the killed.

    Raises
    ------
    IngestError
        If it is not such a table, or the day of publication or whose dead it counts is not given.
    """
    if settings.published is None:
        raise IngestError(
            "a registry grows: say of which day the table is with --published YYYY-MM-DD"
        )
    if settings.country is None and settings.population is None:
        raise IngestError("say whose dead are counted with --country NAME or --population NAME")
    table = read_csv(path, COLUMNS, settings.max_megabytes)
    if not set(table.columns) & set(_NEEDED):
        raise IngestError(
            f"{path}: neither 'estimate' nor 'named' is among the columns; aliases: "
            + ", ".join(f"{alias} ({name})" for alias, name in ALIASES.items())
        )
    ledger = table.ledger
    weeks = each_row(table, lambda number, cells: _week(number, cells, settings, ledger))
    settled = _settled(weeks, ledger)
    _report_gaps(settled, ledger)
    drafts = []
    for week in settled:
        drafts += _drafts(week, settings, ledger)
    return ledger, zeros_joined(drafts, ledger)


def _week(number: int, cells: dict[str, str], settings: Settings, ledger: Ledger) -> _Week:
    if not any(cell.strip() for cell in cells.values()):
        raise RowSkipped("empty line", bad=False)
    year, count = _iso_week(cells.get("year", ""), cells["week"])
    try:
        start = dt.date.fromisocalendar(year, count, 1)
        end = start + dt.timedelta(days=6)
    except (ValueError, OverflowError) as error:
        raise RowSkipped("not an ISO week", f"{year}, week {count}") from error
    if not 1900 <= year <= 2199:
        raise RowSkipped("year: not from 1900 to 2199", str(year))
    if settings.published is not None and start > settings.published:
        raise RowSkipped("a week after the day of publication", f"{start}")
    if settings.war_start is not None:
        if end < settings.war_start:
            raise RowSkipped("before --war-start", f"{start} to {end}", bad=False)
        start = max(start, settings.war_start)
    low, estimate, high, named = (
        _optional(number, cells, name, ledger)
        for name in ("estimate_low", "estimate", "estimate_high", "named")
    )
    if not (is_given(estimate) or is_given(named) or (is_given(low) and is_given(high))):
        raise RowSkipped("neither an estimate nor a count of names")
    return _Week(number, start, end, low, estimate, high, named)


def _iso_week(year: str, week: str) -> tuple[int, int]:
    """ISO year and number of a week, of two cells, or of one as 2024-W05."""
    match = _ISO_WEEK.fullmatch(week.strip())
    if match is None:
        return whole(year, "year"), whole(week, "week")
    said = match.group(1) or year
    if match.group(1) and not is_empty(year) and whole(year, "year") != int(match.group(1)):
        raise RowSkipped("year and week name two years", f"{shown(year)}, {shown(week)}")
    return whole(said, "year"), int(match.group(2))


def _optional(number: int, cells: dict[str, str], name: str, ledger: Ledger) -> float:
    """Figure of a column that may be missing; a bad cell is told, and the row's others are used."""
    try:
        return figure(cells.get(name, ""), name)
    except RowSkipped as bad:
        ledger.remark(f"cell not used: {bad.reason}", bad.detail, number, bad=True)
        return math.nan


def _settled(weeks: Sequence[_Week], ledger: Ledger) -> list[_Week]:
    same: dict[dt.date, list[_Week]] = {}
    for week in weeks:
        same.setdefault(week.end, []).append(week)
    settled = []
    for end in sorted(same):
        first, *others = same[end]
        if any(other.figures != first.figures for other in others):
            for week in same[end]:
                ledger.skip(week.row, "contradicts another row of the same week", bad=True)
            continue
        for other in others:
            ledger.skip(other.row, "repeats another row", f"row {first.row}")
        settled.append(first)
    return settled


def _report_gaps(weeks: Sequence[_Week], ledger: Ledger) -> None:
    """Tell of weeks without a row between the first and the last."""
    for one, other in itertools.pairwise(weeks):
        missing = (other.end - one.end).days // 7 - 1
        if missing:
            ledger.remark("weeks without a row", f"{missing} after {one.end}", other.row)


def _drafts(week: _Week, settings: Settings, ledger: Ledger) -> list[Draft]:
    drafts = []
    hedge, low, value, high = _estimate(week, ledger)
    if hedge:
        drafts.append(_draft(week, settings, "", hedge, low, value, high))
    elif week.estimate == 0 and not (week.high > 0 or week.named > 0):
        nothing = math.nan  # a zero that `zeros_joined` finds its place for
        drafts.append(_draft(week, settings, "", "about", nothing, 0.0, nothing))
    elif not is_given(week.estimate) and is_given(week.named):
        ledger.remark("no estimate in the row, names alone", row=week.row)
    if week.named > 0:
        drafts.append(_draft(week, settings, "_named", "at_least", math.nan, week.named, math.nan))
    if not drafts:
        ledger.skip(week.row, "no figure above 0: says nothing on a log scale")
    return drafts


def _estimate(week: _Week, ledger: Ledger) -> tuple[str, float, float, float]:
    """Hedge and figures of the estimate; an empty hedge if there is none above 0."""
    low, value, high = week.low, week.estimate, week.high
    nothing = math.nan
    both = is_given(low) and is_given(high)
    if not is_given(value):
        return ("range", low, nothing, high) if low < high else ("", nothing, nothing, nothing)
    if value <= 0:
        return "", nothing, nothing, nothing
    if both and low <= value <= high:
        return "about", low, value, high
    if is_given(low) or is_given(high):
        ledger.remark(
            "bounds that do not enclose the estimate, not used",
            f"{low:,.10g} to {high:,.10g}, {value:,.10g}",
            week.row,
        )
    return "about", nothing, value, nothing


def _draft(
    week: _Week,
    settings: Settings,
    suffix: str,
    hedge: str,
    low: float,
    value: float,
    high: float,
) -> Draft:
    published = settings.published or week.end
    origin = settings.origins.get("", ORIGIN)
    population = settings.population or f"{snake(settings.country or '')}_forces_named_registry"
    iso = week.end.isocalendar()
    counted = "names counted by the day of publication" if suffix else "estimate"
    return Draft(
        rows=(week.row,),
        quantity="killed",
        start=week.start,
        end=week.end,
        value=value,
        low=low,
        high=high,
        hedge=hedge,
        status="estimated",
        origin=f"{origin}{suffix}",
        source=settings.source or SOURCE,
        published=published,
        citation=settings.citation or f"{origin}, weekly registry counts as of {published}",
        population=population,
        speaker=settings.speaker or "third_party",
        note=f"{counted}, ISO week {iso.year}-W{iso.week:02d}",
    )
