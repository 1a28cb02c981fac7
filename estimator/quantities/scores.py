"""How good predictive draws were, once what they predicted is known.

Proper scores (CRPS, interval score: Gneiting and Raftery, 2007, JASA 102) reward a forecast that is
both sharp and right; coverage alone rewards ranges that are too wide. Lower scores are better.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.stats import beta


def central_intervals(draws: np.ndarray, levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Find the ends of the equal-tailed ranges of draws.

    Parameters
    ----------
    draws
        (case, draw).
    levels
        Mass of each range, between 0 and 1.

    Returns
    -------
    low, high
        (case, level).

    Raises
    ------
    ValueError
        If a level does not lie between 0 and 1.
    """
    mass = np.asarray(levels, dtype=float)
    if mass.size == 0 or not ((mass > 0.0) & (mass < 1.0)).all():
        raise ValueError(f"levels must lie between 0 and 1. Got {list(levels)}")
    ends = np.concatenate([(1.0 - mass) / 2.0, (1.0 + mass) / 2.0])
    found = np.quantile(draws, ends, axis=1).T
    return found[:, : mass.size], found[:, mass.size :]


def score_draws(
    draws: np.ndarray, observed: np.ndarray, levels: Sequence[float], *, units: str = ""
) -> xr.Dataset:
    """Score predictive draws against what came.

    Parameters
    ----------
    draws
        (case, draw).
    observed
        (case,), on the scale of the draws.
    levels
        Mass of the central ranges that are scored.
    units
        Of the draws.

    Returns
    -------
    xarray.Dataset
        Dims case and level (its coordinate is the mass). `crps`, `pit` (share of the draws below
        what came; half of those that equal it) and `median` (case); `low`, `high`, `width`,
        `covered` and `interval_score` (case, level). CRPS and interval score have the units of the
        draws.

    Raises
    ------
    ValueError
        If the shapes do not agree, or a draw or an observation is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.linspace(0.0, 1.0, 101)[None]
    >>> found = score_draws(draws, np.array([0.5]), [0.5])
    >>> round(float(found["width"][0, 0]), 2), bool(found["covered"][0, 0])
    (0.5, True)
    """
    import scoringrules  # seconds

    draws, observed = np.asarray(draws, dtype=float), np.asarray(observed, dtype=float)
    if draws.ndim != 2 or observed.shape != draws.shape[:1]:
        raise ValueError(
            f"draws must be (case, draw) and observed (case,). Got {draws.shape}, {observed.shape}"
        )
    if not (np.isfinite(draws).all() and np.isfinite(observed).all()):
        raise ValueError("draws and observed must be finite")
    low, high = central_intervals(draws, levels)
    alpha = 1.0 - np.asarray(levels, dtype=float)
    crps = scoringrules.crps_ensemble(observed, draws, estimator="qd", backend="numpy")
    interval = [
        scoringrules.interval_score(observed, low[:, at], high[:, at], one, backend="numpy")
        for at, one in enumerate(alpha)
    ]
    at = observed[:, None]
    pit = (draws < at).mean(axis=1) + 0.5 * (draws == at).mean(axis=1)
    pair = ("case", "level")
    unit = {"units": units}
    return xr.Dataset(
        {
            "crps": ("case", np.asarray(crps).reshape(len(observed)), unit),
            "pit": ("case", pit, {"units": "probability"}),
            "median": ("case", np.median(draws, axis=1), unit),
            "low": (pair, low, unit),
            "high": (pair, high, unit),
            "width": (pair, high - low, unit),
            "covered": (pair, (low <= at) & (at <= high)),
            "interval_score": (
                pair,
                np.stack([np.asarray(one).reshape(len(observed)) for one in interval], axis=1),
                unit,
            ),
        },
        coords={"level": np.asarray(levels, dtype=float)},
    )


def share_range(successes: float, cases: float, mass: float = 0.95) -> tuple[float, float]:
    """Jeffreys' range of a share, as of coverage (Brown, Cai and DasGupta, 2001, Stat. Sci. 16).

    Parameters
    ----------
    successes, cases
        How many of how many; effective numbers need not be whole.
    mass
        Of the range.

    Returns
    -------
    low, high
        From 0 if there were no successes, to 1 if there was nothing else.

    Raises
    ------
    ValueError
        If successes do not lie between 0 and cases, or there are no cases.

    Examples
    --------
    >>> [round(end, 3) for end in share_range(27, 30)]
    [0.756, 0.971]
    """
    if not (cases > 0 and 0 <= successes <= cases):
        raise ValueError(f"successes must lie in 0 to cases > 0. Got {successes} of {cases}")
    tail = (1.0 - mass) / 2.0
    posterior = beta(successes + 0.5, cases - successes + 0.5)
    low = 0.0 if successes == 0 else float(posterior.ppf(tail))
    high = 1.0 if successes == cases else float(posterior.ppf(1.0 - tail))
    return low, high


def block_means(
    values: np.ndarray, block: int, rng: np.random.Generator, resamples: int = 2000
) -> np.ndarray:
    """Means of a series under a circular block bootstrap (Politis and Romano, 1992).

    Forecasts of h months from following origins share h - 1 months, so that their scores are alike:
    whole blocks of following cases are drawn, not single ones.

    Parameters
    ----------
    values
        In the order of time; the first axis is resampled. (case, ...).
    block
        Cases of a block, at least 1; more than there are count as all.
    rng
        Draws where the blocks begin.
    resamples
        How many means.

    Returns
    -------
    (resample, ...)
    """
    values = np.asarray(values, dtype=float)
    n_cases = len(values)
    size = int(np.clip(block, 1, n_cases))
    n_blocks = -(-n_cases // size)
    begins = rng.integers(n_cases, size=(resamples, n_blocks, 1))
    drawn = ((begins + np.arange(size)) % n_cases).reshape(resamples, -1)[:, :n_cases]
    return np.asarray(values[drawn].mean(axis=1))
