"""The month in hand: what its first half says of the whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from estimator.evidence import read_claims
from estimator.studies.backtest.backtest import Backtest
from estimator.studies.backtest.month_in_hand import (
    FirstPart,
    changes_within,
    first_parts,
    in_hand_cases,
)
from estimator.studies.backtest.origin_fits import forecast_inputs
from estimator.studies.backtest.origins import IN_HAND
from estimator.studies.backtest.parts import parts
from tests.studies.backtest import made

MONTH, NEXT = "2024-06", "2024-07"
CLAIM = "GS-2024-07"
AHEAD = [f"GS-2024-{month:02d}" for month in range(7, 13)]


@pytest.fixture(scope="module")
def halves() -> dict[tuple[str, str], FirstPart]:
    return dict(first_parts(read_claims(("halves",))))


def cases(parts_known: dict[tuple[str, str], FirstPart], spread: float = 0.1) -> pd.DataFrame:
    """Forecast July 2024 from draws whose level in June is that of the figure, give or take."""
    then, evidence = made.known(MONTH)
    inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1.0)
    rng = np.random.default_rng(4)
    june = np.log(35.05 * (365.25 / 12) / 30)
    rate = june + spread * rng.standard_normal((4000, 1)) * np.ones(20)
    fitted = made.fitted(rate, np.full(4000, 0.1), np.zeros(4000), AHEAD)
    origin = made.origin(MONTH)
    return in_hand_cases(fitted, origin, parts_known, evidence, inputs, then, made.options())


def test_the_shipped_halves_are_parts_of_the_shipped_months(
    halves: dict[tuple[str, str], FirstPart],
) -> None:
    months = read_claims().set_index("id")["value"]
    assert len(halves) == 47
    for (source, month), part in halves.items():
        assert source == made.GENERAL_STAFF
        assert part.days == 15
        assert 0.2 < part.persons / months[f"GS-{month}"] < 0.8


def test_only_figures_that_begin_with_a_month_and_end_before_it_are_first_parts() -> None:
    table = read_claims(("halves",)).copy()
    two = table.iloc[[0, 1]].copy()
    two["period_start"] = two["period_end"] + pd.Timedelta(days=1)
    whole = table.iloc[[2]].copy()
    whole["period_end"] = whole["period_start"] + pd.offsets.MonthEnd(0)
    assert not first_parts(pd.concat([two, whole]))
    assert first_parts(read_claims()).keys() == {(made.GENERAL_STAFF, "2026-02")}


def test_a_known_half_narrows_the_forecast_around_what_it_says(
    halves: dict[tuple[str, str], FirstPart],
) -> None:
    key, day = (made.GENERAL_STAFF, NEXT), halves[made.GENERAL_STAFF, NEXT].published
    found = {
        persons: cases({key: FirstPart(persons, 15, 31, day)}).set_index("dynamics").loc["model"]
        for persons in (14_000.0, 20_000.0)
    }
    for persons, row in found.items():
        assert row["kind"] == IN_HAND
        assert abs(np.log(row["q50"] / (persons * 31 / 15))) < 0.1
        assert row["q5"] > persons, "what is known is part of the whole"
        assert row["width_90"] < 0.25, "without the half about 0.47"
        assert row["effective"] > 100


def test_ranges_cover_as_often_as_they_say_where_the_draws_are_right() -> None:
    """Draws of the level are exact, so that of 90 % ranges 90 of 100 must hold what came."""
    then, evidence = made.known(MONTH)
    inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1.0)
    origin, day = made.origin(MONTH), pd.Timestamp("2024-07-16").date()
    (row,) = [one.row for one in origin.targets if one.claim == CLAIM]
    rng = np.random.default_rng(9)
    inside, noise = [], 0.03 * np.sqrt(365.25 / 12 / np.array([15, 16]))
    one = made.options(dynamics={"model": {"dynamics": "walk"}})
    for _ in range(300):
        rate = 3.5 + 0.1 * rng.standard_normal((401, 1)) * np.ones(2)
        july = rate[400, 0] + 0.1 * rng.standard_normal() + np.log(31 / (365.25 / 12))
        shares = np.array([15, 16]) / 31
        change = np.array([0.0, 0.1 / np.sqrt(2) * rng.standard_normal()])  # within the month
        first, rest = np.exp(july + change) * shares * np.exp(noise * rng.standard_normal(2))
        value = inputs.data["claim_value"].copy()
        value[row] = np.log(first + rest)
        inputs.data["claim_value"] = value
        fitted = made.fitted(rate[:400], np.full(400, 0.1), np.zeros(400), AHEAD)
        part = {(made.GENERAL_STAFF, NEXT): FirstPart(first * 1000, 15, 31, day)}
        again = then.model_copy(update={"seed": int(rng.integers(1_000_000))})
        found = in_hand_cases(fitted, origin, part, evidence, inputs, again, one)
        inside.append(bool(found.set_index("dynamics").loc["model", "covered_90"]))
    assert abs(np.mean(inside) - 0.9) < 3.5 * np.sqrt(0.9 * 0.1 / 300)


def test_naive_forecasts_of_a_month_in_hand_read_no_month_after_the_origin(
    halves: dict[tuple[str, str], FirstPart],
) -> None:
    figures = {"2024-04": 26_550.0, "2024-05": 38_930.0, "2024-06": 35_050.0}
    known = changes_within(figures, halves, made.GENERAL_STAFF, "2024-05")
    assert len(known) == 2
    april = halves[made.GENERAL_STAFF, "2024-04"].persons
    assert known[0] == pytest.approx(np.log((26_550 - april) / april))
    table = cases(halves)
    assert set(table["dynamics"]) == {"walk_12", "walk_24", "walk_all", *made.options().dynamics}


def test_a_half_that_was_published_with_its_month_makes_no_forecast(
    halves: dict[tuple[str, str], FirstPart],
) -> None:
    part = halves[made.GENERAL_STAFF, NEXT]
    late = FirstPart(part.persons, part.days, part.of_days, pd.Timestamp("2024-08-01").date())
    assert cases({(made.GENERAL_STAFF, NEXT): late}).empty


def test_the_month_in_hand_has_a_table_of_its_own(
    halves: dict[tuple[str, str], FirstPart],
) -> None:
    facts = {"assumption_set": "central", "origin": MONTH, "as_of": "2024-07-01"}
    own = cases(halves).assign(**facts, noise_factor=1.0, failures="")
    both = pd.concat([made.cases(), own], ignore_index=True)
    found = list(parts(Backtest(both, {}, made.options(), "")))
    (grid,) = [g for part in found for g in part.grids if "month in hand" in g.title]
    assert [row[1].text for row in grid.rows].count("yes") == 6
