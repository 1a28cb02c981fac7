from __future__ import annotations

import ctypes
import gc
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytest

from estimator.fitting.whitening import Whitening, whitened_model

MEAN = np.array([3.0, -2.0, 100.0, 0.0, 0.5])
SCALE = np.array([1.0, 0.1, 20.0, 2.0, 1.0])
CORRELATION = np.eye(5)
CORRELATION[0, 1] = CORRELATION[1, 0] = 0.95
CORRELATION[0, 2] = CORRELATION[2, 0] = -0.6
CORRELATION[1, 2] = CORRELATION[2, 1] = -0.5
COVARIANCE = CORRELATION * np.outer(SCALE, SCALE)
LOG_MEAN, LOG_SCALE = 0.3, 0.4  # of the positive variable, which is sampled on the log scale
N = 6


@pytest.fixture(scope="module")
def model() -> Any:
    with pm.Model() as tiny:
        distance = pm.Flat("x", shape=5) - MEAN
        # Elementwise: compiles in half of MvNormal's time.
        square = distance[:, None] * np.linalg.inv(COVARIANCE) * distance[None, :]
        pm.Potential("normal", -0.5 * square.sum())
        pm.LogNormal("y", LOG_MEAN, LOG_SCALE)
    return nutpie.compile_pymc_model(tiny)


@pytest.fixture(scope="module")
def draws() -> np.ndarray:
    """What a pilot would have drawn, in the sampler's coordinates."""
    rng = np.random.default_rng(0)
    x = rng.multivariate_normal(MEAN, COVARIANCE, 3000)
    return np.column_stack([x, rng.normal(LOG_MEAN, LOG_SCALE, 3000)])


@pytest.fixture(scope="module")
def whitening(draws: np.ndarray) -> Whitening:
    return Whitening.of_draws(draws)


def called(model: Any, x: np.ndarray) -> tuple[int, float, np.ndarray]:
    """Status, log density and gradient of a nutpie model, called as nutpie calls it."""
    doubles = ctypes.POINTER(ctypes.c_double)
    kind = ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_uint64, doubles, doubles, doubles, ctypes.c_void_p
    )
    x = np.ascontiguousarray(x, dtype=float)
    gradient, value = np.full(len(x), np.nan), np.full(1, np.nan)
    status = kind(model.compiled_logp_func.address)(
        len(x),
        *(array.ctypes.data_as(doubles) for array in (x, gradient, value)),
        model.user_data.ctypes.data,
    )
    return status, float(value[0]), gradient


def log_density(model: Any, x: np.ndarray) -> tuple[float, np.ndarray]:
    status, value, gradient = called(model, x)
    assert status == 0
    return value, gradient


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((5, N))


def test_correlated_coordinates_alone_form_the_block(whitening: Whitening) -> None:
    assert whitening.block.tolist() == [0, 1, 2]
    np.testing.assert_allclose(whitening.center, [*MEAN, LOG_MEAN], atol=1.0)
    np.testing.assert_allclose(whitening.scale, [*SCALE, LOG_SCALE], rtol=0.1)
    spread = whitening.factor @ whitening.factor.T
    np.testing.assert_allclose(spread, CORRELATION[:3, :3], atol=0.08)


def test_independent_coordinates_have_no_block() -> None:
    whitening = Whitening.of_draws(np.random.default_rng(2).standard_normal((4000, 3)))
    assert whitening.block.size == 0
    whitened = np.random.default_rng(3).standard_normal((2, 4, 3))
    expected = whitening.center + whitening.scale * whitened
    np.testing.assert_allclose(whitening.sampled(whitened), expected)


@pytest.mark.parametrize("n_constant", [0, 1])
def test_a_coordinate_that_does_not_move_is_left_as_it_is(n_constant: int) -> None:
    moving = np.random.default_rng(4).standard_normal((500, 2))
    with np.errstate(invalid="ignore"):
        whitening = Whitening.of_draws(
            np.column_stack([moving, *([np.full(500, 7.0)] * n_constant)])
        )
    assert np.isfinite(whitening.factor).all()
    sampled = whitening.sampled(np.zeros(2 + n_constant))
    np.testing.assert_allclose(sampled[2:], 7.0)


