"""Shares of variance from sets that fill the space of their assumptions, by regression.

Each answer is written as a sum of orthonormal functions of one and of two assumptions (polynomial
chaos: Sudret 2008, Reliability Engineering & System Safety 93). The squares of its coefficients are
shares of variance: those of an assumption alone give its first-order index, all that it has a part
in its total. Terms are chosen one by one, the one that explains most first (orthogonal least
squares), until the extended BIC (Chen and Chen 2008, Biometrika 95) no longer falls. Intervals are
those of a bootstrap over the sets that chooses the terms anew.

Why not SALib's estimators for given sets: root mean square error of the first-order indices over 10
Latin hypercubes and 10 scrambled Sobol sequences of 256 points.

=====================  ========  ==========  =========================
estimator              Ishigami  g-function  near additive, 10 % noise
=====================  ========  ==========  =========================
this one                  0.001       0.002                      0.012
rbd_fast                  0.061       0.100                      0.053
enhanced_hdmr             0.242       0.257                      0.016
=====================  ========  ==========  =========================

RBD-FAST takes the regular steps of a Sobol sequence for a signal (single indices are off by 0.25 to
0.52; over Latin hypercubes alone its errors are 0.029, 0.035 and 0.037) and gives no totals.
Enhanced HDMR refuses fewer than 300 sets (its figures are for 300, with its default order).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimator.studies.compare.drivers.terms import Basis, Term

_SCREENED = 40  # terms of each answer from which a resample chooses
_PATIENCE = 10  # terms that may be tried though the criterion does not fall
_NEW = 1e-6  # of a term's own variance: with less left, it is a sum of terms chosen before
_EXACT = 1e-10  # of the variance: below, all is explained
_ROWS = 4096  # sets whose products of terms are in memory at a time


@dataclass(frozen=True)
class Shares:
    """Shares of the variance between the sets.

    Attributes
    ----------
    first, total
        (assumption,).
    first_range, total_range
        95 % bootstrap intervals. (2, assumption).
    unexplained
        Share that no term explains: interactions of three and more, roughness, Monte-Carlo error.
    """

    first: np.ndarray
    total: np.ndarray
    first_range: np.ndarray
    total_range: np.ndarray
    unexplained: float


class Regression:
    """An answer as a sum of functions of the assumptions.

    Parameters
    ----------
    basis
        Of the sets.
    values
        Without NaN, and not constant. (set,).
    """

    def __init__(self, basis: Basis, values: np.ndarray) -> None:
        self._levels, self._terms, self._functions = basis.levels, basis.terms, basis.functions
        self._mean, self._spread = float(values.mean()), float(values.std())
        self._values = (values - self._mean) / self._spread
        drive = self._values @ self._functions / len(values)
        self._moments = np.block([[basis.covariance, drive[:, None]], [drive, np.ones(1)]])
        self._chosen, self._tried = _path(self._moments, len(values), len(self._terms))

    def shares(self, errors: np.ndarray, seed: int) -> Shares:
        """Estimate the shares of the variance, with bootstrap intervals.

        Parameters
        ----------
        errors
            Draws of the Monte-Carlo errors of the values, as many as there shall be resamples. What
            they add to each part of the variance is taken out. (draw, set).
        seed
            Of the bootstrap.
        """
        n_sets, names = len(self._levels), len(self._levels.names)
        noise = errors / self._spread
        added = self._added(noise)
        fit = _Fit(self._terms, names, n_sets, added)
        index, unexplained = fit.indices(self._moments, self._chosen)
        few = self._tried[:_SCREENED]
        # An answer with its error drawn anew holds errors twice.
        again = _Fit(tuple(self._terms[t] for t in few), names, n_sets, 2.0 * added[[*few, -1]])
        even = np.full(n_sets, 1.0 / n_sets)
        weights = np.random.default_rng(seed).multinomial(n_sets, even, size=len(noise)) / n_sets
        resampled = _resampled_moments(self._functions[:, few], self._values + noise, weights)
        drawn = np.empty((len(noise), *index.shape))
        for resample, moments in zip(drawn, resampled, strict=True):
            chosen, _ = _path(moments, n_sets, len(self._terms))
            resample[:], _ = again.indices(moments, chosen)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        first, total = np.stack([np.minimum(low, index), np.maximum(high, index)], axis=1)
        return Shares(index[0], index[1], first, total, unexplained)

    def _added(self, noise: np.ndarray) -> np.ndarray:
        """Variance that errors add to each term's part and, last, to all. noise (draw, set)."""
        noise = noise - noise.mean(axis=1, keepdims=True)
        found = np.zeros(len(self._terms) + 1)
        coefficients = noise @ self._functions[:, self._tried] / noise.shape[1]
        found[self._tried] = (coefficients**2).mean(axis=0)
        found[-1] = (noise**2).mean()
        return found

    def main_effects(self) -> list[np.ndarray]:
        """Return the answer at each level of each assumption, averaged over all others.

        Returns
        -------
        list of (level,)
            Of the levels that the sets have, in their order.
        """
        inside = np.ix_(self._chosen, self._chosen)
        coefficients = np.linalg.solve(self._moments[inside], self._moments[self._chosen, -1])
        # Over these sets the functions need not average to 0.
        middle = -float(coefficients @ self._functions[:, self._chosen].mean(axis=0))
        found = []
        for assumption, codes in enumerate(self._levels.codes.T):
            _, rows = np.unique(codes, return_index=True)
            effect = np.full(len(rows), middle)
            for term, slope in zip(self._chosen, coefficients, strict=True):
                if len(self._terms[term]) == 1 and self._terms[term][0][0] == assumption:
                    effect += slope * self._functions[rows, term]
            found.append(self._mean + self._spread * effect)
        return found


