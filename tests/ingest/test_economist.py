from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from estimator.errors import IngestError
from estimator.ingest.settings import Settings
from tests.ingest.made import LIST_HEADER, RAW_HEADER, csv_file, listed, read, reasons, remarks

START = Settings(war_start=dt.date(2022, 2, 24))


def list_file(folder: Path, *rows: list[object]) -> Path:
    return csv_file(folder / "list.csv", LIST_HEADER, rows)


def test_the_list_needs_the_start_of_the_war(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="--war-start YYYY-MM-DD"):
        read("economist-list", list_file(tmp_path, listed(estimate=5)))


@pytest.mark.parametrize(
    ("low", "high", "estimate", "hedge"),
    [
        ("15000", "20000", "", "range"),
        ("290,000", "350,000", "320,000", "range"),
        ("", "", "43000", "about"),
        ("15000", "", "", "at_least"),
        ("", "25000", "", "up_to"),
        ("100", "100", "", "about"),
        ("100", "", "120", "about"),
    ],
)
def test_the_bounds_that_a_row_has_make_its_hedge(
    tmp_path: Path, low: str, high: str, estimate: str, hedge: str
) -> None:
    claims, _ = read(
        "economist-list", list_file(tmp_path, listed("01/05/2022", low, high, estimate)), START
    )
    assert claims["hedge"].tolist() == [hedge]
    assert claims["period_start"].iloc[0] == claims["period_start"].iloc[0].replace(day=24, month=2)


def test_the_kinds_countries_and_parties_become_quantities_populations_and_statuses(
    tmp_path: Path,
) -> None:
    path = list_file(
        tmp_path,
        listed(estimate=10, kind="deaths"),
        listed(estimate=10, kind="casualties", country="ukraine", flag="yes"),
        listed(estimate=10, kind="wounded"),
        listed(estimate=10, kind="tanks"),
    )
    claims, ingested = read("economist-list", path, START)
    found = claims.set_index("quantity")
    assert found["population"].to_dict() == {
        "killed": "russia_forces",
        "losses": "ukraine_forces",
        "wounded": "russia_forces",
    }
    assert found.loc["losses", "status"] == "claimed"
    assert found.loc["losses", "speaker"] == ""
    assert found.loc["killed", "speaker"] == "third_party"
    assert reasons(ingested) == {5: "type: not killed, wounded or losses"}
    assert found.loc["killed", "citation"].startswith("Some Institute, as listed by The Economist")


def test_a_country_is_a_filter_and_must_be_there(tmp_path: Path) -> None:
    path = list_file(tmp_path, listed(estimate=10), listed(estimate=9, country="ukraine"))
    claims, ingested = read(
        "economist-list", path, Settings(war_start=START.war_start, country="Russia")
    )
    assert len(claims) == 1
    assert reasons(ingested) == {3: "of another country"}
    with pytest.raises(IngestError, match="did you mean 'russia'"):
        read("economist-list", path, Settings(war_start=START.war_start, country="Rusia"))


def test_a_dense_series_of_totals_becomes_increments(tmp_path: Path) -> None:
    path = list_file(
        tmp_path,
        listed("01/05/2022", estimate=17756, source="UK MoD"),
        listed("01/04/2022", estimate=11966, source="UK MoD"),
        listed("01/06/2022", estimate=24917, source="UK MoD"),
    )
    claims, ingested = read("economist-list", path, START)
    assert claims["value"].tolist() == [11966, 5790, 7161]
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == ["02-24", "04-01", "05-01"]
    assert any("increments" in text for text in remarks(ingested))
    kept, _ = read("economist-list", path, Settings(war_start=START.war_start, cumulative="keep"))
    assert kept["value"].tolist() == [11966, 17756, 24917]


