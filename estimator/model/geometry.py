"""Coordinates in which the sampler finds the sparse series nearly independent.

A claim on the sum of a year ties twelve months together: in the coordinates of the monthly steps
the posterior is many times longer than wide. The steps are therefore sampled through a linear map,
the square root of the covariance that they would have if the claims were linear and normal. The
model is the same whatever the map (the log determinant, a constant, is left out of the density);
only the sampler's path through it changes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

from estimator.model.confirmation import Pivots
from estimator.quantity import QUANTITIES, SHARES, SIGNED, STOCKS, Quantity, combine

_MAINLY = 0.75  # share of a period that lies in the month of which it tells
_TYPICAL_SHARE = 0.3  # killed share, to put claims on killed and wounded on its scale
_LOG_ABOVE_FLOOR = 0.7  # typical standard deviation of the log of what lies above a floor
_TYPICAL_RECRUITS = 30.0  # thousands a month, to put differences on the log scale


def step_maps(
    data: xr.Dataset,
    told: str,
    figures: dict[str, np.ndarray],
    bias_scale: np.ndarray,
    walks: dict[str, tuple[np.ndarray, float, float]],
    mobilisation_weight: np.ndarray,
    registry_covariance: np.ndarray,
) -> np.ndarray:
    """Map from sampled coordinates to standard normal level and steps, for each sparse series.

    Parameters
    ----------
    data
        Evidence with `weight`, `quantity` (claim).
    told
        "killed" if the sampler moves the killed of each month in place of the losses: then claims
        on the killed say nothing of their share. Else "losses".
    claim_data
        `claim_used`, `claim_noise`, `claim_lower`, `claim_upper` (claim).
    bias_scale
        Standard deviation of the bias of each claim's source. (claim,).
    walks
        For each series how steps are carried (month, month), the scale of its level and its
        typical step.
    mobilisation_weight
        Share of a mobilisation in each month. (month,).
    registry_covariance
        Of the figures of triangles, with the biases of their sources; 0 in rows that do not count.
        (registry_figure, registry_figure).

    Returns
    -------
    (series, 1 + month, 1 + month): the level first, then the steps
    """
    weight = data["weight"].values
    quantities = data["quantity"].values.tolist()
    width = figures["upper"] - figures["lower"]
    spread = np.hypot(figures["noise"], bias_scale)
    spread = np.where(figures["is_point"] > 0, spread, np.hypot(spread, width / 4.0))
    # What a mobilisation brought says little of the regular stream of recruits.
    regular = data["weight"].values @ mobilisation_weight == 0
    informative = (figures["used"] > 0) & (width < 1e3) & regular
    if told == "killed":
        informative &= data["quantity"].values != "killed"
    maps = []
    for series, (carried, level_scale, step) in walks.items():
        precision = np.eye(1 + len(carried))
        for row in np.flatnonzero(informative):
            slope = _slope(QUANTITIES[quantities[row]], series)
            if slope != 0.0:
                share = weight[row] / weight[row].sum()
                felt = np.append(level_scale, step * (share @ carried)) * slope / spread[row]
                precision += np.outer(felt, felt)
        slope = _slope(QUANTITIES["killed"], series)
        counts = np.diag(registry_covariance) > 0
        if slope != 0.0 and counts.any():
            months = data["registry_weight"].values[counts]
            share = months / months.sum(axis=1, keepdims=True)
            felt = np.hstack([np.full((len(share), 1), level_scale), step * (share @ carried)])
            known = np.linalg.inv(registry_covariance[np.ix_(counts, counts)])
            precision += slope**2 * felt.T @ known @ felt
        maps.append(np.linalg.inv(np.linalg.cholesky(precision)).T)
    return np.array(maps)


def month_of(weight: np.ndarray) -> np.ndarray:
    """Return the one month of which each period tells, -1 for none. (period,), int.

    A period tells of a month if three quarters of it lie there: four weeks need not begin on a
    first.

    Parameters
    ----------
    weight
        How much of each month a period covers. (period, month).
    """
    main = weight.argmax(axis=1)
    most = np.take_along_axis(weight, main[:, None], axis=1)[:, 0]
    return np.where((most > 0) & (most >= _MAINLY * weight.sum(axis=1)), main, -1)


def _slope(quantity: Quantity, walk: str) -> float:
    """Say how the location of a claim moves with the unbounded value of a sparse series.

    At typical values, and only for claims that speak of no other sparse series: 0 for those of the
    other series, of losses alone, and of the whole balance.
    """
    if "light" in quantity.parts:  # hardly moved by any of them
        return 0.0
    sparse = [QUANTITIES[name].walk for name in quantity.series_behind if name != "losses"]
    if sparse != [walk] or quantity.name in STOCKS:
        return 0.0
    if quantity.name in SHARES:
        return 1.0
    if "killed" in quantity.parts:  # in units of the losses
        states = {"losses": 1.0, "killed": _TYPICAL_SHARE}
        moved = _TYPICAL_SHARE * (1.0 - _TYPICAL_SHARE) * quantity.parts["killed"]
        return moved / float(combine(quantity.parts, states))
    return _TYPICAL_RECRUITS if quantity.name in SIGNED else 1.0


def losses_map(
    data: xr.Dataset,
    told: str,
    pivots: Pivots,
    figures: dict[str, np.ndarray],
    bias_scale: np.ndarray,
    walk: tuple[np.ndarray, float, float],
    shifted: np.ndarray,
) -> np.ndarray:
    """Map from sampled coordinates to the log losses (plus offset, see `Floor`).

    Parameters
    ----------
    data, told, figures, bias_scale
        As for `step_maps`.
    pivots
        Which months each floor lifts.
    walk
        How steps are carried, the scale of the level, the typical step.
    shifted
        1 where the source of a claim is the one whose bias the sampled losses carry. (claim,).

    Returns
    -------
    (month, month)
    """
    carried, level_scale, step = walk
    n_months = len(carried)
    covariance = level_scale**2 + (step * carried) @ (step * carried).T
    precision = np.linalg.inv(covariance + 1e-9 * np.eye(n_months))
    width = figures["upper"] - figures["lower"]
    spread = np.hypot(figures["noise"], np.where(shifted > 0, 0.0, bias_scale))
    spread = np.where(figures["is_point"] > 0, spread, np.hypot(spread, width / 4.0))
    about = (figures["used"] > 0) & (data["quantity"].values == told) & (width < 1e3)
    for row in np.flatnonzero(about):
        share = data["weight"].values[row] / data["weight"].values[row].sum()
        precision += np.outer(share, share) / spread[row] ** 2
    # Of what lies above a floor the log is sampled, which hangs on the ratio: of each month that
    # has one, or of the mean of a sum's months.
    covered, used = data["confirmed_weight"].values > 0, data["confirmed_used"].values
    own = covered[[row for row in pivots.single if used[row]]].any(axis=0)
    precision[own, :] = 0.0
    precision[:, own] = 0.0
    precision[own, own] = 1.0 / _LOG_ABOVE_FLOOR**2
    for floor in pivots.whole:
        share = covered[floor] / covered[floor].sum()
        precision += used[floor] * np.outer(share, share) / _LOG_ABOVE_FLOOR**2
    return np.asarray(np.linalg.inv(np.linalg.cholesky(precision)).T)


def step_map(
    data: xr.Dataset, told: str, figures: dict[str, np.ndarray], step: float, path: np.ndarray
) -> np.ndarray:
    """Map from sampled coordinates to the step of the losses and to its changes, standard normals.

    Two months of which claims speak tell the step between them as well as the noise lets them.

    Parameters
    ----------
    data, told, figures
        As for `step_maps`.
    step
        Typical step.
    path
        How the log of each month's step moves with what is mapped. (month, 1 + step_change).

    Returns
    -------
    (1, 1 + step_change, 1 + step_change)
    """
    month = month_of(data["weight"].values)
    single = (figures["used"] > 0) & (data["quantity"].values == told) & (month >= 0)
    noise = np.full(len(path), np.inf)
    np.minimum.at(noise, month[single], figures["noise"][single])
    between = noise[1:] ** 2 + noise[:-1] ** 2
    known = np.append(
        0.0, 2.0 * (step**2 / (step**2 + between)) ** 2
    )  # of a log standard deviation
    precision = np.eye(path.shape[1]) + path.T @ (known[:, None] * path)
    return np.linalg.inv(np.linalg.cholesky(precision)).T[None]


def mapped_steps(
    name: str,
    maps: TensorVariable,
    apply: Callable[[TensorVariable], TensorVariable],
    dims: tuple[str, str],
) -> TensorVariable:
    """Sample coordinates u such that ``maps @ u`` are independent standard normals.

    Parameters
    ----------
    name
        Name of the random variable u.
    maps
        As `step_maps` gives them. (series, 1 + month, 1 + month).
    apply
        The same maps as a function of u, all series in one vector.
    dims
        Dims of u.

    Returns
    -------
    Standardised level and steps of one series after the other. (series × (1 + month),).
    """
    n_series = maps.type.shape[0]

    def forward(maps: TensorVariable, size: TensorVariable) -> TensorVariable:
        steps = pm.Normal.dist(0.0, 1.0, shape=maps.shape[:2])
        return pt.stack(
            [pt.linalg.solve(maps[row], steps[row], b_ndim=1) for row in range(n_series)]
        )

    def logp(value: TensorVariable, maps: TensorVariable) -> TensorVariable:
        steps = apply(value.reshape((-1,)))
        return pt.sum(-0.5 * steps**2 - 0.5 * np.log(2.0 * np.pi))

    coordinates = pm.CustomDist(
        name, maps, dist=forward, logp=logp, signature="(s,m,m)->(s,m)", dims=dims
    )
    return apply(coordinates.reshape((-1,)))
