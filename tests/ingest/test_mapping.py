from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from estimator.errors import IngestError
from estimator.ingest.mapping_options import TEMPLATE, read_mapping
from estimator.ingest.settings import Settings
from estimator.ingest.totals import DAY
from tests.ingest.made import csv_file, read, reasons, remarks

PLAIN = """\
columns:
  period_start: first
  period_end: last
  value: number
  quantity: {constant: killed}
  origin: who
  citation: {constant: somebody}
"""
HEADER = ("first", "last", "number", "who")
ROW = ("2025-01-01", "2025-01-31", "1,500", "Some Institute")


def mapped(folder: Path, text: str = PLAIN, **settings: object) -> Settings:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return Settings(mapping=path, **settings)  # type: ignore[arg-type]


def test_columns_and_constants_become_claims(tmp_path: Path) -> None:
    claims, _ = read(
        "mapping", csv_file(tmp_path / "my table.csv", HEADER, [ROW]), mapped(tmp_path)
    )
    (claim,) = claims.to_dict("records")
    assert claim["value"] == 1500
    assert claim["hedge"] == "about"
    assert claim["status"] == "estimated"
    assert claim["unit"] == "persons"
    assert claim["source"] == "my_table"
    assert claim["origin"] == "some_institute"
    assert claim["published"] == claim["period_end"]
    assert "published: the last day of the period" in claim["note"]


def test_the_template_is_a_mapping_and_reads_running_totals_in_thousands(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "t.csv",
        ("date", "number", "kind", "who", "comment"),
        [
            ("01/03/2025", "1.5", "deaths", "A", "x"),
            ("01/04/2025", "2.5", "deaths", "A", "x"),
            ("01/05/2025", "4", "deaths", "A", "x"),
            ("01/05/2025", "4", "civilians", "A", "x"),
            ("01/05/2025", "4", "tanks", "A", "x"),
        ],
    )
    settings = mapped(tmp_path, TEMPLATE, war_start=dt.date(2025, 2, 1))
    claims, ingested = read("mapping", path, settings)
    assert claims["value"].tolist() == [1500, 1000, 1500]
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == ["02-01", "03-01", "04-01"]
    assert reasons(ingested) == {
        5: "filter: civilians are not counted",
        6: "kind: a word that the mapping does not know",
    }
    assert any(text.startswith("running totals of one origin") for text in remarks(ingested))


