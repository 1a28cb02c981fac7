"""R-hat and effective sample size of many quantities at once.

The same formulas as ArviZ's (Vehtari and others, 2021, Bayesian Analysis 16(2)), which works
through one quantity after the other: over the 700 quantities of one set that takes longer than
sampling them. Here each quantity is sorted once, which gives its ranks, its folded ranks and its
tails, and the Fourier transforms are taken of all quantities together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.special import ndtri

from estimator.object_code import njit

_TAILS = (0.05, 0.95)
_CHUNK = 32  # quantities at a time, so that what is transformed stays in the cache
_NAMES = ("rhat", "ess_bulk", "ess_tail")


@dataclass(frozen=True)
class Convergence:
    """Diagnostics of each quantity. All (entry,).

    Attributes
    ----------
    rhat
        The larger of rank-normalised and folded split R-hat.
    ess_bulk, ess_tail
        Effective sample sizes of the rank-normalised draws, and the smaller one of the 5 % and
        95 % quantiles.
    """

    rhat: np.ndarray
    ess_bulk: np.ndarray
    ess_tail: np.ndarray


def convergence(draws: np.ndarray, order: np.ndarray | None = None) -> Convergence:
    """Diagnose quantities.

    Parameters
    ----------
    draws
        (entry, chain, draw); no entry may be constant. Of an odd number of draws the first is left
        out, so that chains have halves.
    order
        What sorts the draws of each entry, all chains in one, if that is known already.
        (entry, chain × draw).

    Returns
    -------
    Convergence
    """
    if draws.shape[2] % 2:
        draws, order = draws[:, :, 1:], None
    chunks = [slice(begin, begin + _CHUNK) for begin in range(0, len(draws), _CHUNK)]
    found = [_convergence(draws[c], None if order is None else order[c]) for c in chunks]
    return Convergence(*(np.concatenate([getattr(one, name) for one in found]) for name in _NAMES))


def _convergence(draws: np.ndarray, order: np.ndarray | None) -> Convergence:
    n_entries, n_chains, n_draws = draws.shape
    flat = np.ascontiguousarray(draws).reshape(n_entries, -1)
    if order is None:
        order = np.argsort(flat, axis=1)
    ranks, folded_ranks = _ranks(flat, np.asarray(order, np.int64))
    # A rank is a multiple of 1/2, so the normal scores are a table.
    n_all = flat.shape[1]
    table = ndtri((np.arange(2 * n_all + 1) / 2 - 3 / 8) / (n_all + 1 / 4))
    halves = (n_entries, 2 * n_chains, n_draws // 2)
    ranked, folded = table[ranks].reshape(halves), table[folded_ranks].reshape(halves)
    ordered = np.take_along_axis(flat, order, axis=1)
    tails = [flat <= edge[:, None] for edge in _quantiles_of_sorted(ordered, _TAILS)]
    return Convergence(
        rhat=np.maximum(_rhat(ranked), _rhat(folded)),
        ess_bulk=_ess(ranked),
        ess_tail=np.minimum(*(_ess(tail.reshape(halves).astype(float)) for tail in tails)),
    )


def _quantiles_of_sorted(ordered: np.ndarray, probabilities: tuple[float, ...]) -> list[np.ndarray]:
    positions = [probability * (ordered.shape[1] - 1) for probability in probabilities]
    return [
        ordered[:, int(at)] + (at - int(at)) * (ordered[:, int(at) + 1] - ordered[:, int(at)])
        for at in positions
    ]


@njit(nogil=True)
def _ranks(flat: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Twice the ranks of the draws and of their distances to the median; ties get their mean."""
    n_entries, n_all = flat.shape
    ranks = np.empty((n_entries, n_all), np.int32)
    folded = np.empty((n_entries, n_all), np.int32)
    distance, nearest = np.empty(n_all), np.empty(n_all, np.int64)
    for entry in range(n_entries):
        x, by_size = flat[entry], order[entry]
        middle = n_all // 2
        median = (np.float64(x[by_size[middle]]) + np.float64(x[by_size[(n_all - 1) // 2]])) / 2.0
        left = middle - 1
        right = middle
        for k in range(n_all):  # from the median outwards
            from_left = left >= 0 and (
                right >= n_all or median - x[by_size[left]] <= x[by_size[right]] - median
            )
            at = left if from_left else right
            nearest[k] = by_size[at]
            distance[k] = abs(x[by_size[at]] - median)
            if from_left:
                left -= 1
            else:
                right += 1
        for sorted_by, out in ((by_size, ranks), (nearest, folded)):
            begin = 0
            while begin < n_all:
                end = begin + 1
                if out is ranks:
                    while end < n_all and x[sorted_by[end]] == x[sorted_by[begin]]:
                        end += 1
                else:
                    while end < n_all and distance[end] == distance[begin]:
                        end += 1
                for k in range(begin, end):
                    out[entry, sorted_by[k]] = begin + end + 1
                begin = end
    return ranks, folded


def _rhat(chains: np.ndarray) -> np.ndarray:
    n_draws = chains.shape[2]
    between = n_draws * chains.mean(axis=2).var(axis=1, ddof=1)
    within = chains.var(axis=2, ddof=1).mean(axis=1)
    # Chains that do not move make infinity or NaN, which no bound lets pass.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + n_draws - 1) / n_draws))


def _ess(chains: np.ndarray) -> np.ndarray:
    _, n_chains, n_draws = chains.shape
    size = fft.next_fast_len(2 * n_draws, real=True)
    means = chains.mean(axis=2)
    spectrum = fft.rfft(chains - means[:, :, None], n=size, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    autocovariance = fft.irfft(power, n=size, axis=1)[:, :n_draws] / n_draws
    within = autocovariance[:, 0] * n_draws / (n_draws - 1.0)
    total = within * (n_draws - 1.0) / n_draws + means.var(axis=1, ddof=1)
    constant = np.ptp(chains.reshape(len(chains), -1), axis=1) < np.finfo(float).resolution
    total = np.where(constant, 1.0, total)
    times = _autocorrelation_times(1.0 - (within[:, None] - autocovariance) / total[:, None])
    n_all = n_chains * n_draws
    sizes = n_all / np.maximum(times, 1.0 / np.log10(n_all))
    return np.asarray(np.where(constant, float(n_all), sizes))


@njit(nogil=True)
def _autocorrelation_times(correlation: np.ndarray) -> np.ndarray:
    """Integrated autocorrelation times by Geyer's initial monotone sequence. (entry,)."""
    n_entries, n_draws = correlation.shape
    times = np.empty(n_entries)
    for entry in range(n_entries):
        rho = np.zeros(n_draws)
        rho[0], even = 1.0, 1.0
        odd = correlation[entry, 1]
        rho[1] = odd
        t = 1
        while t < n_draws - 3 and even + odd > 0.0:
            even, odd = correlation[entry, t + 1], correlation[entry, t + 2]
            if even + odd >= 0.0:
                rho[t + 1], rho[t + 2] = even, odd
            t += 2
        last = t - 2
        if even > 0.0:
            rho[last + 1] = even
        t = 1
        while t <= last - 2:
            if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t]:
                rho[t + 1] = (rho[t - 1] + rho[t]) / 2.0
                rho[t + 2] = rho[t + 1]
            t += 2
        times[entry] = -1.0 + 2.0 * rho[: last + 1].sum() + rho[last + 1]
    return times
