"""What somebody would say of a simulated world without a model of who reports what.

Face value
    Each figure is the truth, give or take its rounding. Losses of a month are what the reporter
    (`calibrate.coverage.reporter`) publishes of it; the killed of a month are those times the mean
    of the killed shares that claims on it imply; recruits the mean rate of the claims that cover
    it. Where no claim covers a month, nothing is said. Nothing is said of the net change: no claim
    gives returns and other exits.
Trend
    A straight line through the logs of the reporter's series, with the prediction interval of
    ordinary least squares; killed and replacement gap from it as above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from scipy import stats

from estimator.assumptions.groups import HedgingOptions
from estimator.model.figures import THOUSAND
from estimator.model.inputs import ModelInputs
from estimator.quantity import TOTAL

Draws = dict[str, np.ndarray]
"""Draws (draw,) by entry, as ``losses[2026-01]``; persons."""


@dataclass(frozen=True)
class Figures:
    """Published figures of one world at face value.

    Attributes
    ----------
    data
        The claims: weight (claim, month), quantity, origin.
    inputs
        Of the world.
    reporter
        Origin whose monthly losses are taken.
    hedging
        Sizes of rounding.
    """

    data: xr.Dataset
    inputs: ModelInputs
    reporter: str
    hedging: HedgingOptions

    @cached_property
    def months(self) -> list[str]:
        """Months of the window."""
        return [str(month) for month in self.data["month"].values]

    @cached_property
    def values(self) -> np.ndarray:
        """Each claim's figure in thousands or as a share; of an interval a point inside it."""
        value = self.inputs.data["claim_value"]
        scale = np.array(self.inputs.structure.claim_scale)
        with np.errstate(over="ignore"):
            share = 1.0 / (1.0 + np.exp(-value))
            sizes = np.where(scale == "log", np.exp(np.minimum(value, 50.0)), value)
        return np.asarray(np.where(scale == "logit", share, sizes))

    @cached_property
    def monthly(self) -> np.ndarray:
        """Losses that the reporter gives of each month, thousands; NaN where it gives none."""
        weight = self.data["weight"].values
        single = (weight > 0.99).sum(axis=1) == 1
        alone = single & (np.abs(weight.sum(axis=1) - 1.0) < 0.01)
        own = self._of("losses") & alone & (self.data["origin"].values == self.reporter)
        found = np.full(len(self.months), np.nan)
        for claim in np.flatnonzero(own):
            found[int(np.argmax(weight[claim]))] = self.values[claim]
        return found

    @cached_property
    def killed_share(self) -> np.ndarray:
        """Mean killed share that claims on each month imply; NaN without one. (month,)."""
        shares, weight = [], self.data["weight"].values
        for claim in np.flatnonzero(self._of("killed_share") | self._of("killed")):
            value = self.values[claim]
            if self.data["quantity"].values[claim] == "killed":
                # NaN where the reporter gives no losses of some of the months: no share is known.
                covered = weight[claim] > 0
                value = value / (weight[claim][covered] @ self.monthly[covered])
            shares.append(np.where(weight[claim] > 0, value, np.nan))
        return np.asarray(np.minimum(_mean(shares, len(self.months)), 1.0))

    @cached_property
    def recruits(self) -> np.ndarray:
        """Mean rate of the claims on recruits that cover each month, thousands; NaN without one."""
        weight = self.data["weight"].values
        exposure = self.inputs.structure.constants["exposure"]
        rates = []
        for claim in np.flatnonzero(self._of("recruits")):
            per_month = self.values[claim] / float(weight[claim] @ exposure)
            rates.append(np.where(weight[claim] > 0, per_month * exposure, np.nan))
        return _mean(rates, len(self.months))

    def _of(self, quantity: str) -> np.ndarray:
        counts = self.inputs.figure("used") > 0
        return np.asarray(counts & (self.data["quantity"].values == quantity))


def _mean(rows: list[np.ndarray], n_months: int) -> np.ndarray:
    if not rows:
        return np.full(n_months, np.nan)
    table = np.array(rows)
    known = np.isfinite(table)
    total = np.where(known, table, 0.0).sum(axis=0)
    mean = total / np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(known.any(axis=0), mean, np.nan))


def face_value(figures: Figures, rng: np.random.Generator, n_draws: int) -> Draws:
    """Draws of a reader who takes every figure as it stands."""
    size = figures.hedging.minimum
    losses = figures.monthly * (1.0 + size * rng.standard_normal((n_draws, len(figures.months))))
    return _derived(figures, losses, rng)


def trend(figures: Figures, rng: np.random.Generator, n_draws: int) -> Draws:
    """Draws of a log-linear trend of the reporter's series, with prediction intervals.

    Nothing is said where the reporter gives fewer than four months.
    """
    exposure = figures.inputs.structure.constants["exposure"]
    rate = np.log(figures.monthly / exposure)
    known = np.isfinite(rate)
    losses = np.full((n_draws, len(rate)), np.nan)
    if known.sum() >= 4:
        middle, error = prediction(np.flatnonzero(known), rate[known], len(rate))
        noise = stats.t.rvs(int(known.sum()) - 2, size=losses.shape, random_state=rng)
        losses = np.exp(middle + error * noise) * exposure
    return _derived(figures, losses, rng)


def prediction(at: np.ndarray, values: np.ndarray, n_months: int) -> tuple[np.ndarray, np.ndarray]:
    """Predict a straight line by ordinary least squares.

    Parameters
    ----------
    at, values
        Months, and what was seen in them.
    n_months
        Months 0, 1, … that are predicted.

    Returns
    -------
    middle, error
        Line, and standard error of one further value around it. (month,). The prediction is
        Student's t with two degrees of freedom fewer than values.
    """
    fit = stats.linregress(at, values)
    months = np.arange(n_months)
    residuals = values - fit.intercept - fit.slope * at
    variance = float(residuals @ residuals) / (len(at) - 2)
    spread = float(((at - at.mean()) ** 2).sum())
    leverage = 1.0 / len(at) + (months - at.mean()) ** 2 / spread
    return fit.intercept + fit.slope * months, np.sqrt(variance * (1.0 + leverage))


def _derived(figures: Figures, losses: np.ndarray, rng: np.random.Generator) -> Draws:
    """Killed and replacement gap from losses (draw, month) and what claims say of shares, recruits.

    An entry that no claim covers is left out.
    """
    about = max(figures.hedging.about, figures.hedging.minimum)
    n_draws = len(losses)
    share = figures.killed_share * (1.0 + about * rng.standard_normal((n_draws, 1)))
    recruits = figures.recruits * (1.0 + about * rng.standard_normal((n_draws, 1)))
    series = {"losses": losses, "killed": losses * share, "replacement_gap": recruits - losses}
    draws: Draws = {}
    for name, values in series.items():
        known = np.isfinite(values).all(axis=0)
        for at in np.flatnonzero(known):
            draws[f"{name}[{figures.months[at]}]"] = values[:, at] * THOUSAND
        if known.all():
            draws[f"{name}[{TOTAL}]"] = values.sum(axis=1) * THOUSAND
    return draws


BASELINES: dict[str, Callable[[Figures, np.random.Generator, int], Draws]] = {
    "face value": face_value,
    "trend": trend,
}
"""Baselines by the name that tables give them."""
