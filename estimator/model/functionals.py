"""Claims as linear functionals of the monthly series, and what else the graph has as constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import WALKS, CountedWounded
from estimator.evidence.periods import DAYS_PER_MONTH, Window
from estimator.model.force import wounded_per_month
from estimator.model.forward import SERIES
from estimator.model.hyperparameters import WanderingBiases, ramps
from estimator.model.random_walk import carried_steps
from estimator.quantity import QUANTITIES, STOCKS, Scale


def scales_of(quantities: Iterable[str]) -> tuple[Scale, ...]:
    """Scale on which the errors of reports on each quantity add up."""
    return tuple(scale for name in quantities if (scale := QUANTITIES[name].scale) is not None)


def constant_arrays(
    data: xr.Dataset,
    sources: list[str],
    wandering: WanderingBiases,
    assumptions: AssumptionSet,
) -> dict[str, np.ndarray]:
    """Return `estimator.model.inputs.Structure.constants`, but for its ``bias_members``."""
    n_months = data.sizes["month"]
    weight = data["weight"].values
    exposure = data["month_days"].values / DAYS_PER_MONTH
    quantities = data["quantity"].values.tolist()
    scales = np.array(scales_of(quantities))
    picks = np.zeros((data.sizes["claim"], len(sources)))
    for row, name in enumerate(data["source"].values.tolist()):
        picks[row, sources.index(name)] = 1.0
    years = _years_of_claims(data, scales == "stock")
    shape = (len(quantities), len(SERIES) * n_months + 1)
    rows = [QUANTITIES[name] for name in quantities]
    named = assumptions.definitions.origins
    origins = data["origin"].values.tolist()
    counted = [
        {
            part: _as_counted(getattr(row, part), named.get(origin))
            if row.is_as_counted
            else getattr(row, part)
            for part in ("parts", "rest")
        }
        for row, origin in zip(rows, origins, strict=True)
    ]
    total = [
        _functional(sums["parts"], weights, exposure, from_start=row.name in STOCKS)
        for row, sums, weights in zip(rows, counted, weight, strict=True)
    ]
    rest = [
        _functional(sums["rest"], weights, exposure)
        for sums, weights in zip(counted, weight, strict=True)
    ]
    return {
        "exposure": exposure,
        **{
            f"carried_{walk}": carried_steps(getattr(assumptions, walk).persistence, n_months)
            for walk in WALKS
        },
        "exits_path": _exits_path(n_months, assumptions.force.exits_every_months),
        "step_ramps": ramps(n_months, assumptions.losses.step_months),
        "mobilisation_weight": _mobilisation_weight(data, assumptions),
        "confirmed_weight": data["confirmed_weight"].values,
        "own_floor": _own_floor(data["confirmed_weight"].values > 0),
        "total": np.array(total).reshape(shape),
        "rest": np.array(rest).reshape(shape),
        "shift": np.concatenate(
            [
                picks,
                picks * years[:, None],
                picks[:, wandering.source] * _ramps_of_claims(data, wandering, scales == "stock"),
            ],
            axis=1,
        ),
        "claim_size": np.where(scales == "difference", weight.sum(axis=1), 1.0),
        "wounded_per_month": wounded_per_month(
            exposure,
            (pd.Timestamp(data.attrs["window_start"]).day - 1) / DAYS_PER_MONTH,
            assumptions.window.months_before_window,
        ),
    }


def _as_counted(parts: Mapping[str, float], wounded: CountedWounded | None) -> Mapping[str, float]:
    """Put what an origin counts as losses in place of the losses.

    Parameters
    ----------
    parts
        Of a quantity.
    wounded
        Which of the wounded the origin counts; None: as the scalar assumptions say.
    """
    if wounded is None:
        return {"counted" if name == "losses" else name: size for name, size in parts.items()}
    factor = parts.get("losses", 0.0)
    counted = {
        **parts,
        "losses": factor * wounded.severe,
        "killed": parts.get("killed", 0.0) + factor * (1.0 - wounded.severe),
        "light": factor * (wounded.light - wounded.severe),
    }
    return {name: size for name, size in counted.items() if size}


def _own_floor(covered: np.ndarray) -> np.ndarray:
    return covered[covered.sum(axis=1) == 1].any(axis=0).astype(float)


def _years_of_claims(data: xr.Dataset, is_stock: np.ndarray) -> np.ndarray:
    """Years before the window's end at which a claim's drift is read. (claim,).

    The mean month of a sum's period; the date of a stock, whose period reaches back to the start.
    """
    weight, years = data["weight"].values, data["years_to_end"].values
    mean = weight @ years / np.maximum(weight.sum(axis=1), 1e-9)
    last = years[np.cumsum(weight > 0, axis=1).argmax(axis=1)]
    return np.where(is_stock, last, mean)


def _ramps_of_claims(
    data: xr.Dataset, wandering: WanderingBiases, is_stock: np.ndarray
) -> np.ndarray:
    """How much of each step of a wandering bias is in each claim. (claim, bias_step)."""
    weight = data["weight"].values
    mean = weight @ wandering.ramps / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
    last = wandering.ramps[np.cumsum(weight > 0, axis=1).argmax(axis=1)]
    return np.where(is_stock[:, None], last, mean)


def _functional(
    parts: Mapping[str, float],
    weight: np.ndarray,
    exposure: np.ndarray,
    *,
    from_start: bool = False,
) -> np.ndarray:
    """Write a claim as a linear functional of all `SERIES` by month, then the start."""
    n_months = len(weight)
    row = np.zeros(len(SERIES) * n_months + 1)
    for name, factor in parts.items():
        begin = SERIES.index(name) * n_months
        row[begin : begin + n_months] = factor * weight
    row[-1] = float(from_start)
    return row


def _exits_path(n_months: int, every: int) -> np.ndarray:
    """Map from the steps of the other exits, every so many months, to their log. (month, step).

    The mean over the months is taken out: the level is what is typical of the whole window.
    """
    period = np.arange(n_months) // every
    reached = (period[:, None] > np.arange(period[-1])[None, :]).astype(float)
    return np.asarray(reached - reached.mean(axis=0))


def _mobilisation_weight(data: xr.Dataset, assumptions: AssumptionSet) -> np.ndarray:
    """Share of the mobilisation that falls into each month. (month,)."""
    options = assumptions.recruitment
    start, end = pd.Timestamp(data.attrs["window_start"]), pd.Timestamp(data.attrs["window_end"])
    nothing = np.zeros(data.sizes["month"])
    if options.mobilisation_start is None or options.mobilisation_end is None:
        return nothing
    first, last = pd.Timestamp(options.mobilisation_start), pd.Timestamp(options.mobilisation_end)
    if last < start or first > end:
        return nothing
    inside = Window(start, end).overlap_days(max(first, start), min(last, end))
    return np.asarray(inside / ((last - first).days + 1))
