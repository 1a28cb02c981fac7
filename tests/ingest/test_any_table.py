"""Whatever a table holds: claims that can be read and an account of all rows, or an error."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from estimator.errors import EstimatorError, IngestError
from estimator.evidence import read_claims
from estimator.evidence.schema import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from estimator.ingest.mapping_options import read_mapping
from estimator.ingest.settings import Settings
from estimator.ingest.writing import ingest, write
from tests.ingest import made

pytestmark = pytest.mark.slow

NASTY = st.text(
    st.one_of(
        st.sampled_from("0123456789-+.,/eE _=@'\"\\\t\r\n\0\x1b;[]{}$|<>٣é€\u202e\ufeffЖ"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)
COUNTS = st.integers(1, 400).map(str)
ODD_NUMBERS = st.one_of(
    st.integers(-3, 400).map(str),
    st.integers(0, 10**30).map(str),
    st.floats(allow_nan=True).map(str),
    st.sampled_from(
        ["", "0", "1", "1,000", "1 000", "12,34", "1e3", "1e999", "-0", "NA", "-", "½"]
    ),
)
NUMBERS = st.one_of(*[COUNTS] * 9, ODD_NUMBERS)
BOUNDS = st.one_of(*[st.just("")] * 3, NUMBERS)
DAYS = st.dates(dt.date(2022, 2, 20), dt.date(2022, 6, 30))
ISO, SLASHED = DAYS.map(lambda d: d.isoformat()), DAYS.map(lambda d: f"{d:%d/%m/%Y}")
ODD_DATES = st.sampled_from(["", "2022-02-30", "0000-00-00", "31/12/1899", "9999-12-31"])
DATES = st.one_of(ISO, ISO, ISO, ISO, SLASHED, ODD_DATES)
LISTED_DATES = st.one_of(SLASHED, SLASHED, SLASHED, SLASHED, ISO, ODD_DATES)
NAMES = st.sampled_from(["UK MoD", "UK-MoD", "Оценка", "", "UA Source", "RU Source", "OSI", "=1+1"])
COUNTRIES = st.sampled_from(["russia", "Russia", "ukraine", ""])
KINDS = st.sampled_from(["deaths", "casualties", "wounded", "tanks", ""])
SIDES = st.sampled_from(["Side A", "Side B", "Civilians"])
CATEGORIES = st.sampled_from(
    ["Military Deaths", "Military Casualties", "Tanks", "Military Injuries"]
)

START = dt.date(2022, 2, 24)
EVERY = st.sampled_from([None, "day", "week", "month"])
MODES = st.sampled_from([None, "auto", "difference", "keep"])

CELLS: dict[str, st.SearchStrategy[str]] = {
    "date": DATES,
    "date_start": DATES,
    "date_end": DATES,
    "first": DATES,
    "type": KINDS,
    "source_type": KINDS,
    "kind": KINDS,
    "source": NAMES,
    "claim_source": NAMES,
    "who": NAMES,
    "country": COUNTRIES,
    "loss_country": COUNTRIES,
    "side_a": SIDES,
    "side_b": SIDES,
    "category": CATEGORIES,
    "time_frame": st.sampled_from(["Cumulative", "Day", "Year"]),
    "estimate_type": st.sampled_from(["estimate", "estimate_low", "estimate_high", "x"]),
    "minimum": st.sampled_from(["0", "1", "", "50"]),
    "maximum": st.sampled_from(["0", "1", "", "90"]),
    "days": st.integers(0, 60).map(str),
    "day": st.integers(0, 60).map(str),
    "year": st.sampled_from(["2020", "2021", "2022", "22", ""]),
    "week": st.integers(0, 54).map(lambda n: str(n) if n % 5 else f"2022-W{n:02d}"),
    "source_id": st.sampled_from(["a", "b"]),
    "least": BOUNDS,
    "most": BOUNDS,
    "type_of_violence": st.sampled_from(["1", "3"]),
}
MAPPING = """\
columns:
  period_end: date
  value: number
  low: least
  high: most
  quantity: {column: kind, words: {deaths: killed, casualties: losses, wounded: wounded}}
  origin: who
  note: text
  citation: {constant: C}
