"""Cover a range by wide fits: one over all of it, and more where its draws do not reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from estimator.studies.breakeven.curve import Curve, Reweighting, probit
from estimator.studies.breakeven.key_fits import KeyFits
from estimator.studies.breakeven.options import BreakEvenOptions
from estimator.studies.breakeven.ranges import KeyRange


def reach(
    fitter: KeyFits,
    axes: Sequence[KeyRange],
    points: np.ndarray,
    level: float,
    options: BreakEvenOptions,
) -> tuple[Reweighting, Curve] | None:
    """Probability at all points that a few wide fits reach.

    Parameters
    ----------
    fitter
        Makes the fits.
    axes
        The keys.
    points
        On the model's scale. (point, key).
    level
        Probability near which it matters most.
    options
        Widths, draws and bounds.

    Returns
    -------
    Reweighting and Curve, or None
        None if the fit over the whole range missed a bound of its diagnostics.
    """
    draws = options.contour_draws if len(axes) > 1 else options.cover_draws
    width, kernel = np.array([axis.width for axis in axes]), kernel_widths(axes, options)
    covers = np.array([axis.cover(options.cover_mass) for axis in axes])
    first = fitter.wide(covers[:, 0], covers[:, 1], draws)
    if first is None:
        return None
    positions = [axis.position for axis in axes]
    fits, tried = [first], np.empty((0, len(axes)))
    while True:
        reweighting = Reweighting(fits, positions)
        curve = reweighting.curve(
            points, kernel, max_k_hat=options.max_k_hat, min_ess=options.min_ess
        )
        if curve.used.all() or len(tried) == options.bridges:
            return reweighting, curve
        away = np.abs(probit(curve.probability) - probit(level))
        center, scale = _most_wanted(points / width, curve.used, away, tried / width)
        # No narrower than two kernels: a bridge has to bear some points beside its own.
        spread = np.maximum(scale * width / 2.0, 2.0 * kernel)
        tried = np.concatenate([tried, (center * width)[None]])
        bridge = fitter.wide(center * width, spread, draws)
        if bridge is not None:
            fits.append(bridge)


def kernel_widths(axes: Sequence[KeyRange], options: BreakEvenOptions) -> np.ndarray:
    """Widths of the kernel on the model's scale. (key,)."""
    share = options.contour_kernel_width if len(axes) > 1 else options.kernel_width
    return share * np.array([axis.width for axis in axes])


def _most_wanted(
    points: np.ndarray, reached: np.ndarray, away: np.ndarray, tried: np.ndarray
) -> tuple[np.ndarray, float]:
    """Find the unreached point that is most wanted, and how far it is from all that is known.

    The farther from what is reached or tried, and the nearer the probability there is to the level
    at the nearest point that is reached, the more it is wanted.

    Parameters
    ----------
    points, reached, away
        All points, whether each is reached, and how far its probability is from the level in
        probits. (point, key), (point,) and (point,).
    tried
        Where there is a fit already. (fit, key).
    """
    missing = points[~reached]
    if not reached.any():
        middle = points.mean(axis=0)
        return missing[int(np.argmin(np.linalg.norm(missing - middle, axis=1)))], 0.5
    to_reached = np.linalg.norm(missing[:, None] - points[reached][None], axis=2)
    nearest = away[reached][to_reached.argmin(axis=1)]
    distance = to_reached.min(axis=1)
    if len(tried):
        to_tried = np.linalg.norm(missing[:, None] - tried[None], axis=2).min(axis=1)
        distance = np.minimum(distance, to_tried)
    at = int(np.argmax(distance * np.exp(-nearest)))
    return missing[at], float(distance[at])
