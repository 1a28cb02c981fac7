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
        Of the model, for each draw. (...).
    persistence
        Of the model; 1 is a random walk.
    typical_step
        Median of the prior of the step.
    """

    known: np.ndarray
    level: np.ndarray
    step: np.ndarray
    persistence: float
    typical_step: float


def carry_on(walk: Walk, months: int, options: Projection, rng: np.random.Generator) -> np.ndarray:
    """Draw how a series goes on.

    Parameters
    ----------
    walk
        The series up to its last month.
    months
        How many months it is carried.
    options
        Which dynamics. ``walk`` those of the model; ``local_step`` with a step drawn for each draw
        of the series from its last changes (see `local_steps`); ``no_change`` stays where it is.
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
    step = walk.step
    if options.dynamics == "local_step":
        step = local_steps(walk, options, rng)
    path = []
    for month in range(months):
        last = centre + persistence * (last - centre) + step * shocks[..., month]
        path.append(last)
    return np.stack(path, axis=-1) if path else np.empty((*last.shape, 0))


def local_steps(walk: Walk, options: Projection, rng: np.random.Generator) -> np.ndarray:
    """Draw the step from the last changes of the series. (...).

    The prior of its square is a scaled inverse chi-squared centred at the typical step, worth
    `prior_months` changes; so is the posterior, given the changes of the last `step_months` months
    (Gelman and others, Bayesian Data Analysis, 3rd edition, section 2.6). A normal step of that
    size has Student's t as its distribution.
    """
    if options.step_months is None or options.prior_months is None:
        raise ValueError("local_step needs step_months and prior_months")
    persistence, centre = _reversion(walk, options)
    recent = walk.known[..., -(options.step_months + 1) :] - np.asarray(centre)[..., None]
    changes = recent[..., 1:] - persistence * recent[..., :-1]
    prior = options.prior_months
    freedom = prior + changes.shape[-1]
    total = prior * walk.typical_step**2 + np.square(changes).sum(axis=-1)
    return np.asarray(np.sqrt(total / rng.chisquare(freedom, size=total.shape)))


def _reversion(walk: Walk, options: Projection) -> tuple[float, np.ndarray]:
    """Return the persistence, and the level to which the series falls back. (...)."""
    if options.persistence is None:
        return walk.persistence, walk.level
    if options.mean_months is None:
        return 1.0, np.zeros_like(walk.level)
    return options.persistence, walk.known[..., -options.mean_months :].mean(axis=-1)
