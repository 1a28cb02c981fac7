"""Against a posterior of which the probability is known at each value of the key."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from estimator.studies.breakeven.crossing import find_places
from estimator.studies.breakeven.curve import Curve, Reweighting, WideFit, probit, standard_error
from tests.studies.breakeven import toy

BOUNDS = {"max_k_hat": 0.7, "min_ess": 200.0}
GRID = np.linspace(-1.0, 2.5, 15)
WIDTH = np.array([0.1])


def reweighted(fit: WideFit, grid: np.ndarray = GRID, width: np.ndarray = WIDTH) -> Curve:
    return Reweighting([fit], [toy.KEY]).curve(grid[:, None], width, **BOUNDS)


def test_the_probability_at_each_value_is_that_of_a_fit_with_the_key_held_there() -> None:
    found = reweighted(toy.wide_fit(n=40_000))
    assert found.used.all()
    z = (found.probability - toy.truth(GRID)) / found.error
    assert np.abs(z).max() < 3.5
    assert np.sqrt((z**2).mean()) < 1.5


def test_the_errors_are_as_large_as_the_differences_over_many_fits() -> None:
    z = []
    for seed in range(30):
        found = reweighted(toy.wide_fit(seed=seed, n=4000), GRID[4:10:2])
        z.append((found.probability - toy.truth(GRID[4:10:2])) / found.error)
    assert 0.75 < np.sqrt(np.mean(np.square(z))) < 1.25


def test_a_kernel_that_is_moved_to_its_value_does_not_follow_the_posteriors_slope() -> None:
    """At 2.5 the posterior falls steeply, so that a kernel that stayed would lean to the left."""
    fit, width = toy.wide_fit(n=200_000), np.array([0.3])
    pool = Reweighting([fit], [toy.KEY])
    probability, error, ess, _ = pool.at(np.array([2.0]), width)
    assert ess > 200
    assert probability == pytest.approx(float(toy.truth(2.0)), abs=4 * error)


def test_a_guess_takes_away_most_of_what_a_wide_kernel_rounds_off() -> None:
    pool, width = Reweighting([toy.wide_fit(n=400_000)], [toy.KEY]), np.array([0.35])
    x = np.array([-1.2, 0.5, 0.8, 1.0])
    found = np.array([pool.at(np.array([value]), width)[0] for value in x])
    rounded_off = stats.norm.cdf(probit(toy.truth(x)) / np.hypot(1.0, toy.SLOPE * 0.35))
    assert np.abs(rounded_off - toy.truth(x)).min() > 0.01
    assert (np.abs(found - toy.truth(x)) < 0.4 * np.abs(rounded_off - toy.truth(x))).all()


def test_the_crossing_of_the_curve_is_where_it_is_known_to_be() -> None:
    found = reweighted(toy.wide_fit(n=40_000), np.linspace(-1.5, 1.5, 31))
    (place,) = find_places(found.x[:, 0], found.probability, found.error, found.used, 0.5, 0.95)
    truth = -toy.START / toy.SLOPE
    assert place.low < truth < place.high
    assert place.high - place.low < 0.15


def test_values_that_the_draws_do_not_reach_are_not_used() -> None:
    found = reweighted(toy.wide_fit(scale=0.3, n=4000), np.array([0.0, 0.3, 4.0, 8.0]))
    assert found.used.tolist() == [True, True, False, False]


def test_a_second_fit_reaches_what_the_first_does_not() -> None:
    narrow, bridge = toy.wide_fit(scale=0.3), toy.wide_fit(location=2.5, scale=1.0, seed=1)
    grid = np.linspace(-0.5, 3.0, 8)
    alone = Reweighting([narrow], [toy.KEY]).curve(grid[:, None], WIDTH, **BOUNDS)
    both = Reweighting([narrow, bridge], [toy.KEY]).curve(grid[:, None], WIDTH, **BOUNDS)
    assert not alone.used.all()
    assert both.used.all()
    assert (np.abs(both.probability - toy.truth(grid)) < 4 * both.error).all()


def test_two_keys_are_held_together() -> None:
    pool = Reweighting([toy.wide_fit(n=80_000, two=True)], [toy.KEY, toy.OTHER])
    points = np.array([[0.0, 0.0], [0.5, 1.0], [1.0, -0.5]])
    found = pool.curve(points, np.array([0.15, 0.15]), **BOUNDS)
    assert found.used.all()
    truth = toy.truth(points[:, 0], points[:, 1])
    assert (np.abs(found.probability - truth) < 4 * found.error).all()


def test_the_sets_own_prior_gives_the_probability_of_the_set_itself() -> None:
    fit = toy.wide_fit(n=60_000)
    scale = fit.hyper.scale.copy()
    scale[toy.KEY] = 0.5
    probability, error, _, k_hat = Reweighting([fit], [toy.KEY]).to(replace(fit.hyper, scale=scale))
    precision = 0.5**-2 + toy.NOISE**-2
    posterior = stats.norm(toy.DATUM / toy.NOISE**2 / precision, precision**-0.5)
    truth, _ = integrate.quad(lambda x: posterior.pdf(x) * toy.truth(x), -8, 8)
    assert k_hat < 0.7
    assert probability == pytest.approx(truth, abs=4 * error)


def test_draws_that_hang_together_are_worth_less() -> None:
    fit = toy.wide_fit()
    free, bound = (
        Reweighting([replace(fit, relative_ess=share)], [toy.KEY]).at(np.zeros(1), WIDTH)
        for share in (1.0, 0.25)
    )
    assert bound[2] == pytest.approx(free[2] / 4.0)
    assert bound[1] == pytest.approx(free[1] * 2.0, rel=0.01)


@given(share=st.floats(0.0, 1.0), ess=st.floats(1.0, 1e6))
def test_no_probability_is_certain(share: float, ess: float) -> None:
    error = standard_error(share, ess)
    assert error >= 0.3 / (ess + 1.0)
    assert error <= 0.51 / np.sqrt(ess)
