"""Draws of some fitted sets as draws of another set: importance sampling between assumption sets.

Sets that differ in the priors of scalar assumptions and of reporting biases, or in which claims
count and with what noise, share all other factors of their posteriors. Written in *natural*
parameters (the log or log odds of an assumption, a bias, the monthly series themselves), those
cancel in the ratio of two posteriors, whatever coordinates the sampler moved. In the sampler's
standardised coordinates the ratio would be useless: there the prior is always the same, and the
likelihood moves instead.

Fits are combined as one mixture (multistate Bennett acceptance ratio, Shirts and Chodera 2008), and
the weights are smoothed by PSIS (Vehtari and others 2024, JMLR 25), whose k-hat says whether they
can be trusted.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from scipy.special import logit, logsumexp

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import is_packed
from estimator.fitting.entries import Entries, EntryLayout

_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
_MODEL_UNITS = np.array([spec.per_model_unit for spec in ASSUMPTIONS.values()])
_IS_SHARE = np.array([spec.support == "share" for spec in ASSUMPTIONS.values()])


@dataclass(frozen=True)
class Hyperparameters:
    """What two sets that can be reweighted into each other may differ in.

    Attributes
    ----------
    location, scale
        Of the scalar assumptions on their link scale, then of bias and drift of each source; scale
        0 where a value is fixed. (parameter,).
    own
        Priors of assumptions that are no affine map of a normal, by position.
    figures, observed
        Wording, noise and use of the claims, and their figures: `ModelInputs.data`.
    """

    location: np.ndarray
    scale: np.ndarray
    own: tuple[tuple[int, Prior], ...]
    figures: np.ndarray
    observed: np.ndarray

    @classmethod
    def of(cls, assumptions: AssumptionSet, inputs_data: dict[str, np.ndarray]) -> Hyperparameters:
        """Take them from an assumption set and the data of its model."""
        own = tuple(
            (position, prior)
            for position, (_, prior) in enumerate(assumptions.priors())
            if not is_packed(prior)
        )
        location, scale = (
            np.concatenate(
                [inputs_data[f"assumption_{part}"], inputs_data[f"reporting_{part}"].ravel()]
            )
            for part in ("location", "scale")
        )
        figures, value = inputs_data["claim_figures"], inputs_data["claim_value"]
        return cls(location, scale, own, figures, value)

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
        """Take them from the draws that are kept of a fit (see `estimator.sweep.fits`)."""
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
    values = _flat(core, "assumption_value") / _MODEL_UNITS[:, None]
    with np.errstate(divide="ignore"):
        linear = np.where(
            _IS_SHARE[:, None],
            logit(np.clip(values, 0.0, 1.0)),
            np.log(np.maximum(values, 0.0)),
        )
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
        self._claims: dict[bytes, np.ndarray] = {}
        densities = np.stack([self._log_density(hyper) for hyper in fitted])
        self.log_mixture = _mixture_density(densities, self.sizes)

    def log_ratio(self, hyper: Hyperparameters) -> np.ndarray:
        """Log of the unnormalised posterior of a set over the mixture's density. (draw,)."""
        return np.asarray(self._log_density(hyper) - self.log_mixture)

    def _log_density(self, hyper: Hyperparameters) -> np.ndarray:
        scale = hyper.scale[self.positions]
        tells = scale > 0
        z = (self.linear[tells] - hyper.location[self.positions][tells][:, None]) / scale[tells][
            :, None
        ]
        density = -0.5 * np.einsum("pd,pd->d", z, z) - float(np.log(scale[tells]).sum())
        density -= int(tells.sum()) * _LOG_SQRT_2PI
        for position, prior in hyper.own:
            at = np.flatnonzero(self.positions == position)
            if len(at):
                density = density + _own_density(prior, position, self.linear[at[0]])
        if self.claim_location is not None:
            density = density + self._claims_density(hyper)
        return np.asarray(density)

    def _claims_density(self, hyper: Hyperparameters) -> np.ndarray:
        if hyper.claims_key not in self._claims and self.claim_location is not None:
            from estimator.model.claim_density import log_likelihood  # PyTensor takes seconds

            self._claims[hyper.claims_key] = log_likelihood(
                hyper.observed, hyper.figures, self.claim_location
            )
        return self._claims[hyper.claims_key]


def _own_density(prior: Prior, position: int, linear: np.ndarray) -> np.ndarray:
    """Log density of an assumption on its link scale, for a family that is no affine map."""
    with np.errstate(all="ignore"):
        value = 1.0 / (1.0 + np.exp(-linear)) if _IS_SHARE[position] else np.exp(linear)
        slope = value * (1.0 - value) if _IS_SHARE[position] else value
        own = prior.distribution().logpdf(value * _MODEL_UNITS[position])
        density = own + np.log(slope)
        return np.where(np.isnan(density), -np.inf, density)


def _mixture_density(densities: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Log density of the mixture at each draw, up to one constant. densities (fit, draw)."""
    total = sizes.sum()
    log_size = np.log(sizes / total)[:, None]
    log_normaliser = np.zeros(len(densities))
    for _ in range(200):
        mixture = logsumexp(densities - log_normaliser[:, None] + log_size, axis=0)
        update = logsumexp(densities - mixture, axis=1) - np.log(total)
        update -= update[0]
        change = np.abs(update - log_normaliser).max()
        log_normaliser = update
        if change < 1e-10:
            break
    return np.asarray(logsumexp(densities - log_normaliser[:, None] + log_size, axis=0))


@dataclass(frozen=True)
class Weights:
    """Smoothed importance weights of one set.

    Attributes
    ----------
    log_weights
        Normalised: their exponentials sum to 1. (draw,).
    k_hat
        Shape of the tail of the raw weights; 0 where all weights are equal.
    kish
        Effective sample size of the weights alone, 1 / sum of squares.
    """

    log_weights: np.ndarray
    k_hat: float
    kish: float


def smoothed(log_ratio: np.ndarray) -> Weights:
    """Smooth importance ratios by PSIS.

    Parameters
    ----------
    log_ratio
        Unnormalised, of each draw. (draw,).
    """
    n_draws = len(log_ratio)
    finite = np.isfinite(log_ratio)
    if not finite.any():
        return Weights(np.full(n_draws, -np.log(n_draws)), np.inf, 1.0)
    log_ratio = np.where(finite, log_ratio, log_ratio[finite].min() - 50.0)
    if np.ptp(log_ratio) < 1e-9:  # PSIS needs a tail
        return Weights(np.full(n_draws, -np.log(n_draws)), 0.0, float(n_draws))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is k-hat, which is checked
        # ArviZ takes the negative of the log ratio, as of a pointwise log likelihood.
        log_weights, k_hat = array_stats.psislw(-log_ratio)
    log_weights = log_weights - logsumexp(log_weights)
    kish = float(np.exp(-logsumexp(2.0 * log_weights)))
    return Weights(np.asarray(log_weights), float(k_hat), kish)


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
