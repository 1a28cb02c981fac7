from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.assumptions.compose import assumption_set
from estimator.errors import ConfigError
from estimator.quantity import MONTHLY
from estimator.run import Estimate
from estimator.studies.breakeven.event import Event

MONTHS, AHEAD = ["2025-12", "2026-01"], ["2026-02", "2026-08"]
CENTRAL = assumption_set()

events = st.builds(
    Event,
    st.sampled_from(MONTHLY),
    st.one_of(st.just("total"), st.from_regex(r"20[0-9]{2}-[01][0-9]", fullmatch=True)),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.one_of(st.none(), st.from_regex(r"[a-z_0-9]{1,20}", fullmatch=True)),
)


@given(events)
def test_an_event_reads_back_what_it_writes(event: Event) -> None:
    assert Event.parse(str(event)) == event
    assert Event.parse(f"P({event})") == event


@given(st.text(max_size=60))
def test_any_text_is_an_event_or_one_configuration_error(text: str) -> None:
    try:
        event = Event.parse(text)
    except ConfigError as error:
        assert "must be quantity[period]" in str(error) or "number" in str(error)
    else:
        assert np.isfinite(event.threshold)


@given(event=events, spaces=st.lists(st.sampled_from(["", " ", "  "]), min_size=4, max_size=4))
def test_spaces_around_the_sign_do_not_matter(event: Event, spaces: list[str]) -> None:
    sign = "<" if event.below else ">"
    left, right = str(event).split(f" {sign} ")
    text = f"{spaces[0]}{left}{spaces[1]}{sign}{spaces[2]}{right}{spaces[3]}"
    assert Event.parse(text) == event


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("net_change[2026-01] < 0", Event("net_change", "2026-01", True, 0.0)),
        ("losses[2026-01]>50_000", Event("losses", "2026-01", False, 50_000.0)),
        ("killed[total] > 3e5", Event("killed", "total", False, 3e5)),
        ("replacement_gap[2026-01] < -.5", Event("replacement_gap", "2026-01", True, -0.5)),
        (
            "scenario.status_quo.net_change[2026-08] < 0",
            Event("net_change", "2026-08", True, 0.0, "status_quo"),
        ),
    ],
)
def test_the_events_of_the_issue_are_understood(text: str, expected: Event) -> None:
    assert Event.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "losses > 3",
        "losses[2026-01] = 3",
        "losses[2026-01] <= 3",
        "losses[2026-01] > 1e999",
        "losses[2026-01] > 5__0",
        "__import__('os')[2026-01] > 3",
        "losses[2026-01] > recruits[2026-01]",
        "",
    ],
)
def test_what_is_no_event_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="event"):
        Event.parse(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("net_chang[2026-01] < 0", "did you mean 'net_change'"),
        ("losses[2026-02] > 0", "did you mean '2026-01'"),
        ("losses[total] > 0", ""),
        ("force_size[total] > 0", "force_size has no total"),
        ("scenario.status_qu.losses[2026-08] > 0", "did you mean 'status_quo'"),
        ("scenario.status_quo.losses[2026-01] > 0", "no month '2026-01'"),
        ("scenario.status_quo.wounded[2026-08] > 0", "unknown quantity 'wounded'"),
    ],
)
def test_an_unknown_part_is_named_with_the_nearest_valid_one(text: str, named: str) -> None:
    event = Event.parse(text)
    if not named:
        event.check(CENTRAL, MONTHS, AHEAD)
        return
    with pytest.raises(ConfigError) as error:
        event.check(CENTRAL, MONTHS, AHEAD)
    assert named in str(error.value)


def test_all_problems_of_an_event_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Event.parse("scenario.no.loses[1999-01] < 0").check(CENTRAL, MONTHS, AHEAD)
    assert str(error.value).count("\n  - ") == 3


def test_an_event_happens_where_its_quantity_is_on_its_side(from_prior: Estimate) -> None:
    draws = from_prior.tree["posterior"].to_dataset()
    january = draws["net_change"].sel(month="2026-01").values
    found = Event.parse("net_change[2026-01] < 0").happens(draws, CENTRAL)
    assert found.shape == january.shape
    assert (found == (january < 0)).all()
    assert 0 < found.mean() < 1
    killed = draws["killed"].sum("month").values
    middle = float(np.median(killed))
    above = Event.parse(f"killed[total] > {middle}").happens(draws, CENTRAL)
    assert (above == (killed > middle)).all()


@pytest.mark.parametrize("scenario", ["status_quo", "goal_60000", "mobilisation_with_goal"])
def test_a_scenario_is_projected_as_in_the_result_of_the_set(
    from_prior: Estimate, scenario: str
) -> None:
    """Same seed, same steps: the event is that of the result, draw by draw."""
    projected = from_prior.tree["scenarios"].to_dataset().sel(scenario=scenario)
    august = projected["force_size"].sel(projected_month="2026-08").values
    size = float(np.quantile(august, 0.8))  # of the prior's draws half have nobody left
    event = Event.parse(f"scenario.{scenario}.force_size[2026-08] < {size}")
    found = event.happens(from_prior.tree["posterior"].to_dataset(), CENTRAL)
    assert (found == (august < size)).mean() > 0.99
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_words_and_slug_name_quantity_period_and_number() -> None:
    event = Event.parse("scenario.goal_50000.net_change[2026-08] < -5000")
    assert event.words == "net change in 2026-08 under scenario goal_50000 < −5,000"
    assert event.slug == "goal_50000-net_change-2026-08-below--5000"
