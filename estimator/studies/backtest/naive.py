"""Forecasts from the past changes of a series of figures alone: what has to be beaten."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import t as student

from estimator.studies.backtest.options import Naive

POINTS = 2000
"""Quantiles that stand for a forecast."""


def naive_spread(
    rates: Mapping[int, float], month: int, horizon: int, options: Naive
) -> tuple[float, int]:
    """Typical size of past changes, and how many there were.

    Parameters
    ----------
    rates
        Log figures per day by the position of their month; later months than `month` are not read.
    month
        The origin.
    horizon
        Months ahead.
    options
        Over how many last months, and whether changes over the horizon are taken as they were or
        changes over one month times the root of the horizon.

    Returns
    -------
    spread, changes
        Root mean square (about no change), NaN without any change.
    """
    step = horizon if options.by == "horizon" else 1
    first = -np.inf if options.months is None else month - options.months
    changes = [
        rates[at] - rates[at - step]
        for at in rates
        if at <= month and at - step in rates and at - step >= first
    ]
    if not changes:
        return float("nan"), 0
    spread = float(np.sqrt(np.mean(np.square(changes))))
    return spread * (float(np.sqrt(horizon)) if options.by == "root" else 1.0), len(changes)


def naive_draws(
    rates: Mapping[int, float], month: int, horizon: int, options: Naive, fewest: int
) -> np.ndarray | None:
    """Forecast the log figure per day: the last one, with Student's t around it.

    Parameters
    ----------
    rates, month, horizon, options
        As for `naive_spread`.
    fewest
        Changes that it needs.

    Returns
    -------
    numpy.ndarray or None
        Quantiles of the forecast, evenly spread in probability. (draw,). None with too few changes.
    """
    spread, changes = naive_spread(rates, month, horizon, options)
    if changes < fewest:
        return None
    probabilities = (np.arange(POINTS) + 0.5) / POINTS
    return np.asarray(rates[month] + spread * student(df=changes).ppf(probabilities))
