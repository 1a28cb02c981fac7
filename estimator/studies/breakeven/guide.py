"""A smooth guess of the probability, from which a kernel has only the rest to find.

A kernel rounds off what is curved. A logistic regression on the keys, their squares and products
follows most of the curvature; the kernel then averages only what the guess misses (parametrically
guided kernel regression: Glad, 1998, Scandinavian Journal of Statistics 25).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

_STEPS = 25
_RIDGE = 1.0  # precision of a normal prior of each coefficient: keeps them finite if all agree


@dataclass(frozen=True)
class Guide:
    """A logistic regression on the keys, their squares and products.

    Attributes
    ----------
    center, scale
        Of the keys. (key,).
    coefficients
        (feature,).
    """

    center: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, happens: np.ndarray) -> Guide:
        """Fit it by Newton's method.

        Parameters
        ----------
        x, happens
            The keys in each draw, and 1 where the event happens. (key, draw) and (draw,).
        """
        center, scale = x.mean(axis=1), np.maximum(x.std(axis=1), 1e-12)
        features = _features((x - center[:, None]) / scale[:, None])
        coefficients = np.zeros(len(features))
        for _ in range(_STEPS):
            p = expit(coefficients @ features)
            slope = features @ (happens - p) - _RIDGE * coefficients
            curvature = (features * (p * (1.0 - p))) @ features.T + _RIDGE * np.eye(len(features))
            step = np.clip(np.linalg.solve(curvature, slope), -2.0, 2.0)
            coefficients = coefficients + step
            if np.abs(step).max() < 1e-6:
                break
        return cls(center, scale, coefficients)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Guess the probability at places (key, place). (place,)."""
        standard = (x - self.center[:, None]) / self.scale[:, None]
        return np.asarray(expit(self.coefficients @ _features(standard)))


def _features(x: np.ndarray) -> np.ndarray:
    products = [x[i] * x[j] for i in range(len(x)) for j in range(i, len(x))]
    return np.stack([np.ones(x.shape[1]), *x, *products])
