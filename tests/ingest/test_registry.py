from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from estimator.errors import IngestError
from estimator.ingest.settings import Settings
from tests.ingest.made import WEEK_HEADER, csv_file, read, reasons, remarks

VINTAGE = Settings(
    published=dt.date(2026, 2, 1), country="Russia", origins={"": "mediazona_meduza"}
)


def table(folder: Path, *rows: list[object]) -> Path:
    return csv_file(folder / "weeks.csv", WEEK_HEADER, rows)


def test_an_estimate_and_its_names_become_two_claims_of_two_origins(tmp_path: Path) -> None:
    claims, _ = read("weekly-registry", table(tmp_path, [2022, 9, 560, 691.05, 822, 619]), VINTAGE)
    estimate, named = claims.to_dict("records")
    assert (estimate["origin"], named["origin"]) == ("mediazona_meduza", "mediazona_meduza_named")
    assert (estimate["hedge"], named["hedge"]) == ("about", "at_least")
    assert (estimate["low"], estimate["value"], estimate["high"]) == (560, 691.05, 822)
    assert named["value"] == 619
    assert {
        f"{c['period_start']:%Y-%m-%d} {c['period_end']:%Y-%m-%d}" for c in (estimate, named)
    } == {"2022-02-28 2022-03-06"}
    assert set(claims["population"]) == {"russia_forces_named_registry"}
    assert set(claims["published"].dt.strftime("%Y-%m-%d")) == {"2026-02-01"}


def test_the_columns_of_the_published_table_are_known(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "weeks.csv",
        ["Year", "Week", "BmzNow", "Bmz2022", "EDAssembled", "EDAssembledHigh", "EDAssembledLow"],
        [[2022, 24, 224, 172, 52.2, 46.7, 57.8], [2022, 25, 322, 261, 237.7, 305.3, 170.1]],
    )
    claims, ingested = read("weekly-registry", path, VINTAGE)
    assert claims["value"].tolist() == [52.2, 224, 237.7, 322]
    assert remarks(ingested) == ["bounds that do not enclose the estimate, not used"]
    assert claims["low"].isna().tolist() == [True, True, False, True]


def test_week_53_is_a_week_only_in_years_that_have_it(tmp_path: Path) -> None:
    path = table(tmp_path, [2020, 53, "", 10, "", ""], [2022, 53, "", 10, "", ""])
    claims, ingested = read("weekly-registry", path, VINTAGE)
    assert claims["period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2021-01-03"]
    assert reasons(ingested) == {3: "not an ISO week"}


def test_the_first_week_begins_with_the_war(tmp_path: Path) -> None:
    settings = Settings(published=VINTAGE.published, population="p", war_start=dt.date(2022, 2, 24))
    path = table(tmp_path, [2022, 7, "", 1, "", ""], [2022, 8, "", 456, "", ""])
    claims, ingested = read("weekly-registry", path, settings)
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == ["02-24"]
    assert reasons(ingested) == {2: "before --war-start"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([2022, 0, "", 10, "", ""], "not an ISO week"),
        ([2022, "ten", "", 10, "", ""], "week: not a number in plain notation"),
        ([2022, 9.5, "", 10, "", ""], "week: not a whole number"),
        (["", 9, "", 10, "", ""], "year: not a whole number"),
        ([10**6, 9, "", 10, "", ""], "not an ISO week"),
        ([2026, 30, "", 10, "", ""], "a week after the day of publication"),
        ([2022, 20, "", "", "", ""], "neither an estimate nor a count of names"),
        ([2022, 20, 9, "", 5, ""], "no figure above 0: says nothing on a log scale"),
        (
            [2022, 20, "", 0, "", 0],
            "a figure of 0 says nothing on a log scale, and no other figure follows it at once",
        ),
        (["", "", "", "", "", ""], "empty line"),
    ],
)
def test_a_week_at_fault_is_skipped_with_its_reason(
    tmp_path: Path, row: list[object], reason: str
) -> None:
    path = table(tmp_path, [2022, 10, "", 5, "", ""], row)
    claims, ingested = read("weekly-registry", path, VINTAGE)
    assert reasons(ingested) == {3: reason}
    assert len(claims) == 1


