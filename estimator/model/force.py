"""Returns to duty: who was wounded comes back after a delay.

In the model with PyTensor variables, and after it with NumPy arrays of draws: the month is always
the last axis, and `xp` is the module of either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

RETURN_LAGS = 24  # months; nothing is left beyond twice the longest plausible delay
RETURN_SHAPE = 2  # of the gamma distribution of delays: nobody returns at once


def delay_weights(mean_delay: Any, n_lags: int, xp: Any = np) -> Any:
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
        _still_away(RETURN_SHAPE * part / mean, xp) for part in (edges[:-1], edges[1:], edges[-1:])
    )
    return (early - late) / (1.0 - last)


def _still_away(x: Any, xp: Any) -> Any:
    """Upper tail of the gamma distribution of shape 2 and scale 1."""
    return (1.0 + x) * xp.exp(-x)


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


def returned(history: Any, rate: Any, mean_delay: Any, xp: Any = np) -> Any:
    """Work out how many wounded come back to duty in each month.

    Parameters
    ----------
    history
        Wounded of the window and before, as `wounded_before` gives them. (..., lag - 1 + month);
        of variables (lag - 1 + month,).
    rate, mean_delay
        Share who return, and their mean delay in months. (...).
    xp
        numpy or pytensor.tensor.

    Returns
    -------
    (..., month), in the unit of `history`
    """
    weights = delay_weights(mean_delay, RETURN_LAGS, xp)
    if xp is not np:
        from pytensor.tensor.signal import convolve1d  # who works on draws does not wait for it

        return rate * convolve1d(history, weights, mode="valid")
    by_lag = np.lib.stride_tricks.sliding_window_view(history, RETURN_LAGS, axis=-1)[..., ::-1]
    return np.asarray(rate)[..., None] * np.einsum("...ml,...l->...m", by_lag, weights)


def returned_draws(
    wounded: np.ndarray, rate: np.ndarray, mean_delay: np.ndarray, months_before: float
) -> np.ndarray:
    """Work out how many wounded come back to duty in each month, for draws.

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
    return np.asarray(returned(history, rate, mean_delay))
