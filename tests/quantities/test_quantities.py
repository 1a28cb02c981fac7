from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.evidence.periods import Window
from estimator.quantities.derived import derived_quantities, plan_of_draws, totals
from estimator.quantity import QUANTITIES
from estimator.run import Estimate


@pytest.fixture(scope="module")
def posterior(from_prior: Estimate) -> xr.Dataset:
    return from_prior.tree["posterior"].to_dataset()


def value(posterior: xr.Dataset, key: str) -> xr.DataArray:
    return posterior["assumption_value"].sel(assumption=key, drop=True)


def test_the_series_add_up(posterior: xr.Dataset) -> None:
    xr.testing.assert_allclose(
        posterior["killed"] + posterior["wounded"], posterior["losses"].drop_attrs()
    )
    xr.testing.assert_allclose(
        posterior["replacement_gap"].drop_attrs(), posterior["recruits"] - posterior["losses"]
    )
    killed = posterior["losses"] * posterior["killed_share"]
    xr.testing.assert_allclose(posterior["killed"].drop_attrs(), killed)


def test_other_exits_change_each_half_year_around_their_typical_level(
    from_prior: Estimate, posterior: xr.Dataset
) -> None:
    days = from_prior.evidence.dataset["month_days"]
    rate = np.log(posterior["other_exits"] / days * (365.25 / 12))
    typical = np.log(value(posterior, "force.other_exits"))
    np.testing.assert_allclose(rate.mean("month"), typical)
    changes = (np.abs(rate.diff("month")) > 1e-9).any(("chain", "draw")).values
    assert np.flatnonzero(changes).tolist() == list(range(5, 48, 6))


def test_net_change_is_everything_that_comes_less_everything_that_goes(
    posterior: xr.Dataset,
) -> None:
    expected = (
        posterior["recruits"]
        + posterior["foreign_recruits"]
        + posterior["returned"]
        - posterior["losses"]
        - posterior["other_exits"]
    )
    np.testing.assert_allclose(
        posterior["net_change"], expected.transpose("chain", "draw", "month"), rtol=1e-9, atol=1e-4
    )


def test_the_force_is_its_start_and_all_net_changes_and_never_less_than_nobody(
    posterior: xr.Dataset,
) -> None:
    last = posterior["force_size"].isel(month=-1)
    expected = value(posterior, "force.start") + posterior["net_change"].sum("month")
    assert 0.1 < float((expected < 0).mean()) < 0.9  # the prior allows both
    np.testing.assert_allclose(last, expected.clip(min=0.0), rtol=1e-9)


def test_no_more_return_a_day_than_were_wounded_a_day(
    from_prior: Estimate, posterior: xr.Dataset
) -> None:
    days = from_prior.evidence.dataset["month_days"]
    returned, wounded = ((posterior[n] / days).sum("month") for n in ("returned", "wounded"))
    assert (returned > 0).all()
    assert (returned <= wounded * value(posterior, "returns.rate") * (1 + 1e-9)).all()


def test_what_is_unconfirmed_is_what_exceeds_the_confirmed_figure(
    from_prior: Estimate, posterior: xr.Dataset
) -> None:
    data = from_prior.evidence.dataset
    name = "P04"  # to the person: nothing was rounded off
    weight = data["confirmed_weight"].sel(confirmed_claim=name, drop=True)
    floor = float(data["confirmed_floor"].sel(confirmed_claim=name))
    total = (posterior["losses"] * weight).sum("month")
    unconfirmed = posterior["unconfirmed"].sel(confirmed_claim=name)
    false = value(posterior, "confirmed.false_confirmation")
    np.testing.assert_allclose(unconfirmed, total - floor * (1 - false), rtol=1e-6, atol=1e-3)
    ratio = posterior["unconfirmed_ratio"].sel(confirmed_claim=name)
    np.testing.assert_allclose(ratio, unconfirmed / (floor * (1 - false)), rtol=1e-6)


def test_every_quantity_has_its_unit(posterior: xr.Dataset) -> None:
    others = ("assumption_value", "claim_location")  # in units of their own
    named = [name for name in posterior if name not in (*others, *ASSUMPTIONS)]
    assert {"losses", "force_size", "unconfirmed", "reporting_bias"} <= set(named)
    assert {str(name): posterior[name].attrs["units"] for name in named} == {
        str(name): QUANTITIES[str(name)].unit for name in named
    }


def test_totals_are_sums_and_the_share_is_of_the_sums(posterior: xr.Dataset) -> None:
    total = totals(posterior)
    assert "month" not in total.dims
    np.testing.assert_allclose(total["losses"], posterior["losses"].sum("month"))
    share = posterior["killed"].sum("month") / posterior["losses"].sum("month")
    np.testing.assert_allclose(total["killed_share"], share)
    assert total["losses"].attrs["units"] == "persons"
    assert "force_size" not in total  # a stock


def test_the_other_sides_losses_lie_between_the_ends_of_the_ratio(posterior: xr.Dataset) -> None:
    derived = derived_quantities(posterior, assumption_set(), np.random.default_rng(1))
    ratio = posterior["losses"] / derived["other_side_losses"]
    early, late = ratio.sel(month="2025-08"), ratio.sel(month="2025-09")
    assert 6.0 <= early.min() < early.max() <= 7.0
    assert 7.0 <= late.min() < late.max() <= 25.0
    assert late.max() > 10.0


def test_losses_per_km_and_the_break_even_share_of_the_plan(posterior: xr.Dataset) -> None:
    derived = derived_quantities(posterior, assumption_set(), np.random.default_rng(1))
    np.testing.assert_allclose(derived["losses_per_km"], posterior["losses"] / 1200.0)
    share = xr.DataArray(Window.of(assumption_set().window).calendar_share, dims="month")
    plan = plan_of_draws(assumption_set(), posterior)
    assert 391_000 <= plan.min() < 392_000 < 402_000 < plan.max() <= 403_000
    needed = derived["break_even_plan_share"] * plan / 12 * share
    left = posterior["net_change"] + needed - posterior["recruits"]
    np.testing.assert_allclose(left.where(needed > 0, 0.0), 0.0, atol=1e-3)
    assert (left > -1e-3).all()
    assert 0.0 < float((needed == 0).mean()) < 0.5  # of the prior: it grows without recruits
