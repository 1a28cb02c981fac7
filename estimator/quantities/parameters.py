"""What has a prior, with its posterior: scalar assumptions and biases; and where the two fight.

A prior that its evidence pushes out of its own range is a warning: the set holds together only if
somebody is further off than the set believes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import logit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import LINKS, Prior
from estimator.assumptions.reporting import reporting_unit
from estimator.model.figures import reporting_size
from estimator.model.hyperparameters import sources_of

_GRID = (np.arange(4000) + 0.5) / 4000
_SMALLEST = 1e-12  # an assumption at 0 or 1 has no log or log odds
_TAIL = 0.05  # of the prior on either side of its range
_READ = (  # variables of a posterior
    "assumption_value",
    "reporting_bias",
    "reporting_drift",
    "shared_bias_mean",
    "shared_bias_spread",
)


@dataclass(frozen=True)
class Parameter:
    """One number with a prior, and its posterior draws.

    Attributes
    ----------
    draws
        In the unit of the prior. (chain, draw).
    link
        identity, exp or sigmoid: the scale on which prior and posterior are compared. A family of
        `LINKS` is normal on it.
    sign
        -1 where the prior is of an undercount, which is minus the bias.
    """

    name: str
    unit: str
    prior: Prior
    draws: np.ndarray
    link: str
    sign: float = 1.0

    @property
    def linear(self) -> np.ndarray:
        """Draws on the link scale, rising with the draws. (chain, draw)."""
        return self.sign * _linear(self.sign * self.draws, self.link)

    @property
    def log_prior(self) -> np.ndarray:
        """Log density of the prior, up to a constant. (chain, draw)."""
        if self.prior.family in LINKS:
            location, scale = self.prior_moments()
            return np.asarray(-0.5 * ((self.linear - location) / scale) ** 2)
        return np.asarray(self.prior.distribution().logpdf(self.sign * self.draws))

    def prior_quantile(self, probability: float) -> float:
        """Quantile of the prior, in the direction of the draws."""
        if self.sign < 0:
            return -self.prior.quantile(1.0 - probability)
        return self.prior.quantile(probability)

    def prior_moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the prior on the link scale."""
        if self.prior.family in LINKS:
            location, scale = self.prior.location_scale()
            return self.sign * location, scale
        linear = _linear(np.asarray(self.prior.distribution().ppf(_GRID)), self.link)
        return float(linear.mean()), float(linear.std())


def _linear(values: np.ndarray, link: str) -> np.ndarray:
    match link:
        case "exp":
            return np.asarray(np.log(np.maximum(values, _SMALLEST)))
        case "sigmoid":
            return np.asarray(logit(np.clip(values, _SMALLEST, 1.0 - _SMALLEST)))
    return values


def parameters(tree: xr.DataTree) -> Iterator[Parameter]:
    """Scalar assumptions, then the biases of the sources that count, of a result.

    Parameters
    ----------
    tree
        Groups posterior and constant_data are used.
    """
    assumptions = AssumptionSet.from_config(
        json.loads(tree.attrs["configuration"]), label=str(tree.attrs["assumption_set"])
    )
    posterior = tree["posterior"].to_dataset()
    # At once: of a file that is only opened, every slice of a variable would be read by itself.
    posterior = posterior.assign({n: posterior[n].load() for n in _READ if n in posterior})
    values = posterior["assumption_value"].transpose("assumption", "chain", "draw")
    for key, prior in assumptions.priors():
        spec = ASSUMPTIONS[key]
        link = "sigmoid" if spec.support == "share" else "exp"
        yield Parameter(key, spec.unit, prior, values.sel(assumption=key).values, link)
    constant = tree["constant_data"].to_dataset()
    speakers = sources_of(constant)
    counted = set(constant["source"].values[constant["used"].values.astype(bool)].tolist())
    for source in posterior["source"].values.tolist():
        if source not in counted:
            continue
        origin, quantity = source.rsplit(":", 1)
        reporting = assumptions.reporting.of(origin, quantity)
        unit = reporting_unit(quantity)
        bias, drift = (
            posterior[name].sel(source=source).transpose("chain", "draw").values
            * reporting_size(quantity)
            for name in ("reporting_bias", "reporting_drift")
        )
        name = f"reporting_bias[{source}]"
        if assumptions.reporting.shared(origin, quantity, speakers.get(source, "")) is not None:
            pass  # drawn around the mean of its group: see below
        elif reporting.bias is not None:
            yield Parameter(name, unit, reporting.bias, bias, "identity")
        elif reporting.undercount is not None:
            yield Parameter(name, unit, reporting.undercount, bias, "exp", -1.0)
        if not reporting.drift.is_fixed:
            name = f"reporting_drift[{source}]"
            yield Parameter(name, f"{unit}/year", reporting.drift, drift, "identity")
    yield from _shared(posterior, assumptions)


def _shared(posterior: xr.Dataset, assumptions: AssumptionSet) -> Iterator[Parameter]:
    """Means and spreads that the biases of one kind of speaker share."""
    hierarchy = {str(name): table for name, table in assumptions.reporting.hierarchy.items()}
    for group in posterior["bias_group"].values.tolist() if "bias_group" in posterior else ():
        speaker, quantity = group.split(":", 1)
        shared = hierarchy[speaker][quantity]
        unit = reporting_unit(quantity)
        for term, prior, link in (
            ("mean", shared.mean, "identity"),
            ("spread", shared.spread, "exp"),
        ):
            name = f"shared_bias_{term}"
            draws = posterior[name].sel(bias_group=group).transpose("chain", "draw").values
            yield Parameter(f"{name}[{group}]", unit, prior, draws * reporting_size(quantity), link)


@dataclass(frozen=True)
class Fight:
    """A prior that its evidence pushed out of its own range.

    Attributes
    ----------
    name, unit
        Of the assumption, or ``reporting_bias[source]``.
    median
        Of the posterior.
    low, high
        Of the prior: 90 % lies between them.
    shift
        Distance between the means of posterior and prior, in standard deviations of the prior on
        the scale on which it is (about) normal.
    """

    name: str
    unit: str
    median: float
    low: float
    high: float
    shift: float


def fights(tree: xr.DataTree) -> list[Fight]:
    """Priors of a set whose posterior median lies outside their 90 % range, the furthest first.

    Parameters
    ----------
    tree
        Result of a set; groups posterior and constant_data are used.
    """
    found = []
    for one in parameters(tree):
        if one.prior.is_fixed:
            continue
        median = float(np.median(one.draws))
        low, high = one.prior_quantile(_TAIL), one.prior_quantile(1.0 - _TAIL)
        if not low <= median <= high:
            middle, spread = one.prior_moments()
            shift = (float(one.linear.mean()) - middle) / spread
            found.append(Fight(one.name, one.unit, median, low, high, shift))
    return sorted(found, key=lambda fight: -abs(fight.shift))
