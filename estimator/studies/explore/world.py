"""Draws of one world, and their weights at any position of its sliders and switches.

A *world* is an assumption set with draws of one fit. A *position* gives some of its assumptions
other ranges and leaves evidence groups out. The draws are weighted to it as those of a sweep are to
a set (`estimator.fitting.reweighting`): by ratios of priors in natural parameters, by the
likelihood of the claims that are taken out, smoothed by PSIS.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy.special import ndtri

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import is_packed
from estimator.errors import ConfigError, nearest, problems_text
from estimator.fitting.smoothing import Weights, smoothed
from estimator.quantities.answers import Answer, answer_draws
from estimator.quantity import MONTHLY, QUANTITIES, SUMMED, TOTAL
from estimator.store.netcdf import read_netcdf, write_netcdf
from estimator.studies.explore.options import ExploreOptions

FILE = "world.nc"
MASS = 0.9
"""A range holds so much of its prior, the rest in equal parts below and above."""

NO_FLOORS = "weights cannot take out confirmed figures and vintages of registries"
"""Why a group has no switch."""

_DIGITS = 21
"""Binary digits of a draw: within 3e-7 of it, far below any Monte-Carlo error."""

Lamp = Literal["good", "rough", "refused"]
"""How far the weighted draws of a position can be trusted."""


@dataclass(frozen=True)
class Position:
    """What is moved.

    Attributes
    ----------
    ranges
        Range of each assumption that is moved, in its unit, by key; `MASS` of its prior is inside.
    without
        Evidence groups that are left out.
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    without: Sequence[str] = ()


