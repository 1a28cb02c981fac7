from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from estimator.errors import IngestError
from estimator.ingest.reading import read_csv
from estimator.ingest.settings import Settings
from estimator.ingest.ucdp_columns import COLUMNS
from tests.ingest.made import UCDP_HEADER, csv_file, event, read, reasons, remarks

RUSSIA = Settings(sides=("Government of Russia",))
BOTH = Settings(sides=("Government of Russia", "Government of Ukraine"))


def table(folder: Path, *rows: list[object]) -> Path:
    return csv_file(folder / "ged.csv", UCDP_HEADER, rows)


def test_deaths_of_a_side_are_summed_by_month(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        event("2022-03-05"),
        event("2022-03-09", deaths=(3, 0)),
        event("2022-04-02"),
        event("2022-04-30", deaths=(0, 9), sides=("Government of Ukraine", "Government of Russia")),
    )
    claims, ingested = read("ucdp-ged", path, RUSSIA)
    assert claims["value"].tolist() == [13, 19]
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == ["03-01", "04-01"]
    assert claims["period_end"].dt.strftime("%m-%d").tolist() == ["03-31", "04-30"]
    assert set(claims["quantity"]) == {"killed"}
    assert set(claims["population"]) == {"government_of_russia_forces"}
    assert ingested.ledger.used == [2, 3, 4, 5]


def test_both_sides_are_two_populations(tmp_path: Path) -> None:
    claims, _ = read("ucdp-ged", table(tmp_path, event()), BOTH)
    assert claims.set_index("population")["value"].to_dict() == {
        "government_of_russia_forces": 10,
        "government_of_ukraine_forces": 5,
    }


def test_bounds_on_all_dead_become_bounds_in_proportion(tmp_path: Path) -> None:
    path = table(tmp_path, event(deaths=(10, 5), bounds=(10, 20, 40)))
    claims, _ = read("ucdp-ged", path, RUSSIA)
    assert claims[["low", "value", "high"]].iloc[0].tolist() == [5, 10, 20]
    assert claims["hedge"].tolist() == ["range"]
    claims, _ = read("ucdp-ged", table(tmp_path, event(bounds=(15, 15, 15))), RUSSIA)
    assert claims["hedge"].tolist() == ["about"]


def test_an_event_that_crosses_periods_is_spread_over_its_days(tmp_path: Path) -> None:
    path = table(tmp_path, event("2022-03-30", "2022-04-02", deaths=(40, 0)))
    claims, ingested = read("ucdp-ged", path, RUSSIA)
    assert claims["value"].tolist() == [20, 20]
    assert claims["period_end"].dt.strftime("%m-%d").tolist() == ["03-31", "04-02"]
    assert "an event that crosses periods, spread over its days in equal parts" in remarks(ingested)
    weekly, _ = read(
        "ucdp-ged", path, Settings(sides=RUSSIA.sides, every="week", war_start=dt.date(2022, 3, 29))
    )
    assert weekly["value"].tolist() == [40]
    assert weekly["period_start"].dt.strftime("%m-%d").tolist() == ["03-29"]


def test_one_sided_violence_other_sides_and_other_countries_are_left_out(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        event(),
        event(kind=3, sides=("Government of Russia", "Civilians")),
        event(sides=("Somebody", "Else")),
        event(country="Mali"),
        event(deaths=(0, 7)),
    )
    settings = Settings(sides=RUSSIA.sides, country="Ukraine")
    claims, ingested = read("ucdp-ged", path, settings)
    assert claims["value"].tolist() == [10]
    assert list(reasons(ingested).values()) == [
        "one-sided violence: against civilians",
        "of other sides",
        "of another country",
        "no dead of the side",
    ]


