from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, special, stats

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import on_link_scale
from estimator.fitting.entries import EntryLayout, Variable
from estimator.fitting.reweighting import Hyperparameters, Mixture, NaturalDraws, pooled_entries
from estimator.fitting.smoothing import Weights, smoothed
from estimator.model.figures import FIGURES

SHARE = list(ASSUMPTIONS).index("killed_share.level")
LEVEL = list(ASSUMPTIONS).index("losses.level")
BIAS = len(ASSUMPTIONS)  # of the only source; its drift comes last
N_PARAMETERS = len(ASSUMPTIONS) + 2
N_DRAWS = 40_000

NOISE = 0.8  # of one datum y = parameter + noise
DATUM = 1.0


def hyper(
    position: int = LEVEL,
    location: float = 0.0,
    scale: float = 1.0,
    others: Mapping[int, Prior] | None = None,
    claims: np.ndarray | None = None,
    observed: np.ndarray | None = None,
) -> Hyperparameters:
    """A set with one prior of interest; all other parameters are fixed at 0."""
    locations, scales = np.zeros(N_PARAMETERS), np.zeros(N_PARAMETERS)
    locations[position], scales[position] = location, scale
    none = np.zeros((len(FIGURES), 0))
    return Hyperparameters(
        locations,
        scales,
        others or {},
        none if claims is None else claims,
        np.zeros(0) if observed is None else observed,
    )


def natural(
    values: np.ndarray, position: int = LEVEL, claim_location: np.ndarray | None = None
) -> NaturalDraws:
    linear = np.zeros((N_PARAMETERS, len(values)))
    linear[position] = values
    empty = np.zeros((len(values), 0))
    return NaturalDraws(linear, empty if claim_location is None else claim_location)


def only(position: int) -> np.ndarray:
    return np.arange(N_PARAMETERS) == position


def posterior(location: float, scale: float) -> tuple[float, float]:
    """Mean and deviation of a normal parameter with one normal datum."""
    precision = scale**-2 + NOISE**-2
    return (location * scale**-2 + DATUM * NOISE**-2) / precision, precision**-0.5


def log_evidence(location: float, scale: float) -> float:
    return float(stats.norm.logpdf(DATUM, location, np.hypot(scale, NOISE)))


def drawn(prior: tuple[float, float], seed: int = 0, n: int = N_DRAWS) -> np.ndarray:
    """Independent draws of the posterior under a prior."""
    mean, sd = posterior(*prior)
    return np.random.default_rng(seed).normal(mean, sd, n)


def moments(values: np.ndarray, weights: Weights) -> tuple[float, float]:
    share = np.exp(weights.log_weights)
    mean = float(share @ values)
    return mean, float(np.sqrt(share @ (values - mean) ** 2))


def mixture(*priors: tuple[float, float], n: int = N_DRAWS) -> Mixture:
    """Of fits under these priors."""
    draws = [natural(drawn(prior, seed, n)) for seed, prior in enumerate(priors)]
    fitted = [hyper(location=location, scale=scale) for location, scale in priors]
    return Mixture(draws, fitted, only(LEVEL), claims_vary=False)


def to(location: float, scale: float, found: Mixture) -> Weights:
    return smoothed(found.log_ratio(hyper(location=location, scale=scale)))


# From one fit to another prior


@pytest.mark.parametrize("target", [(0.7, 1.0), (-0.7, 1.0), (0.0, 0.5), (0.3, 1.2)], ids=str)
def test_draws_under_one_prior_become_those_under_another(target: tuple[float, float]) -> None:
    found = mixture((0.0, 1.0))
    weights = to(*target, found)
    assert moments(found.linear[0], weights) == pytest.approx(posterior(*target), abs=0.015)
    assert np.exp(weights.log_weights).sum() == pytest.approx(1.0)
    assert 1.0 < weights.kish < N_DRAWS
    # Weights of the wrong sign lead the other way.
    wrong = smoothed(-found.log_ratio(hyper(location=target[0], scale=target[1])))
    assert moments(found.linear[0], wrong) != pytest.approx(posterior(*target), abs=0.05)


