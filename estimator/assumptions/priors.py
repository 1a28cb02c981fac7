"""Ranges to distributions.

An analyst writes a prior as a range that holds a stated mass, e.g.
``{family: LogNormal, low: 0.1, high: 0.6, mass: 0.9}``. The range is read as equal-tailed: half of
the rest lies below `low`, half above `high`. For the three families that are affine maps of a
standard normal (`LINKS`) the parameters follow in closed form; for the others PreliZ matches the
two quantiles. (PreliZ's maximum-entropy fit puts 1 % below and 9 % above such a LogNormal range,
which is not what a reader of "5 % to 95 %" expects.)
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any, Literal

import numpy as np
import scipy  # its parts are imported when they are used
from pydantic import BaseModel, ConfigDict, Field, model_validator

Family = Literal[
    "Fixed",
    "Normal",
    "LogNormal",
    "LogitNormal",
    "Beta",
    "Gamma",
    "HalfNormal",
    "TruncatedNormal",
    "Uniform",
]
Support = Literal["real", "positive", "share"]

# Families whose value is link(location + scale * standard normal). They share one compiled graph.
LINKS: dict[str, str] = {"Normal": "identity", "LogNormal": "exp", "LogitNormal": "sigmoid"}

PARAMETERS: dict[str, tuple[str, ...]] = {
    "Fixed": ("value",),
    "Normal": ("mu", "sigma"),
    "LogNormal": ("mu", "sigma"),
    "LogitNormal": ("mu", "sigma"),
    "Beta": ("alpha", "beta"),
    "Gamma": ("alpha", "beta"),
    "HalfNormal": ("sigma",),
    "TruncatedNormal": ("mu", "sigma", "lower", "upper"),
    "Uniform": ("lower", "upper"),
}

FAMILIES_BY_SUPPORT: dict[Support, tuple[str, ...]] = {
    "real": ("Fixed", "Normal", "TruncatedNormal", "Uniform"),
    "positive": ("Fixed", "LogNormal", "Gamma", "HalfNormal", "TruncatedNormal", "Uniform"),
    "share": ("Fixed", "LogitNormal", "Beta", "TruncatedNormal", "Uniform"),
}

_POSITIVE_PARAMETERS = frozenset({"sigma", "alpha", "beta"})

# How far PreliZ's match may be off in either tail, as a share of the tail.
_TAIL_TOLERANCE = 0.05


class Prior(BaseModel):
    """What is assumed of one number before the claims are seen.

    Either a range (`low`, `high`, `mass`), the family's own parameters, or ``family: Fixed`` with
    a `value`. A bare number in a configuration is read as Fixed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Family
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    mass: float = Field(default=0.9, ge=0.01, le=0.9999)
    value: float | None = None
    mu: float | None = None
    sigma: float | None = None
    alpha: float | None = None
    beta: float | None = None
    lower: float | None = None
    upper: float | None = None
    source: str = ""

    @model_validator(mode="before")
    @classmethod
    def _bare_number_is_fixed(cls, data: Any) -> Any:
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            return {"family": "Fixed", "value": data}
        return data

    @model_validator(mode="after")
    def _complete_and_possible(self) -> Prior:
        for name in ("low", "high", "value", "mu", "sigma", "alpha", "beta", "lower", "upper"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} must be a finite number. Got {number}")
        own = PARAMETERS[self.family]
        given = [name for name in own if getattr(self, name) is not None]
        foreign = [
            name
            for family_parameters in PARAMETERS.values()
            for name in family_parameters
            if name not in own and getattr(self, name) is not None
        ]
        if foreign:
            raise ValueError(
                f"{sorted(set(foreign))} are not parameters of {self.family}; "
                f"allowed: {', '.join(own)}, or low and high"
            )
        if self.is_range:
            if set(given) - {"lower", "upper"}:
                raise ValueError(
                    f"give either low and high, or {', '.join(own)}, not both. Got low, high, "
                    f"{', '.join(given)}"
                )
            self._check_range()
        elif len(given) != len(own) and not (
            self.family == "TruncatedNormal" and {"mu", "sigma"} <= set(given)
        ):
            raise ValueError(
                f"{self.family} needs {'' if self.family == 'Fixed' else 'low and high, or '}"
                f"{', '.join(own)}. Got {', '.join(given) or 'nothing'}"
            )
        for name in _POSITIVE_PARAMETERS & set(given):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0. Got {getattr(self, name)}")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"lower must be below upper. Got {self.lower} and {self.upper}")
        if self.is_range:
            self._check_parameters()
        return self

    def _check_parameters(self) -> None:
        """Refuse a range that no member of the family has, in the numbers of this computer."""
        try:
            found = self.parameters()
        except ArithmeticError:
            found = {}
        lost = [
            name
            for name, value in found.items()
            if not math.isfinite(value) or (name in _POSITIVE_PARAMETERS and value <= 0)
        ]
        if lost or not found:
            raise ValueError(
                f"no {self.family} can be worked out from this range: its ends are too large, too "
                f"near 0 or too near each other. Got low={self.low}, high={self.high}"
            )

    def _check_range(self) -> None:
        if self.family == "Fixed":
            raise ValueError("Fixed takes a value, not a range low..high")
        if self.family == "HalfNormal":
            if self.low is not None or self.high is None or self.high <= 0:
                raise ValueError(
                    "a HalfNormal range begins at 0 and needs only high, above 0. "
                    f"Got low={self.low}, high={self.high}"
                )
            return
        if self.low is None or self.high is None:
            raise ValueError(f"a range needs low and high. Got low={self.low}, high={self.high}")
        if self.low >= self.high:
            raise ValueError(f"low must be below high. Got low={self.low}, high={self.high}")
        if self.family in {"LogNormal", "Gamma"} and self.low <= 0:
            raise ValueError(f"a {self.family} range needs low above 0. Got {self.low}")
        if self.family in {"LogitNormal", "Beta"} and not (self.low > 0 and self.high < 1):
            raise ValueError(
                f"a {self.family} range must lie inside (0, 1). Got {self.low} to {self.high}"
            )
        if self.family == "Uniform" and (self.lower is not None or self.upper is not None):
            raise ValueError("give either low and high, or lower, upper, not both")
        lowest = -math.inf if self.lower is None else self.lower
        highest = math.inf if self.upper is None else self.upper
        if not (lowest < self.low and self.high < highest):
            raise ValueError(
                f"low and high must lie inside lower and upper. Got {self.low} to {self.high} in "
                f"{lowest} to {highest}"
            )

    @property
    def is_range(self) -> bool:
        """Whether the prior was given as a range and not by the family's parameters."""
        return self.low is not None or self.high is not None

    @property
    def is_fixed(self) -> bool:
        """Whether the number is held at one value."""
        return self.family == "Fixed"

    def parameters(self) -> dict[str, float]:
        """Return the family's own parameters, in the unit of the prior.

        Returns
        -------
        dict
            Keys as in `PARAMETERS`; a TruncatedNormal's open bounds are left out.
        """
        if not self.is_range:
            values = {name: getattr(self, name) for name in PARAMETERS[self.family]}
            return {name: float(value) for name, value in values.items() if value is not None}
        return dict(
            _parameters_of_range(
                self.family, self.low, self.high, self.mass, self.lower, self.upper
            )
        )

    def location_scale(self) -> tuple[float, float]:
        """Return location and scale of the standard normal under the family's link.

        Raises
        ------
        KeyError
            If the family is no affine map of a standard normal (see `LINKS`).
        """
        if self.is_fixed:
            return float(self.value or 0.0), 0.0
        _ = LINKS[self.family]
        found = self.parameters()
        return found["mu"], found["sigma"]

    def distribution(self) -> Any:
        """Return the prior as a frozen scipy distribution (not for Fixed and LogitNormal)."""
        return _scipy(self.family, self.parameters())

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density at `x`, in the unit of the prior; a fixed prior has none and gives NaN."""
        x = np.asarray(x, dtype=float)
        if self.is_fixed:
            return np.full_like(x, np.nan)
        if self.family == "LogitNormal":
            mu, sigma = self.location_scale()
            inside = (x > 0) & (x < 1)
            safe = np.where(inside, x, 0.5)
            density = scipy.stats.norm.pdf(scipy.special.logit(safe), mu, sigma) / (
                safe * (1 - safe)
            )
            return np.where(inside, density, 0.0)
        return np.asarray(self.distribution().pdf(x))

    def quantile(self, probability: float) -> float:
        """Quantile of the prior, in its unit."""
        if self.is_fixed:
            return float(self.value or 0.0)
        if self.family in LINKS:  # scipy.stats takes a third of a second to import
            mu, sigma = self.location_scale()
            score = float(scipy.special.ndtri(probability))
            if self.family == "LogNormal":
                return float(np.exp(sigma * score) * math.exp(mu))
            value = mu + sigma * score
            return float(scipy.special.expit(value)) if self.family == "LogitNormal" else value
        return float(self.distribution().ppf(probability))

    def describe(self) -> str:
        """Say what the prior became, e.g. ``LogNormal(mu=-1.41, sigma=0.545)``."""
        inside = ", ".join(f"{name}={value:.4g}" for name, value in self.parameters().items())
        return f"{self.family}({inside})"


@functools.lru_cache(maxsize=4096)
def _parameters_of_range(
    family: str,
    low: float | None,
    high: float | None,
    mass: float,
    lower: float | None,
    upper: float | None,
) -> tuple[tuple[str, float], ...]:
    tail = (1.0 - mass) / 2.0
    if family == "HalfNormal":
        return (("sigma", float(high or 0.0) / float(scipy.stats.halfnorm.ppf(mass))),)
    if low is None or high is None:
        raise ValueError(f"a {family} range needs low and high")
    if family in LINKS:
        link = {"identity": float, "exp": math.log, "sigmoid": scipy.special.logit}[LINKS[family]]
        below, above = float(link(low)), float(link(high))
        sigma = (above - below) / (2.0 * float(scipy.special.ndtri(1.0 - tail)))
        return (("mu", (below + above) / 2.0), ("sigma", sigma))
    if family == "Uniform":
        rim = (high - low) * tail / mass
        return (("lower", low - rim), ("upper", high + rim))
    return _by_preliz(family, low, high, tail, lower, upper)


def _by_preliz(
    family: str,
    low: float,
    high: float,
    tail: float,
    lower: float | None,
    upper: float | None,
) -> tuple[tuple[str, float], ...]:
    """Match both quantiles by PreliZ, and refuse a match that misses them.

    PreliZ's optimiser starts at parameters near 1 and gives up early on ranges in tens of
    thousands, so the range is brought to a size of 1 and the parameters are brought back.
    """
    size = 1.0 if family == "Beta" else max(abs(low), abs(high))
    with warnings.catch_warnings():
        # PreliZ warns where it gives up ("There is a mismatch"); the check below decides instead.
        warnings.simplefilter("ignore")
        import preliz  # imported here: it takes seconds and most configurations never need it

        if family == "TruncatedNormal":
            distribution = preliz.TruncatedNormal(
                lower=-math.inf if lower is None else lower / size,
                upper=math.inf if upper is None else upper / size,
            )
        else:
            distribution = getattr(preliz, family)()
        # PreliZ takes the quantiles from a distribution: this one has just the two wanted.
        rim = (high - low) * tail / (1.0 - 2.0 * tail)
        wanted = preliz.Uniform((low - rim) / size, (high + rim) / size)
        preliz.match_quantiles(wanted, distribution, quantiles=[tail, 1.0 - tail], plot=False)
    sizes = {"mu": size, "sigma": size, "beta": 1.0 / size if family == "Gamma" else 1.0}
    found = {
        name: float(getattr(distribution, name)) * sizes.get(name, 1.0)
        for name in PARAMETERS[family]
        if name not in {"lower", "upper"}
    }
    bounds = {"lower": lower, "upper": upper}
    found |= {name: bound for name, bound in bounds.items() if bound is not None}
    _check_match(family, low, high, tail, found)
    return tuple(found.items())


def _check_match(
    family: str, low: float, high: float, tail: float, found: dict[str, float]
) -> None:
    matched = _scipy(family, found)
    below, above = float(matched.cdf(low)), float(matched.sf(high))
    if not max(abs(below - tail), abs(above - tail)) <= _TAIL_TOLERANCE * tail:
        raise ValueError(
            f"no {family} was found that has {tail:.3g} below {low} and as much above {high}; the "
            f"nearest has {below:.3g} below and {above:.3g} above. Allowed: another range or family"
        )


def _scipy(family: str, parameters: dict[str, float]) -> Any:
    match family:
        case "Normal":
            return scipy.stats.norm(parameters["mu"], parameters["sigma"])
        case "LogNormal":
            return scipy.stats.lognorm(s=parameters["sigma"], scale=math.exp(parameters["mu"]))
        case "Beta":
            return scipy.stats.beta(parameters["alpha"], parameters["beta"])
        case "Gamma":
            return scipy.stats.gamma(parameters["alpha"], scale=1.0 / parameters["beta"])
        case "HalfNormal":
            return scipy.stats.halfnorm(scale=parameters["sigma"])
        case "TruncatedNormal":
            mu, sigma = parameters["mu"], parameters["sigma"]
            lower, upper = parameters.get("lower", -np.inf), parameters.get("upper", np.inf)
            return scipy.stats.truncnorm((lower - mu) / sigma, (upper - mu) / sigma, mu, sigma)
        case "Uniform":
            return scipy.stats.uniform(
                parameters["lower"], parameters["upper"] - parameters["lower"]
            )
    raise KeyError(family)
