from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from estimator.errors import IngestError
from estimator.ingest.mapping_options import TEMPLATE, read_mapping
from estimator.ingest.settings import Settings
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
    assert claims["period_start"].dt.strftime("%m-%d").tolist() == ["02-01", "03-02", "04-02"]
    assert reasons(ingested) == {
        5: "filter: civilians are not counted",
        6: "kind: a word that the mapping does not know",
    }
    assert ingested.ledger.remarks[0].reason.startswith("running totals of one origin")


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