def test_weights_to_the_prior_that_was_fitted_are_equal() -> None:
    weights = to(0.0, 1.0, mixture((0.0, 1.0), n=500))
    np.testing.assert_allclose(weights.log_weights, -np.log(500))
    assert (weights.k_hat, weights.kish) == (0.0, pytest.approx(500))


def test_what_does_not_vary_and_what_is_fixed_is_left_out() -> None:
    draws = natural(drawn((0.0, 1.0)))
    other = hyper(location=0.7)
    free, fixed = other.location.copy(), other.scale.copy()
    free[BIAS], fixed[SHARE] = 9.0, 0.0
    changed = Hyperparameters(free, fixed, {}, other.figures, other.observed)
    found = Mixture([draws], [hyper()], only(LEVEL) | only(SHARE), claims_vary=False)
    np.testing.assert_array_equal(found.log_ratio(changed), found.log_ratio(other))
    assert np.ptp(found.log_ratio(other)) > 1.0


# k-hat


def test_equal_ratios_give_equal_weights_and_no_k_hat() -> None:
    for log_ratio in (np.zeros(300), np.full(300, -1e4), np.full(300, 3.0) + 1e-12):
        weights = smoothed(log_ratio)
        np.testing.assert_allclose(weights.log_weights, -np.log(300))
        assert (weights.k_hat, weights.kish) == (0.0, pytest.approx(300))


def test_k_hat_grows_with_the_shift_and_the_effective_size_falls() -> None:
    found = mixture((0.0, 1.0), n=4000)
    weights = [to(shift, 1.0, found) for shift in (0.5, 2.0, 4.0, 8.0, 16.0)]
    k_hats = [weight.k_hat for weight in weights]
    assert k_hats == sorted(k_hats)
    assert k_hats[0] < 0.5
    assert k_hats[-1] > 0.7
    sizes = [weight.kish for weight in weights]
    assert sizes == sorted(sizes, reverse=True)


def test_ratios_of_a_heavy_tail_have_the_k_hat_of_that_tail() -> None:
    ratios = stats.genpareto(0.6).rvs(N_DRAWS, random_state=1)
    assert smoothed(np.log(ratios)).k_hat == pytest.approx(0.6, abs=0.1)


def test_draws_that_a_set_cannot_have_get_no_weight() -> None:
    log_ratio = np.random.default_rng(2).normal(0.0, 0.3, 1000)
    alone = smoothed(log_ratio[100:])
    log_ratio[:100] = -np.inf
    weights = smoothed(log_ratio)
    assert (weights.log_weights[:100] == -np.inf).all()
    np.testing.assert_array_equal(weights.log_weights[100:], alone.log_weights)
    assert (weights.k_hat, weights.kish) == (alone.k_hat, alone.kish)


@pytest.mark.parametrize("n_equal", [200, 1000])
def test_a_tail_of_equal_ratios_is_left_as_it_is(n_equal: int) -> None:
    below = np.random.default_rng(2).uniform(-3.0, -1.0, 1000 - n_equal)
    log_ratio = np.concatenate([below, np.zeros(n_equal)])
    weights = smoothed(log_ratio)
    assert weights.k_hat == 0.0
    np.testing.assert_allclose(weights.log_weights, log_ratio - special.logsumexp(log_ratio))


def test_a_set_that_few_draws_reach_has_no_finite_k_hat() -> None:
    log_ratio = np.full(1000, -np.inf)
    log_ratio[:20] = np.linspace(0.0, 1.0, 20)
    assert np.isinf(smoothed(log_ratio).k_hat)


def test_a_draw_of_infinite_weight_leaves_nothing_to_trust() -> None:
    log_ratio = np.random.default_rng(2).normal(0.0, 0.3, 1000)
    log_ratio[3] = np.inf
    assert np.isinf(smoothed(log_ratio).k_hat)


def test_a_set_that_no_draw_reaches_has_no_finite_k_hat() -> None:
    weights = smoothed(np.full(50, -np.inf))
    assert np.isinf(weights.k_hat)
    assert weights.kish == 1.0


# Several fits as one


