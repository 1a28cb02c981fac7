"""From draws of the model to the quantities that are reported: persons, with units in attrs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.scenarios import DerivedOptions
from estimator.model.figures import THOUSAND
from estimator.model.hyperparameters import SHARED_TERMS

if TYPE_CHECKING:
    from estimator.evidence.dataset import Evidence
    from estimator.model.inputs import ModelInputs

UNITS = {
    "losses": "persons/month",
    "killed": "persons/month",
    "wounded": "persons/month",
    "killed_share": "share",
    "recruits": "persons/month",
    "foreign_recruits": "persons/month",
    "returned": "persons/month",
    "replacement_gap": "persons/month",
    "net_change": "persons/month",
    "force_size": "persons",
    "other_side_losses": "persons/month",
    "losses_per_km": "persons/km",
    "break_even_plan_share": "share",
    "unconfirmed": "persons",
    "unconfirmed_ratio": "ratio",
    "reporting_bias": "see source",
    "reporting_drift": "see source, per year",
    "shared_bias_mean": "see group",
    "shared_bias_spread": "see group",
    "bias_steps": "see source",
}
_ZERO = 1e-15  # an assumption fixed at 0 is link(NOTHING) in the model
FLOWS = ("losses", "killed", "wounded", "recruits", "foreign_recruits", "returned")
"""Quantities whose total over the window is their sum; so are replacement gap and net change."""
DIAGNOSED = (
    "losses",
    "killed",
    "killed_share",
    "recruits",
    "foreign_recruits",
    "returned",
    "net_change",
    "force_size",
    "unconfirmed_ratio",
    "assumption_value",
    "reporting_bias",
    "shared_bias_mean",
    "shared_bias_spread",
    "bias_steps",
)
"""Quantities whose diagnostics decide whether draws are an answer, of one set as of a sweep."""


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
        the stock at the end of the month.
    """
    from estimator.model.force import returned_draws  # PyTensor takes seconds

    value = {
        key: variables["assumption_value"].sel(assumption=key, drop=True) for key in ASSUMPTIONS
    }
    losses = variables["losses"] * THOUSAND
    killed = losses * variables["killed_share"]
    recruits = variables["recruits"] * THOUSAND
    foreign = variables["foreign_recruits"] * THOUSAND
    wounded = losses - killed
    back = wounded.copy(
        data=returned_draws(
            wounded.transpose("chain", "draw", "month").values,
            value["returns.rate"].transpose("chain", "draw").values,
            value["returns.delay"].transpose("chain", "draw").values,
            float(inputs.structure.constants["months_before_window"]),
        )
    )
    exposure = xr.DataArray(inputs.structure.constants["exposure"], dims="month")
    exits = value["force.other_exits"] * THOUSAND * exposure
    net_change = recruits + foreign + back - losses - exits
    quantities = xr.Dataset(
        {
            "losses": losses,
            "killed": killed,
            "wounded": wounded,
            "killed_share": variables["killed_share"],
            "recruits": recruits,
            "foreign_recruits": foreign,
            "returned": back,
            "replacement_gap": recruits - losses,
            "net_change": net_change,
            "force_size": value["force.start"] * THOUSAND + net_change.cumsum("month"),
            **_unconfirmed(losses, killed, value["confirmed.false_confirmation"], inputs),
            "assumption_value": _in_their_units(variables["assumption_value"]),
            "reporting_bias": variables["reporting"].sel(reporting_term="bias", drop=True),
            "reporting_drift": variables["reporting"].sel(reporting_term="drift", drop=True),
        }
    )
    if "shared_bias" in variables:
        for term in SHARED_TERMS:
            shared = variables["shared_bias"].sel(shared_term=term, drop=True)
            quantities[f"shared_bias_{term}"] = shared
    if "bias_steps" in variables:
        quantities["bias_steps"] = variables["bias_steps"]
    quantities = quantities.assign_coords(month=evidence.dataset["month"])
    for name, unit in UNITS.items():
        if name in quantities:
            quantities[name].attrs["units"] = unit
    return quantities.transpose("chain", "draw", ...)


def _unconfirmed(
    losses: xr.DataArray, killed: xr.DataArray, false_share: xr.DataArray, inputs: ModelInputs
) -> dict[str, xr.DataArray]:
    """Losses beyond the confirmed ones in each confirmed period, and their ratio to them."""
    coords = {"confirmed_claim": inputs.structure.coords["confirmed_claim"]}
    weight = xr.DataArray(
        inputs.structure.constants["confirmed_weight"],
        dims=("confirmed_claim", "month"),
        coords=coords,
    )
    counts_killed = xr.DataArray(
        inputs.data["confirmed_counts_killed"] > 0, dims="confirmed_claim", coords=coords
    )
    figure = xr.DataArray(
        inputs.data["confirmed_value"] * THOUSAND, dims="confirmed_claim", coords=coords
    )
    true_total = xr.where(
        counts_killed, xr.dot(weight, killed, dim="month"), xr.dot(weight, losses, dim="month")
    )
    confirmed = figure * (1.0 - false_share)
    unconfirmed = true_total - confirmed
    return {"unconfirmed": unconfirmed, "unconfirmed_ratio": unconfirmed / confirmed}


def _in_their_units(values: xr.DataArray) -> xr.DataArray:
    sizes = [spec.per_model_unit for spec in ASSUMPTIONS.values()]
    units = [spec.unit for spec in ASSUMPTIONS.values()]
    scaled = values * xr.DataArray(sizes, dims="assumption")
    scaled = scaled.where(scaled > _ZERO, 0.0)
    return scaled.assign_coords(assumption=list(ASSUMPTIONS), unit=("assumption", units))


def totals(quantities: xr.Dataset) -> xr.Dataset:
    """Sum the flows over the window; killed share is that of the sums. No dim month."""
    names = [name for name in (*FLOWS, "replacement_gap", "net_change") if name in quantities]
    total = quantities[names].sum("month", keep_attrs=True)
    for name in names:
        total[name].attrs["units"] = "persons"
    total["killed_share"] = (total["killed"] / total["losses"]).assign_attrs(units="share")
    if "other_side_losses" in quantities:
        total["other_side_losses"] = (
            quantities["other_side_losses"].sum("month").assign_attrs(units="persons")
        )
    if "losses_per_km" in quantities:
        per_km = quantities["losses_per_km"].sum("month")
        total["losses_per_km"] = per_km.assign_attrs(units="persons/km")
    return total


def derived_quantities(
    quantities: xr.Dataset, options: DerivedOptions, rng: np.random.Generator
) -> xr.Dataset:
    """Quantities that follow from the posterior and do not enter it.

    Parameters
    ----------
    quantities
        As `reported_quantities` gives them.
    options
        Loss ratios by period, length of the front, the recruitment plan.
    rng
        For the loss ratio, drawn uniformly from its range for each draw and period.

    Returns
    -------
    xarray.Dataset
        `other_side_losses` (losses over the loss ratio), `losses_per_km` of front, and
        `break_even_plan_share`: the share of the recruitment plan with which the force, with all
        else as it was that month, would neither grow nor shrink. Dims chain, draw, month.
    """
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
    plan = options.plan_persons_per_year / 12.0
    needed = quantities["recruits"] - quantities["net_change"]
    derived = xr.Dataset(
        {
            "other_side_losses": losses / ratio,
            "losses_per_km": losses / options.front_length_km,
            "break_even_plan_share": needed / plan,
        }
    )
    for name in derived:
        derived[name].attrs["units"] = UNITS[str(name)]
    return derived.transpose("chain", "draw", "month")
