"""Monthly latent series: a first-order process on an unbounded scale.

x[0] ~ Normal(level, step),  x[t] ~ Normal(level + persistence (x[t-1] - level), step).

Persistence 1 is the random walk. Two geometries of the same process: *centred* samples x itself
(good where the claims fix nearly every month), *non-centred* samples its standardised steps (good
where few claims do).
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.model.confirmation import Floor, FloorTransform


def carried_steps(persistence: float, n_months: int) -> np.ndarray:
    """How much of each month's step is left in each later month. (month, month)."""
    lag = np.arange(n_months)[:, None] - np.arange(n_months)[None, :]
    return np.where(lag >= 0, float(persistence) ** np.maximum(lag, 0), 0.0)


def centred(
    name: str,
    level: TensorVariable,
    step: TensorVariable,
    carried: TensorVariable,
    floor: Floor | None = None,
) -> TensorVariable:
    """Sample the series itself (dims ``month``).

    Parameters
    ----------
    name
        Name of the random variable.
    level, step
        Scalars on the unbounded scale.
    carried
        As `carried_steps` gives it for the persistence. (month, month).
    floor
        Confirmed figures that the exponential of the series must not fall below. They give the
        geometry only, a change of variables: forward draws from the prior ignore them, for they
        are evidence and enter the density with the confirmed figures.
    """
    parameters = [level, step, carried]
    signature = "(),(),(m,m)"
    if floor is not None:
        parameters += [floor.figure, floor.weight]
        signature += ",(k),(k,n)"

    def forward(*parameters_and_size: TensorVariable) -> TensorVariable:
        level, step, carried, *unused = parameters_and_size[:-1]
        series = level + step * (carried @ pm.Normal.dist(0.0, 1.0, shape=carried.shape[:1]))
        return series + sum((0.0 * pt.sum(part) for part in unused), start=pt.zeros(()))

    def logp(value: TensorVariable, *parameters: TensorVariable) -> TensorVariable:
        level, step, carried = parameters[:3]
        offset = value - level
        persistence = carried[1, 0]
        sum_of_squares = offset[0] ** 2 + pt.sum((offset[1:] - persistence * offset[:-1]) ** 2)
        size = value.shape[0] * (pt.log(step) + 0.5 * np.log(2.0 * np.pi))
        return -0.5 * sum_of_squares / step**2 - size

    return pm.CustomDist(
        name,
        *parameters,
        dist=forward,
        logp=logp,
        signature=f"{signature}->(m)",
        dims="month",
        **({} if floor is None else {"transform": FloorTransform(floor.pivots)}),
    )


def non_centred(
    name: str, level: TensorVariable, step: TensorVariable, carried: TensorVariable
) -> TensorVariable:
    """Sample the standardised steps ``<name>_raw`` and return the series (dims ``month``)."""
    raw = pm.Normal(f"{name}_raw", 0.0, 1.0, dims="month")
    return level + step * (carried @ raw)
