"""Summaries of one assumption set's result as a tidy table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.evidence.periods import Window
from estimator.quantities.derived import totals
from estimator.quantity import KEPT, MONTHLY, QUANTILES, QUANTITIES, TOTAL
from estimator.store.model_out import model_out, month_end

SUMMARY_COLUMNS = (
    "assumption_set",
    "scenario",
    "quantity",
    "month",
    "unit",
    "mean",
    "sd",
    *QUANTILES,
)

STATUS_QUO = "status_quo"
"""The scenario that sets nothing: how it goes on, as far as the model can say."""


def summarise(tree: xr.DataTree, derived: xr.Dataset | None = None) -> pd.DataFrame:
    """Summaries of every quantity by month and in total, tidy.

    Parameters
    ----------
    tree
        As `estimator.store.result_tree.result_tree` gives it.
    derived
        As `estimator.quantities.derived.derived_quantities` gives them.

    Returns
    -------
    pandas.DataFrame
        Columns `SUMMARY_COLUMNS`; month `total` for sums over the window; `scenario` empty for
        what is estimated. Quantities without a month (assumptions, biases, unconfirmed of a
        confirmed period) carry their name in `quantity` and an empty month.
    """
    label = str(tree.attrs["assumption_set"])
    posterior = tree["posterior"].to_dataset()
    monthly = posterior[[name for name in posterior if posterior[name].dims[2:] == ("month",)]]
    if derived is not None:
        monthly = monthly.merge(derived)
    monthly = monthly.drop_vars([name for name in monthly if "units" not in monthly[name].attrs])
    rows = _rows(label, "", monthly, "month")
    summed = totals(monthly)
    rows += _rows(label, "", summed.expand_dims(month=[TOTAL], axis=-1), "month")
    for name in KEPT:
        if QUANTITIES[name].dim != "month" and name in posterior:
            rows += _named_rows(label, posterior[name], QUANTITIES[name].dim)
    if "scenarios" in tree.children:
        scenarios = tree["scenarios"].to_dataset()
        for scenario in scenarios["scenario"].values:
            one = scenarios.sel(scenario=scenario, drop=True)
            rows += _rows(label, str(scenario), one, "projected_month")
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def dated_estimates(tree: xr.DataTree, summary: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """Write the monthly quantities of a result as estimates of a day.

    Parameters
    ----------
    tree
        As `estimator.store.result_tree.result_tree` gives it.
    summary
        As `summarise` gives it.
    claims
        The claims table, with `used`.

    Returns
    -------
    pandas.DataFrame
        Columns `estimator.store.model_out.COLUMNS`. The day is `evidence.as_of`, else that on which
        the last claim that counts was published. Of whole months: a part of one is no month. What
        lies beyond the window is the scenario `STATUS_QUO`, if it is projected.
    """
    as_of = json.loads(tree.attrs["configuration"])["evidence"]["as_of"]
    day = as_of or f"{claims.loc[claims['used'], 'published'].max():%Y-%m-%d}"
    is_monthly = summary["quantity"].isin(MONTHLY) & summary["month"].ne(TOTAL)
    is_monthly &= ~summary["month"].isin(Window.of_result(tree).cut_months)
    wide = summary[is_monthly & summary["scenario"].isin(["", STATUS_QUO])]
    wide = wide.assign(
        model_id=f"estimator-{tree.attrs['assumption_set']}",
        reference_date=day,
        target=wide["quantity"],
        target_end_date=month_end(wide["month"]),
    )
    return model_out(wide, QUANTILES)


def _numbers(draws: np.ndarray) -> tuple[float, ...]:
    """Mean, sd and quantiles over the last axis."""
    quantiles = np.quantile(draws, list(QUANTILES.values()))
    return (float(draws.mean()), float(draws.std(ddof=1)), *(float(q) for q in quantiles))


def _rows(label: str, scenario: str, dataset: xr.Dataset, dim: str) -> list[tuple[Any, ...]]:
    rows = []
    for name, variable in dataset.data_vars.items():
        flat = variable.transpose(dim, "chain", "draw").values.reshape(variable.sizes[dim], -1)
        unit = variable.attrs["units"]
        rows += [
            (label, scenario, str(name), str(month), unit, *_numbers(draws))
            for month, draws in zip(variable[dim].values, flat, strict=True)
            if not np.isnan(draws).any()
        ]
    return rows


def _named_rows(label: str, variable: xr.DataArray, dim: str) -> list[tuple[Any, ...]]:
    if not variable.sizes[dim]:  # no confirmed figure
        return []
    flat = variable.transpose(dim, "chain", "draw").values.reshape(variable.sizes[dim], -1)
    units = (
        [spec.unit for spec in ASSUMPTIONS.values()]
        if dim == "assumption"
        else [variable.attrs["units"]] * variable.sizes[dim]
    )
    return [
        (label, "", f"{variable.name}[{name}]", "", str(unit), *_numbers(draws))
        for name, unit, draws in zip(variable[dim].values, units, flat, strict=True)
    ]
