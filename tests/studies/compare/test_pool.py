from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.errors import ConfigError
from estimator.quantities.answers import Answer
from estimator.store.sets import Sets
from estimator.studies.compare.mixture import Mixture, quantiles
from estimator.studies.compare.pool import COLUMNS, pooled
from tests.studies.compare.made import CHANCE, GAP, LOSSES, TOTAL, Made, alone

QUANTILES = ["q05", "q25", "q50", "q75", "q95"]
PROBABILITIES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


def tilted(seed: int = 0) -> Made:
    x = np.random.default_rng(seed).standard_normal(4000)
    draws = {LOSSES: 1000.0 * x, GAP: 500.0 * x}
    return Made(draws, {"low": np.exp(-0.5 * x), "high": np.exp(0.5 * x)})


@pytest.fixture
def sets() -> Sets:
    return Sets([tilted(), alone("far", 7)])


def test_the_mixture_has_the_quantiles_of_draws_resampled_from_its_sets(sets):
    weights = {"low": 1.0, "high": 2.0, "far": 5.0}
    rng = np.random.default_rng(1)
    drawn = []
    for chunk in sets.chunks([LOSSES]):
        for label, own in zip(chunk.labels, chunk.weights, strict=True):
            size = int(200_000 * weights[label])
            drawn.append(rng.choice(chunk.values[0], size, p=own / own.sum()))
    expected = np.quantile(np.concatenate(drawn), PROBABILITIES)
    [row] = pooled(sets, [LOSSES], weights).to_dict("records")
    np.testing.assert_allclose([row[q] for q in QUANTILES], expected, atol=40.0)
    assert row["weights"] == "far 0.625, high 0.25, low 0.125"
    assert row["sets"] == 3


def test_all_weight_on_one_set_gives_that_set(sets):
    for label in ("high", "far"):
        [row] = pooled(sets, [LOSSES], {label: 0.3}).to_dict("records")
        own = sets.table([LOSSES])[sets.labels.index(label), 0, 2:7]
        np.testing.assert_allclose([row[q] for q in QUANTILES], own, rtol=1e-5)
        assert row["sets"] == 1


def test_equal_weights_are_those_that_are_told_to_be_equal(sets):
    equal = pooled(sets, [LOSSES, GAP])
    told = pooled(sets, [LOSSES, GAP], dict.fromkeys(sets.labels, 3.0))
    assert tuple(equal.columns) == COLUMNS
    np.testing.assert_allclose(equal[QUANTILES], told[QUANTILES])
    assert equal["weights"].tolist() == ["equal", "equal"]


def test_a_probability_is_pooled_as_a_mean(sets):
    [row] = pooled(sets, [CHANCE], {"low": 1.0, "far": 3.0}).to_dict("records")
    value = dict(zip(sets.labels, sets.value(CHANCE), strict=True))
    assert row["q50"] == pytest.approx(0.25 * value["low"] + 0.75 * value["far"])
    assert np.isnan([row["q05"], row["q95"]]).all()
    assert row["unit"] == "probability"


def test_a_set_that_is_there_twice_counts_once():
    def folders(*pools: int) -> Sets:
        made = [alone("a", pool, set_id="same", folder=f"x/{pool}") for pool in pools]
        return Sets([*made, alone("b", 9, shift=9_000.0)])

    once, twice = (pooled(folders(*p), [LOSSES]).iloc[0] for p in ((1,), (1, 2)))
    assert twice["sets"] == once["sets"] == 2
    assert twice["weights"] == "equal; 1 that are there twice count once"
    # As much lies above what only b reaches.
    assert twice["q75"] == pytest.approx(once["q75"], abs=250.0)


def test_sets_without_numbers_are_left_out_of_equal_weights_and_refused_if_they_are_named():
    lacking = Made({GAP: np.arange(10.0)}, {"lacking": np.ones(10)}, pool=5, failures="gave up")
    sets = Sets([alone("a", 1), lacking])
    [row] = pooled(sets, [LOSSES]).to_dict("records")
    assert row["weights"] == "equal; 1 without numbers left out"
    assert row["sets"] == 1
    [row] = pooled(sets, [LOSSES], {"a": 1.0, "lacking": 1.0}).to_dict("records")
    assert row["refused"] == "these sets have no numbers for it: lacking"
    assert np.isnan([row[q] for q in QUANTILES]).all()


