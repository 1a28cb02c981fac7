"""A mixture of weighted draws, gathered piece by piece in limited memory."""

from __future__ import annotations

import numpy as np

_MOST = 1_000_000  # draws that are held at a time
_POINTS = 100_000  # that stand for them: steps in probability of 0.00001


class Mixture:
    """Weighted draws of one quantity.

    When too many are held, they are replaced by points of equal weight at their quantiles.

    Parameters
    ----------
    most
        Draws that are held at most.
    points
        That replace them.
    """

    def __init__(self, most: int = _MOST, points: int = _POINTS) -> None:
        self._most, self._points = most, points
        self._values: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._held = 0

    def add(self, values: np.ndarray, weights: np.ndarray) -> None:
        """Add draws. Both (draw,)."""
        told = weights > 0
        self._values.append(values[told])
        self._weights.append(weights[told].astype(float))
        self._held += int(told.sum())
        if self._held > self._most:
            total = sum(float(own.sum()) for own in self._weights)
            places = (np.arange(self._points) + 0.5) / self._points
            self._values = [self.quantiles(places)]
            self._weights = [np.full(self._points, total / self._points)]
            self._held = self._points

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Quantiles, linear between the middles of the distribution function's steps.

        Parameters
        ----------
        probabilities
            Rising. (probability,).

        Returns
        -------
        (probability,); NaN if any draw is NaN, or there is none
        """
        empty = [np.zeros(0)]
        values = np.concatenate(self._values or empty)
        return quantiles(values, np.concatenate(self._weights or empty), probabilities)


def quantiles(values: np.ndarray, weights: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Quantiles of weighted draws, linear between the middles of the distribution's steps.

    Parameters
    ----------
    values, weights
        Weights are above 0. (draw,).
    probabilities
        (probability,).

    Returns
    -------
    (probability,); NaN if any draw is NaN, or there is none
    """
    if not len(values) or np.isnan(values).any():
        return np.full(len(probabilities), np.nan)
    order = np.argsort(values)
    weights = weights[order]
    middles = np.cumsum(weights) - 0.5 * weights
    return np.asarray(np.interp(probabilities, middles / weights.sum(), values[order]))
