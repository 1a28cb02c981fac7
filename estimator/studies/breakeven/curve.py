"""The probability of an event as a function of an assumption, from draws of wide fits.

A fit whose prior on the key is wide holds draws at all its values. Weighted to a narrow normal
around v, on the model's log or log-odds scale, they stand for a fit with the key held at v: all
other factors of the two posteriors are the same (`estimator.fitting.reweighting`). The normal is
moved until the weighted mean of the draws is v itself: a posterior that rises or falls there would
pull it to one side. What the kernel would round off is left to a smooth guess of the probability
(`estimator.studies.breakeven.guide`), so that only the rest is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtri

from estimator.fitting.reweighting import Hyperparameters, Mixture, NaturalDraws
from estimator.fitting.smoothing import Weights, smoothed
from estimator.studies.breakeven.guide import Guide

_REACH = 6.0  # widths around a value at which the kernel ends
_FEWEST = 50  # draws in it, without which nothing is worked out
_FARTHEST = 4.0  # widths by which the kernel is moved at most
_STEPS = 30
_CENTERED = 0.05  # widths by which the mean of the draws may miss the value


@dataclass(frozen=True)
class WideFit:
    """Draws of a fit whose priors of the keys are wide.

    Attributes
    ----------
    draws
        In natural parameters.
    hyper
        What the fit assumed.
    happens
        Whether the event happens in each draw. (draw,).
    relative_ess
        Effective sample size of the event and of the keys over the number of draws, at most 1.
    """

    draws: NaturalDraws
    hyper: Hyperparameters
    happens: np.ndarray
    relative_ess: float


@dataclass(frozen=True)
class Curve:
    """Probabilities at some values of one key or more.

    Attributes
    ----------
    x
        The keys on the model's scale. (point, key).
    probability, error
        Of the event, and its Monte-Carlo standard error; NaN where nothing is known. (point,).
    ess
        Effective sample size of the probability. (point,).
    k_hat
        Of the weights; NaN for a real fit. (point,).
    used
        Whether bounds on k-hat and effective sample size hold. (point,).
    """

    x: np.ndarray
    probability: np.ndarray
    error: np.ndarray
    ess: np.ndarray
    k_hat: np.ndarray
    used: np.ndarray


def standard_error(probability: float, ess: float) -> float:
    """Monte-Carlo standard error of a probability of so many effective draws.

    Half a draw is added to either side (Jeffreys), so that 0 of n draws are no certainty.
    """
    share = (probability * ess + 0.5) / (ess + 1.0)
    return float(np.sqrt(share * (1.0 - share) / ess))


class Reweighting:
    """Wide fits as one mixture, to be weighted to any value of the keys.

    Parameters
    ----------
    fits
        They differ in the priors of the keys alone.
    positions
        Of the keys among the parameters. (key,).
    """

    def __init__(self, fits: Sequence[WideFit], positions: Sequence[int]) -> None:
        self.positions = np.array(positions, dtype=int)
        varying = np.zeros(len(fits[0].hyper.location), bool)
        varying[self.positions] = True
        draws, hypers = [one.draws for one in fits], [one.hyper for one in fits]
        self._mixture = Mixture(draws, hypers, varying, claims_vary=False)
        self.x = np.concatenate([one.linear[self.positions] for one in draws], axis=1)
        self.happens = np.concatenate([one.happens for one in fits]).astype(float)
        self._guide = Guide.of(self.x, self.happens)
        self._guessed = self._guide(self.x)
        sizes = np.array([len(one.happens) for one in fits], dtype=float)
        relative = np.array([one.relative_ess for one in fits])
        # Each fit gives its part of the draws; what matters is how many they are worth together.
        self.relative_ess = float((sizes * relative).sum() / sizes.sum())

    def to(self, hyper: Hyperparameters) -> tuple[float, float, float, float]:
        """Probability, its error, its effective sample size and k-hat under any priors of the keys.

        Parameters
        ----------
        hyper
            Differs from those of the fits in the priors of the keys alone.
        """
        return self._estimate(self._mixture.weights(hyper), self.happens, 0.0)

    def at(self, x: np.ndarray, width: np.ndarray) -> tuple[float, float, float, float]:
        """Probability, its error, its effective sample size and k-hat with the keys at `x`.

        Parameters
        ----------
        x, width
            Value and standard deviation of the kernel of each key, on the model's scale. (key,).

        Notes
        -----
        Where there are next to no draws all is NaN and the effective sample size 0.
        """
        near = (np.abs(self.x - x[:, None]) < _REACH * width[:, None]).all(axis=0)
        if near.sum() < _FEWEST:
            return np.nan, np.nan, 0.0, np.nan
        draws, log_mixture = self.x[:, near], self._mixture.log_mixture[near]
        found = smoothed(_centered(x, width, draws, log_mixture))
        missed = np.abs(x - draws @ np.exp(found.log_weights)) > _CENTERED * width
        rest = self.happens[near] - self._guessed[near]
        guess = float(self._guide(x[:, None])[0])
        probability, error, ess, k_hat = self._estimate(found, rest, guess)
        return probability, error, 0.0 if missed.any() else ess, k_hat

    def curve(self, x: np.ndarray, width: np.ndarray, *, max_k_hat: float, min_ess: float) -> Curve:
        """Probabilities at points (point, key); those whose bounds do not hold are not used."""
        rows = np.array([self.at(point, width) for point in x])
        probability, error, ess, k_hat = rows.T
        used = (k_hat <= max_k_hat) & (ess >= min_ess)
        return Curve(x, probability, error, ess, k_hat, used)

    def _estimate(
        self, found: Weights, rest: np.ndarray, guess: float
    ) -> tuple[float, float, float, float]:
        """Add the weighted mean of what a guess misses to the guess."""
        weights = np.exp(found.log_weights)
        mean = float(weights @ rest)
        probability = float(np.clip(guess + mean, 0.0, 1.0))
        ess = found.kish * self.relative_ess
        residual = weights * (rest - mean)
        spread = float(np.sqrt(residual @ residual / self.relative_ess))
        error = max(spread, standard_error(probability, max(ess, 1.0)))
        return probability, error, ess, found.k_hat


def _centered(
    x: np.ndarray, width: np.ndarray, draws: np.ndarray, log_mixture: np.ndarray
) -> np.ndarray:
    """Log ratios of the kernel whose place makes `x` the weighted mean of the draws.

    Parameters
    ----------
    x, width
        Value and width of each key. (key,).
    draws, log_mixture
        The keys in each draw, and the density that they were drawn with. (key, draw) and (draw,).

    Returns
    -------
    (draw,)
    """
    moved = x.copy()
    for _ in range(_STEPS):
        z = (draws - moved[:, None]) / width[:, None]
        ratio = np.asarray(-0.5 * (z**2).sum(axis=0) - log_mixture)
        weights = np.exp(ratio - logsumexp(ratio))
        mean = draws @ weights
        if np.all(np.abs(x - mean) < 1e-3 * width):
            break
        # The slope of the mean in the kernel's place is variance over width squared.
        variance = (draws - mean[:, None]) ** 2 @ weights
        step = (x - mean) * width**2 / np.maximum(variance, (0.3 * width) ** 2)
        moved = np.clip(moved + step, x - _FARTHEST * width, x + _FARTHEST * width)
    return ratio


def probit(probability: np.ndarray | float) -> np.ndarray:
    """Take the standard normal quantile, kept finite: one of 10,000 is as far as is looked."""
    return np.asarray(ndtri(np.clip(probability, 1e-4, 1.0 - 1e-4)))
