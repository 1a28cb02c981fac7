"""Coordinates in which a posterior is nearly a standard normal, learnt from the draws of a pilot.

Sampling ``z`` with ``x = center + factor @ z`` is the same as NUTS with a dense mass matrix. Sets
of a sweep have posteriors of nearly one shape, so what one of them has taught spares the others
their warm-up and most of their steps. It moves the sampler's path only: the density stays.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from estimator.object_code import cfunc, njit

CORRELATED = 0.10
"""Weaker correlations are left out: not told from none, they cost time and add noise."""
_SHRUNK = 0.05  # of the rest so much goes to the unit matrix
_START = 0.7  # standard deviation of the chains' starts, in whitened coordinates


@dataclasses.dataclass(frozen=True)
class Whitening:
    """An affine map from whitened to sampled coordinates.

    Attributes
    ----------
    center
        (coordinate,).
    scale
        Standard deviations. (coordinate,).
    block
        Coordinates that are correlated with others.
    factor
        Lower Cholesky factor of the correlations of the block. (block, block).
    """

    center: np.ndarray
    scale: np.ndarray
    block: np.ndarray
    factor: np.ndarray

    @classmethod
    def of_draws(cls, draws: np.ndarray) -> Whitening:
        """Learn from draws (draw, coordinate)."""
        center, scale = draws.mean(axis=0), draws.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        correlation = np.atleast_2d(np.corrcoef(((draws - center) / scale).T))
        block = _correlated(correlation, CORRELATED)
        part = (1.0 - _SHRUNK) * correlation[np.ix_(block, block)] + _SHRUNK * np.eye(len(block))
        return cls(center, scale, block, np.linalg.cholesky(part))

    @classmethod
    def of_covariance(
        cls, center: np.ndarray, covariance: np.ndarray, correlated: float
    ) -> Whitening:
        """Take the map from a covariance that is known. (coordinate, coordinate).

        Parameters
        ----------
        center
            (coordinate,).
        covariance
            Positive definite.
        correlated
            Coordinates whose correlations all lie below this are scaled alone.
        """
        scale = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(scale, scale)
        block = _correlated(correlation, correlated)
        factor = np.linalg.cholesky(correlation[np.ix_(block, block)])
        return cls(np.asarray(center, dtype=float), scale, block, factor)

    def sampled(self, whitened: np.ndarray) -> np.ndarray:
        """From whitened to sampled coordinates. (..., coordinate)."""
        turned = whitened.copy()
        turned[..., self.block] = whitened[..., self.block] @ self.factor.T
        return np.asarray(self.center + self.scale * turned)

    def whitened_gradient(self, gradient: np.ndarray) -> np.ndarray:
        """Turn a gradient in sampled coordinates into one in whitened ones. (coordinate,)."""
        turned = self.scale * gradient
        turned[self.block] = self.factor.T @ turned[self.block]
        return np.asarray(turned)


def _correlated(correlation: np.ndarray, least: float) -> np.ndarray:
    others = np.abs(np.nan_to_num(correlation - np.eye(len(correlation))))
    return np.flatnonzero(others.max(axis=0) > least).astype(np.int64)


def whitened_model(model: Any, whitening: Whitening) -> Any:
    """Return a nutpie model that is sampled in whitened coordinates.

    Parameters
    ----------
    model
        Compiled by `nutpie.compile_pymc_model`, with its data.
    whitening
        Learnt from draws of a model of the same structure.

    Notes
    -----
    Its trace holds whitened coordinates in ``sample_stats.unconstrained_draw`` (with
    ``store_unconstrained=True``); what it calls the posterior is of no use.
    """
    arrays = {
        "center": np.ascontiguousarray(whitening.center, dtype=np.float64),
        "scale": np.ascontiguousarray(whitening.scale, dtype=np.float64),
        "block": np.ascontiguousarray(whitening.block, dtype=np.int64),
        "factor": np.ascontiguousarray(whitening.factor, dtype=np.float64),
    }
    pointers = np.zeros((), _POINTERS)
    pointers["density"] = model.compiled_logp_func.address
    pointers["data"] = model.user_data.ctypes.data
    pointers["block_size"] = len(whitening.block)
    for name, array in arrays.items():
        pointers[name] = array.ctypes.data
    return dataclasses.replace(
        model,
        compiled_logp_func=_whitened_density,
        user_data=pointers,
        # Held here so that what the pointers point to lives as long as the model.
        shared_data={**arrays, "model": model},
        initial_point_func=lambda seed: (
            _START * np.random.default_rng(seed).standard_normal(model.n_dim)
        ),
    )


_POINTERS = np.dtype(
    [
        ("density", np.uintp),
        ("data", np.uintp),
        ("center", np.uintp),
        ("scale", np.uintp),
        ("block", np.uintp),
        ("factor", np.uintp),
        ("block_size", np.int64),
    ]
)
_DOUBLES = types.CPointer(types.double)
_INTEGERS = types.CPointer(types.int64)
_DENSITY = types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, types.voidptr)


@intrinsic
def _call_density(typingctx, address, size, x, gradient, density, data):
    """Call a density of nutpie's signature by its address."""

    def generate(context, builder, signature, arguments):
        from llvmlite import ir

        integer, doubles, anything = (
            ir.IntType(64),
            ir.DoubleType().as_pointer(),
            ir.IntType(8).as_pointer(),
        )
        kind = ir.FunctionType(integer, [integer, doubles, doubles, doubles, anything])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        where = builder.inttoptr(arguments[5], anything)
        return builder.call(function, [*arguments[1:5], where])

    signature = types.int64(types.uintp, types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, types.uintp)
    return signature, generate


def _pointer_to(kind):
    @intrinsic
    def pointer(typingctx, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(kind))

        return kind(address), generate

    return pointer


_doubles_at, _integers_at = _pointer_to(_DOUBLES), _pointer_to(_INTEGERS)


@njit(fastmath={"reassoc", "contract"})  # lets the sums be vectorised
def _forward(factor, block, center, scale, z, x):
    for i in range(len(z)):
        x[i] = center[i] + scale[i] * z[i]
    part = z[block]
    for i in range(len(block)):
        row, total = factor[i, : i + 1], 0.0
        for j in range(len(row)):
            total += row[j] * part[j]
        x[block[i]] = center[block[i]] + scale[block[i]] * total


@njit(fastmath={"reassoc", "contract"})
def _backward(factor, block, scale, slope, out):
    for i in range(len(slope)):
        out[i] = scale[i] * slope[i]
    part = np.zeros(len(block))
    for i in range(len(block)):
        row, weight = factor[i, : i + 1], out[block[i]]
        for j in range(len(row)):
            part[j] += row[j] * weight
    for i in range(len(block)):
        out[block[i]] = part[i]


@cfunc(_DENSITY)
def _whitened_density(size, whitened, gradient, density, data):
    n = np.int64(size)
    at = carray(data, (), _POINTERS)
    n_block = at["block_size"][()]
    center = carray(_doubles_at(at["center"][()]), (n,))
    scale = carray(_doubles_at(at["scale"][()]), (n,))
    block = carray(_integers_at(at["block"][()]), (n_block,))
    factor = carray(_doubles_at(at["factor"][()]), (n_block, n_block))
    x, slope = np.empty(n), np.empty(n)
    _forward(factor, block, center, scale, carray(whitened, (n,)), x)
    status = _call_density(at["density"][()], size, x.ctypes, slope.ctypes, density, at["data"][()])
    if status == 0:
        _backward(factor, block, scale, slope, carray(gradient, (n,)))
    return status
