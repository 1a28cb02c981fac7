"""Importance weights: smoothed by PSIS, with what tells how far to trust them.

Vehtari and others (2024, JMLR 25). Apart from what makes the ratios, so that what only weights
draws imports little.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

_FEWEST = 25  # a Pareto tail is fitted to a fifth of the draws, and to no fewer than 5


@dataclass(frozen=True)
class Weights:
    """Smoothed importance weights of one set.

    Attributes
    ----------
    log_weights
        Normalised: their exponentials sum to 1. (draw,).
    k_hat
        Shape of the tail of the raw weights; 0 where the largest are all equal, so that there is no
        tail; infinite where there is nothing to trust.
    kish
        Effective sample size of the weights alone, 1 / sum of squares.
    """

    log_weights: np.ndarray
    k_hat: float
    kish: float


def unreached(n_draws: int) -> Weights:
    """Equal weights that nothing can be trusted of."""
    return Weights(np.full(n_draws, -np.log(n_draws)), np.inf, 1.0)


def smoothed(log_ratio: np.ndarray) -> Weights:
    """Smooth importance ratios by PSIS.

    Parameters
    ----------
    log_ratio
        Unnormalised, of each draw; minus infinity where the set cannot have it. (draw,).

    Notes
    -----
    Draws that the set cannot have get no weight, and the tail is that of the others: these are
    draws of the fit where the set lies. Where all of a tail is equal (as from a Uniform prior to a
    narrower one) the weights are bounded by what many draws have, and need no smoothing.
    """
    n_draws = len(log_ratio)
    possible = np.isfinite(log_ratio)
    n_possible = int(possible.sum())
    if n_possible == 0 or not (log_ratio < np.inf).all():
        return unreached(n_draws)
    ratios = log_ratio[possible]
    n_tail = int(min(n_possible / 5, 3 * n_possible**0.5))  # as ArviZ chooses it
    tail = np.partition(ratios, -max(n_tail, 1))[-max(n_tail, 1) :]
    if np.ptp(ratios) < 1e-9 or (n_possible >= _FEWEST and np.ptp(tail) < 1e-9):
        smooth, k_hat = ratios, 0.0
    elif n_possible < _FEWEST:
        smooth, k_hat = ratios, np.inf
    else:
        from arviz_stats.base import array_stats

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is k-hat, which is checked
            # ArviZ takes the negative of the log ratio, as of a pointwise log likelihood.
            smooth, k_hat = array_stats.psislw(-ratios)
    log_weights = np.full(n_draws, -np.inf)
    log_weights[possible] = smooth - logsumexp(smooth)
    kish = float(np.exp(-logsumexp(2.0 * log_weights[possible])))
    return Weights(log_weights, float(k_hat) if np.isfinite(k_hat) else np.inf, kish)


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, probabilities: Sequence[float]
) -> np.ndarray:
    """Quantiles of weighted draws, linear between the middles of their steps. (probability,)."""
    order = np.argsort(values, kind="stable")  # equal draws have steps of their own, in one order
    middles = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(probabilities, middles, values[order]))
