from __future__ import annotations

import time
from pathlib import Path

import pytest

from estimator.errors import IngestError
from estimator.ingest.settings import Settings
from tests.ingest.made import RADFORD_HEADER, csv_file, read, reasons, remarks, report


def table(folder: Path, *rows: list[object]) -> Path:
    return csv_file(folder / "reports.csv", RADFORD_HEADER, rows)


def test_day_one_is_the_first_day_of_the_war(tmp_path: Path) -> None:
    claims, _ = read("radford", table(tmp_path, report(days=1, frame="Day")))
    assert claims["period_start"].dt.strftime("%Y-%m-%d").tolist() == ["2022-02-24"]
    assert claims["period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2022-02-24"]


@pytest.mark.parametrize(
    ("source", "country", "speaker", "status"),
    [
        ("UA Source", "Russia", "enemy", "claimed"),
        ("UA Source", "Ukraine", "own", "claimed"),
        ("RU Source", "Russia", "own", "claimed"),
        ("RU Source", "Ukraine", "enemy", "claimed"),
        ("United Nations", "Ukraine", "third_party", "estimated"),
    ],
)
def test_the_source_and_the_country_say_who_speaks(
    tmp_path: Path, source: str, country: str, speaker: str, status: str
) -> None:
    claims, _ = read("radford", table(tmp_path, report(source=source, country=country)))
    assert claims["speaker"].tolist() == [speaker]
    assert claims["status"].tolist() == [status]
    assert claims["population"].tolist() == [f"{country.lower()}_forces"]


def test_only_soldiers_become_claims(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        report(category="Military Deaths"),
        report(category="Military Injuries"),
        report(category="Military Casualties"),
        report(category="Civilian Deaths"),
        report(category="Tanks"),
        report(category="Captured"),
        report(category=""),
    )
    claims, ingested = read("radford", path)
    assert set(claims["quantity"]) == {"killed", "wounded", "losses"}
    assert list(reasons(ingested)) == [5, 6, 7, 8]
    assert reasons(ingested)[6] == "not soldiers: Tanks"
    assert ingested.ledger.bad == []


def test_flags_of_zero_and_one_are_wordings(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        report(minimum=1, source="A"),
        report(maximum=1, source="B"),
        report(source="C"),
        report(minimum=1, maximum=1, source="D"),
    )
    claims, ingested = read("radford", path)
    assert claims.set_index("origin")["hedge"].to_dict() == {
        "a": "at_least",
        "b": "up_to",
        "c": "about",
    }
    assert reasons(ingested) == {5: "flagged as minimum and as maximum"}


def test_other_numbers_are_bounds(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        report(count=100, minimum=80, maximum=150, source="A"),
        report(count=100, minimum="", maximum="", source="B"),
        report(count=100, minimum=120, maximum=150, source="C"),
        report(count=100, minimum="few", maximum=1, source="D"),
    )
    claims, ingested = read("radford", path)
    assert claims.set_index("origin")["hedge"].to_dict() == {"a": "range", "b": "about"}
    assert reasons(ingested) == {
        4: "minimum and maximum do not enclose loss_count",
        5: "minimum: not a number in plain notation",
    }
    assert "minimum and maximum hold numbers other than 0 and 1: read as bounds" in remarks(
        ingested
    )


def test_thousands_of_totals_become_monthly_increments_that_do_not_overlap(tmp_path: Path) -> None:
    rows = [report(days=day, count=300 * day) for day in range(1, 311)]
    claims, ingested = read("radford", table(tmp_path, *rows))
    assert len(claims) == 11
    assert claims["value"].sum() == 300 * 310
    starts, ends = claims["period_start"].iloc[1:], claims["period_end"].iloc[:-1]
    assert ((starts.to_numpy() - ends.to_numpy()).astype("timedelta64[D]").astype(int) == 1).all()
    assert len(ingested.ledger.used) == 310
    daily, _ = read("radford", table(tmp_path, *rows), Settings(every="day"))
    assert len(daily) == 310
    kept, _ = read("radford", table(tmp_path, *rows), Settings(cumulative="keep"))
    assert kept["value"].iloc[-1] == 300 * 310


