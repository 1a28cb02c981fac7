"""Carry a series on beyond its last month, draw by draw.

Which dynamics a projection uses costs no other fit: the draws are cut at a month and carried on
from there. `estimator.quantities.scenario` does so at the end of the window,
`estimator.studies.backtest` at every month of the past, so that what came can say which dynamics
tell the future best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimator.assumptions.groups import Projection


@dataclass(frozen=True)
class Walk:
    """A series on its unbounded scale, and the dynamics that its model has.

    Attributes
    ----------
    known
        The series by month: log of the rate per mean month, log odds for shares. (..., month).
    level, step
        Of the model, for each draw; the step is that of the last month. (...).
    persistence
        Of the model; 1 is a random walk.
    """

    known: np.ndarray
    level: np.ndarray
    step: np.ndarray
    persistence: float


def carry_on(walk: Walk, months: int, options: Projection, rng: np.random.Generator) -> np.ndarray:
    """Draw how a series goes on.

    Parameters
    ----------
    walk
        The series up to its last month.
    months
        How many months it is carried.
    options
        Which dynamics. ``walk`` those of the model, with the step of its last month; ``no_change``
        stays where it is.
    rng
        Of the steps.

    Returns
    -------
    (..., month)
    """
    last = walk.known[..., -1]
    shocks = rng.standard_normal((*last.shape, months))
    if options.dynamics == "no_change":
        return np.repeat(last[..., None], months, axis=-1)
    persistence, centre = _reversion(walk, options)
    path = []
    for month in range(months):
        last = centre + persistence * (last - centre) + walk.step * shocks[..., month]
        path.append(last)
    return np.stack(path, axis=-1) if path else np.empty((*last.shape, 0))


def _reversion(walk: Walk, options: Projection) -> tuple[float, np.ndarray]:
    """Return the persistence, and the level to which the series falls back. (...)."""
    if options.persistence is None:
        return walk.persistence, walk.level
    if options.mean_months is None:
        return 1.0, np.zeros_like(walk.level)
    return options.persistence, walk.known[..., -options.mean_months :].mean(axis=-1)
