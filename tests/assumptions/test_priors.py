from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import special, stats

from estimator.assumptions.priors import FAMILIES_BY_SUPPORT, LINKS, PARAMETERS, Prior

real = st.floats(-1e6, 1e6)
positive = st.floats(1e-4, 1e6)
share = st.floats(1e-3, 1 - 1e-3)
width = st.floats(1.01, 100.0)
masses = st.floats(0.05, 0.99)
quick = settings(max_examples=40, deadline=None)


def message(**config: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Prior(**config)
    return str(caught.value)


@quick
@given(low=real, span=positive, mass=masses)
def test_a_normal_range_has_equal_tails(low: float, span: float, mass: float) -> None:
    prior = Prior(family="Normal", low=low, high=low + span, mass=mass)
    tail = (1 - mass) / 2
    assert prior.distribution().cdf(prior.low) == pytest.approx(tail, abs=1e-6)
    assert prior.distribution().sf(prior.high) == pytest.approx(tail, abs=1e-6)


@quick
@given(low=positive, ratio=width, mass=masses)
def test_a_lognormal_range_has_equal_tails(low: float, ratio: float, mass: float) -> None:
    prior = Prior(family="LogNormal", low=low, high=low * ratio, mass=mass)
    tail = (1 - mass) / 2
    assert prior.distribution().cdf(prior.low) == pytest.approx(tail, abs=1e-6)
    assert prior.distribution().sf(prior.high) == pytest.approx(tail, abs=1e-6)


@quick
@given(ends=st.tuples(share, share).filter(lambda ab: abs(ab[0] - ab[1]) > 1e-3), mass=masses)
def test_a_logit_normal_range_has_equal_tails(ends: tuple[float, float], mass: float) -> None:
    low, high = sorted(ends)
    prior = Prior(family="LogitNormal", low=low, high=high, mass=mass)
    tail = (1 - mass) / 2
    assert prior.quantile(tail) == pytest.approx(low, rel=1e-6)
    assert prior.quantile(1 - tail) == pytest.approx(high, rel=1e-6)


@quick
@given(low=real, span=positive, mass=masses)
def test_a_uniform_range_has_equal_tails(low: float, span: float, mass: float) -> None:
    prior = Prior(family="Uniform", low=low, high=low + span, mass=mass)
    tail = (1 - mass) / 2
    assert prior.distribution().cdf(prior.low) == pytest.approx(tail, abs=1e-6)
    assert prior.distribution().sf(prior.high) == pytest.approx(tail, abs=1e-6)


@quick
@given(high=positive, mass=masses)
def test_a_half_normal_range_begins_at_zero_and_leaves_the_rest_above_high(
    high: float, mass: float
) -> None:
    prior = Prior(family="HalfNormal", high=high, mass=mass)
    assert prior.distribution().sf(high) == pytest.approx(1 - mass, abs=1e-9)


@pytest.mark.parametrize(
    "config",
    [
        {"family": "Beta", "low": 0.1, "high": 0.4},
        {"family": "Beta", "low": 0.2, "high": 0.7, "mass": 0.8},
        {"family": "Gamma", "low": 1.0, "high": 10.0},
        {"family": "Gamma", "low": 20_000.0, "high": 200_000.0},
        {"family": "TruncatedNormal", "low": 0.1, "high": 0.9, "lower": 0.0, "upper": 1.0},
        {"family": "TruncatedNormal", "low": 6_000.0, "high": 40_000.0, "lower": 0.0},
    ],
    ids=lambda config: f"{config['family']} {config['low']}",
)
def test_a_range_matched_by_preliz_has_equal_tails(config: dict[str, Any]) -> None:
    prior = Prior(**config)
    tail = (1 - prior.mass) / 2
    assert prior.distribution().cdf(prior.low) == pytest.approx(tail, abs=1e-2)
    assert prior.distribution().sf(prior.high) == pytest.approx(tail, abs=1e-2)


def test_a_range_that_preliz_cannot_match_is_refused() -> None:
    text = message(family="TruncatedNormal", low=0.01, high=0.99, mass=0.5, lower=0, upper=1)
    assert "no TruncatedNormal was found that has 0.25 below 0.01" in text


def test_every_family_that_takes_a_range_is_named_in_a_support() -> None:
    named = {family for families in FAMILIES_BY_SUPPORT.values() for family in families}
    assert named == set(PARAMETERS)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"family": "Normal", "mu": 2.0, "sigma": 3.0}, stats.norm(2, 3)),
        ({"family": "LogNormal", "mu": 2.0, "sigma": 0.5}, stats.lognorm(0.5, scale=math.exp(2))),
        ({"family": "Beta", "alpha": 2.0, "beta": 5.0}, stats.beta(2, 5)),
        ({"family": "Gamma", "alpha": 2.0, "beta": 5.0}, stats.gamma(2, scale=1 / 5)),
        ({"family": "HalfNormal", "sigma": 2.0}, stats.halfnorm(scale=2)),
        ({"family": "Uniform", "lower": 2.0, "upper": 5.0}, stats.uniform(2, 3)),
        (
            {"family": "TruncatedNormal", "mu": 1.0, "sigma": 2.0, "lower": 0.0},
            stats.truncnorm(-0.5, np.inf, 1, 2),
        ),
    ],
    ids=lambda part: part["family"] if isinstance(part, dict) else "",
)
def test_own_parameters_give_the_family_s_distribution(
    config: dict[str, Any], expected: Any
) -> None:
    prior = Prior(**config)
    assert prior.parameters() == {key: config[key] for key in config if key != "family"}
    for probability in (0.05, 0.5, 0.95):
        value = float(expected.ppf(probability))
        assert prior.quantile(probability) == pytest.approx(value)
        assert prior.pdf(np.array([value]))[0] == pytest.approx(float(expected.pdf(value)))


