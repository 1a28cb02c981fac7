from __future__ import annotations

import numpy as np
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.errors import ConfigError
from estimator.quantities.derived import plan_of_draws
from estimator.run import Estimate, estimate
from estimator.show.break_even import BreakEven
from estimator.studies.breakeven.plan_share import plan_shares
from tests.conftest import PRIOR_ONLY
from tests.studies.breakeven import toy


@pytest.fixture(scope="module")
def found(from_prior: Estimate) -> dict[str, BreakEven]:
    results = plan_shares(from_prior.tree, 0.5, toy.options())
    names = from_prior.tree["scenarios"]["scenario"].values
    return dict(zip(names.tolist(), results, strict=True))


def test_every_scenario_has_its_quantile_of_the_needed_share(
    found: dict[str, BreakEven], from_prior: Estimate
) -> None:
    share = from_prior.tree["scenarios"]["break_even_plan_share"].isel(projected_month=0)
    assert len(found) == share.sizes["scenario"] >= 10
    for name, one in found.items():
        (crossing,) = one.crossings
        assert crossing.value == pytest.approx(float(share.sel(scenario=name).median()))
        assert crossing.low < crossing.value < crossing.high
        assert f"scenario `{name}`" in one.sentence


def test_the_curve_is_the_distribution_function(found: dict[str, BreakEven]) -> None:
    curve = found["goal_60000"].curve
    assert (np.diff(curve["probability"]) >= 0).all()
    assert curve["probability"].iloc[0] < 0.1
    assert curve["probability"].iloc[-1] > 0.9
    assert (curve["error"] > 0).all()


def test_recruits_at_the_needed_share_hold_the_force(from_prior: Estimate) -> None:
    """With recruits at that share of the plan the net change over the horizon is 0."""
    scenarios = from_prior.tree["scenarios"].to_dataset().sel(scenario="goal_50000")
    plan = plan_of_draws(assumption_set(), scenarios) / 12
    needed = scenarios["break_even_plan_share"].isel(projected_month=0) * plan
    months = scenarios.sizes["projected_month"]
    change = (scenarios["net_change"] - scenarios["recruits"]).sum("projected_month")
    assert float(np.abs(change + months * needed).max()) < 1e-3


def test_scenarios_that_set_recruits_alone_are_said_to_need_the_same(
    found: dict[str, BreakEven],
) -> None:
    (note,) = found["plan_120"].notes
    assert "status_quo, plan_100, plan_120, plan_130" in note
    assert found["goal_60000"].notes == ()


def test_a_higher_level_needs_more(from_prior: Estimate) -> None:
    levels = (0.1, 0.5, 0.9)
    values = [
        plan_shares(from_prior.tree, level, toy.options(), ["status_quo"])[0].crossings[0].value
        for level in levels
    ]
    assert values == sorted(values)


def test_an_unknown_scenario_is_named_with_the_nearest(from_prior: Estimate) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'goal_60000'"):
        plan_shares(from_prior.tree, 0.5, toy.options(), ["goal_6000"])


def test_a_result_without_scenarios_is_refused() -> None:
    bare = estimate(assumption_set([*PRIOR_ONLY, "window.horizon_months=0"]))
    with pytest.raises(ConfigError, match="projects nothing"):
        plan_shares(bare.tree, 0.5, toy.options())
