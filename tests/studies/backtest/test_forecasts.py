"""In simulated worlds whose exact posterior is known, ranges cover as often as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimator.assumptions.groups import Projection
from estimator.model.inputs import ModelInputs
from estimator.quantities.scores import central_intervals
from estimator.studies.backtest.forecasts import forecast_reports
from estimator.studies.backtest.origin_fits import forecast_inputs
from tests.studies.backtest import made

MONTH = "2024-06"
WORLDS, DRAWS = 600, 400
LEVELS = (0.5, 0.9)
AHEAD = [f"GS-2024-{month:02d}" for month in range(7, 13)]


def reports_of(
    inputs: ModelInputs, path: np.ndarray, bias: float, rng: np.random.Generator
) -> ModelInputs:
    """Replace the figures of the months ahead by those that a true path gives."""
    origin = made.origin(MONTH)
    value = inputs.data["claim_value"].copy()
    exposure = inputs.structure.constants["exposure"]
    for one in origin.targets:
        if one.horizon:
            noise = inputs.figure("noise")[one.row] * rng.standard_normal()
            value[one.row] = path[one.horizon - 1] + np.log(exposure[one.month]) + bias + noise
    return replace(inputs, data={**inputs.data, "claim_value": value})


def coverage(dynamics: Projection, worlds: int = WORLDS) -> np.ndarray:
    """Share of reports inside, over worlds. (level, horizon)."""
    then, evidence = made.known(MONTH)
    inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1.0)
    origin = made.origin(MONTH)
    step = 0.14
    rng = np.random.default_rng(70)
    inside = []
    for world in range(50_000, 50_000 + worlds):
        changes = rng.normal(0.0, step, 12 + 6)
        # The truth of the origin's month is as likely as each draw of it.
        last, error, bias, bias_error = 3.0, 0.04, 0.05, 0.1
        noise = rng.normal(0.0, error, DRAWS + 1)
        biases = rng.normal(bias, bias_error, DRAWS + 1)
        past = last + np.append(-np.cumsum(changes[:12][::-1])[::-1], 0.0)
        rate = past + noise[:DRAWS, None]
        fitted = made.fitted(rate, np.full(DRAWS, step), biases[:DRAWS], AHEAD)
        path = last + noise[DRAWS] + np.cumsum(changes[12:])
        given = reports_of(inputs, path, float(biases[DRAWS]), rng)
        then_here = then.model_copy(update={"seed": world})
        targets, draws = forecast_reports(fitted, origin, given, then_here, dynamics)
        came = given.data["claim_value"][[one.row for one in targets]][:, None]
        low, high = central_intervals(draws, LEVELS)
        inside.append((low <= came) & (came <= high))
    return np.mean(inside, axis=0).T


@pytest.mark.slow
def test_ranges_cover_as_often_as_they_say_where_the_posterior_is_exact() -> None:
    found = coverage(Projection(dynamics="walk"))
    for level, shares in zip(LEVELS, found, strict=True):
        error = np.sqrt(level * (1 - level) / WORLDS)
        assert np.abs(shares - level).max() < 3.5 * error, (level, shares)


def test_without_change_ranges_of_a_moving_world_cover_too_little() -> None:
    found = coverage(Projection(dynamics="no_change"), worlds=100)
    assert found[1, -1] < 0.75


def test_all_dynamics_and_noise_factors_see_the_same_random_numbers() -> None:
    then, evidence = made.known(MONTH)
    origin = made.origin(MONTH)
    rng = np.random.default_rng(3)
    fitted = made.fitted(rng.normal(3.0, 0.1, (50, 20)), np.full(50, 0.2), np.zeros(50), AHEAD)
    plain, double = (
        forecast_inputs(evidence, then, [made.GENERAL_STAFF], factor) for factor in (1.0, 2.0)
    )
    still = Projection(dynamics="no_change")
    _, one = forecast_reports(fitted, origin, plain, then, still)
    _, again = forecast_reports(fitted, origin, plain, then, still)
    np.testing.assert_array_equal(one, again)
    _, other = forecast_reports(fitted, origin, double, then, still)
    _, walked = forecast_reports(fitted, origin, plain, then, Projection(dynamics="walk"))
    noise = other - one
    assert 0.7 * 0.03 < noise.std() < 1.3 * 0.03
    step = walked[0] - one[0]
    assert abs(np.corrcoef(step, noise[0])[0, 1]) < 0.4
    assert 0.13 < step.std() < 0.28


def test_a_report_is_the_truth_of_its_days_with_bias_and_noise() -> None:
    then, evidence = made.known(MONTH)
    origin = made.origin(MONTH)
    inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1e-6)
    fitted = made.fitted(np.full((10, 5), 3.0), np.full(10, 0.2), np.full(10, 0.25), AHEAD)
    targets, draws = forecast_reports(
        fitted, origin, inputs, then, Projection(dynamics="no_change")
    )
    days = np.array([31, 31, 30, 31, 30, 31])
    expected = 3.0 + 0.25 + np.log(days / (365.25 / 12))
    assert [one.claim for one in targets][:2] == ["GS-2024-07", "GS-2024-08"]
    np.testing.assert_allclose(draws, np.tile(expected[:, None], 10), atol=1e-4)
