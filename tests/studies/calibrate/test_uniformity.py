from __future__ import annotations

import numpy as np
import pytest

from estimator.studies.calibrate.uniformity import band, holm, shares, uniformity

BAND, SIMULATIONS = 0.95, 1000


def conjugate_shares(n: int, shrink: float, seed: int) -> np.ndarray:
    """Ranks as shares of a normal model whose posterior is known; `shrink` scales its sd."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(n)
    data = truth + rng.standard_normal(n)
    draws = data[:, None] / 2 + shrink * np.sqrt(0.5) * rng.standard_normal((n, 199))
    return shares((draws < truth[:, None]).sum(axis=1), 199, rng)


def test_ranks_of_an_exact_posterior_are_uniform() -> None:
    found = [uniformity(conjugate_shares(300, 1.0, s), BAND, SIMULATIONS) for s in range(60)]
    assert np.mean([one.inside for one in found]) >= 0.85  # 0.95 with a standard error of 0.03
    assert np.mean([one.p < 0.05 for one in found]) <= 0.15
    assert holm(np.array([one.p for one in found])).min() > 0.01


def test_a_posterior_that_is_a_fifth_too_narrow_is_found() -> None:
    found = uniformity(conjugate_shares(500, 0.8, 1), BAND, SIMULATIONS)
    assert not found.inside
    assert found.ratio > 1
    assert found.p < 0.001
    assert found.spread > 1.05


def test_a_posterior_that_is_too_wide_is_found() -> None:
    found = uniformity(conjugate_shares(500, 1.4, 2), BAND, SIMULATIONS)
    assert not found.inside
    assert found.spread < 0.95


def test_truths_that_lie_low_are_told_by_the_mean() -> None:
    rng = np.random.default_rng(1)
    found = uniformity(rng.uniform(size=300) ** 1.5, BAND, SIMULATIONS)
    assert found.mean < 0.45
    assert not found.inside


def test_few_ranks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"10 ranks or more\. Got 9"):
        uniformity(np.linspace(0.1, 0.9, 9), BAND, SIMULATIONS)


def test_shares_of_the_extreme_ranks_lie_inside_0_to_1() -> None:
    found = shares(np.array([0, 199]), 199, np.random.default_rng(1))
    assert 0 <= found[0] < 1 / 200
    assert 199 / 200 <= found[1] < 1


def test_holms_adjustment_is_the_one_of_the_textbook() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])).max() == 1.0


def test_the_band_holds_uniform_numbers_as_often_as_it_says() -> None:
    at, lower, upper = band(100, 0.95, 2000)
    rng = np.random.default_rng(9)
    inside = []
    for _ in range(400):
        ecdf = np.searchsorted(np.sort(rng.uniform(size=100)), at, side="right") / 100
        inside.append(bool(((ecdf >= lower) & (ecdf <= upper)).all()))
    assert 0.90 <= np.mean(inside) <= 0.99
