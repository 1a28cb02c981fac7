"""Shares of the variance between sets: of all combinations, and of Saltelli's blocks."""

from __future__ import annotations

import numpy as np

from estimator.studies.compare.drivers.design import Factorial, Saltelli
from estimator.studies.compare.drivers.regression import Shares

_BLOCKS_MINIMUM = 8
_NORMAL_95 = 1.96


def anova(design: Factorial, values: np.ndarray, errors: np.ndarray) -> Shares:
    """Decompose the variance of all combinations of levels.

    The combinations are all there are, so that only the Monte-Carlo errors of the answers make the
    shares uncertain. What those errors add to each variance is taken out, and the intervals are
    those of a parametric bootstrap: the answers with errors drawn anew.

    Parameters
    ----------
    design
        Of the sets.
    values
        Without NaN. (set,).
    errors
        Draws of their errors. (draw, set).

    Returns
    -------
    Shares
        First-order indices are eta squared; a total is 1 less the share of what is left when the
        assumption is averaged out. `unexplained` is what no main effect explains.
    """
    grid, noise = values[design.cells], errors[:, design.cells]
    added = _variances(noise).mean(axis=0)
    estimate = _ratios(_variances(grid[None]) - added)[0]
    # An answer with its error drawn anew holds errors twice.
    again = _ratios(_variances(grid + noise) - 2.0 * added)
    return _with_ranges(estimate, again, max(1.0 - float(estimate[0].sum()), 0.0))


def _variances(grids: np.ndarray) -> np.ndarray:
    """Variance of main effects, that of all an assumption takes part in, and of all.

    Parameters
    ----------
    grids
        (grid, level of the first assumption, of the second, …).

    Returns
    -------
    (grid, 3, assumption)
    """
    axes = tuple(range(1, grids.ndim))
    found = np.empty((len(grids), 3, len(axes)))
    found[:, 2] = grids.var(axis=axes)[:, None]
    for place, axis in enumerate(axes):
        others = tuple(other for other in axes if other != axis)
        found[:, 0, place] = grids.mean(axis=others).var(axis=1)
        found[:, 1, place] = grids.var(axis=axis).reshape(len(grids), -1).mean(axis=1)
    return found


def _ratios(variances: np.ndarray) -> np.ndarray:
    """Shares of all variance, (grid, 2, assumption); 0 to 1, also where noise leaves nothing."""
    whole = np.maximum(variances[:, 2:], np.finfo(float).tiny)
    return np.asarray(np.clip(variances[:, :2] / whole, 0.0, 1.0))


def _with_ranges(estimate: np.ndarray, again: np.ndarray, unexplained: float) -> Shares:
    """Shares with 95 % intervals that hold the estimate. again (draw, 2, assumption)."""
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    first, total = np.stack([np.minimum(low, estimate), np.maximum(high, estimate)], axis=1)
    return Shares(estimate[0], estimate[1], first, total, unexplained)


def sobol_indices(design: Saltelli, values: np.ndarray, errors: np.ndarray, seed: int) -> Shares:
    """Estimate Sobol indices with SALib from the blocks that are complete.

    Parameters
    ----------
    design
        Of the sets.
    values
        NaN where a set has none. (set,).
    errors
        Draws of their Monte-Carlo errors. What these add to an index on average is taken out, and
        how they scatter it is added to SALib's interval. (draw, set).
    seed
        Of SALib's bootstrap over the blocks, which has as many resamples.

    Returns
    -------
    Shares
        `unexplained` is what the first-order indices leave over.
    """
    blocks = complete_blocks(design, values)
    estimate, wide = _salib(values[blocks], len(errors), seed)
    again = np.array([_salib(values[blocks] + noise[blocks], 2, seed)[0] for noise in errors])
    estimate = 2.0 * estimate - again.mean(axis=0)
    wide = np.hypot(wide, _NORMAL_95 * again.std(axis=0))
    unexplained = max(1.0 - float(estimate[0].sum()), 0.0)
    # Shares lie between 0 and 1; the estimates of few blocks need not.
    first, total = np.clip([estimate, estimate - wide, estimate + wide], 0, 1).transpose(1, 0, 2)
    return Shares(first[0], total[0], first[1:], total[1:], unexplained)


def _salib(values: np.ndarray, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first-order and total indices and half widths of their 95 % intervals.

    Parameters
    ----------
    values
        (block, assumption + 2).

    Returns
    -------
    (2, assumption) each
    """
    from SALib.analyze import sobol  # imported here: it takes half a second

    names = [str(n) for n in range(values.shape[1] - 2)]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    found = sobol.analyze(
        problem, values.ravel(), calc_second_order=False, num_resamples=resamples, seed=seed
    )
    index, wide = (np.array([found[f"S1{end}"], found[f"ST{end}"]]) for end in ("", "_conf"))
    return index, wide


def complete_blocks(design: Saltelli, values: np.ndarray) -> np.ndarray:
    """Blocks whose sets all have numbers. (block, assumption + 2)."""
    return np.asarray(design.blocks[np.isfinite(values[design.blocks]).all(axis=1)])


def enough_blocks(design: Saltelli, values: np.ndarray) -> bool:
    """Whether so many blocks are complete that indices say something."""
    return len(complete_blocks(design, values)) >= _BLOCKS_MINIMUM
