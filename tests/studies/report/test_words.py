from __future__ import annotations

import pytest

from estimator.errors import ConfigError
from estimator.quantities.answers import Answer
from estimator.studies.report import ReportOptions, words
from estimator.studies.report.claims import figure_of
from tests.studies.report.conftest import options

NAN = float("nan")
HARD = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "sign", "text"),
    [
        (33417.0, "persons/month", False, "33,400"),
        (1268345.0, "persons", False, "1,270,000"),
        (2904.0, "persons", False, "2,900"),
        (-307.2, "persons", True, "−310"),
        (12.4, "persons", False, "12"),
        (0.2, "persons", False, "0"),
        (-0.2, "persons", True, "0"),
        (0.0, "persons", True, "0"),
        (4912.0, "persons", True, "+4,900"),
        (0.31, "ratio", False, "0.31"),
        (0.02, "ratio", False, "0.02"),
        (1.0, "ratio", False, "1"),
        (-0.1234, "log ratio", False, "−0.123"),
        (0.2148, "share", False, f"21{HARD}%"),
        (0.0212, "share", False, f"2.1{HARD}%"),
        (-0.0212, "share", True, f"−2.1{HARD}%"),
        (0.0212, "share", True, f"+2.1{HARD}%"),
        (0.0, "share", False, f"0{HARD}%"),
        (0.021, "probability", False, f"2{HARD}%"),
        (0.001, "probability", False, f"under 1{HARD}%"),
        (0.999, "probability", False, f"over 99{HARD}%"),
        (1.0, "probability", False, f"100{HARD}%"),
        (0.0, "probability", False, f"0{HARD}%"),
        (NAN, "persons", False, "–"),
        (float("inf"), "share", False, "–"),
    ],
)
def test_a_number_is_written_as_precisely_as_it_is_known(
    value: float, unit: str, sign: bool, text: str
) -> None:
    assert words.number(value, unit, sign=sign) == text


def test_a_range_with_an_unknown_end_is_none() -> None:
    assert words.span(1000.0, 2000.0) == "1,000 to 2,000"
    assert words.span(NAN, 2000.0) == "–"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.98, None, "98 of 100"),
        (0.981, 0.984, "98 of 100"),
        (0.3, 0.96, "30 to 96 of 100"),
        (0.9999, None, "more than 99 of 100"),
        (0.001, 0.5, "fewer than 1 to 50 of 100"),
        (1.0, None, "100 of 100"),
        (0.0, None, "0 of 100"),
    ],
)
def test_chances_are_counted_in_draws(low: float, high: float | None, text: str) -> None:
    assert words.chances(low, high) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-01-01", "2026-01-31", "January 2026"),
        ("2025-12-01", "2026-01-31", "December 2025 to January 2026"),
        ("2022-02-24", "2024-02-23", "2022-02-24 to 2024-02-23"),
        ("2023-01-01", "2023-01-01", "2023-01-01"),
        (None, None, "no period said"),
        ("", "", "no period said"),
    ],
)
def test_periods_are_written_by_month_where_they_are_whole(
    start: str | None, end: str | None, text: str
) -> None:
    assert words.dates(start, end) == text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("returns.rate", "share of the wounded who come back to duty"),
        ("returns.rate.high", "share of the wounded who come back to duty: high"),
        ("killed_share", "killed share"),
        ("reporting.origins.some_staff.losses.bias", "some staff on losses: bias"),
        ("reporting.default.killed.bias.low", "other origins on killed: bias: low"),
        ("reporting_bias[some_staff:recruits]", "some staff on recruits: bias"),
    ],
)
def test_an_assumption_is_said_in_words(key: str, text: str) -> None:
    assert words.assumption(key) == text


def test_events_are_said_in_words() -> None:
    text = "net change in 2026-01 < 0"
    assert words.event(text) == "net change in January 2026 is below 0"
    assert words.event("on 2026-01-15 > 1") == "on 2026-01-15 is above 1"
    assert words.event("in 2026-13 > 1") == "in 2026-13 is above 1"


def test_answers_are_named_with_their_period() -> None:
    months = ["2022-02", "2022-03"]
    assert words.answer(Answer.parse("losses[2022-03]"), months) == "losses, March 2022"
    assert words.phrase(Answer.parse("killed[total]"), months) == (
        "killed from February 2022 to March 2022"
    )
    assert words.heading("P(net_change[2022-03] < 0)", months) == ("Net change below 0, March 2022")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (list("abcdefgh"), "a, b, c, d, e, f and 2 more"),
    ],
)
def test_names_are_listed(names: list[str], text: str) -> None:
    assert words.listed(names) == text


def test_sets_are_named_by_the_shorter_list() -> None:
    names = list("abcdef")
    assert words.which(names, names) == "all sets"
    assert words.which(list("abcd"), names) == "all but e and f"
    assert words.which(["a", "b"], names) == "a and b"
    assert words.which(["a"], ["a"]) == "a"


@pytest.mark.parametrize(
    ("low", "value", "high", "unit", "hedge", "text"),
    [
        (None, 1250000, None, "persons", "more_than", "more than 1,250,000 persons"),
        (80000, None, 110000, "persons", "range", "80,000 to 110,000 persons"),
        (40000, 47000, 55000, "persons", "about", "about 47,000 (40,000 to 55,000) persons"),
        (20, 25, 25, "ratio", "up_to", "up to 20 to 25 ratio"),
        (None, 30618, None, "persons", "exact", "30,618 persons"),
        (None, -9000, None, "persons", "about", "about −9,000 persons"),
        (None, None, None, "", "", "a statement, no figure"),
        ("", "0.65", "", "share", "more_than", "more than 0.65 share"),
    ],
)
def test_a_figure_is_written_as_it_was_published(
    low: object, value: object, high: object, unit: str, hedge: str, text: str
) -> None:
    record = {"low": low, "value": value, "high": high, "unit": unit, "hedge": hedge}
    assert figure_of(record) == text


def test_all_problems_of_the_options_are_told_at_once() -> None:
    config = options().model_dump() | {
        "answers": ["losses", "P(net_change[last] < 0)", "deaths[last]"],
        "colour": "red",
        "most_sets": 0,
    }
    with pytest.raises(ConfigError) as caught:
        ReportOptions.from_config(config)
    message = str(caught.value)
    for found in ("report.colour", "report.most_sets", "answer 'losses'", "give the quantity, not",
                  "unknown quantity 'deaths'"):  # fmt: skip
        assert found in message


def test_an_origin_without_a_name_is_shown_by_its_own() -> None:
    assert options().origin("general_staff_ukraine") == "General Staff of Ukraine"
    assert options().origin("some_staff") == "some staff"
