"""The kinds of tables that are met in this field, each made of a war whose truth is known.

A kind is one function below, with its line in `KINDS`: of those who report on a war it makes tables
as somebody would have them, a claims table or a table of others that `estimator ingest` takes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from estimator.cli import main
from estimator.evidence.schema import REQUIRED_COLUMNS
from tests.benchmarks.war_truth import POPULATION, Press, Reporter, War, happened, ratio, rounded

Row = Mapping[str, object]

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Table:
    """A file as somebody has it.

    Attributes
    ----------
    name, text
        The file's name and what is in it.
    words
        What `estimator ingest` is told of it, the format first; empty: it is a claims table.
    mapping
        The mapping file, if there is one.
    """

    name: str
    text: str
    words: tuple[str, ...] = ()
    mapping: str = ""

    def claims(self, folder: Path) -> Path:
        """Write it into a folder, ingest it if need be, and return the claims table.

        Raises
        ------
        ValueError
            If `estimator ingest` refuses it.
        """
        path = folder / self.name
        path.write_text(self.text, encoding="utf-8")
        if not self.words:
            return path
        style, *options = self.words
        if self.mapping:
            mapping = folder / f"{path.stem}.yaml"
            mapping.write_text(self.mapping, encoding="utf-8")
            options += ["--mapping", str(mapping)]
        claims = folder / f"{path.stem}.claims.csv"
        options += ["--population", POPULATION, "-o", str(claims), "--force"]
        if status := main(["ingest", style, str(path), *options]):
            raise ValueError(f"{self.name}: estimator ingest ended with status {status}")
        return claims


@dataclass(frozen=True)
class Kind:
    """A kind of war and of its tables.

    Attributes
    ----------
    description
        What the tables are, in one line.
    first, months
        First day of the war, and how long it lasts.
    losses
        Usual losses of a month; the seed makes it up to twice as many or few.
    tables
        Makes the tables.
    also
        Quantities that are reported beside losses or killed.
    pace
        What the log losses change in a month; None: the seed says.
    """

    description: str
    first: str
    months: int
    losses: float
    tables: Callable[[Press], list[Table]]
    also: tuple[str, ...] = ()
    pace: float | None = None

    def made(self, name: str, seed: int) -> tuple[War, list[Table]]:
        """Draw a war and its tables; the same seed draws the same."""
        root = np.random.SeedSequence([zlib.crc32(name.encode()), seed])
        of_war, of_press = (np.random.default_rng(child) for child in root.spawn(2))
        first = pd.Timestamp(self.first)
        after = first + pd.DateOffset(months=self.months)
        days = pd.date_range(first, after, inclusive="left")
        losses = self.losses * ratio(of_war, 0.5, 2.0)
        war = happened(of_war, days, losses, self.pace)
        return war, self.tables(Press(war, of_press))


def claims_table(rows: Iterable[Row], name: str = "claims.csv") -> Table:
    """Make a claims table; figures of 0 are left out, as they say nothing on a log scale."""
    kept = [row for row in rows if row["value"] != 0]
    columns = dict.fromkeys([*REQUIRED_COLUMNS, *(cell for row in kept for cell in row)])
    return Table(name, _csv(list(columns), ([row.get(c, "") for c in columns] for row in kept)))


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()


def _mapping(figures: str, **columns: str) -> str:
    """Write a mapping: columns of a claim by name, or ``=word`` for a constant."""
    cells = {"citation": "=made up", "status": "=estimated", "speaker": "=third_party"} | columns
    lines = [
        f"  {name}: {{constant: {cell[1:]}}}" if cell.startswith("=") else f"  {name}: {cell}"
        for name, cell in cells.items()
    ]
    return "\n".join(["columns:", *lines, f"figures: {figures}", ""])


def _days(war: War) -> list[dt.date]:
    return [day.date() for day in war.days]


def _found(press: Press, quantity: str, share: float) -> np.ndarray:
    """Persons a day who are found, one by one, of all of them."""
    return press.rng.binomial(press.war.daily[quantity], share)


def _floor(press: Press, quantity: str, **cells: object) -> list[Row]:
    """Confirmed figures by month: less than the truth by a factor that hardly changes."""
    unconfirmed, spread = ratio(press.rng, 0.02, 1.5), ratio(press.rng, 0.2, 1.0)
    reporter = press.reporter("video")
    rows = []
    for first, last in press.war.spans(months=1):
        beside = unconfirmed * np.exp(spread * press.rng.normal())
        seen = press.rng.binomial(press.war.between(quantity, first, last), 1 / (1 + beside))
        row = {"value": seen, "hedge": "exact", "status": "confirmed"} | cells
        rows.append(reporter.claim(quantity, first, last, **row))
    return rows


def _series(
    reporter: Reporter, quantity: str, months: int = 1, days: int = 0, **cells: object
) -> list[Row]:
    """Figures of one reporter for all periods of so many months or days."""
    spans = reporter.war.spans(0 if days else months, days)
    return [reporter.claim(quantity, *span, **cells) for span in spans]


def weekly_registry(press: Press) -> list[Table]:
    registry = press.reporter("registry")
    names = _found(press, "killed", 0.45)
    rows = []
    for first, last in _weeks(press.war):
        estimate = registry.says("killed", first, last)
        begin = (first - press.war.first).days
        low, high = round(0.92 * estimate), round(1.09 * estimate)
        year, week, _ = first.isocalendar()
        rows.append((year, week, low, estimate, high, names[begin : begin + 7].sum()))
    header = ("year", "week", "estimate_low", "estimate", "estimate_high", "named")
    published = press.war.last + 60 * ONE_DAY
    words = ("weekly-registry", "--published", f"{published}", "--origin", "registry")
    return [Table("weeks.csv", _csv(header, rows), words)]


def _weeks(war: War) -> list[tuple[dt.date, dt.date]]:
    """Whole weeks from Monday to Sunday."""
    monday = war.first + (-war.first.weekday() % 7) * ONE_DAY
    count = ((war.last - monday).days + 1) // 7
    begins = [monday + 7 * n * ONE_DAY for n in range(count)]
    return [(begin, begin + 6 * ONE_DAY) for begin in begins]


def _named(press: Press, every: tuple[str, ...]) -> list[Table]:
    named = _found(press, "killed", 0.5)
    rows = [(day, n) for day, n in zip(_days(press.war), named, strict=True) if n]
    mapping = _mapping(
        "day", period_end="date", value="names", quantity="=killed", origin="=list_of_names",
        hedge="=at_least",
    )  # fmt: skip
    published = press.war.last + 200 * ONE_DAY
    words = ("mapping", *every, "--published", f"{published}")
    return [Table("names.csv", _csv(("date", "names"), rows), words, mapping)]


def named_by_month(press: Press) -> list[Table]:
    return _named(press, ("--every", "month", "--war-start", f"{press.war.first}"))


def named_by_day(press: Press) -> list[Table]:
    return _named(press, ())


def sparse_totals(press: Press) -> list[Table]:
    rows = []
    for name in ("institute", "ministry", "paper"):
        reporter = press.reporter(name)
        count = len(press.war.days)
        for day in np.sort(press.rng.integers(90, count, 4)):
            last = press.war.days[day].date()
            for quantity in ("losses", "killed"):
                if quantity == "killed" and press.rng.random() < 0.5:
                    continue
                value = reporter.says(quantity, press.war.first, last)
                cells: dict[str, object] = {"value": value}
                if name == "ministry":
                    ends = {"low": rounded(0.85 * value), "high": rounded(1.15 * value)}
                    cells = {"hedge": "range", "value": ""} | ends
                rows.append(reporter.claim(quantity, press.war.first, last, **cells))
    return [claims_table(rows)]


def _events(press: Press, share: float) -> list[tuple[dt.date, int]]:
    """Days with dead, and how many of them are counted."""
    counted = _found(press, "killed", share)
    return [(day, int(n)) for day, n in zip(_days(press.war), counted, strict=True)]


def ged_events(press: Press) -> list[Table]:
    header = (
        "id", "type_of_violence", "side_a", "side_b", "country", "date_start", "date_end",
        "deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best", "high", "low",
    )  # fmt: skip
    sides = ("Government of Ruritania", "Rebels")
    rows = [
        (n, 1, *sides, "Ruritania", day, day, dead, 0, 0, 0, dead, round(1.3 * dead), dead)
        for n, (day, dead) in enumerate(_events(press, 0.8))
        if dead
    ]
    published = press.war.last + 200 * ONE_DAY
    words = ("ucdp-ged", "--side", sides[0], "--published", f"{published}")
    return [Table("events.csv", _csv(header, rows), words)]


_EVENT_DAYS = {"period_end": "date", "value": "dead", "quantity": "=killed", "origin": "=press"}


def events_summed(press: Press) -> list[Table]:
    rows = [row for row in _events(press, 0.8) if row[1]]
    table = _csv(("date", "dead"), rows)
    words = ("mapping", "--every", "month", "--war-start", f"{press.war.first}")
    return [Table("events.csv", table, words, _mapping("day", **_EVENT_DAYS))]


def quiet_days_listed(press: Press) -> list[Table]:
    table = _csv(("date", "dead"), _events(press, 0.8))
    return [Table("days.csv", table, ("mapping",), _mapping("day", **_EVENT_DAYS))]


def busy_days(press: Press) -> list[Table]:
    reporter = press.reporter("war_diary", "own")
    rows = [(day, round(reporter.says("killed", day, day))) for day in _days(press.war)]
    columns = _EVENT_DAYS | {"speaker": "=own"}
    return [
        Table("diary.csv", _csv(("date", "dead"), rows), ("mapping",), _mapping("day", **columns))
    ]


def floor_and_estimate(press: Press) -> list[Table]:
    return [
        claims_table([*_floor(press, "losses"), *_series(press.reporter("institute"), "losses")])
    ]


def floor_alone(press: Press) -> list[Table]:
    return [claims_table(_floor(press, "killed"))]


def returns_of_an_army(press: Press) -> list[Table]:
    own, enemy = press.reporter("own_staff", "own"), press.reporter("enemy_staff", "enemy")
    rows = [*_series(own, "killed"), *_series(own, "wounded"), *_series(enemy, "losses", months=3)]
    return [claims_table(rows)]


def months_with_zeros(press: Press) -> list[Table]:
    killed = press.war.by_month("killed")
    mapping = _mapping(
        "month", period_end="month", value="dead", quantity="=killed", origin="=office"
    )
    table = _csv(("month", "dead"), killed.items())
    return [Table("months.csv", table, ("mapping",), f'{mapping}date_format: "%Y-%m"\n')]


def restarts(press: Press) -> list[Table]:
    office = press.reporter("office")
    weeks = press.war.spans(days=7)
    rows, total = [], 0
    for n, (first, last) in enumerate(weeks):
        if n in (len(weeks) // 3, 2 * len(weeks) // 3):
            total = 0
        total += round(office.says("killed", first, last))
        rows.append((last, total))
    mapping = _mapping(
        "cumulative", period_end="date", value="total", quantity="=killed", origin="=office"
    )
    words = ("mapping", "--war-start", f"{press.war.first}", "--every", "month")
    return [Table("totals.csv", _csv(("date", "total"), rows), words, mapping)]


def disagreeing(press: Press) -> list[Table]:
    rows = []
    for name, speaker in (
        ("enemy_a", "enemy"), ("enemy_b", "enemy"), ("own_a", "own"), ("own_b", "own"),
        ("institute_a", "third_party"), ("institute_b", "third_party"), ("paper", "third_party"),
    ):  # fmt: skip
        reporter = press.reporter(name, speaker)
        for quantity in ("losses", "killed"):
            rows += _series(reporter, quantity)
    return [claims_table(rows)]


def daily_totals(press: Press) -> list[Table]:
    staff = press.reporter("staff", "enemy")
    total, records = 0, []
    for n, day in enumerate(_days(press.war), start=1):
        total += round(staff.says("losses", day, day))
        records.append({"date": f"{day}", "day": n, "personnel": total})
    words = ("general-staff", "--origin", "enemy_staff")
    return [Table("losses.json", json.dumps(records), words)]


def list_of_estimates(press: Press) -> list[Table]:
    header = (
        "date", "estimate_low", "estimate_high", "estimate", "type", "source", "source_url",
        "country", "ignore for chart, data from warring parties",
    )  # fmt: skip
    rows = []
    for name, flag in (
        ("Institute A", ""),
        ("Ministry B", ""),
        ("Paper C", ""),
        ("Staff D", "TRUE"),
    ):
        reporter = press.reporter(name, "")
        for day in np.sort(press.rng.integers(60, len(press.war.days), 6)):
            last = press.war.days[day].date()
            kind, quantity = (("deaths", "killed"), ("casualties", "losses"))[press.rng.integers(2)]
            value = reporter.says(quantity, press.war.first, last)
            low = round(0.8 * value) if press.rng.random() < 0.4 else ""
            high = round(1.2 * value) if low else ""
            middle = "" if low and press.rng.random() < 0.5 else value
            link = "https://example.org"
            rows.append(
                (f"{last:%d/%m/%Y}", low, high, middle, kind, name, link, "ruritania", flag)
            )
    words = ("economist-list", "--war-start", f"{press.war.first}", "--country", "ruritania")
    return [Table("list.csv", _csv(header, rows), words)]


def replication_table(press: Press) -> list[Table]:
    header = (
        "days", "loss_count", "loss_type", "result", "claim_source", "time_frame", "loss_country",
        "minimum", "maximum", "category", "source_target",
    )  # fmt: skip
    categories = {"Military Deaths": "killed", "Military Casualties": "losses"}
    rows = []
    for source, speaker in (
        ("UA Source", "enemy"), ("RU Source", "own"), ("Western Source", "third_party"),
    ):  # fmt: skip
        reporter = press.reporter(source, speaker)
        for day in np.sort(press.rng.choice(np.arange(10, len(press.war.days)), 40, replace=False)):
            last = press.war.days[day].date()
            for category, quantity in categories.items():
                value = reporter.says(quantity, press.war.first, last)
                least = int(press.rng.random() < 0.15)
                of = f"{category}-Russia"
                rows.append(
                    (day + 1, round(value * (0.9 if least else 1)), of, "loss", source,
                     "Cumulative", "Russia", least, 0, category, f"{source}-Russia")
                )  # fmt: skip
    return [Table("reports.csv", _csv(header, rows), ("radford", "--country", "Russia"))]


def yearly_killed(press: Press) -> list[Table]:
    return [claims_table(_series(press.reporter("historian", ""), "killed", months=12))]


def one_total(press: Press) -> list[Table]:
    historian = press.reporter("historian", "")
    return [claims_table([historian.claim("losses", press.war.first, press.war.last)])]


def short_war(press: Press) -> list[Table]:
    staff = press.reporter("own_staff", "own")
    rows = [*_series(staff, "killed", hedge="exact"), *_series(staff, "wounded", hedge="exact")]
    return [claims_table(rows)]


def force_and_recruits(press: Press) -> list[Table]:
    enemy, own, other = (
        press.reporter("enemy_staff", "enemy"),
        press.reporter("own_ministry", "own"),
        press.reporter("institute"),
    )
    halves = [last for _, last in press.war.spans(months=6)]
    rows = [
        *_series(enemy, "losses"),
        *_series(own, "recruits", months=6),
        *(other.claim("force_size", press.war.first, last) for last in halves),
        *_series(other, "killed", months=12),
    ]
    return [claims_table(rows)]


def bounds(press: Press) -> list[Table]:
    least, most = press.reporter("own_staff", "own"), press.reporter("enemy_staff", "enemy")
    rows = [
        *_series(least, "losses", hedge="at_least", status="claimed"),
        *_series(most, "losses", hedge="up_to", status="claimed"),
    ]
    return [claims_table(rows)]


def battles(press: Press) -> list[Table]:
    rows = [
        *_series(press.reporter("historian_a", ""), "killed"),
        *_series(press.reporter("historian_b", ""), "losses"),
    ]
    return [claims_table(rows)]


def silent_middle(press: Press) -> list[Table]:
    spans = press.war.spans(months=1)
    spoken = [*spans[:12], *spans[-12:]]
    rows = [
        reporter.claim(quantity, *span)
        for reporter in (press.reporter("institute"), press.reporter("paper"))
        for quantity in ("losses", "killed")
        for span in spoken
    ]
    return [claims_table(rows)]


def weeks_of_two(press: Press) -> list[Table]:
    rows = [
        *_series(press.reporter("enemy_staff", "enemy"), "losses", days=7),
        *_series(press.reporter("institute"), "killed", days=7),
    ]
    return [claims_table(rows)]


def standard_errors(press: Press) -> list[Table]:
    statistician = press.reporter("statistician")
    rows = _series(press.reporter("enemy_staff", "enemy"), "losses")
    for first, last in press.war.spans(months=12):
        value = statistician.says("killed", first, last)
        low, high = rounded(0.85 * value), rounded(1.17 * value)
        cells = {"value": value, "sd": rounded(0.1 * value) or 1.0}
        rows.append(statistician.claim("killed", first, last, **cells))
        value = statistician.says("losses", first, last)
        low, high = rounded(0.85 * value), rounded(1.17 * value)
        cells = {"value": value, "low": low, "high": high, "level": 0.9}
        rows.append(statistician.claim("losses", first, last, **cells))
    return [claims_table(rows)]


def two_tables(press: Press) -> list[Table]:
    return [
        *named_by_month(press),
        claims_table(_series(press.reporter("enemy_staff", "enemy"), "losses")),
    ]


KINDS: dict[str, Kind] = {
    "weekly_registry": Kind(
        "a registry by week, with bounds and names as a floor",
        "2022-01-03", 24, 8e3, weekly_registry,
    ),
    "quiet_days_listed": Kind(
        "dead by day, 0 where nobody died", "2003-03-20", 24, 60, quiet_days_listed
    ),
    "months_with_zeros": Kind(
        "three dead a month, counted, with months of 0", "2019-01-01", 36, 12, months_with_zeros
    ),
    "returns_of_an_army": Kind(
        "an army's own killed and wounded by month; the enemy's quarters",
        "1914-08-01", 52, 5e5, returns_of_an_army,
    ),
    "named_by_day": Kind("names by day, every day a floor", "2023-01-01", 12, 9e3, named_by_day),
    "yearly_killed": Kind("killed by year and no more", "1964-01-01", 60, 1e4, yearly_killed),
    "disagreeing": Kind(
        "seven origins of both sides and beside that disagree", "1980-09-22", 24, 5e3, disagreeing
    ),
    "sparse_totals": Kind(
        "totals of three origins, each on days of its own", "2011-03-15", 30, 2e4, sparse_totals
    ),
    "restarts": Kind(
        "weekly running totals that begin anew twice", "2014-04-06", 30, 800, restarts
    ),
    "floor_and_estimate": Kind(
        "confirmed and estimated losses by month", "2023-01-01", 24, 2.5e4, floor_and_estimate
    ),
    "floor_alone": Kind("confirmed killed by month, no more", "2024-01-01", 12, 3e3, floor_alone),
    "ged_events": Kind("events of the UCDP, summed by month", "1999-01-01", 36, 60, ged_events),
    "events_summed": Kind(
        "events without quiet days, summed by month", "2006-07-12", 18, 200, events_summed
    ),
    "busy_days": Kind("a war diary with dead on every day", "1942-08-01", 6, 6e4, busy_days),
    "named_by_month": Kind("names by day, summed by month", "1992-04-06", 40, 900, named_by_month),
    "daily_totals": Kind("daily running totals (JSON)", "2022-02-24", 18, 3e4, daily_totals),
    "list_of_estimates": Kind(
        "a list of totals of four sources, some with bounds",
        "2022-02-24", 24, 2e4, list_of_estimates,
    ),
    "replication_table": Kind(
        "daily totals of both sides and others, some at least",
        "2022-02-24", 12, 2e4, replication_table,
    ),
    "one_total": Kind("one total of a year", "1939-11-30", 12, 8e3, one_total),
    "short_war": Kind("six months of exact own figures", "1982-04-02", 6, 500, short_war),
    "force_and_recruits": Kind(
        "losses by month, recruits and sizes of the force by half-year",
        "2022-03-01", 36, 3e4, force_and_recruits, also=("recruits", "force_size"),
    ),
    "bounds": Kind("at least and up to, by month", "1950-06-25", 24, 2e4, bounds),
    "battles": Kind(
        "months of calm and of battle, two historians", "1932-09-07", 33, 2e3, battles, pace=0.8
    ),
    "silent_middle": Kind(
        "two years of four without a figure", "2001-10-07", 48, 400, silent_middle
    ),
    "weeks_of_two": Kind(
        "weeks of two origins from mid month", "2020-09-10", 14, 4e3, weeks_of_two
    ),
    "standard_errors": Kind(
        "years with standard errors and levels beside months",
        "1915-05-23", 42, 4e4, standard_errors,
    ),
    "two_tables": Kind(
        "names by day and an enemy's months, in two tables", "2025-01-15", 14, 2e4, two_tables
    ),
}  # fmt: skip
"""Every kind by its name; the line says what somebody has in hand."""