def test_a_date_can_stand_for_its_month_and_numbers_be_written_otherwise(tmp_path: Path) -> None:
    text = """\
columns:
  period_end: month
  value: number
  quantity: {constant: losses}
date_format: "%Y-%m"
figures: month
thousands: "."
decimal: ","
"""
    path = csv_file(
        tmp_path / "t.csv",
        ("month", "number"),
        [("2025-02", "1.500,5"), ("2025-03", "1 500"), ("2025-04", "2,5e400")],
    )
    settings = mapped(tmp_path, text, citation="C", origins={"": "mine"})
    claims, ingested = read("mapping", path, settings)
    assert claims["value"].tolist() == [1500.5]
    assert claims["period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2025-02-28"]
    assert set(reasons(ingested)) == {3, 4}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("quantity: {constant: dead}", "quantity 'dead'; allowed: losses"),
        ("quantity: {constant: killed_share}", "unit: allowed: for killed_share: share"),
        ("quantity: {constant: killed}\n  hedge: {constant: roughly}", "hedge 'roughly'"),
        ("quantity: {constant: killed}\n  hedge: {constant: range}", "low below high"),
        ("quantity: {constant: killed}\n  status: {constant: rumour}", "status 'rumour'"),
        ("quantity: {constant: killed}\n  speaker: {constant: me}", "speaker"),
    ],
)
def test_a_claim_that_the_schema_refuses_is_told(tmp_path: Path, changed: str, said: str) -> None:
    text = PLAIN.replace("quantity: {constant: killed}", changed)
    path = csv_file(tmp_path / "t.csv", HEADER, [ROW])
    with pytest.raises(IngestError) as caught:
        read("mapping", path, mapped(tmp_path, text))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("- a", "not a mapping"),
        ("a: [", "not YAML"),
        ("columns: {}", "columns.quantity: is needed; columns.period_end: is needed"),
        (
            PLAIN.replace("origin:", "origins:"),
            "columns.origins: no column of a claims table; did you",
        ),
        (PLAIN + "figures: weekly", "figures: Input should be"),
        (PLAIN + "figures: month", "columns.period_start: not with figures: month"),
        (PLAIN + "colour: red", "colour: Extra inputs"),
        (PLAIN + "figure: day", "figure: Extra inputs are not permitted; did you mean 'figures'?"),
        (
            PLAIN.replace("who", "{column_: who}"),
            "column_: Extra inputs are not permitted; did you",
        ),
        (PLAIN + "thousands: '.'", "thousands and decimal are both '.'"),
        (PLAIN + "date_format: iso", "date_format: 'iso'"),
        (PLAIN.replace("origin: who", "origin: {column: who, multiply: 2}"), "multiply: only for"),
        (PLAIN.replace("origin: who", "origin: {column: who, constant: x}"), "give either column"),
        (PLAIN.replace("value: number", "value: {column: number, multiply: .nan}"), "multiply"),
        (PLAIN + "filters: [{column: who, reason: x}]", "give either keep or drop"),
        (PLAIN + "filters: [{column: who, drop: [no], reason: x}]", "only in quotes, as 'no'"),
        (PLAIN.replace("who", "{column: who, words: {yes: a}}"), "only in quotes, as 'no'"),
        (
            PLAIN.replace("  period_start: first\n", "") + "figures: day\ndate_format: '%Y-%m'",
            "figures: day, but date_format '%Y-%m' is longer",
        ),
        ("!!python/object/apply:os.system ['echo']", "not YAML"),
        ("&a [*a]", "not"),
    ],
)
def test_a_mapping_at_fault_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IngestError, match=r"mapping\.yaml") as caught:
        read_mapping(path)
    assert said in str(caught.value)


def test_all_problems_of_a_mapping_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(PLAIN + "figures: weekly\ncolour: red\n", encoding="utf-8")
    with pytest.raises(IngestError) as caught:
        read_mapping(path)
    assert str(caught.value).count("\n  - ") == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [("citation: {constant: somebody}", "who is cited"), ("origin: who", "who counted")],
)
def test_citation_and_origin_must_come_from_somewhere(tmp_path: Path, line: str, said: str) -> None:
    path = csv_file(tmp_path / "t.csv", HEADER, [ROW])
    with pytest.raises(IngestError, match=said):
        read("mapping", path, mapped(tmp_path, PLAIN.replace(line, "")))
    given = {"citation": "C", "origins": {"": "mine"}}
    assert len(read("mapping", path, mapped(tmp_path, PLAIN.replace(line, ""), **given))[0]) == 1