def test_two_fits_together_reach_further_than_one_of_their_size() -> None:
    target = (0.0, 0.7)
    both = mixture((-1.5, 0.7), (1.5, 0.7), n=N_DRAWS // 2)
    one = mixture((-1.5, 0.7), n=N_DRAWS)
    of_both, of_one = to(*target, both), to(*target, one)
    assert of_both.k_hat < of_one.k_hat
    assert of_both.kish > 2.0 * of_one.kish
    assert moments(both.linear[0], of_both) == pytest.approx(posterior(*target), abs=0.03)


def test_each_fit_in_a_mixture_finds_itself() -> None:
    priors = [(-1.0, 1.0), (1.0, 0.6), (0.0, 1.5)]
    found = mixture(*priors, n=20_000)
    for prior in priors:
        assert moments(found.linear[0], to(*prior, found)) == pytest.approx(
            posterior(*prior), abs=0.015
        )


def test_the_ratio_of_normalising_constants_is_the_analytic_one() -> None:
    priors = [(-1.0, 1.0), (1.5, 0.6)]
    found = mixture(*priors)
    targets = [*priors, (0.5, 0.8)]
    constants = [
        special.logsumexp(found.log_ratio(hyper(location=location, scale=scale)))
        for location, scale in targets
    ]
    expected = np.array([log_evidence(*target) for target in targets])
    np.testing.assert_allclose(constants - constants[0], expected - expected[0], atol=0.02)
    assert abs(expected[1] - expected[0]) > 0.2


def test_the_number_of_draws_of_each_fit_counts() -> None:
    priors = [(-1.0, 1.0), (1.0, 1.0)]
    draws = [natural(drawn(priors[0], 0, 30_000)), natural(drawn(priors[1], 1, 3_000))]
    fitted = [hyper(location=location, scale=scale) for location, scale in priors]
    found = Mixture(draws, fitted, only(LEVEL), claims_vary=False)
    assert found.sizes.tolist() == [30_000, 3_000]
    assert moments(found.linear[0], to(0.0, 1.0, found)) == pytest.approx(
        posterior(0.0, 1.0), abs=0.02
    )


# Families that are no affine map of a normal


def own(position: int, prior: Prior) -> Hyperparameters:
    place = on_link_scale(prior, list(ASSUMPTIONS.values())[position])
    return hyper(position, place.mean, place.sd, {position: prior})


KINKS = special.logit([0.2, 0.5, 0.9])  # or only where the integrand is large


def by_quadrature(
    density: Callable[[float], float], inverse: Callable[[float], float]
) -> tuple[float, float]:
    """Moments, on the link scale, of a prior times the likelihood of the datum."""

    def moment(power: int) -> float:
        def integrand(x: float) -> float:
            return density(inverse(x)) * slope(x) * likelihood(x) * x**power

        return float(integrate.quad(integrand, -15.0, 15.0, limit=200, points=KINKS)[0])

    def slope(x: float) -> float:
        step = 1e-5
        return (inverse(x + step) - inverse(x - step)) / (2.0 * step)

    def likelihood(x: float) -> float:
        return float(stats.norm.pdf(DATUM, x, NOISE))

    total = moment(0)
    mean = moment(1) / total
    return mean, float(np.sqrt(moment(2) / total - mean**2))


FAMILIES = {
    "Beta": (SHARE, Prior(family="Beta", alpha=3.0, beta=2.0), special.expit, 1.0),
    "Gamma": (LEVEL, Prior(family="Gamma", alpha=2.0, beta=0.001), np.exp, 1000.0),
    "Uniform": (SHARE, Prior(family="Uniform", lower=0.2, upper=0.9), special.expit, 1.0),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_its_own_is_reached_from_a_normal(family: str) -> None:
    position, prior, inverse, unit = FAMILIES[family]
    draws = natural(drawn((0.3, 1.2), n=100_000), position)
    found = Mixture([draws], [hyper(position, 0.3, 1.2)], only(position), claims_vary=False)
    weights = smoothed(found.log_ratio(own(position, prior)))
    expected = by_quadrature(lambda value: float(prior.pdf(np.array(value * unit))), inverse)
    assert weights.k_hat < 0.7
    assert moments(draws.linear[position], weights) == pytest.approx(expected, abs=0.02)
    assert expected != pytest.approx(posterior(0.3, 1.2), abs=0.03)


def test_a_normal_is_reached_from_a_family_of_its_own() -> None:
    prior = Prior(family="Gamma", alpha=2.0, beta=0.001)
    values = np.log(stats.gamma(2.0, scale=1.0).rvs(200_000, random_state=3))
    keep = np.random.default_rng(4).random(len(values)) < np.exp(
        -0.5 * ((values - DATUM) / NOISE) ** 2
    )
    draws = natural(values[keep])
    found = Mixture([draws], [own(LEVEL, prior)], only(LEVEL), claims_vary=False)
    weights = to(0.5, 0.6, found)
    assert moments(values[keep], weights) == pytest.approx(posterior(0.5, 0.6), abs=0.02)


def uniform(lower: float, upper: float) -> Hyperparameters:
    return own(SHARE, Prior(family="Uniform", lower=lower, upper=upper))


def drawn_uniformly(*ranges: tuple[float, float], n: int = 4000) -> Mixture:
    """Of fits under these priors, where no claim tells anything."""
    rng = np.random.default_rng(0)
    draws = [natural(special.logit(rng.uniform(*ends, n)), SHARE) for ends in ranges]
    return Mixture(draws, [uniform(*ends) for ends in ranges], only(SHARE), claims_vary=False)


def test_a_range_inside_that_of_a_fit_has_even_weights_there() -> None:
    found = drawn_uniformly((0.1, 0.6))
    weights = found.weights(uniform(0.2, 0.4))
    value = special.expit(found.linear[0])
    inside = (value > 0.2) & (value < 0.4)
    assert inside.sum() > 1000
    np.testing.assert_allclose(weights.log_weights[inside], -np.log(inside.sum()))
    assert (weights.log_weights[~inside] == -np.inf).all()
    assert (weights.k_hat, weights.kish) == (0.0, pytest.approx(inside.sum()))


OUT_OF_REACH = {
    "a higher end": uniform(0.1, 0.65),
    "a lower end": uniform(0.05, 0.6),
    "no ends": hyper(SHARE, -0.5, 0.4),
    "no lower end": own(SHARE, Prior(family="TruncatedNormal", mu=0.3, sigma=0.1, upper=0.6)),
    "a Beta": own(SHARE, Prior(family="Beta", alpha=30.0, beta=70.0)),
    "a fixed value": hyper(SHARE, -0.5, 0.0),
}


@pytest.mark.parametrize("target", OUT_OF_REACH)
def test_a_set_that_allows_what_no_fit_allows_is_not_reached(target: str) -> None:
    found = drawn_uniformly((0.1, 0.6))
    # The weights themselves would not show it.
    assert smoothed(found.log_ratio(OUT_OF_REACH[target])).k_hat < 0.7 or target == "a fixed value"
    weights = found.weights(OUT_OF_REACH[target])
    assert np.isinf(weights.k_hat)
    assert weights.kish == 1.0


def test_one_fit_has_to_allow_all_that_a_set_allows() -> None:
    target = uniform(0.2, 0.8)
    assert np.isinf(drawn_uniformly((0.1, 0.5), (0.4, 0.9)).weights(target).k_hat)
    assert drawn_uniformly((0.1, 0.5), (0.4, 0.9), (0.1, 0.9)).weights(target).k_hat < 0.7


def test_a_draw_that_rounding_put_beyond_its_own_range_has_no_weight() -> None:
    values = special.logit(np.random.default_rng(0).uniform(0.1, 0.6, 2000))
    values[7] = special.logit(np.float32(0.6))
    assert special.expit(values[7]) > 0.6
    prior = uniform(0.1, 0.6)
    found = Mixture([natural(values, SHARE)] * 2, [prior] * 2, only(SHARE), claims_vary=False)
    weights = found.weights(prior).log_weights.reshape(2, -1)
    assert (weights[:, 7] == -np.inf).all()
    np.testing.assert_allclose(np.delete(weights, 7, axis=1), -np.log(2 * 1999))


# Claims that count in one set and not in another


def two_claims(*, used: tuple[float, float], noise: float = 1.5) -> np.ndarray:
    """Two points with normal noise."""
    rows = {"lower": -9.0, "upper": 9.0, "noise": noise, "is_point": 1.0, "used": used}
    return np.array([np.broadcast_to(rows[name], 2) for name in FIGURES])


OBSERVED = np.array([1.0, -0.6])


def with_claims(*reported: float, noise: float = 1.5) -> tuple[float, float]:
    """Mean and deviation with a prior N(0, 1) and these figures."""
    precision = 1.0 + len(reported) * noise**-2
    return sum(reported) * noise**-2 / precision, precision**-0.5


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (two_claims(used=(1, 0)), with_claims(1.0)),
        (two_claims(used=(0, 1)), with_claims(-0.6)),
        (two_claims(used=(0, 0)), with_claims()),
        (two_claims(used=(1, 1), noise=1.2), with_claims(1.0, -0.6, noise=1.2)),
    ],
    ids=["without the second", "without the first", "without any", "of less noise"],
)
def test_claims_are_dropped_or_weighed_anew(
    target: np.ndarray, expected: tuple[float, float]
) -> None:
    mean, sd = with_claims(*OBSERVED)
    values = np.random.default_rng(5).normal(mean, sd, 100_000)
    draws = natural(values, claim_location=np.stack([values, values], axis=1))
    all_used = hyper(claims=two_claims(used=(1, 1)), observed=OBSERVED)
    found = Mixture([draws], [all_used], only(LEVEL), claims_vary=True)
    weights = smoothed(found.log_ratio(hyper(claims=target, observed=OBSERVED)))
    assert moments(values, weights) == pytest.approx(expected, abs=0.03)
    assert expected != pytest.approx((mean, sd), abs=0.04)


