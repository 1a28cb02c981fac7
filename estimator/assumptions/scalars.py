"""What is fixed about a scalar assumption: its unit and support, and which priors fit it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when they are used

from estimator.assumptions.priors import FAMILIES_BY_SUPPORT, LINKS, Prior, Support

_FAR = 40.0  # exp(-40) is next to 0: keeps moments on the link scale finite
_POINTS = 200  # quantiles that stand for a prior


@dataclass(frozen=True)
class Spec:
    """What is fixed about one scalar assumption: its unit, its support, its size in the model.

    The model has a positive quantity on the log scale and a share on the log-odds scale, both in
    its own unit: that is the *link scale*.
    """

    unit: str
    support: Support
    description: str
    per_model_unit: float = 1.0  # persons become thousands inside the model
    may_be_zero: bool = True  # False where 0 would leave the model without a value

    def link(self, values: np.ndarray | float) -> np.ndarray:
        """Bring values in the assumption's unit to its link scale; 0 is minus infinity there."""
        scaled = np.asarray(values, dtype=float) / self.per_model_unit
        with np.errstate(divide="ignore"):
            if self.support == "share":
                return np.asarray(scipy.special.logit(np.clip(scaled, 0.0, 1.0)))
            return np.asarray(np.log(np.maximum(scaled, 0.0)))

    def value(self, links: np.ndarray | float) -> np.ndarray:
        """Bring values on the link scale back to the assumption's unit."""
        inverse = scipy.special.expit if self.support == "share" else np.exp
        return np.asarray(inverse(links) * self.per_model_unit, dtype=float)

    def normal(self, location: float, scale: float) -> Prior:
        """Make the prior that is normal on the link scale."""
        if self.support == "share":
            return Prior(family="LogitNormal", mu=location, sigma=scale, unit=self.unit)
        mu = location + math.log(self.per_model_unit)
        return Prior(family="LogNormal", mu=mu, sigma=scale, unit=self.unit)


def prior_problems(key: str, spec: Spec, prior: Prior) -> list[str]:
    """Return what does not fit between a prior and the assumption it is for."""
    problems = []
    if prior.unit is not None and prior.unit != spec.unit:
        problems.append(f"{key}.unit: must be {spec.unit!r}. Got {prior.unit!r}")
    if prior.family not in FAMILIES_BY_SUPPORT[spec.support]:
        allowed = ", ".join(FAMILIES_BY_SUPPORT[spec.support])
        problems.append(
            f"{key}.family: a {spec.support} quantity takes {allowed}. Got {prior.family}"
        )
    elif spec.support != "real":
        problems += _support_problems(key, spec, prior)
    return problems


def _support_problems(key: str, spec: Spec, prior: Prior) -> list[str]:
    top = 1.0 if spec.support == "share" else math.inf
    allowed = f"[0, {'1' if top == 1.0 else '∞'}] {spec.unit}"
    names = ("value", "low", "high", "lower", "upper")
    edges = {name: edge for name in names if (edge := getattr(prior, name)) is not None}
    problems = [
        f"{key}.{name}: must lie in {allowed}. Got {edge}"
        for name, edge in edges.items()
        if not 0.0 <= edge <= top
    ]
    if prior.is_fixed and prior.value == 0.0 and not spec.may_be_zero:
        problems.append(f"{key}.value: must be above 0 {spec.unit}. Got {prior.value}")
    if problems:
        return problems
    if prior.family == "TruncatedNormal":
        needed = ("lower", "upper") if spec.support == "share" else ("lower",)
        return [
            f"{key}.{name}: a {spec.support} quantity needs this bound for TruncatedNormal"
            for name in needed
            if name not in edges
        ]
    if prior.family == "Uniform":
        # The range holds only `mass` of it: the rest lies on either side, maybe out of bounds.
        ends = prior.parameters()
        if ends["lower"] < 0.0 or ends["upper"] > top:
            return [
                f"{key}: Uniform with {prior.mass} of it in {prior.low} to {prior.high} reaches "
                f"from {ends['lower']:.4g} to {ends['upper']:.4g}; must lie in {allowed}"
            ]
    return []


def is_packed(prior: Prior) -> bool:
    """Whether the prior shares the one compiled graph (affine map of a standard normal)."""
    return prior.is_fixed or prior.family in LINKS


@dataclass(frozen=True)
class LinkScale:
    """Where a prior lies on the link scale of its assumption.

    Attributes
    ----------
    mean, sd
        Mean and standard deviation.
    lower, upper
        Ends of its support.
    """

    mean: float
    sd: float
    lower: float
    upper: float


@functools.lru_cache(maxsize=4096)
def on_link_scale(prior: Prior, spec: Spec) -> LinkScale:
    """Moments and support, on the link scale, of a prior that is no affine map of a normal."""
    distribution = prior.distribution()
    probabilities = (np.arange(_POINTS) + 0.5) / _POINTS
    links = np.clip(spec.link(distribution.ppf(probabilities)), -_FAR, _FAR)
    lower, upper = spec.link(np.array(distribution.support()))
    return LinkScale(float(links.mean()), float(links.std()), float(lower), float(upper))
