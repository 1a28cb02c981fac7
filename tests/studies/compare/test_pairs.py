from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from estimator.store.sets import Sets
from estimator.studies.compare.table import compare_sets
from tests.studies.compare.made import CHANCE, GAP, LOSSES, Made, alone

few = st.integers(1, 12)
steps = st.integers(-3, 3).map(float)  # few distinct values, so that ties are common


@st.composite
def weighted(draw):
    size = draw(few)
    values = draw(arrays(float, size, elements=steps))
    weights = draw(arrays(float, size, elements=st.sampled_from([0.0, 0.5, 1.0, 3.0])))
    return values, weights if weights.sum() > 0 else np.ones(size)


@pytest.mark.slow
@given(weighted(), weighted())
@settings(deadline=None, max_examples=200)
def test_p_above_is_exact_over_all_pairs_of_draws_with_ties_counted_half(one, other):
    sets = Sets(
        [
            Made({LOSSES: values}, {label: weights}, pool=pool)
            for pool, (label, (values, weights)) in enumerate((("a", one), ("b", other)))
        ]
    )
    table = compare_sets(sets, [LOSSES], "b").set_index("assumption_set")
    pairs = np.sign(one[0][:, None] - other[0][None, :]) / 2 + 0.5
    share = one[1][:, None] * other[1][None, :]
    assert table.loc["a", "p_above"] == pytest.approx((pairs * share).sum() / share.sum())
    assert table.loc["b", "p_above"] == pytest.approx(0.5)


def test_p_above_of_sets_that_share_draws_counts_all_pairs_of_them():
    values = np.array([1.0, 2.0, 3.0])
    weights = {"low": np.array([1.0, 1.0, 0.0]), "high": np.array([0.0, 1.0, 1.0])}
    table = compare_sets(Sets([Made({LOSSES: values}, weights)]), [LOSSES], "low")
    above = table.set_index("assumption_set")["p_above"]
    assert above["high"] == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    assert above["low"] == pytest.approx(0.5)


def test_p_above_is_unknown_where_no_draws_are_kept():
    sets = Sets([alone("a", 1), alone("b", 2, kept=False)])
    for reference, unknown in (("a", "b"), ("b", "a")):
        table = compare_sets(sets, [LOSSES], reference).set_index("assumption_set")
        assert np.isnan(table.loc[unknown, "p_above"])
        assert np.isfinite(table.loc[unknown, "difference"])
        assert table.loc[unknown, "difference_mcse"] > 0


def test_a_probability_has_no_p_above():
    sets = Sets([alone("a", 1), alone("b", 2)])
    assert compare_sets(sets, [CHANCE])["p_above"].isna().all()


def tilted(x: np.ndarray, by: float) -> np.ndarray:
    return np.exp(by * x)


def spread_and_error(make, answer, repeats: int = 300) -> tuple[float, float, float]:
    """Standard deviation of the difference over repeats, its mean stated error, and that without
    correlation."""
    found = []
    for seed in range(repeats):
        table = compare_sets(Sets(make(np.random.default_rng(seed))), [answer], "a")
        own = table.set_index("assumption_set")
        found.append(
            (
                own.loc["b", "difference"],
                own.loc["b", "difference_mcse"],
                np.hypot(own.loc["a", "mcse_q50"], own.loc["b", "mcse_q50"]),
            )
        )
    difference, error, plain = np.array(found).T
    return float(difference.std()), float(error.mean()), float(plain.mean())


def shared(rng):
    x = rng.standard_normal(800)
    draws = {LOSSES: 1000.0 * x, GAP: 1000.0 * x - 300.0}
    return [Made(draws, {"a": tilted(x, 0.2), "b": tilted(x, 0.5)})]


def independent(rng):
    return [
        Made({LOSSES: v, GAP: v}, {label: np.ones(800)}, pool=pool)
        for pool, label in enumerate("ab")
        for v in [1000.0 * rng.standard_normal(800)]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("answer", [LOSSES, CHANCE], ids=str)
def test_errors_of_sets_with_their_own_draws_add_in_quadrature(answer):
    spread, error, plain = spread_and_error(independent, answer)
    assert error == pytest.approx(plain)
    assert error == pytest.approx(spread, rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("answer", [LOSSES, CHANCE], ids=str)
def test_errors_of_sets_that_share_draws_are_correlated_and_the_difference_is_surer(answer):
    spread, error, plain = spread_and_error(shared, answer)
    assert error == pytest.approx(spread, rel=0.15)
    assert error < 0.75 * plain


def partly_shared(rng):
    """Set b is reweighted from a pool of which half are the reference's own draws."""
    x = rng.standard_normal(1600)
    reference = Made({LOSSES: 1000.0 * x[:800]}, {"a": np.ones(800)})
    other = Made({LOSSES: 1000.0 * x}, {"b": tilted(x, 0.2)})
    return [reference, other]


@pytest.mark.slow
def test_draws_that_are_shared_between_pools_are_found():
    spread, error, plain = spread_and_error(partly_shared, LOSSES)
    assert error == pytest.approx(spread, rel=0.15)
    assert error < 0.85 * plain