def test_no_mapping_and_a_column_that_is_not_there_are_errors(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", ("first", "last", "numbers", "who"), [ROW])
    with pytest.raises(IngestError, match="estimator new mapping"):
        read("mapping", path)
    with pytest.raises(IngestError, match="column 'number' is missing; did you mean 'numbers'"):
        read("mapping", path, mapped(tmp_path))


def test_ids_of_the_table_are_kept_and_repeated_ones_skipped(tmp_path: Path) -> None:
    text = PLAIN.replace("origin: who", "origin: who\n  id: key")
    rows = [(*ROW, "a"), (*ROW, "a"), (*ROW, "")]
    path = csv_file(tmp_path / "t.csv", (*HEADER, "key"), rows)
    claims, ingested = read("mapping", path, mapped(tmp_path, text))
    assert claims["id"].tolist() == ["a", "some_institute-killed-2025-01-31"]
    assert reasons(ingested) == {3: "an id that an earlier row has"}


def test_a_stock_is_of_one_day_and_a_difference_may_be_negative(tmp_path: Path) -> None:
    text = PLAIN.replace("quantity: {constant: killed}", "quantity: what")
    rows = [
        (*ROW, "force_size"),
        (*ROW[:2], "-9,000", "A", "replacement_gap"),
        (*ROW[:2], "-5", "A", "killed"),
    ]
    path = csv_file(tmp_path / "t.csv", (*HEADER, "what"), rows)
    claims, ingested = read("mapping", path, mapped(tmp_path, text))
    assert claims.set_index("quantity")["value"].to_dict() == {
        "force_size": 1500,
        "replacement_gap": -9000,
    }
    assert reasons(ingested) == {4: "number: negative"}


def test_rows_at_fault_are_skipped_with_their_reasons(tmp_path: Path) -> None:
    text = PLAIN.replace("origin: who", "origin: who\n  published: said")
    rows = [
        (*ROW, "2025-03-01"),
        ("2025-02-01", *ROW[1:], "2025-03-01"),
        (*ROW, "soon"),
        (*ROW[:2], "", "A", "2025-03-01"),
        (*ROW[:3], "", "2025-03-01"),
        ("", "", "", "", ""),
    ]
    path = csv_file(tmp_path / "t.csv", (*HEADER, "said"), rows)
    claims, ingested = read("mapping", path, mapped(tmp_path, text))
    assert claims["published"].dt.strftime("%Y-%m-%d").tolist() == ["2025-03-01"]
    assert reasons(ingested) == {
        3: "period_end before period_start",
        4: "said: not a date as YYYY-MM-DD",
        5: "no figure",
        6: "origin: empty",
        7: "empty line",
    }


def test_running_totals_are_persons_since_the_start(tmp_path: Path) -> None:
    text = PLAIN.replace("origin: who", "origin: who\n  unit: in").replace(
        "  period_start: first\n", ""
    )
    rows = [(*ROW, "persons"), (*ROW, "persons/month"), ("", "2024-01-01", "5", "A", "persons")]
    path = csv_file(tmp_path / "t.csv", (*HEADER, "in"), rows)
    settings = mapped(tmp_path, text + "figures: cumulative\n", war_start=dt.date(2025, 1, 1))
    claims, ingested = read("mapping", path, settings)
    assert len(claims) == 1
    assert reasons(ingested) == {
        3: "a running total in another unit than persons",
        4: "before --war-start",
    }


def test_numbers_in_another_notation_than_the_mapping_says_are_told(tmp_path: Path) -> None:
    rows = [ROW, (*ROW[:2], "1 500", "A"), (*ROW[:2], "1500.5", "B")]
    path = csv_file(tmp_path / "t.csv", HEADER, rows)
    claims, ingested = read("mapping", path, mapped(tmp_path, PLAIN + "thousands: ' '\n"))
    assert claims["value"].tolist() == [1500, 1500.5]
    assert reasons(ingested) == {2: "number: not a number in the mapping's notation"}
    comma = PLAIN + "thousands: ''\ndecimal: ','\n"
    _, ingested = read("mapping", path, mapped(tmp_path, comma))
    assert 4 in reasons(ingested)


@pytest.mark.parametrize(("mark", "written"), [(".", "12.5"), (" ", "1 2"), (".", "1.2345")])
def test_thousands_stand_in_groups_of_three(tmp_path: Path, mark: str, written: str) -> None:
    rows = [(*ROW[:2], f"1{mark}500,5", "A"), (*ROW[:2], written, "B")]
    path = csv_file(tmp_path / "t.csv", HEADER, rows)
    text = PLAIN + f"thousands: '{mark}'\ndecimal: ','\n"
    claims, ingested = read("mapping", path, mapped(tmp_path, text))
    assert claims["value"].tolist() == [1500.5]
    assert reasons(ingested) == {3: "number: not a number in the mapping's notation"}


def test_a_space_between_thousands_may_be_one_that_does_not_break(tmp_path: Path) -> None:
    rows = [(*ROW[:2], "1\u00a0500", "A"), (*ROW[:2], "1\u202f600", "B")]
    path = csv_file(tmp_path / "t.csv", HEADER, rows)
    claims, _ = read("mapping", path, mapped(tmp_path, PLAIN + "thousands: ' '\n"))
    assert claims["value"].tolist() == [1500, 1600]


def test_a_figure_in_millions_of_millions_is_no_claim(tmp_path: Path) -> None:
    text = PLAIN.replace("value: number", "value: {column: number, multiply: 1.0e+300}")
    rows = [(*ROW[:2], "1e-297", "A"), (*ROW[:2], "1e10", "B")]
    path = csv_file(tmp_path / "t.csv", HEADER, rows)
    claims, ingested = read("mapping", path, mapped(tmp_path, text))
    assert claims["value"].tolist() == pytest.approx([1000])
    assert reasons(ingested) == {3: "number: more than all people"}


def test_a_month_and_a_year_end_with_their_last_day(tmp_path: Path) -> None:
    for form, cells, start, end in (
        ("%Y-%m", ("2025-01", "2025-02"), "2025-01-01", "2025-02-28"),
        ("%Y", ("2024", "2025"), "2024-01-01", "2025-12-31"),
    ):
        path = csv_file(tmp_path / "t.csv", HEADER, [(*cells, *ROW[2:])])
        claims, _ = read("mapping", path, mapped(tmp_path, PLAIN + f"date_format: '{form}'\n"))
        found = claims[["period_start", "period_end", "published"]].iloc[0]
        assert found.dt.strftime("%Y-%m-%d").tolist() == [start, end, end]


def test_running_totals_are_of_what_adds_up(tmp_path: Path) -> None:
    text = PLAIN.replace("quantity: {constant: killed}", "quantity: what")
    text = text.replace("  period_start: first\n", "") + "figures: cumulative\n"
    rows = [(*ROW, name) for name in ("killed", "force_size", "net_change")]
    path = csv_file(tmp_path / "t.csv", (*HEADER, "what"), rows)
    settings = mapped(tmp_path, text, war_start=dt.date(2025, 1, 1))
    claims, ingested = read("mapping", path, settings)
    assert claims["quantity"].tolist() == ["killed"]
    assert set(reasons(ingested).values()) == {
        "a running total of what may fall or does not add up"
    }


def test_bounds_the_wrong_way_round_are_no_floor(tmp_path: Path) -> None:
    text = PLAIN.replace("value: number", "low: number\n  high: more")
    rows = [(*ROW, "2000"), (*ROW, "1000")]
    path = csv_file(tmp_path / "t.csv", (*HEADER, "more"), rows)
    claims, ingested = read("mapping", path, mapped(tmp_path, text))
    assert claims["hedge"].tolist() == ["range"]
    assert reasons(ingested) == {3: "low above high"}


def test_a_row_that_stands_twice_is_one_claim_and_other_figures_are_told(tmp_path: Path) -> None:
    rows = [ROW, ROW, (*ROW[:2], "1,600", ROW[3])]
    claims, ingested = read("mapping", csv_file(tmp_path / "t.csv", HEADER, rows), mapped(tmp_path))
    assert claims["value"].tolist() == [1500, 1600]
    assert reasons(ingested) == {3: "repeats another row"}
    assert remarks(ingested) == [
        "another figure on the same by the same origin: a run counts one of them"
    ]


def test_a_word_of_a_filter_that_no_row_has_is_told(tmp_path: Path) -> None:
    text = PLAIN + "filters: [{column: who, drop: [Some Institut], reason: x}]\n"
    path = csv_file(tmp_path / "t.csv", HEADER, [ROW])
    _, ingested = read("mapping", path, mapped(tmp_path, text))
    assert remarks(ingested) == ["a word of a filter that no row has"]


def test_other_separators_are_read_where_the_mapping_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("first;last;number;who\n2025-01-01;2025-01-31;1.234;A\n", encoding="utf-8")
    text = PLAIN + "separator: ';'\nthousands: '.'\ndecimal: ','\n"
    claims, _ = read("mapping", path, mapped(tmp_path, text))
    assert claims["value"].tolist() == [1234]
    with pytest.raises(IngestError, match=r"expected commas between columns .*key separator"):
        read("mapping", path, mapped(tmp_path))
    with pytest.raises(IngestError, match="separator: Input should be"):
        read("mapping", path, mapped(tmp_path, PLAIN + "separator: ':'\n"))


DAILY = PLAIN.replace("  period_start: first\n", "") + "figures: day\n"


def days(*values: object) -> list[tuple[object, ...]]:
    return [("", f"2025-01-{day:02d}", value, "A") for day, value in enumerate(values, start=1)]


def test_zeros_go_with_the_next_figure_so_that_the_sum_of_a_quiet_war_stays(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", HEADER, days(0, 0, 6, 2, 0, "", 3, 0))
    claims, ingested = read("mapping", path, mapped(tmp_path, DAILY))
    assert claims["value"].tolist() == [6, 2, 3]
    assert claims["period_start"].dt.day.tolist() == [1, 4, 7]
    assert claims["period_end"].dt.day.tolist() == [3, 4, 7]
    zero = "a figure of 0 says nothing on a log scale, and no other figure follows it at once"
    assert reasons(ingested) == {6: zero, 7: "no figure", 9: zero}
    assert ingested.ledger.bad[0].row == 7
    assert "figures of 0, part of the claim on the period that follows" in remarks(ingested)


def test_zeros_of_one_series_do_not_go_with_another(tmp_path: Path) -> None:
    rows = [("", "2025-01-01", 0, "A"), ("", "2025-01-02", 5, "B"), ("", "2025-01-02", 7, "A")]
    path = csv_file(tmp_path / "t.csv", HEADER, rows)
    claims, _ = read("mapping", path, mapped(tmp_path, DAILY))
    assert claims.set_index("origin")["period_start"].dt.day.to_dict() == {"a": 1, "b": 2}


TOTALS = PLAIN.replace("  period_start: first\n", "") + "figures: cumulative\n"
Dated = tuple[str, float]


def totals(folder: Path, rows: list[Dated], who: str = "A", **settings: object) -> Any:
    table = csv_file(folder / "t.csv", HEADER, [("", day, total, who) for day, total in rows])
    start = {"war_start": dt.date(2024, 1, 1)}
    return read("mapping", table, mapped(folder, TOTALS, **(start | settings)))


def spans(claims: pd.DataFrame) -> list[tuple[str, str, float]]:
    days = (claims[name].dt.strftime("%Y-%m-%d") for name in ("period_start", "period_end"))
    return list(zip(*days, claims["value"], strict=True))


@pytest.mark.parametrize(
    ("dates", "every", "periods"),
    [
        (("2024-02-01", "2024-03-01", "2024-04-01"), "month",
         [("01-01", "01-31"), ("02-01", "02-29"), ("03-01", "03-31")]),
        (("2024-02-01", "2024-03-01", "2024-04-01", "2024-04-17"), "day",
         [("01-01", "01-31"), ("02-01", "02-29"), ("03-01", "03-31"), ("04-01", "04-17")]),
        (("2024-04-01", "2024-07-01", "2024-10-01"), "day",
         [("01-01", "03-31"), ("01-01", "06-30"), ("01-01", "09-30")]),
        (("2024-01-01", "2024-02-01", "2024-03-01"), "month",
         [("01-01", "01-31"), ("02-01", "02-29"), ("03-01", "03-31")]),
        (("2024-01-01", "2024-04-01", "2024-07-01"), "day",
         [("01-01", "03-31"), ("01-01", "06-30"), ("01-01", "09-30")]),
        (("2024-02-01", "2024-02-15", "2024-03-01", "2024-04-01"), "day",
         [("01-01", "02-01"), ("02-02", "02-15"), ("02-16", "03-01"), ("03-02", "04-01")]),
    ],
    ids=["months", "and today", "quarters", "named months", "named quarters", "other days too"],
)  # fmt: skip
def test_totals_on_the_firsts_of_months_hold_whole_months(
    tmp_path: Path, dates: tuple[str, ...], every: str, periods: list[tuple[str, str]]
) -> None:
    rows = [(day, 3000.0 * n) for n, day in enumerate(dates, start=1)]
    claims, ingested = totals(tmp_path, rows, every=every)
    assert [(start[5:], end[5:]) for start, end, _ in spans(claims)] == periods
    told = [text for text in remarks(ingested) if "firsts of months" in text]
    assert len(told) == (0 if "2024-02-15" in dates else 1)


def test_a_total_of_nothing_on_the_first_day_of_a_war_leaves_the_others_up_to_the_day_before(
    tmp_path: Path,
) -> None:
    rows = [("2024-01-01", 0.0), ("2024-02-01", 500.0), ("2024-03-01", 900.0)]
    claims, _ = totals(tmp_path, rows)
    assert spans(claims) == [("2024-01-01", "2024-01-31", 500), ("2024-02-01", "2024-02-29", 400)]


def test_totals_on_mondays_can_be_said_to_hold_their_weeks(tmp_path: Path) -> None:
    rows = [(f"2024-01-{day:02d}", 10.0 * day) for day in (1, 8, 15, 22)]
    claims, _ = totals(tmp_path, rows, week_start=("A",))
    assert [end for _, end, _ in spans(claims)] == [f"2024-01-{d:02d}" for d in (7, 14, 21, 28)]
    with pytest.raises(IngestError, match="--week-start: only with figures: cumulative"):
        read("mapping", tmp_path / "t.csv", mapped(tmp_path, DAILY, week_start=("A",)))


def test_a_count_that_begins_anew_is_carried_on_for_each_origin(tmp_path: Path) -> None:
    weeks = [dt.date(2024, 1, 7) + 7 * n * DAY for n in range(20)]
    found = [*range(100, 1300, 100), *range(20, 180, 20)]
    rows = [("", day, total, "A") for day, total in zip(weeks, found, strict=True)]
    rows += [("", day, 50 * n, "B") for n, day in enumerate(weeks, start=1)]
    table = csv_file(tmp_path / "t.csv", HEADER, rows)
    settings = mapped(tmp_path, TOTALS, war_start=dt.date(2024, 1, 1))
    claims, ingested = read("mapping", table, settings)
    assert claims.groupby("origin")["value"].sum().to_dict() == {"a": 1360, "b": 1000}
    assert reasons(ingested) == {}
    (told,) = [entry for entry in ingested.ledger.remarks if "begin anew" in entry.reason]
    assert told.detail == (
        "a, killed: seems to begin anew on 2024-03-31, with 20 after 1,200 on 2024-03-24"
    )
    assert told.row == 14


def test_sparse_totals_of_each_year_are_sums_since_the_start_of_the_war(tmp_path: Path) -> None:
    ends = ("03-31", "06-30", "09-30", "12-31")
    rows = [(f"{year}-{end}", 300.0 * n) for year in (2024, 2025) for n, end in enumerate(ends, 1)]
    claims, _ = totals(tmp_path, rows)
    assert claims["value"].tolist() == [300.0 * n for n in range(1, 9)]
    assert set(claims["period_start"]) == {pd.Timestamp("2024-01-01")}


EVENTS = [
    ("2024-01-07", 4), ("2024-01-07", 2), ("2024-02-19", 5), ("2024-05-22", 6), ("2024-05-30", 0),
    ("2024-06-03", 0),
]  # fmt: skip


def test_days_of_events_are_added_up_by_month_and_quiet_months_go_with_the_next(
    tmp_path: Path,
) -> None:
    table = csv_file(tmp_path / "t.csv", HEADER, [("", day, dead, "A") for day, dead in EVENTS])
    claims, ingested = read("mapping", table, mapped(tmp_path, DAILY, every="month"))
    assert spans(claims) == [
        ("2024-01-01", "2024-01-31", 6),
        ("2024-02-01", "2024-02-29", 5),
        ("2024-03-01", "2024-05-31", 6),
    ]
    assert list(reasons(ingested)) == [7]
    told = {entry.reason[:29]: entry.detail for entry in ingested.ledger.remarks}
    assert told["months without a figure above"] == "2 of a, killed"
    known = mapped(tmp_path, DAILY, every="month", published=dt.date(2024, 5, 25))
    claims, _ = read("mapping", table, known)
    assert str(claims["period_end"].iloc[-1].date()) == "2024-05-30"
    later = mapped(tmp_path, DAILY, every="month", war_start=dt.date(2024, 1, 20))
    claims, ingested = read("mapping", table, later)
    assert spans(claims)[0] == ("2024-02-01", "2024-02-29", 5)
    assert reasons(ingested)[2] == "before --war-start"


def test_days_without_a_figure_are_told_with_the_option_that_mends_it(tmp_path: Path) -> None:
    table = csv_file(tmp_path / "t.csv", HEADER, [(day, day, dead, "A") for day, dead in EVENTS])
    for text in (DAILY, PLAIN):
        _, ingested = read("mapping", table, mapped(tmp_path, text))
        (told,) = [entry for entry in ingested.ledger.remarks if "--every month" in entry.reason]
        assert told.reason.startswith("days without a figure: no evidence that nobody died")
        assert told.detail == "5 of 149 days of a, killed have figures"


def test_weeks_of_events_are_spread_over_months_and_other_figures_are_told(tmp_path: Path) -> None:
    rows = [
        ("2024-01-29", "2024-02-04", 70, "A"),  # three days of January
        ("2024-03-11", "2024-03-17", 14, "A"),
        ("2024-01-01", "2024-03-31", 99, "A"),
    ]
    table = csv_file(tmp_path / "t.csv", HEADER, rows)
    claims, ingested = read("mapping", table, mapped(tmp_path, PLAIN, every="month"))
    assert spans(claims) == [
        ("2024-01-01", "2024-01-31", 30),
        ("2024-02-01", "2024-02-29", 40),
        ("2024-01-01", "2024-03-31", 99),
        ("2024-03-01", "2024-03-31", 14),
    ]
    assert "not added up by --every: a figure on more days than a month has" in remarks(ingested)


def test_bounds_add_up_and_floors_are_floors_of_their_own(tmp_path: Path) -> None:
    text = PLAIN.replace("value: number", "value: number\n  low: least\n  high: most")
    day = ("2024-01-07", "2024-01-07")
    rows = [(*day, 4, "A", 2, 9), (*day, 3, "A", "", ""), (*day, "", "A", 5, "")]
    table = csv_file(tmp_path / "t.csv", (*HEADER, "least", "most"), rows)
    claims, ingested = read("mapping", table, mapped(tmp_path, text, every="month"))
    assert any("the last month is taken as whole" in told for told in remarks(ingested))
    found = claims.set_index("hedge")[["low", "value", "high"]].to_dict("index")
    assert found["range"] == {"low": 5, "value": 7, "high": 12}
    assert found["at_least"]["value"] == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DAILY.replace("figures: day", "figures: month"), "figures of months"),
        (PLAIN.replace("value: number", "value: number\n  sd: more"), "sd do not add up"),
    ],
)
def test_figures_that_cannot_be_added_up_are_refused(tmp_path: Path, text: str, said: str) -> None:
    table = csv_file(tmp_path / "t.csv", (*HEADER, "more"), [(*ROW, 1)])
    with pytest.raises(IngestError, match=said):
        read("mapping", table, mapped(tmp_path, text, every="week"))


def test_a_year_that_cannot_be_held_is_told(tmp_path: Path) -> None:
    table = csv_file(tmp_path / "t.csv", HEADER, [("1863-06-01", "1863-06-30", 5, "A")])
    with pytest.raises(IngestError, match="year not from 1900 to 2199"):
        read("mapping", table, mapped(tmp_path))
