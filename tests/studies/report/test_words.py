from __future__ import annotations

import pytest

from estimator.errors import ConfigError
from estimator.quantities.answers import Answer
from estimator.studies.report import ReportOptions, words
from estimator.studies.report.claims import figure_of
from tests.studies.report.conftest import options


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
    named = words.assumption(key, {"some_staff": "The Staff"})
    assert named == text.replace("some staff", "The Staff")


def test_events_are_said_in_words() -> None:
    assert words.event("net_change[2026-01] < 0") == "the force shrank in January 2026"
    assert words.event("losses[2026-01] > 50000") == "losses in January 2026 were above 50,000"
    assert (
        words.event("killed_share[2026-01] < 0.3") == "killed share in January 2026 was below 0.3"
    )
    assert words.event("net change in 2026-01 < 0") == "net change in January 2026 is below 0"
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
    ("low", "value", "high", "unit", "hedge", "text"),
    [
        (None, 1250000, None, "persons", "more_than", "more than 1,250,000 persons"),
        (80000, None, 110000, "persons", "range", "80,000 to 110,000 persons"),
        (40000, 47000, 55000, "persons", "about", "about 47,000 (40,000 to 55,000) persons"),
        (20, 25, 25, "ratio", "up_to", "up to 20 to 25 ratio"),
        (None, 30618, None, "persons", "exact", "30,618 persons"),
        (None, -9000, None, "persons", "about", "about −9,000 persons"),
        (None, None, None, "", "", "a statement, no figure"),
        ("", "0.65", "", "share", "more_than", "more than 65 %"),
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


def test_what_has_no_name_for_readers_is_shown_by_its_own() -> None:
    assert options().origin("csis") == "CSIS"
    assert options().origin("some_staff") == "some staff"
    assert options().scenario("goal_50000") == "a goal of 50,000 losses a month reached"
    assert options().evidence_group("some_list") == "some list"
    assert options().set_name("few_return") == "Few wounded return"
    assert options().set_name("mine") == "mine"