def test_the_map_can_be_undone(whitening: Whitening, draws: np.ndarray) -> None:
    whitened = (draws - whitening.center) / whitening.scale
    whitened[:, whitening.block] = np.linalg.solve(
        whitening.factor, whitened[:, whitening.block].T
    ).T
    np.testing.assert_allclose(whitening.sampled(whitened), draws)
    correlation = np.corrcoef(whitened.T)
    assert np.abs(correlation - np.eye(N)).max() < 0.55  # shrunk by a twentieth: not quite undone
    assert np.abs(np.corrcoef(draws.T) - np.eye(N)).max() > 0.9


def test_the_map_takes_any_leading_dims_and_leaves_its_input(whitening: Whitening) -> None:
    whitened = np.random.default_rng(5).standard_normal((2, 3, N))
    before = whitened.copy()
    sampled = whitening.sampled(whitened)
    np.testing.assert_array_equal(whitened, before)
    for chain in range(2):
        for draw in range(3):
            np.testing.assert_allclose(
                sampled[chain, draw], whitening.sampled(whitened[chain, draw])
            )


def test_the_density_is_that_at_the_mapped_place(
    model: Any, whitening: Whitening, places: np.ndarray
) -> None:
    whitened = whitened_model(model, whitening)
    assert len(places) == 5
    for place in places:
        value, _ = log_density(whitened, place)
        plain, _ = log_density(model, whitening.sampled(place))
        assert value == pytest.approx(plain, rel=1e-12)


def test_the_gradient_is_the_density_s_rise(
    model: Any, whitening: Whitening, places: np.ndarray
) -> None:
    whitened = whitened_model(model, whitening)
    step = 1e-5
    for place in places:
        _, gradient = log_density(whitened, place)
        rise = [
            (log_density(whitened, place + e)[0] - log_density(whitened, place - e)[0]) / (2 * step)
            for e in step * np.eye(N)
        ]
        np.testing.assert_allclose(gradient, rise, rtol=1e-6, atol=1e-6)
        assert np.abs(gradient).min() > 0


def test_where_the_density_fails_the_whitened_one_fails_alike(
    model: Any, whitening: Whitening
) -> None:
    far = np.full(N, 1e300)
    status, *_ = called(whitened_model(model, whitening), far)
    assert status != 0
    assert status == called(model, whitening.sampled(far))[0]


@pytest.mark.sampling
def test_sampling_in_whitened_coordinates_gives_the_same_posterior(
    model: Any, whitening: Whitening
) -> None:
    trace = nutpie.sample(
        whitened_model(model, whitening),
        draws=4000,
        tune=200,
        chains=2,
        cores=2,
        seed=7,
        save_warmup=False,
        progress_bar=False,
        store_unconstrained=True,
    )
    whitened = trace["sample_stats"]["unconstrained_draw"].values
    assert whitened.shape == (2, 4000, N)
    found = whitening.sampled(whitened).reshape(-1, N)
    scale = np.array([*SCALE, LOG_SCALE])
    np.testing.assert_allclose((found.mean(axis=0) - [*MEAN, LOG_MEAN]) / scale, 0.0, atol=0.06)
    expected = np.eye(N)
    expected[:5, :5] = CORRELATION
    np.testing.assert_allclose(np.cov((found / scale).T), expected, atol=0.08)
    assert np.abs(whitened.reshape(-1, N).std(axis=0) - 1.0).max() < 0.3


def test_chains_start_where_their_seed_says(model: Any, whitening: Whitening) -> None:
    start = whitened_model(model, whitening).initial_point_func
    places = [start(seed) for seed in range(400)]
    np.testing.assert_array_equal(start(3), places[3])
    assert np.std(places) == pytest.approx(0.7, rel=0.1)


def test_what_the_density_points_to_lives_as_long_as_the_model(model: Any) -> None:
    rng = np.random.default_rng(6)
    correlated = rng.standard_normal((200, N)) @ rng.standard_normal((N, N))
    place = rng.standard_normal(N)
    whitened = whitened_model(model, Whitening.of_draws(correlated))
    expected = log_density(whitened, place)[0]
    gc.collect()
    taken = [rng.standard_normal(shape) for _ in range(50) for shape in (N, (N, N))]
    assert len(taken) == 100  # they would lie where arrays that were let go had been
    assert log_density(whitened, place)[0] == expected
