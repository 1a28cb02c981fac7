"""From draws of the model to the quantities that are reported: persons, with units in attrs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.evidence.periods import Window
from estimator.model.figures import THOUSAND
from estimator.model.force import returned_draws
from estimator.model.forward import confirmed_totals
from estimator.model.hyperparameters import SHARED_TERMS
from estimator.model.registries import in_persons
from estimator.quantity import (
    FOLLOWING,
    MONTHLY,
    OPTIONAL,
    OTHER_EXITS,
    QUANTITIES,
    SHARES,
    STOCKS,
    SUMMED,
    combine,
    with_killed,
)
from estimator.streams import Stream, stream

if TYPE_CHECKING:
    from estimator.evidence.dataset import Evidence
    from estimator.model.inputs import ModelInputs

_ZERO = 1e-15  # an assumption fixed at 0 is link(NOTHING) in the model


def reported_quantities(
    variables: xr.Dataset, inputs: ModelInputs, evidence: Evidence
) -> xr.Dataset:
    """Derive all monthly series from draws of the model.

    Parameters
    ----------
    variables
        Free variables and deterministics as `estimator.fitting.inference.infer` gives them
        (thousands).
    inputs, evidence
        Of the same assumption set.

    Returns
    -------
    xarray.Dataset
        Dims chain, draw and month, confirmed_claim, source or assumption. Persons, shares; unit in
        the attrs of each variable, of `assumption_value` in the coordinate `unit`. Force size is
        the stock at the end of the month, 0 in draws in which more leave than there were.
    """
    value = {
        key: variables["assumption_value"].sel(assumption=key, drop=True) for key in ASSUMPTIONS
    }
    losses = variables["losses"] * THOUSAND
    killed = losses * variables["killed_share"]
    wounded = losses - killed
    back = wounded.copy(
        data=returned_draws(
            wounded.transpose("chain", "draw", "month").values,
            inputs.structure.constants["wounded_per_month"],
            inputs.structure.constants["exposure"],
            value["returns.rate"].transpose("chain", "draw").values,
            value["returns.delay"].transpose("chain", "draw").values,
        )
    )
    monthly = monthly_quantities(
        {
            "killed_share": variables["killed_share"],
            "losses": losses,
            "killed": killed,
            "light": value["returns.rate"] * wounded,
            "recruits": variables["recruits"] * THOUSAND,
            "foreign_recruits": variables["foreign_recruits"] * THOUSAND,
            "returned": back,
            OTHER_EXITS: variables[OTHER_EXITS] * THOUSAND,
        },
    )
    size = value["force.start"] * THOUSAND + monthly["net_change"].cumsum("month")
    quantities = xr.Dataset(
        {
            **monthly,
            "force_size": size.clip(min=0.0),
            **_unconfirmed(losses, variables, value, inputs),
            "assumption_value": _in_their_units(variables["assumption_value"]),
            "reporting_bias": variables["reporting"].sel(reporting_term="bias", drop=True),
            "reporting_drift": variables["reporting"].sel(reporting_term="drift", drop=True),
        }
    )
    if "shared_bias" in variables:
        for term in SHARED_TERMS:
            shared = variables["shared_bias"].sel(shared_term=term, drop=True)
            quantities[f"shared_bias_{term}"] = shared
    if "registration" in variables:
        quantities["registration"] = in_persons(
            variables["registration"], inputs.structure.registries
        )
    if "bias_steps" in variables:
        quantities["bias_steps"] = variables["bias_steps"]
    quantities = quantities.assign_coords(month=evidence.dataset["month"])
    for name in quantities:
        # Each assumption has its own unit, in a coordinate.
        if name != "assumption_value":
            quantities[name].attrs["units"] = QUANTITIES[str(name)].unit
    return quantities.transpose("chain", "draw", ...)


def monthly_quantities(series: Mapping[str, Any]) -> dict[str, Any]:
    """Work out the flows of each month and the killed share, by name and in the order of tables.

    Parameters
    ----------
    series
        The killed share, and what flows are made of, `light` (the lightly wounded of the month),
        `returned` and `OTHER_EXITS` included; arrays of any kind, persons.
    """
    return {
        name: series[name] if name in series else combine(QUANTITIES[name].parts, series)
        for name in MONTHLY
        if name not in STOCKS
    }


def with_what_follows(kept: xr.Dataset) -> xr.Dataset:
    """Add what follows from kept draws of a fit, draw by draw: killed, replacement gap, ….

    Parameters
    ----------
    kept
        Losses, killed share and other series; where one is missing, what needs it is left out.
    """
    series = with_killed(kept)
    following = {
        name: series[name] if name in series else combine(QUANTITIES[name].parts, series)
        for name in FOLLOWING
        if set(QUANTITIES[name].parts) <= set(series)
    }
    return _with_units(kept.assign(following), following)


def _with_units(quantities: xr.Dataset, names: Iterable[str]) -> xr.Dataset:
    return quantities.assign(
        {name: quantities[name].assign_attrs(units=QUANTITIES[name].unit) for name in names}
    )


def _unconfirmed(
    losses: xr.DataArray,
    variables: xr.Dataset,
    value: Mapping[str, xr.DataArray],
    inputs: ModelInputs,
) -> dict[str, xr.DataArray]:
    """Losses beyond the confirmed ones in each confirmed period, and their ratio to them."""
    coords = {"confirmed_claim": inputs.structure.coords["confirmed_claim"]}
    published = xr.DataArray(inputs.data["confirmed_value"], dims="confirmed_claim", coords=coords)
    figure = (published + variables.get("rounded_off", 0.0)) * THOUSAND
    true_total = xr.DataArray(
        confirmed_totals(
            losses.transpose("chain", "draw", "month").values,
            variables["killed_share"].transpose("chain", "draw", "month").values,
            {key: values.transpose("chain", "draw").values for key, values in value.items()},
            inputs.structure.constants["confirmed_weight"],
            inputs.data["confirmed_states"],
        ),
        dims=("chain", "draw", "confirmed_claim"),
        coords=coords,
    )
    confirmed = figure * (1.0 - value["confirmed.false_confirmation"])
    unconfirmed = true_total - confirmed
    return {"unconfirmed": unconfirmed, "unconfirmed_ratio": unconfirmed / confirmed}


def _in_their_units(values: xr.DataArray) -> xr.DataArray:
    sizes = [spec.per_model_unit for spec in ASSUMPTIONS.values()]
    scaled = values * xr.DataArray(sizes, dims="assumption")
    scaled = scaled.where(scaled > _ZERO, 0.0)
    return scaled.assign_coords(assumption=list(ASSUMPTIONS))


def totals(quantities: xr.Dataset) -> xr.Dataset:
    """Sum the flows over the window; killed share is that of the sums. No dim month."""
    sums = {name: quantities[name].sum("month") for name in SUMMED if name in quantities}
    shares = {name: share_of_sums(name, quantities) for name in SHARES if name in quantities}
    total = xr.Dataset(
        {
            **{name: values for name, values in sums.items() if name not in OPTIONAL},
            **shares,
            **{name: values for name, values in sums.items() if name in OPTIONAL},
        }
    )
    for name in total:
        total[name].attrs["units"] = QUANTITIES[str(name)].unit_of_total
    return total


def share_of_sums(name: str, quantities: xr.Dataset) -> xr.DataArray:
    """Share over all months, of the sums of what it is a share of."""
    share = QUANTITIES[name]
    part, whole = (combine(parts, quantities).sum("month") for parts in (share.parts, share.whole))
    ratio: xr.DataArray = part / whole
    return ratio


def plan_of_draws(assumptions: AssumptionSet, draws: xr.Dataset) -> xr.DataArray:
    """Recruits of a year that were planned: one plan a draw, the same wherever it is asked for.

    Parameters
    ----------
    assumptions
        Range of the plan, and the seed.
    draws
        Whose dims chain and draw it has.

    Returns
    -------
    xarray.DataArray
        Dims chain, draw; persons a year.
    """
    plan = assumptions.derived.plan_persons_per_year
    rng = np.random.default_rng(stream(assumptions.seed, Stream.PLAN))
    shape = (draws.sizes["chain"], draws.sizes["draw"])
    coords = {name: draws[name] for name in ("chain", "draw")}
    return xr.DataArray(rng.uniform(plan.low, plan.high, shape), coords, ("chain", "draw"))


def derived_quantities(
    quantities: xr.Dataset, assumptions: AssumptionSet, rng: np.random.Generator
) -> xr.Dataset:
    """Quantities that follow from the posterior and do not enter it.

    Parameters
    ----------
    quantities
        As `reported_quantities` gives them.
    assumptions
        Loss ratios by period, length of the front, the recruitment plan and the seed that draws
        it, the days of the months.
    rng
        For the loss ratio, drawn uniformly from its range for each draw and period.

    Returns
    -------
    xarray.Dataset
        `other_side_losses` (losses over the loss ratio), `losses_per_km` of front, and
        `break_even_plan_share`: the share of the recruitment plan with which the force, with all
        else as it was that month, would not shrink; 0 where it grows without recruits. Dims chain,
        draw, month.
    """
    options = assumptions.derived
    losses = quantities["losses"]
    months = losses["month"].values.astype(str)
    ratio = xr.full_like(losses, np.nan)
    for period in options.loss_ratio:
        first = f"{period.start:%Y-%m}"
        last = f"{period.end:%Y-%m}" if period.end is not None else "9999-12"
        inside = xr.DataArray((months >= first) & (months <= last), dims="month")
        drawn = xr.DataArray(
            rng.uniform(period.low, period.high, losses.shape[:2]), dims=("chain", "draw")
        )
        ratio = ratio.where(~inside, drawn)
    months_long = xr.DataArray(Window.of(assumptions.window).calendar_share, dims="month")
    plan = plan_of_draws(assumptions, quantities) / 12.0 * months_long
    needed = quantities["recruits"] - quantities["net_change"]
    derived = xr.Dataset(
        {
            "other_side_losses": losses / ratio,
            "losses_per_km": losses / options.front_length_km,
            "break_even_plan_share": needed.clip(min=0.0) / plan,
        }
    )
    return _with_units(derived, OPTIONAL).transpose("chain", "draw", "month")