# From what is kept of a fit


def test_natural_parameters_are_those_of_the_link_scales() -> None:
    rng = np.random.default_rng(6)
    per_unit = np.array([spec.per_model_unit for spec in ASSUMPTIONS.values()])
    is_share = np.array([spec.support == "share" for spec in ASSUMPTIONS.values()])
    linear = rng.normal(size=(len(ASSUMPTIONS), 6))
    value = np.where(is_share[:, None], special.expit(linear), np.exp(linear)) * per_unit[:, None]
    bias, drift, location = rng.random((2, 6)), rng.random((2, 6)), rng.random((3, 6))
    bias[1] *= -1.0  # an undercount
    core = xr.Dataset(
        {
            "assumption_value": (("chain", "draw", "assumption"), value.T.reshape(2, 3, -1)),
            "reporting_bias": (("source", "chain", "draw"), bias.reshape(2, 2, 3)),
            "reporting_drift": (("source", "chain", "draw"), drift.reshape(2, 2, 3)),
            "claim_location": (("chain", "draw", "claim"), location.T.reshape(2, 3, -1)),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = NaturalDraws.of(core, np.array([0.0, 1.0]))
    expected = np.concatenate([linear, [bias[0], np.log(-bias[1])], drift])
    np.testing.assert_allclose(found.linear, expected)
    np.testing.assert_array_equal(found.claim_location, location.T)


def test_pooled_entries_hold_the_draws_of_all_fits_sorted() -> None:
    rng = np.random.default_rng(7)
    layout = EntryLayout((Variable("x", "row", ("a", "b"), ("", "")),))
    draws = [rng.random((2, 2, 30)).astype(np.float32), rng.random((2, 1, 40)).astype(np.float32)]
    relative = [np.array([0.5, 1.0]), np.array([0.7, 0.2])]
    pool = pooled_entries([(layout, *part) for part in zip(draws, relative, strict=True)])
    joined = np.concatenate([part.reshape(2, -1) for part in draws], axis=1)
    np.testing.assert_array_equal(pool.ordered, np.sort(joined, axis=1))
    np.testing.assert_array_equal(np.take_along_axis(joined, pool.order, axis=1), pool.ordered)
    assert pool.relative_ess.tolist() == [0.5, 0.2]
    assert pool.layout is layout