figures: FIGURES
"""
TABLES: dict[str, tuple[str, ...]] = {
    "economist-list": made.LIST_HEADER,
    "economist-raw": made.RAW_HEADER,
    "radford": made.RADFORD_HEADER,
    "ucdp-ged": made.UCDP_HEADER,
    "weekly-registry": made.WEEK_HEADER,
    "mapping": ("date", "number", "least", "most", "kind", "who", "text"),
}
# The same tables at every run: few of the UCDP's become claims, and some must.
# `make calibrate` tries ten times as many.
THOROUGH = int(os.environ.get("THOROUGH", "1"))
FEW = settings(
    max_examples=100 * THOROUGH,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def options_of(name: str, data: st.DataObject, folder: Path) -> Settings:
    every, mode = data.draw(EVERY), data.draw(MODES)
    country = data.draw(st.sampled_from([None, "russia"]))
    match name:
        case "economist-list":
            return Settings(
                war_start=START,
                every=every,
                cumulative=mode,
                country=country,
                week_start=data.draw(st.sampled_from([(), ("UK MoD",)])),
                speakers={"UK MoD": "own"},
                prefix="list",
            )
        case "economist-raw":
            start = data.draw(st.sampled_from([START, START, START, None]))
            return Settings(war_start=start, every=every, cumulative=mode, country=country)
        case "radford":
            return Settings(every=every, cumulative=mode, country=country)
        case "ucdp-ged":
            sides = data.draw(st.sampled_from([("Side A",), ("Side A", "Side B")]))
            start = data.draw(st.sampled_from([None, START]))
            return Settings(every=every, sides=sides, war_start=start)
        case "weekly-registry":
            start = data.draw(st.sampled_from([None, START]))
            return Settings(published=dt.date(2022, 6, 1), country="russia", war_start=start)
        case _:
            figures = data.draw(st.sampled_from(["cumulative", "day", "week", "month"]))
            path = folder / "mapping.yaml"
            path.write_text(MAPPING.replace("FIGURES", figures), encoding="utf-8")
            start = START if figures == "cumulative" else None
            return Settings(mapping=path, war_start=start, cumulative=mode, every=every)


def check(name: str, path: Path, chosen: Settings) -> bool:
    """Ingest; either a documented error and no file, or claims that can be read and an account."""
    output = path.parent / "claims.csv"
    try:
        ingested = ingest(name, path, chosen, rules=made.rules())
        write(ingested, output)
    except EstimatorError as error:
        assert isinstance(error, IngestError)
        assert str(error)
        assert not output.exists()
        return False
    claims = read_claims([str(output)])
    assert len(claims) == len(ingested.drafts) > 0
    ledger = ingested.ledger
    assert ledger.unaccounted() == []
    assert len(ledger.used) + len(ledger.skipped) == len(ledger.rows)
    assert all(entry.reason for entry in ledger.skipped)
    assert {row for draft in ingested.drafts for row in draft.rows} == set(ledger.used)
    assert set(claims.columns) == {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}
    if chosen.cumulative != "keep":
        assert claims.loc[claims["hedge"] == "exact", "value"].gt(0).all()
    return True


def any_table(name: str, data: st.DataObject, path: Path) -> Path:
    """Make a table of a format's columns: rows repeated, cut and changed, columns in any order."""
    header = list(TABLES[name])
    kinds = CELLS | ({"date": LISTED_DATES} if name == "economist-list" else {})
    rows = []
    for _ in range(data.draw(st.sampled_from([8, 12, 4, 1, 0]))):
        row = [data.draw(kinds.get(column, NUMBERS)) for column in header]
        if "date_end" in header and data.draw(st.booleans()):
            row[header.index("date_end")] = row[header.index("date_start")]
        if data.draw(st.integers(0, 9)) == 9:
            row[data.draw(st.integers(0, len(row) - 1))] = data.draw(NASTY)
        rows.append(row)
        if data.draw(st.integers(0, 4)) == 4:
            rows.append(list(row))
        if data.draw(st.integers(0, 9)) == 9:
            rows.append(data.draw(st.lists(NASTY, max_size=3)))
    order = data.draw(st.permutations(range(len(header))))
    shuffled = [[row[n] if n < len(row) else "" for n in order] for row in rows]
    names = [header[n] for n in order]
    if data.draw(st.integers(0, 3)) == 3:
        names.append(data.draw(NASTY))
        shuffled = [[*row, "x"] for row in shuffled]
    return made.csv_file(path, names, shuffled)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_any_cells_is_accounted_for_or_is_an_error(name: str) -> None:
    became_claims = []

    @FEW
    @given(data=st.data())
    def examine(data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = any_table(name, data, Path(folder) / "table.csv")
            became_claims.append(check(name, path, options_of(name, data, Path(folder))))

    examine()
    assert any(became_claims)


RECORDS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "date": DAYS.map(lambda d: d.isoformat()),
                "personnel": st.one_of(st.integers(0, 5000), st.floats(), st.none(), NASTY),
            },
            optional={"day": st.integers(-2, 200), "POW": st.none(), "x": st.booleans()},
        ),
        st.recursive(
            st.one_of(st.none(), st.booleans(), NUMBERS, NASTY),
            lambda part: st.lists(part, max_size=2) | st.dictionaries(NASTY, part, max_size=2),
            max_leaves=4,
        ),
    ),
    max_size=15,
)


