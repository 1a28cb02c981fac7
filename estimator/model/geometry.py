"""Coordinates in which the sampler finds the sparse series nearly independent.

A claim on the sum of a year ties twelve months together: in the coordinates of the monthly steps
the posterior is many times longer than wide. The steps are therefore sampled through a linear map,
the square root of the covariance that they would have if the claims were linear and normal. The
model is the same whatever the map (the log determinant, a constant, is left out of the density);
only the sampler's path through it changes.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

_KILLED_SLOPE = 0.7  # d log(killed) / d logit(killed share) at a killed share of 0.3
_TYPICAL_RECRUITS = 30.0  # thousands a month, to put differences on the log scale

# Quantity -> (series, slope): how a claim's location moves with the series' unbounded value.
_SPEAKS_OF: dict[str, tuple[str, float]] = {
    "killed_share": ("killed_share", 1.0),
    "killed": ("killed_share", _KILLED_SLOPE),
    "recruits": ("recruitment", 1.0),
    "replacement_gap": ("recruitment", _TYPICAL_RECRUITS),
    "foreign_recruits": ("foreign", 1.0),
}


def step_maps(
    data: xr.Dataset,
    claim_data: dict[str, np.ndarray],
    bias_scale: np.ndarray,
    walks: dict[str, tuple[np.ndarray, float, float]],
) -> np.ndarray:
    """Map from sampled coordinates to standard normal level and steps, for each sparse series.

    Parameters
    ----------
    data
        Evidence with `weight`, `quantity` (claim).
    claim_data
        `claim_used`, `claim_noise`, `claim_lower`, `claim_upper` (claim).
    bias_scale
        Standard deviation of the bias of each claim's source. (claim,).
    walks
        For each series how steps are carried (month, month), the scale of its level and its
        typical step.

    Returns
    -------
    (series, 1 + month, 1 + month): the level first, then the steps
    """
    weight = data["weight"].values
    quantities = data["quantity"].values.tolist()
    width = claim_data["claim_upper"] - claim_data["claim_lower"]
    interval = ~np.isin(data["hedge"].values, ["exact", "about"])
    spread = np.hypot(claim_data["claim_noise"], bias_scale)
    spread = np.where(interval, np.hypot(spread, width / 4.0), spread)
    informative = (claim_data["claim_used"] > 0) & (width < 1e3)
    maps = []
    for series, (carried, level_scale, step) in walks.items():
        precision = np.eye(1 + len(carried))
        for row in np.flatnonzero(informative):
            spoken, slope = _SPEAKS_OF.get(quantities[row], ("", 0.0))
            if spoken == series:
                share = weight[row] / weight[row].sum()
                felt = np.append(level_scale, step * (share @ carried)) * slope / spread[row]
                precision += np.outer(felt, felt)
        maps.append(np.linalg.inv(np.linalg.cholesky(precision)).T)
    return np.array(maps)


def mapped_steps(name: str, maps: TensorVariable, dims: tuple[str, str]) -> TensorVariable:
    """Sample coordinates u such that ``maps @ u`` are independent standard normals.

    Parameters
    ----------
    name
        Name of the random variable u.
    maps
        As `step_maps` gives them. (series, 1 + month, 1 + month).
    dims
        Dims of u.

    Returns
    -------
    Standardised level and steps. (series, 1 + month).
    """
    n_series = maps.type.shape[0]

    def steps_of(coordinates: TensorVariable, maps: TensorVariable) -> TensorVariable:
        return pt.stack([pt.dot(maps[row], coordinates[row]) for row in range(n_series)])

    def forward(maps: TensorVariable, size: TensorVariable) -> TensorVariable:
        steps = pm.Normal.dist(0.0, 1.0, shape=maps.shape[:2])
        return pt.stack(
            [pt.linalg.solve(maps[row], steps[row], b_ndim=1) for row in range(n_series)]
        )

    def logp(value: TensorVariable, maps: TensorVariable) -> TensorVariable:
        return pt.sum(-0.5 * steps_of(value, maps) ** 2 - 0.5 * np.log(2.0 * np.pi))

    coordinates = pm.CustomDist(
        name, maps, dist=forward, logp=logp, signature="(s,m,m)->(s,m)", dims=dims
    )
    return steps_of(coordinates, maps)