def test_a_logit_normal_density_integrates_to_one_and_is_zero_outside() -> None:
    prior = Prior(family="LogitNormal", low=0.2, high=0.6)
    grid = np.linspace(0, 1, 20_001)
    assert np.trapezoid(prior.pdf(grid), grid) == pytest.approx(1.0, abs=1e-4)
    assert prior.pdf(np.array([-0.1, 0.0, 1.0, 1.5])).tolist() == [0, 0, 0, 0]


def test_a_bare_number_is_a_fixed_prior() -> None:
    prior = Prior.model_validate(3)
    assert prior.is_fixed
    assert prior.quantile(0.01) == prior.quantile(0.99) == 3.0
    assert prior.location_scale() == (3.0, 0.0)
    assert np.isnan(prior.pdf(np.array([3.0]))).all()


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(ValidationError, match="valid dictionary"):
        Prior.model_validate(True)


@pytest.mark.parametrize("family", sorted(LINKS))
def test_location_and_scale_give_back_the_range(family: Any) -> None:
    prior = Prior(family=family, low=0.2, high=0.6, mass=0.8)
    location, scale = prior.location_scale()
    ends = location + scale * stats.norm.ppf([0.1, 0.9])
    at = {"identity": ends, "exp": np.exp(ends), "sigmoid": special.expit(ends)}[LINKS[family]]
    assert at.tolist() == pytest.approx([0.2, 0.6])


def test_a_family_without_a_link_has_no_location_and_scale() -> None:
    with pytest.raises(KeyError):
        Prior(family="Uniform", low=1, high=2).location_scale()