def test_sets_that_failed_their_diagnostics_are_told():
    sets = Sets([alone("a", 1), alone("poor", 2, failures="R-hat 1.08")])
    assert pooled(sets, [LOSSES])["weights"].tolist() == ["equal; 1 failed their diagnostics"]
    assert pooled(sets, [LOSSES], {"a": 1.0})["weights"].tolist() == ["a 1"]


def test_other_windows_are_refused_for_totals_and_not_for_months():
    short = "2025-01-01 to 2026-01-31"
    sets = Sets([alone("a", 1), alone("short", 2, window=short)])
    month, total = pooled(sets, [LOSSES, TOTAL]).to_dict("records")
    assert month["refused"] == ""
    assert np.isfinite([month[q] for q in QUANTILES]).all()
    assert total["refused"].startswith("losses[total]: window differs: 2022-02-24 to 2026-01-31")
    assert np.isnan([total[q] for q in QUANTILES]).all()
    [alone_row] = pooled(sets, [TOTAL], {"short": 1.0}).to_dict("records")
    assert alone_row["refused"] == ""  # one set cannot contradict itself


def test_sets_without_draws_are_refused_by_name():
    sets = Sets([alone("a", 1), alone("bare", 2, kept=False)])
    [row] = pooled(sets, [LOSSES]).to_dict("records")
    assert row["refused"] == "no draws are kept (sweep.keep_draws) of bare"
    assert pooled(sets, [LOSSES], {"a": 1.0})["refused"].tolist() == [""]
    assert pooled(sets, [CHANCE])["refused"].tolist() == [""]  # a probability needs no draws


def test_what_no_set_has_is_refused(sets):
    [row] = pooled(sets, [Answer.parse("killed[2026-01]")]).to_dict("records")
    assert row["refused"] == "no set has it"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"lwo": 1.0}, "'lwo': no such set; did you mean 'low'"),
        ({"low": -1.0, "high": 1.0}, "'low': must be a finite number, not negative. Got -1.0"),
        ({"low": float("nan")}, "'low': must be a finite number, not negative. Got nan"),
        ({"low": float("inf")}, "must be a finite number"),
        ({"low": 0.0, "high": 0.0}, "all are zero"),
        ({}, "all are zero"),
    ],
)
def test_weights_that_cannot_be_used_are_told(sets, weights, said):
    with pytest.raises(ConfigError, match="These weights cannot be used") as error:
        pooled(sets, [LOSSES], weights)
    assert said in str(error.value)


def test_all_that_is_wrong_with_weights_is_told_at_once(sets):
    with pytest.raises(ConfigError) as error:
        pooled(sets, [LOSSES], {"lwo": 1.0, "high": -1.0})
    assert str(error.value).count("\n  - ") == 2


@given(st.integers(1, 5), st.integers(0, 2**16))
@settings(deadline=None, max_examples=30)
def test_a_mixture_that_had_to_be_condensed_has_nearly_the_same_quantiles(pieces, seed):
    rng = np.random.default_rng(seed)
    small, large = Mixture(most=5_000, points=2_000), Mixture()
    for n in range(pieces):
        values, weights = rng.standard_normal(4_000) + n, rng.random(4_000)
        small.add(values, weights)
        large.add(values, weights)
    found, expected = small.quantiles(PROBABILITIES), large.quantiles(PROBABILITIES)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_quantiles_lie_in_the_middle_of_the_steps():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    found = quantiles(values, weights, np.array([0.0, 0.125, 0.5, 0.875, 1.0]))
    np.testing.assert_allclose(found, [1.0, 1.0, 2.0, 3.0, 3.0])


def test_quantiles_of_nothing_or_of_a_gap_are_unknown():
    assert np.isnan(quantiles(np.zeros(0), np.zeros(0), PROBABILITIES)).all()
    assert np.isnan(quantiles(np.array([1.0, np.nan]), np.ones(2), PROBABILITIES)).all()
    assert np.isnan(Mixture().quantiles(PROBABILITIES)).all()