@dataclass(frozen=True)
class World:
    """Draws of one fit, ready to be weighted.

    Attributes
    ----------
    data
        `linear` (chain, draw, assumption): assumptions that can be moved, on their link scales,
        with the coordinates `location` and `scale` of the set's priors. `own` (chain, draw): log of
        the set's posterior over the density that the draws were drawn from. `without` (chain, draw,
        evidence_group): by how much it changes without a group. Monthly quantities (chain, draw,
        month). Draws of several fits stand behind each other in one chain. Attrs: relative_ess,
        label, overrides (JSON; null if they are not known), configuration (JSON), data_hash,
        last_month, failures (of the fit), refused (JSON: groups that cannot be taken out, and why),
        apart (JSON: pairs of groups whose claims hang together), claims (JSON: as
        `estimator.studies.explore.claims.claims_of` gives them), presets (JSON: other sets within
        reach, each with label, ranges and without).
    """

    data: xr.Dataset

    @classmethod
    def of(
        cls,
        cores: Sequence[xr.Dataset],
        linear: np.ndarray,
        keys: Sequence[str],
        priors: np.ndarray,
        own: np.ndarray,
        without: Mapping[str, np.ndarray],
        attrs: Mapping[str, str],
    ) -> World:
        """Put a world together, in single precision as draws of sweeps are kept.

        Parameters
        ----------
        cores
            Draws of each fit with monthly quantities.
        linear
            As `natural_parameters` gives them: the assumptions come first. (parameter, draw).
        keys
            Assumptions that can be moved.
        priors
            Location and scale of all parameters of the set. (2, parameter).
        own, without, attrs
            As in `World`, but for `relative_ess`; (draw,) each.
        """
        rows = [list(ASSUMPTIONS).index(key) for key in keys]
        names = [name for name in cores[0] if cores[0][name].dims[2:] == ("month",)]
        draws = ("chain", "draw")
        shape = (1, -1, cores[0].sizes["month"])
        monthly = {
            name: (
                (*draws, "month"),
                np.concatenate([one[name].values.reshape(shape) for one in cores], axis=1),
                cores[0][name].attrs,
            )
            for name in names
        }
        # Constants of a log ratio say nothing, and large ones would cost digits.
        changes = {name: values - values.mean() for name, values in without.items()}
        numbers = xr.Dataset(
            {
                **monthly,
                "linear": ((*draws, "assumption"), linear[rows].T[None]),
                "own": (draws, (own - np.median(own))[None]),
                "without": (
                    (*draws, "evidence_group"),
                    np.array(list(changes.values())).reshape(len(changes), len(own)).T[None],
                ),
            },
            coords={
                "month": cores[0]["month"].values,
                "assumption": list(keys),
                "evidence_group": np.array(list(changes), dtype=str),
                "location": ("assumption", priors[0, rows]),
                "scale": ("assumption", priors[1, rows]),
            },
        )
        last = attrs["last_month"]
        least = min(_relative_ess(one[names], last) for one in cores)
        data = numbers.astype(np.float32, keep_attrs=True)
        return cls(data.assign_attrs(dict(attrs), relative_ess=least))

    @classmethod
    def read(cls, path: Path) -> World:
        """Read what `write` wrote.

        Raises
        ------
        OutputError
            If it cannot be read.
        """
        return cls(read_netcdf(path, "make it again: estimator explore").to_dataset())

    def write(self, path: Path) -> Path:
        """Write to a netCDF file in one step; return its path."""
        return write_netcdf(self.data, path)

    # ---- what it is -----------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """Name of the set."""
        return str(self.data.attrs["label"])

    @property
    def failures(self) -> str:
        """Which bounds the draws of the fit miss; empty if none."""
        return str(self.data.attrs["failures"])

    @property
    def last_month(self) -> str:
        """Last whole month of the window."""
        return str(self.data.attrs["last_month"])

    @cached_property
    def assumptions(self) -> AssumptionSet:
        """The set itself."""
        written = json.loads(self.data.attrs["configuration"])
        return AssumptionSet.from_config(written, label=self.label)

    @cached_property
    def priors(self) -> dict[str, Prior]:
        """Priors of the set, by key, of what can be moved."""
        keys = self.data["assumption"].values.tolist()
        return {key: prior for key, prior in self.assumptions.priors() if key in keys}

    @property
    def groups(self) -> list[str]:
        """Evidence groups that can be left out."""
        return [str(name) for name in self.data["evidence_group"].values]

    @property
    def refused_groups(self) -> dict[str, str]:
        """Evidence groups that weights cannot take out, and why."""
        return dict(json.loads(self.data.attrs["refused"]))

    @property
    def apart(self) -> list[tuple[str, str]]:
        """Pairs of groups of which weights can take out one, and not both."""
        return [(one, other) for one, other in json.loads(self.data.attrs["apart"])]

    @property
    def own_overrides(self) -> list[str]:
        """What makes the set, as on the command line; empty if that is not known."""
        return list(json.loads(self.data.attrs["overrides"]) or ())

    @property
    def claims(self) -> list[dict[str, Any]]:
        """Claims that count (see `estimator.studies.explore.claims.claims_of`)."""
        return list(json.loads(self.data.attrs["claims"]))

    @property
    def presets(self) -> list[dict[str, Any]]:
        """Return other sets within reach: label, ranges and without of each."""
        return list(json.loads(self.data.attrs["presets"]))

    # ---- positions ------------------------------------------------------------------------------

    def check(self, position: Position) -> None:
        """Refuse a position that this world does not know.

        Raises
        ------
        ConfigError
            With every problem: key or group, what was found, what is allowed.
        """
        problems = []
        fixed = {key for key, prior in self.assumptions.priors() if prior.is_fixed}
        for key, (low, high) in position.ranges.items():
            if key not in ASSUMPTIONS:
                problems.append(f"{key}: no scalar assumption; {nearest(key, ASSUMPTIONS)}")
                continue
            top = 1.0 if ASSUMPTIONS[key].support == "share" else np.inf
            if key not in self.priors:
                why = "held fixed" if key in fixed else "of a family that weights do not move"
                problems.append(
                    f"{key}: {why} in {self.label}, so there are no draws with other values; "
                    "it needs a fit"
                )
            elif not 0.0 < low < high < top:
                inside = "0 and 1" if top == 1.0 else "0 and infinity"
                problems.append(
                    f"{key}: low and high must rise and lie between {inside} "
                    f"{ASSUMPTIONS[key].unit}. Got {low:g} to {high:g}"
                )
        for name in position.without:
            if name in self.refused_groups:
                problems.append(f"--without {name}: {self.refused_groups[name]}; it needs a fit")
            elif name not in self.groups:
                known = [*self.groups, *self.refused_groups]
                problems.append(f"--without {name}: no such evidence group; {nearest(name, known)}")
        problems += [
            f"--without {one} and {other}: their claims hang together; both at once need a fit"
            for one, other in self.apart
            if one in position.without and other in position.without
        ]
        if problems:
            raise ConfigError(problems_text("This cannot be answered from kept draws:", problems))

    def weights(self, position: Position) -> Weights:
        """Smoothed weights of the draws at a position. (draw,), all chains in one."""
        ratio = self.flat("own")
        for key, ends in position.ranges.items():
            at = list(self.priors).index(key)
            own = (self.data["location"].values[at], self.data["scale"].values[at])
            linear = self.flat("linear", assumption=key)
            ratio += _log_normal(linear, *normal_of(key, ends)) - _log_normal(linear, *own)
        for name in position.without:
            ratio += self.flat("without", evidence_group=name)
        return smoothed(ratio)

    def lamp(self, weights: Weights, options: ExploreOptions) -> Lamp:
        """Say how far weighted draws can be trusted."""
        ess = self.ess(weights)
        if not (weights.k_hat <= options.max_k_hat and ess >= options.min_ess):
            return "refused"
        if weights.k_hat <= options.good_k_hat and ess >= options.good_ess and not self.failures:
            return "good"
        return "rough"

    def ess(self, weights: Weights) -> float:
        """Effective sample size of weighted draws."""
        return float(weights.kish * self.relative_ess)

    def draws(self, quantity: str, period: str) -> np.ndarray:
        """Draws of a quantity in a month or in total; NaN for what is not kept. (draw,).

        They are `shortened`, so that the page holds the very same numbers.
        """
        return shortened(answer_draws(self._monthly, [Answer(quantity, period)])[0].ravel())

    @property
    def relative_ess(self) -> float:
        """Effective sample size of the least known number of the last month over that of draws."""
        return float(self.data.attrs["relative_ess"])

    def overrides(self, position: Position) -> list[str]:
        """Return what makes the set of a position, without what makes the world."""
        texts = []
        for key, (low, high) in position.ranges.items():
            prior = self.priors[key]
            plus = "" if prior.is_range else "++"
            texts += [f"{plus}{key}.low={low:.6g}", f"{plus}{key}.high={high:.6g}"]
            if not prior.is_range:
                texts += [f"{plus}{key}.mu=null", f"{plus}{key}.sigma=null"]
            elif prior.mass != MASS:
                texts.append(f"{key}.mass={MASS:g}")
        return texts + [f"evidence.groups.{name}=none" for name in position.without]

    def command(self, position: Position) -> str:
        """Command that estimates the set of a position by a fit of its own."""
        moved = self.overrides(position)
        keys = {_key(text) for text in moved}  # a key that is given twice would be refused
        own = [text for text in self.own_overrides if _key(text) not in keys]
        return shlex.join(["estimator", "run", *own, *moved])

    # ---- inside ---------------------------------------------------------------------------------

    def flat(self, name: str, **chosen: str) -> np.ndarray:
        """Draws of `linear`, `as_counted` or `without`, all chains in one. (draw,)."""
        variable = self.data[name].sel(chosen)
        return variable.transpose("chain", "draw", ...).values.astype(float).ravel()

    @cached_property
    def _monthly(self) -> xr.Dataset:
        return self.data[[name for name in self.data if name in QUANTITIES]]


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def _log_normal(x: np.ndarray, location: float, scale: float) -> np.ndarray:
    """Log density of a normal, but for a constant. (draw,)."""
    return np.asarray(-0.5 * ((x - location) / scale) ** 2 - np.log(scale))


