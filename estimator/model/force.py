"""Returns to duty, net change and size of the force: stocks and flows, month by month.

The functions take PyTensor variables in the model and numpy arrays of draws after it: `months` is
always the last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

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
    x = RETURN_SHAPE * edges / mean_delay[..., None]
    returned_by = 1.0 - (1.0 + x) * _exp(-x)
    weights = returned_by[..., 1:] - returned_by[..., :-1]
    return weights / returned_by[..., -1:]


def past_and_present(wounded: Any, months_before: Any, n_lags: int) -> Any:
    """Put the wounded of the months before the window in front: the first month's number.

    Parameters
    ----------
    wounded
        (..., month)
    months_before
        Months of war before the window, a scalar; earlier months have none.
    n_lags
        How many months to put in front, plus one.

    Returns
    -------
    (..., n_lags - 1 + month)
    """
    steps_back = np.arange(n_lags - 1, 0, -1)
    if isinstance(wounded, np.ndarray):
        at_war = (steps_back <= months_before).astype(float)
        return np.concatenate([wounded[..., :1] * at_war, wounded], axis=-1)
    at_war = pt.cast(pt.le(steps_back, months_before), "float64")
    return pt.concatenate([wounded[..., :1] * at_war, wounded], axis=-1)


def returned(wounded: Any, rate: Any, mean_delay: Any, months_before: Any, n_lags: int) -> Any:
    """Wounded who come back to duty in each month.

    Parameters
    ----------
    wounded
        (..., month), persons
    rate, mean_delay
        Share who return, and their mean delay in months; (...,) or scalars.
    months_before
        Months of war before the window.
    n_lags
        Lags that are followed.

    Returns
    -------
    (..., month), in the unit of `wounded`
    """
    weights = delay_weights(mean_delay, n_lags)
    history = past_and_present(wounded, months_before, n_lags)
    n_months = int(wounded.shape[-1]) if isinstance(wounded, np.ndarray) else wounded.type.shape[-1]
    wounded_in = n_lags - 1 + np.arange(n_months)[:, None] - np.arange(n_lags)
    if isinstance(wounded, np.ndarray):
        return rate[..., None] * np.einsum("...ml,...l->...m", history[..., wounded_in], weights)
    return rate * (history[wounded_in] @ weights)