def _resampled_moments(
    functions: np.ndarray, values: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the moments of each resample. (resample, term + 1, term + 1).

    Parameters
    ----------
    functions
        (set, term).
    values
        Of each resample. (resample, set).
    weights
        Of the sets; rows sum to 1. (resample, set).

    Notes
    -----
    Products of terms are made once for all resamples: few large matrix products instead of many
    small ones.
    """
    count = functions.shape[1]
    left, right = np.triu_indices(count)
    means, products = np.zeros((len(weights), count + 1)), np.zeros((len(weights), len(left)))
    drive, square = np.zeros((len(weights), count)), np.zeros(len(weights))
    for begin in range(0, len(functions), _ROWS):
        own = functions[begin : begin + _ROWS]
        weight, value = (rows[:, begin : begin + _ROWS] for rows in (weights, values))
        weighted = weight * value
        products += weight @ (own[:, left] * own[:, right])
        drive += weighted @ own
        square += (weighted * value).sum(axis=1)
        means[:, :-1] += weight @ own
        means[:, -1] += weighted.sum(axis=1)
    moments = np.empty((len(weights), count + 1, count + 1))
    moments[:, left, right] = moments[:, right, left] = products
    moments[:, :-1, -1] = moments[:, -1, :-1] = drive
    moments[:, -1, -1] = square
    return np.asarray(moments - means[:, :, None] * means[:, None, :])


def _path(moments: np.ndarray, n_sets: int, n_terms: int) -> tuple[list[int], list[int]]:
    """Terms that are chosen for an answer, and all that were tried, best first.

    Parameters
    ----------
    moments
        Of the terms and, last, of the answer (covariances).
    n_sets
        How many sets there are.
    n_terms
        From how many terms these come: many chances find much by chance.
    """
    left, drive = moments[:-1, :-1].copy(), moments[:-1, -1].copy()
    rest = whole = float(moments[-1, -1])
    size = left.diagonal().copy()
    tried: list[int] = []
    lowest, best = n_sets * np.log(whole), 0
    penalty = np.log(n_sets) + 2.0 * np.log(n_terms)
    for count in range(1, min(len(left), n_sets // 3) + 1):
        own = left.diagonal()
        usable = own > _NEW * size
        gain = np.where(usable, drive**2 / np.where(usable, own, 1.0), 0.0)
        term = int(gain.argmax())
        if gain[term] <= 0.0:
            break
        # Gaussian elimination: what the term explains is taken out of all others.
        row = left[term] / own[term]
        rest -= float(gain[term])
        drive -= row * drive[term]
        left -= np.outer(left[:, term].copy(), row)
        left[term], left[:, term], drive[term] = 0.0, 0.0, 0.0
        tried.append(term)
        if rest <= _EXACT * whole:
            return tried, tried
        criterion = n_sets * np.log(rest) + count * penalty
        if criterion < lowest:
            lowest, best = criterion, count
        if count - best >= _PATIENCE:
            break
    return tried[:best], tried


@dataclass(frozen=True)
class _Fit:
    """What turns the moments of terms and answer into indices.

    Attributes
    ----------
    terms
        Of the moments.
    n_assumptions, n_sets
        How many there are.
    added
        Variance by errors in the part of each term and, last, in all. (term + 1,).
    """

    terms: tuple[Term, ...]
    n_assumptions: int
    n_sets: int
    added: np.ndarray

    def indices(self, moments: np.ndarray, chosen: Sequence[int]) -> tuple[np.ndarray, float]:
        """First-order and total, (2, assumption), and the share that is left unexplained."""
        inverse = np.linalg.inv(moments[np.ix_(chosen, chosen)])
        drive = moments[list(chosen), -1]
        coefficients = inverse @ drive
        rest = max(float(moments[-1, -1] - coefficients @ drive), 0.0)
        rest *= self.n_sets / (self.n_sets - len(chosen) - 1)
        # The square of an estimate is too large by its variance; errors that the sets share are
        # smooth and do not show in the rest.
        own = self.added[list(chosen)]
        excess = np.maximum(inverse.diagonal() * rest / self.n_sets, own)
        parts = np.maximum(coefficients**2 - excess, 0.0)
        rest = max(rest - max(self.added[-1] - float(own.sum()), 0.0), 0.0)
        index = np.zeros((2, self.n_assumptions))
        for part, term in zip(parts, (self.terms[c] for c in chosen), strict=True):
            for assumption, _ in term:
                index[1, assumption] += part
            if len(term) == 1:
                index[0, term[0][0]] += part
        whole = float(parts.sum()) + rest
        return (index / whole, rest / whole) if whole > 0 else (index, 1.0)
