"""Scores of all forecasts made from one day: one row a case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.evidence import Evidence
from estimator.model.figures import THOUSAND
from estimator.model.inputs import ModelInputs
from estimator.quantities.scores import score_draws
from estimator.show.number import hundredths
from estimator.studies.backtest.forecasts import forecast_reports, forecast_vintages
from estimator.studies.backtest.naive import naive_draws
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import FORECAST, Origin, Target, monthly_rows

MODEL, NAIVE = "model", "naive"
QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


def model_cases(
    fitted: xr.Dataset,
    origin: Origin,
    inputs: ModelInputs,
    assumptions: AssumptionSet,
    options: BacktestOptions,
) -> pd.DataFrame:
    """Forecast by every dynamics, and score what came.

    Parameters
    ----------
    fitted
        As `estimator.studies.backtest.origin_fits.cut` gives it.
    origin
        From whose day is forecast.
    inputs, assumptions
        Of the fit.
    options
        Dynamics and levels.

    Returns
    -------
    pandas.DataFrame
        One row a dynamics and target (see `scored`); dynamics is empty for vintages.
    """
    tables = [
        scored(
            *forecast_reports(fitted, origin, inputs, assumptions, dynamics),
            inputs,
            options.levels,
        ).assign(dynamics=name, by=MODEL)
        for name, dynamics in options.dynamics.items()
    ]
    later = scored(*forecast_vintages(fitted, origin, inputs, assumptions), inputs, options.levels)
    tables.append(later.assign(dynamics="", by=MODEL))
    return pd.concat([one for one in tables if len(one)], ignore_index=True)


def naive_cases(
    evidence: Evidence, origin: Origin, inputs: ModelInputs, options: BacktestOptions
) -> pd.DataFrame:
    """Forecast from the figures alone, and score what came.

    Parameters
    ----------
    evidence
        What was known on the origin's day.
    origin, inputs, options
        As for `model_cases`.

    Returns
    -------
    pandas.DataFrame
        One row a naive forecast and target; none where there were too few changes.
    """
    days, units = (evidence.dataset[name].values for name in ("month_days", "unit"))

    def length(row: int, month: int) -> float:
        """Log days that a figure adds up; a rate adds up none."""
        return float(np.log(days[month])) if units[row] == "persons" else 0.0

    rates = {
        source: {
            month: float(inputs.data["claim_value"][row]) - length(row, month)
            for month, row in monthly_rows(evidence, source).items()
        }
        for source in options.sources
    }
    tables = []
    for name, naive in options.naive.items():
        targets, draws = [], []
        for one in origin.targets:
            known = rates.get(one.source, {})
            if one.kind != FORECAST or origin.position not in known:
                continue
            drawn = naive_draws(known, origin.position, one.horizon, naive, options.naive_changes)
            if drawn is not None:
                targets.append(one)
                draws.append(drawn + length(one.row, one.month))
        if targets:
            table = scored(targets, np.array(draws), inputs, options.levels)
            tables.append(table.assign(dynamics=name, by=NAIVE))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def scored(
    targets: Sequence[Target],
    draws: np.ndarray,
    inputs: ModelInputs,
    levels: Sequence[float],
) -> pd.DataFrame:
    """Score forecasts of figures.

    Parameters
    ----------
    targets
        What was forecast.
    draws
        Log thousands. (target, draw).
    inputs
        With what was published.
    levels
        Masses of the ranges.

    Returns
    -------
    pandas.DataFrame
        kind, source, claim, month (position), horizon, published; observed and quantiles ``q…`` in
        persons; pit; on the log scale, which is fairer over time, crps, interval_score_…, width_…
        and covered_…; crps_persons on the scale of persons.
    """
    if not targets:
        return pd.DataFrame()
    value = inputs.data["claim_value"][[one.row for one in targets]]
    found = score_draws(draws, value, levels, units="log ratio")
    persons = np.exp(draws) * THOUSAND
    observed = np.exp(value) * THOUSAND
    columns: dict[str, object] = {
        "kind": [one.kind for one in targets],
        "source": [one.source for one in targets],
        "claim": [one.claim for one in targets],
        "month": [inputs.structure.coords["month"][one.month] for one in targets],
        "horizon": [one.horizon for one in targets],
        "published": [f"{one.published}" for one in targets],
        "observed": observed,
    }
    for mass, ends in zip(QUANTILES, np.quantile(persons, QUANTILES, axis=1), strict=True):
        columns[f"q{hundredths(mass)}"] = ends
    columns["pit"] = found["pit"].values
    columns["crps"] = found["crps"].values
    columns["crps_persons"] = score_draws(persons, observed, [0.5])["crps"].values
    for name in ("interval_score", "width", "covered"):
        for at, level in enumerate(levels):
            columns[f"{name}_{hundredths(level)}"] = found[name].values[:, at]
    return pd.DataFrame(columns)
