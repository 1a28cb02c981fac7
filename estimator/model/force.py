"""Returns to duty: who was wounded comes back after a delay.

In the model with PyTensor variables, and after it with numpy arrays of draws: the month is always
the last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable
from pytensor.tensor.signal import convolve1d

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
    mean = mean_delay[..., None] if np.ndim(mean_delay) else mean_delay
    early, late, last = (
        _still_away(RETURN_SHAPE * part / mean) for part in (edges[:-1], edges[1:], edges[-1:])
    )
    return (early - late) / (1.0 - last)


def _still_away(x: Any) -> Any:
    """Upper tail of the gamma distribution of shape 2 and scale 1."""
    return (1.0 + x) * _exp(-x)


def wounded_before(n_months: int, months_before: float, n_lags: int = RETURN_LAGS) -> np.ndarray:
    """Map from the wounded of the window to those of the window and the lags before it.

    Parameters
    ----------
    n_months
        Months of the window.
    months_before
        Months of war before the window; their wounded are taken to be as many as the first
        month's. Before them there were none.
    n_lags
        Lags that are followed, in months.

    Returns
    -------
    (lag - 1 + month, month)
    """
    early = np.zeros((n_lags - 1, n_months))
    early[np.arange(1 - n_lags, 0) >= -months_before, 0] = 1.0
    return np.concatenate([early, np.eye(n_months)])


def returned(history: TensorVariable, rate: Any, mean_delay: Any) -> TensorVariable:
    """Wounded who come back to duty in each month, in the model.

    Parameters
    ----------
    history
        Wounded of the window and before, as `wounded_before` gives them. (lag - 1 + month,).
    rate, mean_delay
        Share who return, and their mean delay in months; scalars.

    Returns
    -------
    (month,), in the unit of `history`
    """
    weights = delay_weights(mean_delay, RETURN_LAGS)
    return rate * convolve1d(history, weights, mode="valid")


def returned_draws(
    wounded: np.ndarray, rate: np.ndarray, mean_delay: np.ndarray, months_before: float
) -> np.ndarray:
    """Wounded who come back to duty in each month, for draws.

    Parameters
    ----------
    wounded
        (..., month), persons
    rate, mean_delay
        As for `returned`. (...,).
    months_before
        As for `wounded_before`.

    Returns
    -------
    (..., month), in the unit of `wounded`
    """
    history = wounded @ wounded_before(wounded.shape[-1], months_before).T
    by_lag = np.lib.stride_tricks.sliding_window_view(history, RETURN_LAGS, axis=-1)[..., ::-1]
    weights = delay_weights(mean_delay, RETURN_LAGS)
    return np.asarray(rate[..., None] * np.einsum("...ml,...l->...m", by_lag, weights))