@FEW
@given(found=RECORDS, every=EVERY, mode=MODES, start=st.sampled_from([None, START]))
def test_any_records_are_accounted_for_or_are_an_error(
    found: list[object], every: str | None, mode: str | None, start: dt.date | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = made.json_file(Path(folder) / "table.json", found)
        chosen = Settings(every=every, cumulative=mode, war_start=start)
        check("general-staff", path, chosen)


@FEW
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 900)), min_size=2, max_size=25), EVERY)
def test_increments_of_records_sum_to_the_last_total(
    steps: list[tuple[int, int]], every: str | None
) -> None:
    totals: dict[str, object] = {}
    day, total = START, 0
    for gap, rise in steps:
        day += dt.timedelta(days=gap + 1)
        total += rise
        totals[day.isoformat()] = total
    with tempfile.TemporaryDirectory() as folder:
        path = made.json_file(Path(folder) / "t.json", made.records(totals))
        claims, _ = made.read("general-staff", path, Settings(every=every))
    assert claims["value"].sum() == total


@FEW
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"\n\ndays,x\n")
@example(b"\xff\xfe\n\x00")
def test_any_bytes_are_an_error_or_claims(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        for name in ("general-staff", "radford"):
            check(name, path, Settings())
        try:
            read_mapping(path)
        except IngestError as error:
            assert str(path) in str(error)


def test_texts_that_utf8_cannot_hold_are_cleaned(tmp_path: Path) -> None:
    found = made.records({"2022-02-25": 5})
    text = json.dumps([found[0] | {"\ud800x": 1}, {"date": "\ud800", "personnel": 1}])
    path = tmp_path / "t.json"
    path.write_text(text, encoding="utf-8")
    check("general-staff", path, Settings())
    assert (tmp_path / "claims.csv").is_file()


@FEW
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 40), st.integers(0, 9)),
        min_size=1,
        max_size=9,
    ),
    EVERY,
)
def test_claims_of_events_hold_all_dead_and_each_day_once(
    events: list[tuple[int, int, int]], every: str | None
) -> None:
    rows = [
        made.event(
            (START + dt.timedelta(days=day)).isoformat(),
            (START + dt.timedelta(days=day + length)).isoformat(),
            deaths=(dead, 1),
        )
        for day, length, dead in events
    ]
    sides = ("Government of Russia",)
    with tempfile.TemporaryDirectory() as folder:
        path = made.csv_file(Path(folder) / "t.csv", made.UCDP_HEADER, rows)
        if not any(dead for _, _, dead in events):
            return
        claims, _ = made.read("ucdp-ged", path, Settings(every=every, sides=sides))
    assert claims["value"].sum() == pytest.approx(sum(dead for _, _, dead in events))
    ends, starts = claims["period_end"].iloc[:-1], claims["period_start"].iloc[1:]
    assert ((starts.to_numpy() - ends.to_numpy()) == np.timedelta64(1, "D")).all()