def _relative_ess(draws: xr.Dataset, month: str) -> float:
    """Effective sample size of the least known number of a month, or in all, over that of draws."""
    from estimator.fitting.convergence import convergence  # numba takes a while, weights need none

    periods = [(name, month) for name in MONTHLY] + [(name, TOTAL) for name in SUMMED]
    kept = answer_draws(draws, [Answer(name, period) for name, period in periods])
    known = kept[~np.isnan(kept).any(axis=(1, 2))]
    moving = known[np.ptp(known.reshape(len(known), -1), axis=1) > 0]
    found = convergence(moving)
    least = float(np.minimum(found.ess_bulk, found.ess_tail).min())
    return min(least / float(known[0].size), 1.0)


def shortened(values: np.ndarray) -> np.ndarray:
    """Round to `_DIGITS` binary digits, which single precision holds, so that they pack well."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=float))
    digits = np.round(np.ldexp(mantissa, _DIGITS))
    return np.asarray(np.ldexp(digits, exponent - _DIGITS))


def normal_of(key: str, ends: tuple[float, float], mass: float = MASS) -> tuple[float, float]:
    """Mean and standard deviation, on the link scale, of a prior with `mass` inside a range."""
    low, high = ASSUMPTIONS[key].link(np.array(ends)).tolist()
    return (low + high) / 2.0, (high - low) / 2.0 / float(ndtri(0.5 + mass / 2.0))


def range_of(prior: Prior) -> tuple[float, float]:
    """Range that holds `MASS` of a prior, in its unit."""
    tail = (1.0 - MASS) / 2.0
    return prior.quantile(tail), prior.quantile(1.0 - tail)


def movable(assumptions: AssumptionSet) -> list[str]:
    """Keys of the assumptions whose draws can be weighted to another range."""
    return [key for key, prior in assumptions.priors() if not prior.is_fixed and is_packed(prior)]
