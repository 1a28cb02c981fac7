"""Whether ranks are uniform: ECDF differences with a simultaneous band, tests, many at once.

If truths are drawn from what a model believes and figures from its likelihood, the rank of the
truth among posterior draws is uniform (Talts and others, 2018; of kind posterior: Säilynoja and
others, 2025). The band is that of Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing
32, as ArviZ has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands
from scipy import stats

_PER_BIN = 5  # ranks that a bin of the chi-squared test has at least, when all is well
_MOST_BINS = 20
FEWEST = 10
"""Ranks that are too few to be judged if there are fewer."""


@dataclass(frozen=True)
class Uniformity:
    """What the ranks of one quantity say.

    Attributes
    ----------
    n
        Number of ranks.
    mean
        Of the ranks as shares; 0.5 when all is well, less where truths lie low in the ranges.
    spread
        Standard deviation of the shares over that of uniform ones: above 1 where ranges are too
        narrow, below 1 where they are too wide.
    ratio
        Largest ECDF difference as a multiple of the band there.
    inside
        Whether the ECDF lies inside the band everywhere.
    ks_p, chi2_p
        Of the tests of Kolmogorov and Smirnov, and chi-squared in equal bins.
    p
        Of both together: twice the smaller one, at most 1.
    """

    n: int
    mean: float
    spread: float
    ratio: float
    inside: bool
    ks_p: float
    chi2_p: float
    p: float


def shares(ranks: np.ndarray, kept: int, rng: np.random.Generator) -> np.ndarray:
    """Turn ranks 0 to `kept` into shares that are uniform on 0 to 1 if the ranks are.

    A uniform number says where within its rank a truth lies: then continuous tests are exact.

    Parameters
    ----------
    ranks
        Number of kept draws below the truth.
    kept
        Number of draws kept.
    rng
        For the places within the ranks.
    """
    return np.asarray((ranks + rng.uniform(size=np.shape(ranks))) / (kept + 1.0))


@lru_cache(maxsize=64)
def band(n: int, level: float, simulations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simultaneous band of the ECDF of `n` uniform numbers.

    Returns
    -------
    at, lower, upper
        Where, and between what the ECDF lies everywhere with probability `level`.
    """
    at = np.arange(1, n) / n
    rng = np.random.default_rng([n, simulations])
    pointwise = simulate_confidence_bands(n, 1, at, level, simulations, rng)
    lower, upper = get_pointwise_confidence_band(pointwise, n, at)
    return at, np.asarray(lower), np.asarray(upper)


def ecdf_difference(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """ECDF of shares less the share itself."""
    return np.asarray(np.searchsorted(np.sort(values), at, side="right") / len(values) - at)


def uniformity(values: np.ndarray, level: float, simulations: int) -> Uniformity:
    """Judge the shares of one quantity.

    Parameters
    ----------
    values
        As `shares` gives them. (simulation,).
    level
        Of the simultaneous band.
    simulations
        From which the band is made.

    Raises
    ------
    ValueError
        If there are fewer than ten.
    """
    n = len(values)
    if n < FEWEST:
        raise ValueError(f"uniformity needs {FEWEST} ranks or more. Got {n}")
    at, lower, upper = band(n, level, simulations)
    difference = ecdf_difference(values, at)
    room = np.where(difference > 0, upper - at, at - lower)
    ratio = float(np.max(np.abs(difference) / np.maximum(room, 0.5 / n)))
    low, high = difference >= lower - at - 1e-12, difference <= upper - at + 1e-12
    bins = int(np.clip(n // _PER_BIN, 2, _MOST_BINS))
    counts, _ = np.histogram(values, bins=bins, range=(0.0, 1.0))
    ks_p = float(stats.kstest(values, "uniform").pvalue)
    chi2_p = float(stats.chisquare(counts).pvalue)
    return Uniformity(
        n=n,
        mean=float(values.mean()),
        spread=float(values.std() * np.sqrt(12.0)),
        ratio=ratio,
        inside=bool(low.all() and high.all()),
        ks_p=ks_p,
        chi2_p=chi2_p,
        p=min(1.0, 2.0 * min(ks_p, chi2_p)),
    )


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p values of tests in any dependence for their number (Holm, 1979)."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
