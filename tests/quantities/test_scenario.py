from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions.compose import assumption_set
from estimator.evidence.periods import Window
from estimator.quantities.derived import plan_of_draws
from estimator.quantities.scenario import break_even_plan_shares, project
from estimator.run import Estimate


@pytest.fixture(scope="module")
def posterior(from_prior: Estimate) -> xr.Dataset:
    return from_prior.tree["posterior"].to_dataset()


@pytest.fixture(scope="module")
def projected(posterior: xr.Dataset) -> xr.Dataset:
    found = project(posterior, assumption_set(), np.random.SeedSequence(1))
    assert found is not None
    return found


def test_scenarios_begin_after_the_last_month(projected: xr.Dataset) -> None:
    months = projected["projected_month"].values.tolist()
    assert months == [f"2026-{month:02d}" for month in range(3, 9)]
    assert set(projected["scenario"].values) == set(assumption_set().scenario)


def test_scenarios_differ_by_what_they_set_alone(projected: xr.Dataset) -> None:
    quo, plan = (projected.sel(scenario=name) for name in ("status_quo", "plan_120"))
    np.testing.assert_array_equal(plan["losses"], quo["losses"])
    np.testing.assert_array_equal(plan["returned"], quo["returned"])
    assert (plan["recruits"] != quo["recruits"]).all()


def test_a_plan_sets_the_recruits(projected: xr.Dataset) -> None:
    plan = plan_of_draws(assumption_set(), projected)
    for name, share in {"plan_100": 1.0, "plan_120": 1.2, "plan_130": 1.3}.items():
        recruits = projected["recruits"].sel(scenario=name)
        np.testing.assert_allclose(*xr.broadcast(recruits, share * plan / 12))


def test_a_mobilisation_comes_on_top_in_its_months(projected: xr.Dataset) -> None:
    more = projected["recruits"].sel(scenario="mobilisation") - projected["recruits"].sel(
        scenario="status_quo"
    )
    expected = [0, 100_000, 100_000, 100_000, 0, 0]
    np.testing.assert_allclose(more, np.broadcast_to(expected, more.shape), atol=1e-6)


def test_a_goal_is_reached_in_its_range(projected: xr.Dataset) -> None:
    band = assumption_set().scenario["recruits_30000_40000"].recruits
    assert band is not None
    reached = projected["recruits"].sel(scenario="recruits_30000_40000").isel(projected_month=-1)
    assert band.low <= reached.min() < reached.max() <= band.high


def test_the_force_goes_on_from_the_end_of_the_last_month_at_the_pace_of_its_known_days(
    projected: xr.Dataset, posterior: xr.Dataset
) -> None:
    fifteen_days = posterior.isel(month=-1, drop=True)
    last = fifteen_days["force_size"] + 13 / 15 * fifteen_days["net_change"]
    change = projected["net_change"].cumsum("projected_month")
    np.testing.assert_allclose(
        projected["force_size"],
        (last + change).clip(min=0.0).transpose(*projected["force_size"].dims),
    )


def test_steady_flows_go_on_as_they_were_whatever_day_the_window_ends(
    posterior: xr.Dataset,
) -> None:
    """A cut month is neither a fall nor a rise, in flows and returns alike."""
    steady = posterior.copy(deep=True)
    days = Window.of(assumption_set().window).days
    for name in ("losses", "wounded", "recruits", "foreign_recruits"):
        steady[name] = steady[name] * 0.0 + xr.DataArray(30.0 * days, dims="month")
    for group in ("losses", "recruitment", "foreign", "killed_share"):
        steady["assumption_value"].loc[{"assumption": f"{group}.step"}] = 0.0
    projected = project(
        steady,
        assumption_set(["losses.projection.dynamics=no_change"]),
        np.random.SeedSequence(1),
    )
    assert projected is not None
    quo = projected.sel(scenario="status_quo")
    for name, by_day in {"losses": 30.0, "recruits": 30.0}.items():
        per_day = quo[name].isel(projected_month=0) / 31
        np.testing.assert_allclose(per_day, by_day)
    toward = projected["losses"].sel(scenario="goal_50000").isel(projected_month=0)
    whole = 30.0 * 28
    np.testing.assert_allclose(toward, whole + (50_000 - whole) / 4)


def test_break_even_recruits_would_hold_the_force(projected: xr.Dataset) -> None:
    share = break_even_plan_shares(projected, assumption_set())
    needed = share * plan_of_draws(assumption_set(), projected) / 12
    held = projected["net_change"] - projected["recruits"] + needed
    np.testing.assert_allclose(held.mean("projected_month"), 0.0, atol=1e-3)


def test_the_same_seed_gives_the_same_future(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    again = project(posterior, assumption_set(), np.random.SeedSequence(1))
    other = project(posterior, assumption_set(), np.random.SeedSequence(2))
    assert again is not None
    assert other is not None
    xr.testing.assert_identical(again, projected)
    quo = {"scenario": "status_quo"}
    assert (other["losses"].sel(quo) != projected["losses"].sel(quo)).any()


@pytest.mark.parametrize("override", ["window.horizon_months=0", "scenario=[]"])
def test_without_scenario_or_horizon_nothing_is_projected(
    posterior: xr.Dataset, override: str
) -> None:
    assumptions = assumption_set()
    if override == "scenario=[]":
        assumptions = assumptions.model_copy(update={"scenario": {}})
    else:
        assumptions = assumption_set([override])
    assert project(posterior, assumptions, np.random.SeedSequence(1)) is None