def test_sparse_totals_stay_sums(tmp_path: Path) -> None:
    path = list_file(
        tmp_path,
        listed("18/08/2023", estimate=120000, source="NYT"),
        listed("10/10/2024", estimate=115000, source="NYT"),
        listed("11/08/2022", estimate=20000, source="NYT"),
    )
    claims, ingested = read("economist-list", path, START)
    assert claims["value"].tolist() == [20000, 120000, 115000]
    assert remarks(ingested) == ["sparse running totals of one origin, kept as sums that overlap"]
    dense = Settings(war_start=START.war_start, dense_days=500.0)
    assert read("economist-list", path, dense)[0]["value"].tolist() == [20000, 95000]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (listed("2022-05-01", estimate=5), "date: not a date as dd/mm/yyyy"),
        (listed("31/02/2022", estimate=5), "date: no such day"),
        (listed("", estimate=5), "date: empty"),
        (listed("01/01/2022", estimate=5), "before the start of the war"),
        (listed(), "no figure"),
        (listed(low=0, high=0, estimate=0), "a total of 0 says nothing on a log scale"),
        (listed(low=20, high=10), "estimate_low above estimate_high"),
        (listed(low=10, high=20, estimate=30), "estimate not between its bounds"),
        (listed(low="10k"), "estimate_low: not a number in plain notation"),
        (listed(low="1,00"), "estimate_low: not a number in plain notation"),
        (listed(estimate=-3), "estimate: negative"),
        (listed(estimate=3, source=" "), "source: empty"),
        (listed(estimate=3, country=""), "country: empty"),
        ([""] * 9, "empty line"),
        ([], "empty line"),
        (["1"], "not as many cells as the header has"),
    ],
)
def test_a_row_at_fault_is_skipped_with_its_reason(
    tmp_path: Path, row: list[object], reason: str
) -> None:
    path = list_file(tmp_path, listed(estimate=50), listed("02/05/2022", estimate=60), row)
    claims, ingested = read("economist-list", path, START)
    assert reasons(ingested) == {4: reason}
    assert len(claims) == 2


def test_bounds_the_wrong_way_round_are_not_used(tmp_path: Path) -> None:
    path = list_file(tmp_path, listed(low=20, high=10, estimate=15))
    claims, ingested = read("economist-list", path, START)
    assert claims["hedge"].tolist() == ["about"]
    assert claims["low"].isna().all()
    assert "bounds the wrong way round, not used" in remarks(ingested)


def test_dates_of_another_form_in_most_rows_are_an_error(tmp_path: Path) -> None:
    path = list_file(tmp_path, *[listed(f"2022-05-0{n}", estimate=5) for n in (1, 2, 3)])
    with pytest.raises(IngestError, match="3 of 3 rows have dates of another form"):
        read("economist-list", path, START)


def test_sources_that_become_one_origin_are_told_and_can_be_named(tmp_path: Path) -> None:
    path = list_file(
        tmp_path,
        listed(estimate=10, source="UK MoD"),
        listed("01/09/2023", estimate=20, source="UK-MoD"),
        listed("01/09/2023", estimate=20, source="Оценка"),
    )
    claims, ingested = read("economist-list", path, START)
    assert "several sources have one origin by their names" in remarks(ingested)
    assert sorted(set(claims["origin"]))[1] == "uk_mod"
    assert sorted(set(claims["origin"]))[0].startswith("source_")
    named = Settings(war_start=START.war_start, origins={"UK MoD": "uk_government", "": "others"})
    claims, _ = read("economist-list", path, named)
    assert set(claims["origin"]) == {"uk_government", "others"}


def raw(
    kind: str, estimate: object, date: str = "2022-07-24", source: str = "US", days: object = 150
) -> list[object]:
    return [date, source, "russia", f"all_{source}", kind, estimate, days, "deaths"]


def test_raw_rows_of_one_estimate_become_one_claim_from_the_start_that_the_table_says(
    tmp_path: Path,
) -> None:
    path = csv_file(
        tmp_path / "raw.csv",
        RAW_HEADER,
        [raw("estimate_low", 15000), raw("estimate_high", 20000), raw("estimate", 7, source="B")],
    )
    claims, ingested = read("economist-raw", path)
    assert claims[["low", "high"]].iloc[1].tolist() == [15000, 20000]
    assert claims["hedge"].tolist() == ["about", "range"]
    assert set(claims["period_start"].dt.strftime("%Y-%m-%d")) == {"2022-02-24"}
    assert "start of the war as days_since_invasion says" in remarks(ingested)
    assert ingested.ledger.used == [2, 3, 4]


