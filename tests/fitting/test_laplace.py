"""Laplace's coordinates: the map of a normal density is its own square root."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import carray, cfunc, types

from estimator.fitting.laplace import departure, laplace_whitening
from estimator.fitting.whitening import CORRELATED, Whitening

_DOUBLES = types.CPointer(types.double)
_SIGNATURE = types.int64(types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, types.voidptr)
CENTER = np.array([1.0, -2.0, 0.5])
PRECISION = np.array([[4.0, 1.9, 0.0], [1.9, 1.0, 0.0], [0.0, 0.0, 25.0]])


class Model:
    """What is used of a nutpie model."""

    n_dim = 3
    user_data = np.zeros(1)

    def __init__(self, density: object) -> None:
        self.compiled_logp_func = density


@cfunc(_SIGNATURE)
def _normal(size, x, gradient, value, data):
    place, slope = carray(x, (3,)), carray(gradient, (3,))
    out = carray(value, (1,))
    total = 0.0
    for i in range(3):
        slope[i] = 0.0
        for j in range(3):
            slope[i] -= PRECISION[i, j] * (place[j] - CENTER[j])
        total += 0.5 * slope[i] * (place[i] - CENTER[i])
    out[0] = total
    return 0


@cfunc(_SIGNATURE)
def _nowhere(size, x, gradient, value, data):
    return 1


def test_a_normal_density_is_whitened_exactly() -> None:
    found = laplace_whitening(Model(_normal))
    assert found.center == pytest.approx(CENTER, abs=1e-4)
    map_ = found.sampled(np.eye(3)) - found.center
    assert map_.T @ map_ == pytest.approx(np.linalg.inv(PRECISION), rel=1e-4, abs=1e-6)
    assert found.block.tolist() == [0, 1]


@cfunc(_SIGNATURE)
def _bent(size, x, gradient, value, data):
    """Two normal coordinates, and one whose precision is the exponential of the first."""
    place, slope = carray(x, (3,)), carray(gradient, (3,))
    precision = np.exp(2.0 * place[0])
    slope[0] = -place[0] + 1.0 - precision * place[2] ** 2
    slope[1], slope[2] = -place[1], -precision * place[2]
    squares = place[0] ** 2 + place[1] ** 2 + precision * place[2] ** 2
    carray(value, (1,))[0] = place[0] - 0.5 * squares
    return 0


def test_a_normal_density_does_not_depart_from_its_approximation_and_a_bent_one_does() -> None:
    straight, bent = Model(_normal), Model(_bent)
    assert departure(straight, laplace_whitening(straight)) < 1e-4
    assert departure(bent, laplace_whitening(bent)) > 0.3
    away = Whitening.of_covariance(CENTER, np.eye(3), CORRELATED)
    assert departure(straight, away) > 1.0
    assert departure(Model(_nowhere), away) == np.inf


def test_where_no_mode_is_found_the_map_does_nothing_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = laplace_whitening(Model(_nowhere))
    assert found.sampled(np.ones(3)).tolist() == [1.0, 1.0, 1.0]
    assert "no mode was found" in caplog.records[0].message
    assert caplog.records[0].levelno == logging.WARNING


@given(seed=st.integers(0, 10_000), size=st.integers(1, 8))
@settings(deadline=None)
def test_any_covariance_is_kept_but_for_weak_correlations(seed: int, size: int) -> None:
    root = np.random.default_rng(seed).normal(size=(size, size + 2))
    covariance = root @ root.T
    found = Whitening.of_covariance(np.zeros(size), covariance, CORRELATED)
    map_ = found.sampled(np.eye(size)).T
    scale = np.sqrt(np.diag(covariance))
    difference = np.abs(map_ @ map_.T - covariance) / np.outer(scale, scale)
    assert difference.max() <= CORRELATED + 1e-9
