from __future__ import annotations

from collections.abc import Callable

import arviz as az
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import rankdata

from estimator.fitting.convergence import Convergence, convergence

quick = settings(max_examples=30, deadline=None)
Make = Callable[[np.random.Generator, tuple[int, int, int]], np.ndarray]


def autocorrelated(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """One entry of each coefficient: from draws that alternate to draws that hardly move."""
    coefficient = np.linspace(-0.9, 0.99, shape[0])[:, None]
    noise = rng.standard_normal(shape)
    for t in range(1, shape[2]):
        noise[:, :, t] += coefficient * noise[:, :, t - 1]
    return noise


def apart(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    return autocorrelated(rng, shape) + 3.0 * rng.standard_normal((*shape[:2], 1))


KINDS: dict[str, Make] = {
    "autocorrelated": autocorrelated,
    "chains apart": apart,
    "tied": lambda rng, shape: rng.poisson(1.0, shape).astype(float),
    "two values": lambda rng, shape: (rng.random(shape) < 0.5).astype(float),
    "mostly one value": lambda rng, shape: np.maximum(autocorrelated(rng, shape) - 2.0, 0.0),
    "symmetric": lambda rng, shape: np.round(rng.standard_normal(shape), 1),
    "heavy tails": lambda rng, shape: rng.standard_cauchy(shape) ** 3,
    "far from zero": lambda rng, shape: 1e9 + rng.standard_normal(shape),
    "float32": lambda rng, shape: np.round(64 * autocorrelated(rng, shape)).astype(np.float32) / 64,
    "float32, not rounded": lambda rng, shape: autocorrelated(rng, shape).astype(np.float32),
    "float32, tied": lambda rng, shape: rng.poisson(1.0, shape).astype(np.float32),
}


def split_rhat(entry: np.ndarray) -> float:
    """R-hat of one entry (chain, draw). ArviZ itself gives none for one chain."""
    halves = entry.reshape(2 * len(entry), -1)
    folded = np.abs(halves - np.median(halves))
    ranks = (rankdata(part).reshape(halves.shape) for part in (halves, folded))
    scores = (ndtri((rank - 3 / 8) / (halves.size + 1 / 4)) for rank in ranks)
    return max(float(az.rhat(score, method="identity")) for score in scores)


def by_arviz(draws: np.ndarray) -> Convergence:
    one_by_one = [
        (
            az.rhat(entry) if len(entry) > 1 else split_rhat(entry),
            az.ess(entry, method="bulk"),
            az.ess(entry, method="tail", prob=(0.05, 0.95)),
        )
        for entry in draws.astype(float)
    ]
    return Convergence(*np.array(one_by_one, dtype=float).T)


def assert_equal(found: Convergence, expected: Convergence) -> None:
    for name in ("rhat", "ess_bulk", "ess_tail"):
        values = getattr(found, name)
        assert values.size
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("shape", [(6, 4, 200), (4, 1, 300), (4, 2, 62)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_arviz_s(kind: str, shape: tuple[int, int, int]) -> None:
    draws = KINDS[kind](np.random.default_rng(1), shape)
    assert_equal(convergence(draws), by_arviz(draws))


@quick
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(sorted(KINDS)),
    n_chains=st.integers(1, 4),
    half=st.integers(10, 60),
)
def test_numbers_are_arviz_s_for_any_draws(seed: int, kind: str, n_chains: int, half: int) -> None:
    draws = KINDS[kind](np.random.default_rng(seed), (2, n_chains, 2 * half))
    draws[:, 0, :2] = [-7.0, 7.0]  # no entry is constant
    assert_equal(convergence(draws), by_arviz(draws))


def test_of_an_odd_number_of_draws_the_first_is_left_out() -> None:
    draws = autocorrelated(np.random.default_rng(2), (3, 2, 101))
    assert_equal(convergence(draws), by_arviz(draws[:, :, 1:]))


@pytest.mark.parametrize("n_draws", [100, 101])
@pytest.mark.parametrize("kind", KINDS)
def test_a_known_order_changes_nothing(kind: str, n_draws: int) -> None:
    draws = KINDS[kind](np.random.default_rng(3), (3, 2, n_draws))
    order = np.argsort(draws.reshape(3, -1), axis=1, kind="stable")
    for dtype in (np.int64, np.uint16):
        assert_equal(convergence(draws, order.astype(dtype)), convergence(draws))


def test_the_reference_for_one_chain_is_arviz_s_where_arviz_has_one() -> None:
    [entry] = autocorrelated(np.random.default_rng(5), (1, 2, 100))
    assert split_rhat(entry) == pytest.approx(az.rhat(entry), rel=1e-12)


def test_the_draws_are_left_as_they_are() -> None:
    draws = autocorrelated(np.random.default_rng(4), (2, 2, 50))
    before = draws.copy()
    convergence(draws)
    assert np.array_equal(draws, before)
