"""Coordinates in which a posterior is nearly a standard normal, from its mode and curvature.

NUTS finds its way slowly where parameters are strongly correlated: many origins that report the
same months tie their biases to one another and to the level of the losses. Laplace's approximation
says which way the ridges run for a fraction of a second, before a single draw. It is used to choose
coordinates and for nothing else: the density that is sampled stays the same.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from estimator.fitting.whitening import CORRELATED, Whitening

log = logging.getLogger(__name__)

# Flat or saddle-shaped directions are taken for no longer than ten standard deviations of a prior.
_LEAST_CURVATURE = 0.01
_COMPARED = 300  # draws at which the approximation is compared with the density
_DIFFERENCE = 1e-4  # step of the central differences, in sampled coordinates (priors have sd 1)

_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)

Density = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Returns minus the log density and its gradient."""


def laplace_whitening(model: Any) -> Whitening:
    """Learn the coordinates from the mode of the density and its curvature there.

    Parameters
    ----------
    model
        Compiled by `nutpie.compile_pymc_model`, with its data.

    Returns
    -------
    Whitening
        Centred on the mode; the unit map around zero, with a warning, if no mode is found.
    """
    density = negative_log_density(model)
    start = np.zeros(model.n_dim)
    found = minimize(
        density, start, jac=True, method="L-BFGS-B", options={"maxiter": 3000, "maxcor": 30}
    )
    curvature = _curvature(density, found.x) if np.isfinite(found.fun) else np.full((1, 1), np.nan)
    if not np.isfinite(curvature).all():
        log.warning("no mode was found: the sampler starts without coordinates of its own")
        return Whitening.of_covariance(start, np.eye(model.n_dim), _NOT_CORRELATED)
    values, vectors = np.linalg.eigh(curvature)
    covariance = (vectors / np.maximum(values, _LEAST_CURVATURE)) @ vectors.T
    return Whitening.of_covariance(found.x, covariance, CORRELATED)


_NOT_CORRELATED = 1.0


def departure(model: Any, whitening: Whitening) -> float:
    """Say how far a density departs from the normal one of which a map is the whitening.

    At draws of the normal one its gradient is compared with that of the density, in whitened
    coordinates, where it is minus the draw itself: the length of the difference over that of the
    draw, at the median draw. 0 if the density is normal; large where it bends or has walls.

    Parameters
    ----------
    model
        Compiled by `nutpie.compile_pymc_model`, with its data.
    whitening
        As `laplace_whitening` learns it.
    """
    density = negative_log_density(model)
    found = []
    for draw in np.random.default_rng(0).standard_normal((_COMPARED, model.n_dim)):
        value, slope = density(whitening.sampled(draw))
        difference = whitening.whitened_gradient(slope) - draw
        relative = np.linalg.norm(difference) / np.linalg.norm(draw)
        found.append(float(relative) if np.isfinite(value) else np.inf)
    return float(np.median(found))


def negative_log_density(model: Any) -> Density:
    """Return minus the log density of a model and its gradient, as a function of what is sampled.

    Parameters
    ----------
    model
        Compiled by `nutpie.compile_pymc_model`, with its data.
    """
    function = _SIGNATURE(model.compiled_logp_func.address)
    size, value = model.n_dim, np.zeros(1)

    def negative(point: np.ndarray) -> tuple[float, np.ndarray]:
        place = np.ascontiguousarray(point, dtype=np.float64)
        slope, data = np.empty(size), model.user_data.ctypes.data  # lives as long as the model
        status = function(size, place.ctypes.data, slope.ctypes.data, value.ctypes.data, data)
        if status != 0 or not np.isfinite(value[0]) or not np.isfinite(slope).all():
            return np.inf, np.zeros(size)
        return -float(value[0]), -slope

    return negative


def _curvature(density: Density, point: np.ndarray) -> np.ndarray:
    """Hessian by central differences of the gradient. (coordinate, coordinate)."""
    rows = []
    for direction in np.eye(len(point)):
        ahead, behind = (density(point + sign * _DIFFERENCE * direction) for sign in (1.0, -1.0))
        if not (np.isfinite(ahead[0]) and np.isfinite(behind[0])):
            return np.full((len(point), len(point)), np.nan)
        rows.append((ahead[1] - behind[1]) / (2.0 * _DIFFERENCE))
    slopes = np.array(rows)
    return (slopes + slopes.T) / 2.0
