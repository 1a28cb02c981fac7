"""Scenarios: the posterior carried beyond the window.

Every series goes on from its last month, draw by draw: the losses as `losses.projection` says, the
others by their own dynamics; a scenario sets some of them instead. Goals and plans enter here and
nowhere else. Projected months are whole: where the window ends within a month, the rest of that
month goes on at its own pace before the first of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import Projection
from estimator.assumptions.scenarios import Band, ScenarioOptions
from estimator.evidence.periods import DAYS_PER_MONTH, Window
from estimator.model.force import returned_draws, wounded_per_month
from estimator.quantities.derived import monthly_quantities, plan_of_draws
from estimator.quantities.dynamics import Walk, carry_on
from estimator.quantity import MONTHLY, OTHER_EXITS, QUANTITIES, SAMPLED, SHARES

PROJECTED = tuple(name for name in MONTHLY if name != "wounded")
"""Quantities of a scenario."""

_OWN = Projection(dynamics="walk")


def project(
    quantities: xr.Dataset, assumptions: AssumptionSet, seed: np.random.SeedSequence
) -> xr.Dataset | None:
    """Project every scenario of an assumption set.

    Parameters
    ----------
    quantities
        Posterior as `estimator.quantities.derived.reported_quantities` gives it.
    assumptions
        Scenarios, horizon, dynamics.
    seed
        All scenarios of a set share the random steps, so that they differ by what they set alone.

    Returns
    -------
    xarray.Dataset or None
        Dims scenario, chain, draw, projected_month; persons. None without scenario or horizon.
    """
    if not assumptions.scenario or not assumptions.window.horizon_months:
        return None
    months, days = _months_ahead(assumptions)
    base = _continue(quantities, assumptions, days, np.random.default_rng(seed))
    band_rng = np.random.default_rng(seed.spawn(1)[0])
    position = band_rng.uniform(size=quantities["losses"].shape[:2])
    pieces = [
        _one(quantities, base, options, assumptions, days, position)
        for options in assumptions.scenario.values()
    ]
    projected = xr.concat(pieces, dim="scenario", coords="minimal", compat="override")
    projected = projected.assign_coords(
        scenario=list(assumptions.scenario),
        projected_month=months,
        description=("scenario", [o.description for o in assumptions.scenario.values()]),
    )
    for name in projected.data_vars:
        unit = quantities[name].attrs["units"]
        projected[name].attrs["units"] = unit
    return projected


def _months_ahead(assumptions: AssumptionSet) -> tuple[list[str], np.ndarray]:
    last = pd.Period(assumptions.window.end, freq="M")
    ahead = [last + step for step in range(1, assumptions.window.horizon_months + 1)]
    return [str(month) for month in ahead], np.array([m.days_in_month for m in ahead], dtype=float)


def _continue(
    quantities: xr.Dataset, assumptions: AssumptionSet, days: np.ndarray, rng: np.random.Generator
) -> Mapping[str, np.ndarray]:
    """Carry the four latent series on. Arrays (chain, draw, month ahead)."""
    exposure = Window.of(assumptions.window).days / DAYS_PER_MONTH
    values = quantities["assumption_value"].transpose("chain", "draw", "assumption")
    series = {}
    for name in SAMPLED:
        group = str(QUANTITIES[name].walk)
        share = name in SHARES
        known = quantities[name].transpose("chain", "draw", "month").values
        level = values.sel(assumption=f"{group}.level").values
        options = getattr(assumptions, group)
        walk = Walk(
            known=logit(known) if share else np.log(known / exposure),
            level=logit(level) if share else np.log(level),
            step=values.sel(assumption=f"{group}.step").values,
            persistence=options.persistence,
        )
        projection = options.projection if name == "losses" else _OWN
        path = carry_on(walk, len(days), projection, rng)
        series[name] = expit(path) if share else np.exp(path) * days / DAYS_PER_MONTH
    now = quantities[OTHER_EXITS].isel(month=-1).transpose("chain", "draw").values / exposure[-1]
    months_a_step = assumptions.force.exits_every_months
    step = values.sel(assumption="force.exits_step").values[..., None] / np.sqrt(months_a_step)
    steps = step * rng.standard_normal((*now.shape, len(days)))
    series[OTHER_EXITS] = now[..., None] * np.exp(steps.cumsum(axis=-1)) * days / DAYS_PER_MONTH
    return series


def _one(
    quantities: xr.Dataset,
    base: Mapping[str, np.ndarray],
    options: ScenarioOptions,
    assumptions: AssumptionSet,
    days: np.ndarray,
    position: np.ndarray,
) -> xr.Dataset:
    series = dict(base)
    for name in ("losses", "recruits", "killed_share"):
        band = getattr(options, name)
        if band is not None:
            last = quantities[name].isel(month=-1).transpose("chain", "draw").values
            if name not in SHARES:  # of the whole month, at its pace in the window
                last = last / Window.of(assumptions.window).calendar_share[-1]
            series[name] = _towards(band, last, position, len(days))
    if options.plan_share is not None:
        monthly = options.plan_share * plan_of_draws(assumptions, quantities) / 12.0
        series["recruits"] = np.broadcast_to(
            monthly.values[..., None], base["recruits"].shape
        ).copy()
    if options.mobilisation is not None:
        series["recruits"] = series["recruits"] + _pulse(options, len(days))
    return _balance(quantities, series, assumptions, days)


def _towards(band: Band, last: np.ndarray, position: np.ndarray, n_months: int) -> np.ndarray:
    """Go in a straight line from the last month to a value in the band. (chain, draw, month)."""
    target = band.low + (band.high - band.low) * position
    way = np.minimum(np.arange(1, n_months + 1) / band.by, 1.0)
    return np.asarray(last[..., None] + (target - last)[..., None] * way)


def _pulse(options: ScenarioOptions, n_months: int) -> np.ndarray:
    pulse = np.zeros(n_months)
    if options.mobilisation is not None:
        first = options.mobilisation.first_month - 1
        share = options.mobilisation.persons / options.mobilisation.months
        pulse[first : first + options.mobilisation.months] = share
    return pulse


def _balance(
    quantities: xr.Dataset,
    series: Mapping[str, np.ndarray],
    assumptions: AssumptionSet,
    days: np.ndarray,
) -> xr.Dataset:
    values = quantities["assumption_value"].transpose("chain", "draw", "assumption")
    killed = series["losses"] * series["killed_share"]
    window = Window.of(assumptions.window)
    known = quantities["wounded"].transpose("chain", "draw", "month").values
    exposure = np.concatenate([window.days, days]) / DAYS_PER_MONTH
    cut = (window.start.day - 1) / DAYS_PER_MONTH
    back = returned_draws(
        np.concatenate([known, series["losses"] - killed], axis=-1),
        wounded_per_month(exposure, cut, assumptions.window.months_before_window),
        exposure,
        values.sel(assumption="returns.rate").values,
        values.sel(assumption="returns.delay").values,
    )[..., len(window.days) :]
    light = values.sel(assumption="returns.rate").values[..., None] * (series["losses"] - killed)
    arrays = monthly_quantities({**series, "killed": killed, "light": light, "returned": back})
    size, change = (
        quantities[name].isel(month=-1).transpose("chain", "draw").values
        for name in ("force_size", "net_change")
    )
    rest_of_month = 1.0 / window.calendar_share[-1] - 1.0
    begin = size + rest_of_month * change
    size = begin[..., None] + np.cumsum(arrays["net_change"], axis=-1)
    arrays["force_size"] = np.maximum(size, 0.0)
    dims = ("chain", "draw", "projected_month")
    coords = {name: quantities[name].values for name in ("chain", "draw")}
    return xr.Dataset({name: (dims, arrays[name]) for name in PROJECTED}, coords=coords)


def break_even_plan_shares(projected: xr.Dataset, assumptions: AssumptionSet) -> xr.DataArray:
    """Recruits, as a share of the plan, that would hold the force level over the horizon (S17).

    Parameters
    ----------
    projected
        As `project` gives it.
    assumptions
        The yearly plan, and the seed that draws it.

    Returns
    -------
    xarray.DataArray
        Dims scenario, chain, draw; share of the plan.
    """
    needed = (projected["recruits"] - projected["net_change"]).mean("projected_month")
    share = needed / (plan_of_draws(assumptions, projected) / 12.0)
    return share.rename("break_even_plan_share").assign_attrs(units="share")