def test_a_raw_weekly_series_gives_back_its_weeks_with_their_bounds(tmp_path: Path) -> None:
    rows = []
    for n, (date, days) in enumerate(
        [("2022-02-28", 4), ("2022-03-07", 11), ("2022-03-14", 18)], start=1
    ):
        for kind, figure in (
            ("estimate", 100 * n), ("estimate_low", 80 * n), ("estimate_high", 130 * n)
        ):  # fmt: skip
            rows.append(raw(kind, figure, date, "Meduza", days))
    claims, _ = read("economist-raw", csv_file(tmp_path / "raw.csv", RAW_HEADER, rows))
    assert claims["value"].tolist() == [100, 100, 100]
    assert claims["low"].tolist() == [80, 80, 80]
    assert claims["high"].tolist() == [130, 130, 130]
    assert set(claims["hedge"]) == {"range"}


def test_raw_rows_that_repeat_contradict_or_do_not_fit_are_skipped(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "raw.csv",
        RAW_HEADER,
        [
            raw("estimate", 100),
            raw("estimate", 100),
            raw("estimate", 5, source="B"),
            raw("estimate", 6, source="B"),
            raw("best", 6, source="C"),
            raw("estimate", "", source="D"),
        ],
    )
    claims, ingested = read("economist-raw", path)
    assert len(claims) == 1
    assert list(reasons(ingested).values()) == [
        "repeats another row",
        "contradicts another row of the same estimate",
        "contradicts another row of the same estimate",
        "estimate_type: not one of estimate_low, estimate, estimate_high",
        "estimate: empty",
    ]


def test_several_starts_in_a_raw_table_need_an_answer(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "raw.csv", RAW_HEADER, [raw("estimate", 9), raw("estimate", 9, days=3)]
    )
    with pytest.raises(IngestError, match="2 starts of the war"):
        read("economist-raw", path)
    assert len(read("economist-raw", path, START)[0]) == 1


def test_day_and_month_the_other_way_round_are_an_error_and_not_other_dates(
    tmp_path: Path,
) -> None:
    rows = [listed(date, estimate=5) for date in ("03/01/2022", "03/12/2022", "03/23/2022")]
    with pytest.raises(IngestError, match="the other way round: 1 dates cannot be dd/mm/yyyy"):
        read("economist-list", list_file(tmp_path, *rows), START)
    more = [listed(date, estimate=5) for date in ("23/03/2022", "24/03/2022")]
    _, ingested = read("economist-list", list_file(tmp_path, *rows, *more), START)
    assert reasons(ingested)[4] == "date: no such day"
    assert any("the other way round" in text for text in remarks(ingested))


def test_the_mark_of_r_for_nothing_is_an_empty_cell(tmp_path: Path) -> None:
    path = list_file(tmp_path, listed(low="NA", high="NA", estimate=500), listed(estimate="NA"))
    claims, ingested = read("economist-list", path, START)
    assert claims["hedge"].tolist() == ["about"]
    assert reasons(ingested) == {3: "no figure"}


def test_one_population_is_not_given_to_two_countries(tmp_path: Path) -> None:
    path = list_file(tmp_path, listed(estimate=10), listed(estimate=9, country="ukraine"))
    settings = Settings(war_start=START.war_start, population="russian_forces")
    with pytest.raises(IngestError, match=r"several countries: .* Found: 'russia', 'ukraine'"):
        read("economist-list", path, settings)


def test_a_start_later_than_that_of_the_totals_is_refused(tmp_path: Path) -> None:
    rows = [["2023-07-24", "US", "russia", "a", "estimate", 45000, 515, "deaths"]]
    path = csv_file(tmp_path / "raw.csv", RAW_HEADER, rows)
    with pytest.raises(IngestError, match="found 2023-01-01; allowed: up to 2022-02-24"):
        read("economist-raw", path, Settings(war_start=dt.date(2023, 1, 1)))


UK = [listed(f"01/{n:02d}/2022", estimate=n * 5001, source="UK MoD") for n in (4, 5, 6, 7, 10, 11)]


def test_a_gap_in_a_series_is_told(tmp_path: Path) -> None:
    claims, ingested = read("economist-list", list_file(tmp_path, *UK), START)
    assert claims["value"].tolist() == [20004, 5001, 5001, 5001, 15003, 5001]
    (entry,) = [entry for entry in ingested.ledger.remarks if entry.reason.startswith("gaps in")]
    assert entry.detail == (
        "1 of uk_mod, killed, the longest 92 days after 2022-06-30; usual 31 days"
    )
    assert entry.row == 6
    _, whole = read("economist-list", list_file(tmp_path, *UK[:4]), START)
    assert not [reason for reason in remarks(whole) if reason.startswith("gaps in")]


