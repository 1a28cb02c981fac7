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


def wounded_per_month(
    exposure: np.ndarray, cut: float, months_before: float, n_lags: int = RETURN_LAGS
) -> np.ndarray:
    """Map from the wounded of each month to wounded per mean month, then and in the lags before.

    Parameters
    ----------
    exposure
        Length of each month, in mean months; the first and the last may be parts of one. (month,).
    cut
        Mean months of the first calendar month that lie before the first day.
    months_before
        Months of war before the first day; their wounded are taken to come at the first month's
        pace. Before them there were none, so that a war that begins late in a month has few
        wounded in it.
    n_lags
        Lags that are followed, in months.

    Returns
    -------
    (lag - 1 + month, month)
    """
    per_month = np.diag(1.0 / exposure)
    per_month[0, 0] *= (exposure[0] + min(cut, months_before)) / (exposure[0] + cut)
    ago = np.arange(n_lags - 1, 0, -1)
    early = np.zeros((n_lags - 1, len(exposure)))
    early[:, 0] = np.clip(months_before - cut - (ago - 1), 0.0, 1.0) / exposure[0]
    return np.concatenate([early, per_month])


def returned(history: Any, exposure: np.ndarray, rate: Any, mean_delay: Any, xp: Any = np) -> Any:
    """Work out how many wounded come back to duty in each month.

    Parameters
    ----------
    history
        Wounded per mean month, as `wounded_per_month` gives them. (..., lag - 1 + month);
        of variables (lag - 1 + month,).
    exposure
        As for `wounded_per_month`: in half a month half as many come back.
    rate, mean_delay
        Share who return, and their mean delay in months. (...).
    xp
        numpy or pytensor.tensor.

    Returns
    -------
    (..., month), in the unit of the wounded
    """
    weights = delay_weights(mean_delay, RETURN_LAGS, xp)
    if xp is not np:
        from pytensor.tensor.signal import convolve1d  # who works on draws does not wait for it

        return rate * exposure * convolve1d(history, weights, mode="valid")
    by_lag = np.lib.stride_tricks.sliding_window_view(history, RETURN_LAGS, axis=-1)[..., ::-1]
    back = np.einsum("...ml,...l->...m", by_lag, weights)
    return np.asarray(rate)[..., None] * exposure * back


def returned_draws(
    wounded: np.ndarray,
    per_month: np.ndarray,
    exposure: np.ndarray,
    rate: np.ndarray,
    mean_delay: np.ndarray,
) -> np.ndarray:
    """Work out how many wounded come back to duty in each month, for draws.

    Parameters
    ----------
    wounded
        (..., month), persons
    per_month
        As `wounded_per_month` gives it. (lag - 1 + month, month).
    exposure, rate, mean_delay
        As for `returned`.

    Returns
    -------
    (..., month), in the unit of `wounded`
    """
    return np.asarray(returned(wounded @ per_month.T, exposure, rate, mean_delay))
