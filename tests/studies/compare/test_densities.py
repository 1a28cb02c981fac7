from __future__ import annotations

import numpy as np

from estimator.store.sets import Sets
from estimator.studies.compare.densities import even_draws, spread
from tests.studies.compare.made import GAP, LOSSES, Made, alone


def test_even_draws_have_the_quantiles_of_the_weighted_draws():
    x = np.random.default_rng(0).standard_normal(4000)
    sets = Sets([Made({LOSSES: x}, {"low": np.exp(-x), "plain": np.ones(4000)})])
    draws = even_draws(sets, [LOSSES], 500)
    assert draws.shape == (1, 2, 500)
    assert (np.diff(draws, axis=2) >= 0).all()
    low, plain = draws[0].mean(axis=1)
    assert abs(plain - x.mean()) < 0.02
    assert abs(low - np.average(x, weights=np.exp(-x))) < 0.05


def test_sets_without_draws_have_none_to_show():
    sets = Sets([alone("a", 1), alone("bare", 2, kept=False)])
    draws = even_draws(sets, [LOSSES, GAP], 50)
    assert np.isfinite(draws[:, 0]).all()
    assert np.isnan(draws[:, 1]).all()


def test_few_sets_are_all_shown_in_their_order():
    assert spread(np.array([3.0, np.nan, 1.0]), 3) == [0, 1, 2]


def test_of_many_the_lowest_the_highest_and_the_reference_are_among_those_shown():
    values = np.random.default_rng(0).permutation(1000).astype(float)
    values[5] = np.nan
    chosen = spread(values, 20, [7])
    assert len(chosen) <= 20
    assert chosen == sorted(set(chosen))
    assert {int(np.nanargmin(values)), int(np.nanargmax(values)), 7} <= set(chosen)
    assert 5 not in chosen
    steps = np.diff(np.sort(np.delete(values[chosen], chosen.index(7))))
    assert steps.max() < 2 * 1000 / 18