def test_dates_may_have_a_clock_time_of_midnight(tmp_path: Path) -> None:
    path = table(tmp_path, event("2022-03-05 00:00:00.000"))
    assert len(read("ucdp-ged", path, RUSSIA)[0]) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(), "say whose dead with --side NAME; most events: 'Government of Russia'"),
        (Settings(sides=("Russia gov",)), "no event of side 'Russia gov'"),
        (Settings(sides=BOTH.sides, population="p"), "one --side at a time"),
        (Settings(sides=RUSSIA.sides, country="Chad"), "no row is of country 'Chad'"),
    ],
)
def test_a_side_or_country_that_is_not_there_is_an_error(
    tmp_path: Path, settings: Settings, said: str
) -> None:
    with pytest.raises(IngestError) as caught:
        read("ucdp-ged", table(tmp_path, event()), settings)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (event("2022-03-05", "2022-03-01"), "date_end before date_start"),
        (event("2000-03-05", "2022-03-01"), "an event of more than ten years"),
        (event(deaths=("", 1)), "deaths_a: empty"),
        (event(deaths=(-1, 1)), "deaths_a: negative"),
        (event("03/05/2022"), "date_start: not a date as YYYY-MM-DD"),
    ],
)
def test_a_row_at_fault_is_skipped_with_its_reason(
    tmp_path: Path, row: list[object], reason: str
) -> None:
    claims, ingested = read("ucdp-ged", table(tmp_path, event(), row), RUSSIA)
    assert reasons(ingested) == {3: reason}
    assert claims["value"].tolist() == [10]


def test_an_event_that_stands_twice_counts_once(tmp_path: Path) -> None:
    one, two = event(), event(deaths=(3, 0))
    path = table(tmp_path, one, two, one, [two[0], *event(deaths=(4, 0))[1:]])
    claims, ingested = read("ucdp-ged", path, RUSSIA)
    assert claims["value"].tolist() == [14]
    assert reasons(ingested) == {
        2: "repeats another row",
        3: "a later row has other figures on the event",
    }
    assert [entry.row for entry in ingested.ledger.bad] == [3]


def test_a_lower_bound_of_none_dead_is_a_bound(tmp_path: Path) -> None:
    path = table(tmp_path, event(deaths=(10, 0), bounds=(0, 10, 40)), event(deaths=(5, 0)))
    claims, _ = read("ucdp-ged", path, RUSSIA)
    assert claims[["low", "value", "high"]].iloc[0].tolist() == [5, 15, 45]


def test_periods_without_dead_go_with_the_next_that_has_some(tmp_path: Path) -> None:
    path = table(tmp_path, event("2022-03-05"), event("2022-06-20"), event("2022-07-09"))
    claims, ingested = read("ucdp-ged", path, RUSSIA)
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == ["03-01", "04-01", "07-01"]
    assert claims["period_end"].dt.strftime("%m-%d").tolist() == ["03-31", "06-30", "07-09"]
    told = {entry.reason: entry.detail for entry in ingested.ledger.remarks}
    assert told == {
        "months without dead of a side, part of the claim that follows": "2 of Government of Russia"
    }


def test_a_name_that_is_part_of_a_side_is_told_as_the_table_has_it(tmp_path: Path) -> None:
    sides = ("Government of Russia (Soviet Union)", "Government of Sudan")
    path = table(tmp_path, event(sides=sides), event(sides=("Some", "Else")))
    with pytest.raises(
        IngestError, match=r"did you mean 'Government of Russia \(Soviet Union\)'\?"
    ):
        read("ucdp-ged", path, RUSSIA)
    claims, ingested = read("ucdp-ged", path, Settings(sides=("government of sudan",)))
    assert claims["citation"].str.endswith("deaths of Government of Sudan").all()
    assert ingested.ledger.skipped[0].detail == "'Some - Else'"


def test_the_whole_dataset_keeps_no_text_that_nobody_reads(tmp_path: Path) -> None:
    rows = [[*event(), "a long headline"] for _ in range(50)]
    path = csv_file(tmp_path / "ged.csv", (*UCDP_HEADER, "source_headline"), rows)
    found = read_csv(path, COLUMNS, 1.0)
    assert "source_headline" in found.columns
    assert all(set(cells) <= set(COLUMNS.read or ()) for _, cells in found.rows)
    assert len(found.rows) == 50