def test_differences_that_may_be_rounding_are_told(tmp_path: Path) -> None:
    rows = [*UK[:3], listed("01/07/2022", estimate=40000, source="UK MoD")]
    _, ingested = read("economist-list", list_file(tmp_path, *rows), START)
    (entry,) = [entry for entry in ingested.ledger.remarks if "rounding" in entry.reason]
    assert entry.detail == "1 of uk_mod, killed, first 40,000 less 30,006"


def test_each_source_can_have_its_speaker(tmp_path: Path) -> None:
    rows = [
        listed(estimate=9, source="General Staff", flag="yes"),
        listed(estimate=8, source="Ministry", flag="yes"),
        listed(estimate=7, source="Institute"),
    ]
    settings = Settings(
        war_start=START.war_start, speakers={"general staff": "enemy", "Nobody": "own"}
    )
    claims, ingested = read("economist-list", list_file(tmp_path, *rows), settings)
    assert claims.set_index("origin")["speaker"].to_dict() == {
        "general_staff": "enemy",
        "ministry": "",
        "institute": "third_party",
    }
    told = {entry.reason: entry.detail for entry in ingested.ledger.remarks}
    assert told == {
        "a party to the war, own or enemy is not said: --speaker SOURCE=WHO": "Ministry",
        "a speaker was given for a source that no row has": "nobody",
    }


MONDAYS = [
    ["2022-02-24", "Registry", "russia", "a", "estimate", 600, 0, "deaths"],
    *(
        [
            f"2022-03-{day:02d}",
            "Registry",
            "russia",
            f"a{day}",
            "estimate",
            600 + 10 * day,
            "",
            "deaths",
        ]
        for day in (7, 14, 21)
    ),
]


def test_totals_dated_by_the_first_day_of_their_week_are_told_and_can_be_read_so(
    tmp_path: Path,
) -> None:
    path = csv_file(tmp_path / "raw.csv", RAW_HEADER, MONDAYS)
    claims, ingested = read("economist-raw", path)
    assert claims["period_end"].dt.strftime("%m-%d").tolist() == [
        "02-24",
        "03-07",
        "03-14",
        "03-21",
    ]
    monday = "running totals on Mondays; dated by the first day of the week? (--week-start SOURCE)"
    assert monday in remarks(ingested)
    claims, ingested = read("economist-raw", path, Settings(week_start=("registry",)))
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == [
        "02-24", "02-28", "03-14", "03-21"
    ]  # fmt: skip
    assert claims["period_end"].dt.strftime("%m-%d").tolist() == [
        "02-27",
        "03-13",
        "03-20",
        "03-27",
    ]
    assert monday not in remarks(ingested)


@pytest.mark.parametrize("nothing", ["-", "n/a", "N/A", "NaN", "null", "–"])
def test_what_people_write_for_nothing_is_an_empty_cell(tmp_path: Path, nothing: str) -> None:
    path = list_file(tmp_path, listed(low=nothing, high=nothing, estimate=500))
    claims, _ = read("economist-list", path, START)
    assert claims["hedge"].tolist() == ["about"]


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f"])
def test_spaces_may_stand_between_thousands(tmp_path: Path, space: str) -> None:
    rows = [listed(estimate=f"1{space}234{space}500"), listed("02/05/2022", estimate="12 34")]
    claims, ingested = read("economist-list", list_file(tmp_path, *rows), START)
    assert claims["value"].tolist() == [1234500]
    assert reasons(ingested) == {3: "estimate: not a number in plain notation"}


def test_an_origin_can_be_of_one_quantity_of_a_source(tmp_path: Path) -> None:
    rows = [
        listed(estimate=9, source="UK MoD", kind="casualties"),
        listed(estimate=2, source="UK MoD"),
    ]
    settings = Settings(
        war_start=START.war_start,
        origins={"UK MoD:losses": "general_staff", "UK MoD:wounded": "nobody"},
    )
    claims, ingested = read("economist-list", list_file(tmp_path, *rows), settings)
    assert claims.set_index("quantity")["origin"].to_dict() == {
        "losses": "general_staff",
        "killed": "uk_mod",
    }
    (entry,) = ingested.ledger.remarks
    assert entry.reason == "an origin was given for a source that no row has"
    assert entry.detail == "uk_mod:wounded"
