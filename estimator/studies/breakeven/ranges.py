"""The range over which an assumption is moved, and the scale on which that is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.catalogue import options
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import Spec
from estimator.errors import ConfigError, nearest

_TAIL = 0.05  # a prior that was given by its parameters reaches from its 5 % to its 95 % quantile


@dataclass(frozen=True)
class KeyRange:
    """An assumption and the values that it takes in turn.

    Attributes
    ----------
    key
        As in `ASSUMPTIONS`, e.g. ``returns.rate``.
    low, high
        Ends of the range, in the unit of the key.
    source
        Where the range comes from.
    """

    key: str
    low: float
    high: float
    source: str = "given"

    @property
    def spec(self) -> Spec:
        """Unit and support of the key."""
        return ASSUMPTIONS[self.key]

    @property
    def position(self) -> int:
        """Where the key stands among the parameters of `estimator.fitting.reweighting`."""
        return list(ASSUMPTIONS).index(self.key)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Ends of the range on the model's scale."""
        low, high = self.spec.link(np.array([self.low, self.high]))
        return float(low), float(high)

    @property
    def width(self) -> float:
        """Width of the range on the model's scale."""
        return self.ends[1] - self.ends[0]

    def grid(self, points: int) -> np.ndarray:
        """Points on the model's scale, evenly spread over the range. (point,)."""
        return np.linspace(*self.ends, points)

    def cover(self, mass: float) -> tuple[float, float]:
        """Mean and standard deviation of a normal that has `mass` in the range."""
        return sum(self.ends) / 2.0, self.width / 2.0 / float(ndtri(0.5 + mass / 2.0))

    def prior(self, location: float, scale: float) -> Prior:
        """Make a normal prior on the model's scale; a scale of 0 holds the key fixed."""
        if scale == 0.0:
            value = float(self.spec.value(location))
            return Prior(family="Fixed", value=value, unit=self.spec.unit)
        return self.spec.normal(location, scale)


def check_key(key: str) -> None:
    """Refuse what is no scalar assumption.

    Raises
    ------
    ConfigError
        With the nearest one.
    """
    if key not in ASSUMPTIONS:
        raise ConfigError(f"{key}: no scalar assumption; {nearest(key, ASSUMPTIONS)}")


def prior_of(assumptions: AssumptionSet, key: str) -> Prior:
    """Prior of one assumption in a set."""
    return dict(assumptions.priors())[key]


def key_range(
    key: str,
    assumptions: AssumptionSet,
    given: tuple[float, float] | None = None,
    config_dir: str | None = None,
) -> KeyRange:
    """Range of a key: the one given, else the widest of the set itself and of all options.

    Parameters
    ----------
    key
        A scalar assumption.
    assumptions
        The set in question.
    given
        Low and high end.
    config_dir
        A folder of a user's options.

    Raises
    ------
    ConfigError
        If the range is impossible, or none is given and every option holds the key fixed at one
        value.
    """
    check_key(key)
    spec = ASSUMPTIONS[key]
    if given is not None:
        low, high = given
        top = 1.0 if spec.support == "share" else np.inf
        if not (0.0 < low < high < top and np.isfinite(high)):
            inside = "0 and 1" if spec.support == "share" else "0 and infinity"
            raise ConfigError(
                f"range of {key}: low and high must rise and lie between {inside} {spec.unit}, "
                "without these themselves (they have no place on its log or log-odds scale). "
                f"Got {low:g} to {high:g}"
            )
        return KeyRange(key, low, high)
    priors = {"the set itself": prior_of(assumptions, key), **_options(key, config_dir)}
    found = [_reach(key, name, prior) for name, prior in priors.items() if not prior.is_fixed]
    ranges = [one for one in found if one.low > 0.0 and np.isfinite(one.width)]
    if ranges:
        return max(ranges, key=lambda one: one.width)
    values = [p.value for p in priors.values() if p.is_fixed and p.value]
    if not values or min(values) == max(values):
        held = f"at {values[0]:g} {spec.unit}" if values else "at 0"
        raise ConfigError(f"{key}: every option holds it {held}; give its range as LOW:HIGH")
    return KeyRange(key, min(values), max(values), "the options' fixed values")


def _reach(key: str, name: str, prior: Prior) -> KeyRange:
    low, high = prior.low, prior.high
    if low is None or high is None:
        low, high = prior.quantile(_TAIL), prior.quantile(1.0 - _TAIL)
    return KeyRange(key, low, high, name)


def _options(key: str, config_dir: str | None) -> dict[str, Prior]:
    """Prior of a key under every option of its group, the shipped ones and a user's."""
    group = key.split(".")[0]
    return {
        f"{group}={name}": prior_of(assumption_set([f"{group}={name}"], config_dir), key)
        for name in options(group, config_dir)
    }