def test_days_that_totals_of_the_same_origin_cover_are_left_out(tmp_path: Path) -> None:
    rows = [report(days=day, count=300 * day) for day in (10, 20, 30)]
    rows += [report(days=15, frame="Day"), report(days=90, frame="Day")]
    claims, ingested = read("radford", table(tmp_path, *rows))
    assert reasons(ingested) == {5: "a day that running totals of the same origin cover"}
    assert claims["period_start"].iloc[-1] == claims["period_end"].iloc[-1]


def test_reports_of_one_day_that_contradict_each_other_are_left_out(tmp_path: Path) -> None:
    rows = [report(days=9, count=count, frame="Day") for count in (50, 60)]
    rows += [report(days=8, count=50, frame="Day")] * 2
    claims, ingested = read("radford", table(tmp_path, *rows))
    assert len(claims) == 1
    assert list(reasons(ingested)) == [2, 3, 5]


def test_floors_of_one_month_leave_the_last(tmp_path: Path) -> None:
    rows = [report(days=day, count=day, minimum=1, source="OSI") for day in (10, 12, 40)]
    claims, ingested = read("radford", table(tmp_path, *rows))
    assert claims["value"].tolist() == [12, 40]
    assert list(reasons(ingested)) == [2]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (report(days=0), "days: not a day of the war"),
        (report(days=1.5), "days: not a whole number"),
        (report(days=10**9), "days: not a day of the war"),
        (report(count=""), "loss_count: empty"),
        (report(count=0), "a count of 0 says nothing on a log scale"),
        (report(count="NA"), "loss_count: empty"),
        (report(count="many"), "loss_count: not a number in plain notation"),
        (report(count="n/a"), "loss_count: empty"),
        (report(frame="Week"), "time_frame: not Cumulative or Day"),
        (report(source=""), "claim_source or loss_country: empty"),
    ],
)
def test_a_row_at_fault_is_skipped_with_its_reason(
    tmp_path: Path, row: list[object], reason: str
) -> None:
    claims, ingested = read("radford", table(tmp_path, report(), row))
    assert reasons(ingested) == {3: reason}
    assert len(claims) == 1


def test_missing_columns_are_one_error_with_what_was_found(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "x.csv", ["day", "loss_count", "minimums"], [[1, 2, 3]])
    with pytest.raises(IngestError) as caught:
        read("radford", path)
    text = str(caught.value)
    assert "column 'days' is missing; did you mean 'day'?" in text
    assert "column 'minimum' is missing; did you mean 'minimums'?" in text
    assert "found: 'day', 'loss_count', 'minimums'" in text
    assert "needed: days, loss_count" in text


def test_the_whole_table_takes_seconds(tmp_path: Path) -> None:
    kinds = ("Military Deaths", "Military Casualties", "Tanks")
    rows = [
        report(days=day, count=300 * day + 7, category=kind, source=source, country=country)
        for day in range(1, 301)
        for kind in kinds
        for source in ("UA Source", "RU Source", "Other")
        for country in ("Russia", "Ukraine")
    ]
    assert len(rows) == 5400
    path = table(tmp_path, *rows)
    began = time.perf_counter()
    read("radford", path)
    assert time.perf_counter() - began < 60  # a second or two on an idle machine


def test_one_odd_cell_does_not_make_bounds_of_flags(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        report(minimum=1, source="A"),
        report(maximum=1, source="B"),
        report(minimum="NA", source="C"),
        report(minimum=80, maximum=0, source="D"),
    )
    claims, ingested = read("radford", path)
    assert claims.set_index("origin")["hedge"].to_dict() == {
        "a": "at_least",
        "b": "up_to",
        "c": "about",
    }
    assert reasons(ingested) == {5: "minimum or maximum: not a flag, 0 or 1, as in other rows"}


def test_one_population_is_not_given_to_two_countries(tmp_path: Path) -> None:
    path = table(tmp_path, report(), report(country="Ukraine"))
    with pytest.raises(IngestError, match="several countries: say which with --country NAME"):
        read("radford", path, Settings(population="p"))
    claims, _ = read("radford", path, Settings(population="p", country="Russia"))
    assert claims["population"].tolist() == ["p"]
