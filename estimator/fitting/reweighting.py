"""Draws of some fitted sets as draws of another set: importance sampling between assumption sets.

Sets that differ in the priors of scalar assumptions and of reporting biases, or in which claims
count and with what noise, share all other factors of their posteriors. Written in *natural*
parameters (the log or log odds of an assumption, a bias, the monthly series themselves), those
cancel in the ratio of two posteriors, whatever coordinates the sampler moved. In the sampler's
standardised coordinates the ratio would be useless: there the prior is always the same, and the
likelihood moves instead.

Weights cannot show what was never drawn: a set is reweighted only from fits of which one allows all
values that the set allows.

Fits are combined as one mixture (multistate Bennett acceptance ratio, Shirts and Chodera 2008), and
the weights are smoothed by PSIS (Vehtari and others 2024, JMLR 25), whose k-hat says whether they
can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import is_packed, on_link_scale
from estimator.fitting.entries import Entries, EntryLayout
from estimator.fitting.smoothing import Weights, smoothed, unreached
from estimator.model.figures import USED

_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
_SPECS = tuple(ASSUMPTIONS.values())


@dataclass(frozen=True)
class Hyperparameters:
    """What two sets that can be reweighted into each other may differ in.

    Attributes
    ----------
    location, scale
        Mean and standard deviation of the scalar assumptions on their link scale, then of bias and
        drift of each source; scale 0 where a value is fixed. (parameter,).
    other_families
        Priors of assumptions that are not normal on their link scale, by position.
    figures, observed
        Wording, noise and use of the claims, and their figures: `ModelInputs.data`.
    """

    location: np.ndarray
    scale: np.ndarray
    other_families: Mapping[int, Prior]
    figures: np.ndarray
    observed: np.ndarray

    @classmethod
    def of(cls, assumptions: AssumptionSet, data: Mapping[str, np.ndarray]) -> Hyperparameters:
        """Take them from an assumption set and the data of its model.

        Of the data are used location and scale of ``assumption`` and ``reporting``, which may be
        others than those of the set, ``claim_figures`` and ``claim_value``. The set gives the
        priors that are not normal on their link scale.
        """
        location, scale = data["assumption_location"].copy(), data["assumption_scale"].copy()
        # Without ranges and sources: two ways to write one prior are one prior.
        others = {
            position: Prior.model_validate({"family": prior.family, **prior.parameters()})
            for position, (_, prior) in enumerate(assumptions.priors())
            if not is_packed(prior)
        }
        for position, prior in others.items():
            moments = on_link_scale(prior, _SPECS[position])
            location[position], scale[position] = moments.mean, moments.sd
        return cls(
            np.concatenate([location, data["reporting_location"].ravel()]),
            np.concatenate([scale, data["reporting_scale"].ravel()]),
            others,
            data["claim_figures"],
            data["claim_value"],
        )

    @cached_property
    def support(self) -> np.ndarray:
        """Least and largest value of each parameter. (end, parameter)."""
        reach = np.where(self.scale > 0, np.inf, 0.0)
        ends = np.stack([self.location - reach, self.location + reach])
        for position, prior in self.other_families.items():
            place = on_link_scale(prior, _SPECS[position])
            ends[:, position] = place.lower, place.upper
        return ends

    def differs(self, other: Hyperparameters) -> np.ndarray:
        """Whether the prior of each parameter is another one. (parameter,)."""
        differs = (self.location != other.location) | (self.scale != other.scale)
        for position in self.other_families.keys() | other.other_families.keys():
            priors = [one.other_families.get(position) for one in (self, other)]
            differs[position] = priors[0] != priors[1]
        return np.asarray(differs)

    @cached_property
    def claims_key(self) -> bytes:
        """Equal for sets with equal likelihoods of the claims."""
        return self.figures.tobytes() + self.observed.tobytes()


@dataclass(frozen=True)
class NaturalDraws:
    """Draws of one fit in natural parameters.

    Attributes
    ----------
    linear
        Assumptions on their link scale, then bias and drift of each source (the log of an
        undercount). (parameter, draw).
    claim_location
        Where each claim's report lies without noise. (draw, claim).
    """

    linear: np.ndarray
    claim_location: np.ndarray

    @classmethod
    def of(cls, core: xr.Dataset, one_sided: np.ndarray) -> NaturalDraws:
        """Take them from the draws that are kept of a fit (see `estimator.sweep.set_fit`)."""
        location = np.ascontiguousarray(_flat(core, "claim_location").T)
        return cls(natural_parameters(core, one_sided), location)


def natural_parameters(core: xr.Dataset, one_sided: np.ndarray) -> np.ndarray:
    """Draws of a fit on the scales of `NaturalDraws.linear`. (parameter, draw).

    Parameters
    ----------
    core
        `assumption_value`, `reporting_bias` and `reporting_drift` of a fit or a whole result.
    one_sided
        Over 0 where a source's bias is an undercount. (source,).
    """
    values = _flat(core, "assumption_value")
    linear = np.stack([spec.link(row) for spec, row in zip(_SPECS, values, strict=True)])
    bias, drift = _flat(core, "reporting_bias"), _flat(core, "reporting_drift")
    undercount = one_sided > 0
    bias[undercount] = np.log(np.maximum(-bias[undercount], 1e-300))
    return np.concatenate([linear, bias, drift])


def _flat(core: xr.Dataset, name: str) -> np.ndarray:
    """All chains in one. (entry, draw)."""
    variable = core[name]
    last = [dim for dim in variable.dims if dim not in ("chain", "draw")]
    values = variable.transpose(*last, "chain", "draw").values
    return np.asarray(values.reshape(len(values), -1).astype(float))


class Mixture:
    """Draws of several fits, as draws of one mixture of their posteriors.

    Parameters
    ----------
    draws
        Of each fit.
    fitted
        Hyper-parameters of each fit.
    varying
        Which parameters differ within the group of sets. (parameter,).
    claims_vary
        Whether the likelihoods of the claims differ within the group.
    """

    def __init__(
        self,
        draws: Sequence[NaturalDraws],
        fitted: Sequence[Hyperparameters],
        varying: np.ndarray,
        *,
        claims_vary: bool,
    ) -> None:
        self.positions = np.flatnonzero(varying)
        self.claims_vary = claims_vary
        self.linear = np.concatenate([d.linear[self.positions] for d in draws], axis=1)
        self.claim_location = (
            np.concatenate([d.claim_location for d in draws]) if claims_vary else None
        )
        self.sizes = np.array([d.linear.shape[1] for d in draws])
        self._supports = [hyper.support[:, self.positions] for hyper in fitted]
        self._claims: dict[bytes, np.ndarray] = {}
        densities = np.stack([self._log_density(hyper) for hyper in fitted])
        self.log_mixture = _mixture_density(densities, self.sizes)

    def weights(self, hyper: Hyperparameters) -> Weights:
        """Smoothed weights of the draws as draws of a set; k-hat is infinite out of reach."""
        if not self.allows(hyper):
            return unreached(self.linear.shape[1])
        return smoothed(self.log_ratio(hyper))

    def allows(self, hyper: Hyperparameters) -> bool:
        """Whether one of the fits allows all values that a set allows.

        Two fits that allow them only together would not do: how much each of them weighs follows
        from where they overlap. Nor does a range allow a fixed value: it has no draw there.
        """
        least, largest = hyper.support[:, self.positions]
        return any(
            bool(
                np.all((lower <= least) & (largest <= upper))
                and np.array_equal(least == largest, lower == upper)
            )
            for lower, upper in self._supports
        )

    def log_ratio(self, hyper: Hyperparameters) -> np.ndarray:
        """Log of the unnormalised posterior of a set over the mixture's density. (draw,)."""
        return np.asarray(self._log_density(hyper) - self.log_mixture)

    def _log_density(self, hyper: Hyperparameters) -> np.ndarray:
        others = [position in hyper.other_families for position in self.positions.tolist()]
        scale = hyper.scale[self.positions]
        normal = (scale > 0) & ~np.array(others, dtype=bool)
        location = hyper.location[self.positions][normal]
        scale = scale[normal]
        z = (self.linear[normal] - location[:, None]) / scale[:, None]
        density = -0.5 * np.einsum("pd,pd->d", z, z) - float(np.log(scale).sum())
        density -= int(normal.sum()) * _LOG_SQRT_2PI
        for row in np.flatnonzero(others).tolist():
            position = int(self.positions[row])
            prior = hyper.other_families[position]
            density = density + _log_density_on_link_scale(prior, position, self.linear[row])
        if self.claim_location is not None:
            density = density + self._claims_density(hyper)
        return np.asarray(density)

    def _claims_density(self, hyper: Hyperparameters) -> np.ndarray:
        if hyper.claims_key not in self._claims and self.claim_location is not None:
            from estimator.model.claim_density import (  # PyTensor takes seconds
                log_densities,
                log_likelihood,
            )

            value, figures, location = hyper.observed, hyper.figures, self.claim_location
            weight = figures[USED]
            shared = np.flatnonzero((weight > 0.0) & (weight < 1.0))
            parts = log_densities(
                value[shared],
                np.ascontiguousarray(figures[:, shared]),
                np.ascontiguousarray(location[:, shared]),
            )
            whole = log_likelihood(value, figures, location)
            self._claims[hyper.claims_key] = whole - parts @ (1.0 - weight[shared])
        return self._claims[hyper.claims_key]


