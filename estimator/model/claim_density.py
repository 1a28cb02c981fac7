"""Log density of what origins report, as one operation.

A claim is either a point (normal density) or an interval (log probability of it). One loop over
the claims takes the one branch that each needs and gives the slope with it; written as elementwise
operations, both branches and their gradients would be computed for every claim, which cost more
than the rest of the model together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key
from pytensor.tensor import TensorVariable

from estimator.model.figures import IS_POINT, LOWER, NOISE, UPPER, USED
from estimator.object_code import key, njit

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_LOG_HALF = math.log(0.5)
_SQRT_2 = math.sqrt(2.0)
_SHORTEST = 1e-12  # least difference in log probability between the ends of an interval


class ClaimDensity(Op):
    """Log density of each claim and its slope in the location.

    Inputs: value (claim,), figures (`estimator.model.figures.FIGURES`, claim), location (claim,).
    Outputs: log density, slope (claim,). The gradient reaches the location alone.
    """

    __props__ = ()

    def make_node(self, value: Any, figures: Any, location: Any) -> Apply:
        inputs = [pt.as_tensor_variable(x) for x in (value, figures, location)]
        shape = inputs[2].type.shape
        return Apply(self, inputs, [pt.tensor(dtype="float64", shape=shape) for _ in range(2)])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        value, figures, location = inputs
        draws = np.ascontiguousarray(location).reshape(-1, location.shape[-1])
        results = _claims_of_draws(value, figures, draws)
        for storage, result in zip(output_storage, results, strict=True):
            storage[0] = result.reshape(location.shape)

    def infer_shape(self, node: Any, shapes: Any) -> list[Any]:
        return [shapes[2], shapes[2]]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        return [[False, False], [False, False], [True, False]]

    def pullback(self, inputs: Any, outputs: Any, output_grads: Any) -> list[Variable]:
        return [disconnected_type(), disconnected_type(), output_grads[0] * outputs[1]]


@_vectorize_node.register(ClaimDensity)
def _batched(op: ClaimDensity, node: Any, *inputs: Any) -> Any:
    return op.make_node(*inputs)


@numba_njit
def _log_normal_cdf(x):
    if x > 0.0:
        return math.log1p(-0.5 * math.erfc(x / _SQRT_2))
    if x > -20.0:
        return math.log(0.5 * math.erfc(-x / _SQRT_2))
    y = 1.0 / (x * x)  # asymptotic series of Mills' ratio; its next term is below 1e-10 here
    series = 1.0 - y * (1.0 - y * (3.0 - y * (15.0 - y * 105.0)))
    return -0.5 * x * x - math.log(-x) - _LOG_SQRT_2PI + math.log(series)


@numba_njit
def _interval(left, right):
    """Log probability of an interval that does not lie in the upper tail, and its slope."""
    log_right = _log_normal_cdf(right)
    gap = min(_log_normal_cdf(left) - log_right, -_SHORTEST)
    share = math.log(-math.expm1(gap)) if gap > _LOG_HALF else math.log1p(-math.exp(gap))
    log_probability = log_right + share
    at_left = math.exp(-0.5 * left * left - _LOG_SQRT_2PI - log_probability)
    at_right = math.exp(-0.5 * right * right - _LOG_SQRT_2PI - log_probability)
    return log_probability, at_right - at_left


@numba_njit
def _claims(value, figures, location):
    density, slope = np.zeros(len(location)), np.zeros(len(location))
    for i in range(len(location)):
        lower, upper, noise = figures[LOWER, i], figures[UPPER, i], figures[NOISE, i]
        if figures[USED, i] == 0.0:
            continue
        if figures[IS_POINT, i] > 0.0:
            z = (value[i] - location[i]) / noise
            density[i] = -0.5 * z * z - math.log(noise) - _LOG_SQRT_2PI
            slope[i] = z / noise
            continue
        a, b = (lower - location[i]) / noise, (upper - location[i]) / noise
        if a + b > 0.0:  # from the tail in which it lies: neither cancels nor overflows
            density[i], rise = _interval(-b, -a)
            slope[i] = rise / noise
        else:
            density[i], rise = _interval(a, b)
            slope[i] = -rise / noise
    return density, slope


@njit
def _claims_of_draws(value, figures, location):
    density, slope = np.empty_like(location), np.empty_like(location)
    for draw in range(len(location)):
        density[draw], slope[draw] = _claims(value, figures, location[draw])
    return density, slope


@njit(nogil=True)
def _total_of_draws(value, figures, location):
    total = np.empty(len(location))
    for draw in range(len(location)):
        density, _ = _claims(value, figures, location[draw])
        total[draw] = density.sum()
    return total


def log_likelihood(value: np.ndarray, figures: np.ndarray, location: np.ndarray) -> np.ndarray:
    """Log density of all claims together, for draws.

    Parameters
    ----------
    value, figures
        As for `claim_density`, arrays.
    location
        (draw, claim).

    Returns
    -------
    (draw,)
    """
    return np.asarray(_total_of_draws(value, figures, np.ascontiguousarray(location)))


def log_densities(value: np.ndarray, figures: np.ndarray, location: np.ndarray) -> np.ndarray:
    """Log density of each claim, 0 where it does not count, for draws. (draw, claim).

    Parameters
    ----------
    value, figures, location
        As for `log_likelihood`.
    """
    return np.asarray(_claims_of_draws(value, figures, location)[0])


@register_funcify_and_cache_key(ClaimDensity)
def _compiled(op: ClaimDensity, node: Any, **_: Any) -> Any:
    # The key changes with this package's code: PyTensor would go on using an older density.
    return _claims, key("density of claims")


def claim_density(
    value: TensorVariable, figures: TensorVariable, location: TensorVariable
) -> TensorVariable:
    """Log density of each claim, 0 where it does not count. (claim,).

    Parameters
    ----------
    value
        Figures that are points, on the scale of their quantity. (claim,).
    figures
        `estimator.model.figures.FIGURES`. (claim_figure, claim).
    location
        Mean of what the origin reports. (claim,).
    """
    return ClaimDensity()(value, figures, location)[0]