def test_a_prior_says_what_it_became() -> None:
    prior = Prior(family="LogNormal", low=0.1, high=0.6)
    assert prior.describe() == "LogNormal(mu=-1.407, sigma=0.5447)"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"family": "Normal", "low": 2, "high": 2}, "low must be below high. Got low=2.0"),
        ({"family": "Normal", "low": 3, "high": 2}, "low must be below high. Got low=3.0"),
        ({"family": "Normal", "low": 3}, "a range needs low and high. Got low=3.0, high=None"),
        ({"family": "Normal", "high": 3}, "a range needs low and high. Got low=None, high=3.0"),
        ({"family": "Normal", "low": 1, "high": 2, "mass": 0}, "greater than or equal to 0.01"),
        ({"family": "Normal", "low": 1, "high": 2, "mass": 1}, "less than or equal to 0.9999"),
        ({"family": "Normal", "low": 1, "high": 2, "mass": -0.1}, "greater than or equal to 0.01"),
        ({"family": "Normal", "low": 1, "high": math.inf}, "high must be a finite number"),
        ({"family": "Normal", "mu": math.nan, "sigma": 1}, "mu must be a finite number. Got nan"),
        ({"family": "Normal", "low": 1, "high": 2, "mu": 1}, "not both"),
        ({"family": "Normal", "mu": 1}, "Normal needs low and high, or mu, sigma. Got mu"),
        ({"family": "Normal"}, "Normal needs low and high, or mu, sigma. Got nothing"),
        ({"family": "Normal", "mu": 1, "sigma": 0}, "sigma must be above 0. Got 0.0"),
        ({"family": "Normal", "alpha": 1, "low": 1, "high": 2}, "['alpha'] are not parameters of"),
        ({"family": "LogNormal", "low": 0, "high": 2}, "needs low above 0. Got 0.0"),
        ({"family": "Gamma", "low": -1, "high": 2}, "needs low above 0. Got -1.0"),
        ({"family": "LogitNormal", "low": 0.5, "high": 1.2}, "inside (0, 1). Got 0.5 to 1.2"),
        ({"family": "Beta", "low": 0, "high": 0.5}, "inside (0, 1). Got 0.0 to 0.5"),
        ({"family": "Fixed", "low": 1, "high": 2}, "Fixed takes a value, not a range"),
        ({"family": "Fixed"}, "Fixed needs value. Got nothing"),
        ({"family": "HalfNormal", "low": 1, "high": 2}, "begins at 0 and needs only high"),
        ({"family": "HalfNormal", "high": -2}, "above 0. Got low=None, high=-2.0"),
        ({"family": "Uniform", "lower": 2, "upper": 1}, "lower must be below upper. Got 2.0"),
        ({"family": "Uniform", "low": 1, "high": 2, "lower": 0}, "not both"),
        (
            {"family": "TruncatedNormal", "low": 1, "high": 5, "lower": 2},
            "must lie inside lower and upper. Got 1.0 to 5.0 in 2.0 to inf",
        ),
        ({"family": "Cauchy", "low": 1, "high": 2}, "Input should be 'Fixed'"),
        ({"family": "Normal", "low": 1, "hihg": 2}, "hihg"),
    ],
    ids=lambda part: str(part)[:60],
)
def test_an_impossible_prior_is_refused_with_what_was_found(
    config: dict[str, Any], expected: str
) -> None:
    assert expected in message(**config)


floats = st.floats(allow_nan=False, allow_infinity=False)


@quick
@given(
    family=st.sampled_from(sorted(set(PARAMETERS) - {"Fixed", "HalfNormal"})),
    ends=st.tuples(*[floats | st.floats(0.0, 1.0) | st.floats(0.0, 1e-300)] * 2),
    mass=st.floats(0.01, 0.9999),
)
def test_a_range_of_any_numbers_gives_finite_parameters_or_is_refused(
    family: str, ends: tuple[float, float], mass: float
) -> None:
    try:
        prior = Prior(family=family, low=min(ends), high=max(ends), mass=mass)
    except ValidationError:
        return
    parameters = prior.parameters()
    assert all(math.isfinite(value) for value in parameters.values())
    assert all(parameters.get(name, 1.0) > 0 for name in ("sigma", "alpha", "beta"))


@pytest.mark.parametrize("family", ["Normal", "Uniform"])
def test_a_range_too_wide_for_numbers_is_refused_with_its_ends(family: str) -> None:
    found = message(family=family, low=-1.7e308, high=1.7e308)
    assert "too large" in found
    assert "low=-1.7e+308, high=1.7e+308" in found
