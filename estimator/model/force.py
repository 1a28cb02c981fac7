"""Returns to duty: who was wounded comes back after a delay.

The functions take PyTensor variables in the model and numpy arrays of draws after it: the month is
always the last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

RETURN_LAGS = 24  # months; nothing is left beyond twice the longest plausible delay
RETURN_SHAPE = 2  # of the gamma distribution of delays: nobody returns at once


def _exp(x: Any) -> Any:
    return np.exp(x) if isinstance(x, np.ndarray) else pt.exp(x)


def delay_weights(mean_delay: Any, n_lags: int) -> Any:
    """Share of those who return that does so 0, 1, 2, … months after the month of the wound.

    The delay is gamma distributed with shape 2 and the mean given; its distribution function has a
    closed form, and lag d takes what lies between d - 1/2 and d + 1/2 months.

    Parameters
    ----------
    mean_delay
        In months; a scalar variable, or an array of draws (...,).
    n_lags
        Number of lags; what would return later is spread over them.

    Returns
    -------
    (..., lag), sums to 1 over lags
    """
    edges = np.concatenate([[0.0], np.arange(n_lags) + 0.5])
    x = (RETURN_SHAPE * edges) / (mean_delay[..., None] if np.ndim(mean_delay) else mean_delay)
    returned_by = 1.0 - (1.0 + x) * _exp(-x)
    weights = returned_by[..., 1:] - returned_by[..., :-1]
    return weights / returned_by[..., -1:]


def returned(
    wounded: Any, rate: Any, mean_delay: Any, months_before: float, n_lags: int = RETURN_LAGS
) -> Any:
    """Wounded who come back to duty in each month.

    Parameters
    ----------
    wounded
        (..., month), persons
    rate, mean_delay
        Share who return, and their mean delay in months; (...,) or scalars.
    months_before
        Months of war before the window; their wounded are taken to be as many as the first
        month's. Before them there were none.
    n_lags
        Lags that are followed, in months.

    Returns
    -------
    (..., month), in the unit of `wounded`
    """
    n_months = wounded.shape[-1] if isinstance(wounded, np.ndarray) else wounded.type.shape[-1]
    wounded_in = np.arange(n_months)[:, None] - np.arange(n_lags)
    at_war = (wounded_in >= -months_before).astype(float)
    history = wounded[..., np.maximum(wounded_in, 0)] * at_war
    weights = delay_weights(mean_delay, n_lags)
    if isinstance(wounded, np.ndarray):
        return np.asarray(rate)[..., None] * np.einsum("...ml,...l->...m", history, weights)
    return rate * (history @ weights)