def test_a_bad_cell_leaves_the_rest_of_its_row(tmp_path: Path) -> None:
    path = table(tmp_path, [2022, 10, "", "many", "", 7])
    claims, ingested = read("weekly-registry", path, VINTAGE)
    assert claims["hedge"].tolist() == ["at_least"]
    assert "cell not used: estimate: not a number in plain notation" in remarks(ingested)
    assert [entry.row for entry in ingested.ledger.bad] == [2]


def test_repeated_and_contradicting_weeks_are_skipped(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        [2022, 10, "", 5, "", ""],
        [2022, 10, "", 5, "", ""],
        [2022, 11, "", 5, "", ""],
        [2022, 11, "", 6, "", ""],
    )
    claims, ingested = read("weekly-registry", path, VINTAGE)
    assert len(claims) == 1
    assert list(reasons(ingested)) == [3, 4, 5]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(country="Russia"), "--published YYYY-MM-DD"),
        (Settings(published=dt.date(2026, 2, 1)), "--country NAME or --population NAME"),
    ],
)
def test_the_vintage_and_whose_dead_must_be_said(
    tmp_path: Path, settings: Settings, said: str
) -> None:
    with pytest.raises(IngestError, match=said):
        read("weekly-registry", table(tmp_path, [2022, 10, "", 5, "", ""]), settings)


def test_a_table_with_neither_estimates_nor_names_is_an_error(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "w.csv", ["year", "week", "dead"], [[2022, 10, 5]])
    with pytest.raises(IngestError, match="edassembled \\(estimate\\)"):
        read("weekly-registry", path, VINTAGE)


@pytest.mark.parametrize("cells", [("", "2024-W05"), (2024, "W05"), ("2024", "2024w5")])
def test_a_week_may_be_written_as_the_standard_does(
    tmp_path: Path, cells: tuple[object, object]
) -> None:
    claims, _ = read("weekly-registry", table(tmp_path, [*cells, "", 10, "", ""]), VINTAGE)
    assert claims["period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-04"]


def test_a_table_needs_no_years_beside_weeks_that_name_them(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "w.csv",
        ("week", "estimate"),
        [("2020-W53", 10), ("W05", 10), ("2024-W06", 10), ("2022-W53", 10)],
    )
    claims, ingested = read("weekly-registry", path, VINTAGE)
    assert claims["period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2021-01-03", "2024-02-11"]
    assert reasons(ingested) == {3: "year: not a whole number", 5: "not an ISO week"}
    path = csv_file(
        tmp_path / "w.csv", ("year", "week", "named"), [(2023, "2024-W05", 1), (2024, 6, 1)]
    )
    assert reasons(read("weekly-registry", path, VINTAGE)[1]) == {2: "year and week name two years"}


def test_weeks_that_are_missing_are_told(tmp_path: Path) -> None:
    rows = [[2022, week, "", 10, "", ""] for week in (9, 10, 13, 14)]
    _, ingested = read("weekly-registry", table(tmp_path, *rows), VINTAGE)
    (entry,) = ingested.ledger.remarks
    assert (entry.reason, entry.detail, entry.row) == (
        "weeks without a row", "2 after 2022-03-13", 4
    )  # fmt: skip


def test_weeks_of_no_dead_go_with_the_next_week_that_has_some(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        [2022, 9, "", 0, "", 0],
        [2022, 10, 4, 6, 9, 3],
        [2022, 11, "", 0, "", 2],
        [2022, 12, 0, 0, 5, ""],
        [2022, 13, "", 0, "", ""],
    )
    claims, ingested = read("weekly-registry", path, VINTAGE)
    estimate = claims[claims["hedge"] == "about"]
    assert estimate["value"].tolist() == [6]
    assert estimate["period_start"].dt.strftime("%m-%d").tolist() == ["02-28"]
    assert estimate["period_end"].dt.strftime("%m-%d").tolist() == ["03-13"]
    assert claims.loc[claims["hedge"] == "at_least", "value"].tolist() == [3, 2]
    assert list(reasons(ingested)) == [5, 6]
    assert estimate["note"].tolist() == ["estimate, ISO week 2022-W10; 0 from 2022-02-28 on"]