def _log_density_on_link_scale(prior: Prior, position: int, linear: np.ndarray) -> np.ndarray:
    """Log density of an assumption whose prior is not normal on its link scale. (draw,)."""
    spec = _SPECS[position]
    with np.errstate(all="ignore"):
        value = spec.value(linear)
        share = value / spec.per_model_unit
        slope = share * (1.0 - share) if spec.support == "share" else share
        density = prior.distribution().logpdf(value) + np.log(slope)
        return np.where(np.isnan(density), -np.inf, density)


def _mixture_density(densities: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Log density of the mixture at each draw, up to one constant. densities (fit, draw).

    Draws are kept with 7 digits: one next to the end of a support may lie beyond it, where no fit
    has a density. Its infinite value here leaves it without weight.
    """
    total = sizes.sum()
    log_size = np.log(sizes / total)[:, None]

    def mixed(log_normaliser: np.ndarray) -> np.ndarray:
        mixture = logsumexp(densities - log_normaliser[:, None] + log_size, axis=0)
        return np.where(np.isneginf(mixture), np.inf, mixture)

    log_normaliser = np.zeros(len(densities))
    for _ in range(200):
        mixture = mixed(log_normaliser)
        update = logsumexp(densities - mixture, axis=1) - np.log(total)
        update -= update[0]
        change = np.abs(update - log_normaliser).max()
        log_normaliser = update
        if change < 1e-10:
            break
    return mixed(log_normaliser)


def pooled_entries(parts: Sequence[tuple[EntryLayout, np.ndarray, np.ndarray]]) -> Entries:
    """Join the entries of several fits.

    Parameters
    ----------
    parts
        For each fit the layout, its draws (entry, chain, draw), and relative effective sample sizes
        (entry,). All layouts are equal.
    """
    layout = parts[0][0]
    n_draws = sum(draws.shape[1] * draws.shape[2] for _, draws, _ in parts)
    ordered = np.empty((len(parts[0][1]), n_draws), np.float32)
    small = np.empty(ordered.shape, np.uint16 if n_draws <= 65_536 else np.uint32)
    for row, out in enumerate(ordered):  # one by one: an order takes twice the memory of the draws
        values = np.concatenate([draws[row].ravel() for _, draws, _ in parts])
        order = np.argsort(values)
        small[row], out[:] = order, values[order]
    relative = np.min([relative for _, _, relative in parts], axis=0).astype(float)
    return Entries(layout, ordered, small, relative)
