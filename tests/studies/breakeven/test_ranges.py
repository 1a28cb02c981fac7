from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.priors import Prior
from estimator.commands import parse_range
from estimator.errors import ConfigError
from estimator.evidence import load_evidence
from estimator.model.inputs import model_inputs
from estimator.studies.breakeven.ranges import (
    KeyRange,
    key_range,
    prior_of,
)

CENTRAL, ARTICLE = assumption_set(), assumption_set(["assumptions=article"])


@given(
    key=st.sampled_from(sorted(ASSUMPTIONS)),
    ends=st.tuples(st.floats(0.01, 0.49), st.floats(0.5, 0.99)),
)
def test_values_and_links_are_inverse_and_the_grid_spans_the_range(
    key: str, ends: tuple[float, float]
) -> None:
    axis = KeyRange(key, *ends)
    values = axis.spec.value(axis.grid(7))
    assert values[[0, -1]] == pytest.approx(ends)
    assert axis.spec.link(values) == pytest.approx(axis.grid(7))
    assert (np.diff(values) > 0).all()


def test_the_widest_option_of_the_group_gives_the_range() -> None:
    assert key_range("returns.rate", CENTRAL) == KeyRange(
        "returns.rate", 0.10, 0.85, "returns=wide"
    )
    ratio = key_range("unconfirmed.ratio", CENTRAL)
    assert (ratio.low, ratio.high) == (0.02, 1.5)


def test_a_set_that_holds_the_key_fixed_gets_the_range_all_the_same() -> None:
    assert prior_of(ARTICLE, "returns.rate").is_fixed
    assert key_range("returns.rate", ARTICLE).source == "returns=wide"


def test_a_set_that_is_wider_than_every_option_gives_its_own_range() -> None:
    own = assumption_set(["returns.rate.low=0.01", "returns.rate.high=0.99"])
    assert key_range("returns.rate", own) == KeyRange("returns.rate", 0.01, 0.99, "the set itself")


def test_an_option_of_a_user_counts(tmp_path: Path) -> None:
    (tmp_path / "returns").mkdir()
    (tmp_path / "returns" / "mine.yaml").write_text(
        "defaults: [central]\n"
        "rate: {family: LogitNormal, low: 0.02, high: 0.98, unit: share, source: mine}\n"
    )
    found = key_range("returns.rate", CENTRAL, config_dir=str(tmp_path))
    assert (found.low, found.high, found.source) == (0.02, 0.98, "returns=mine")


def test_fixed_options_that_differ_give_the_range_from_the_lowest_to_the_highest() -> None:
    found = key_range("recruitment.step", CENTRAL)
    assert (found.low, found.high) == (0.1, 0.15)


@pytest.mark.parametrize(
    ("given_range", "named"),
    [
        ((0.0, 0.5), "between 0 and 1 share"),
        ((0.5, 1.0), "between 0 and 1 share"),
        ((0.6, 0.5), "Got 0.6 to 0.5"),
        ((float("nan"), 0.5), "Got nan"),
    ],
)
def test_an_impossible_range_is_refused(given_range: tuple[float, float], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        key_range("returns.rate", CENTRAL, given_range)


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'returns.rate'"):
        key_range("return.rate", CENTRAL)


@pytest.mark.parametrize("text", ["0.1", "a:b", "1:2:3", ":", ""])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="LOW:HIGH"):
        parse_range(text)


def test_a_range_is_read() -> None:
    assert parse_range(" 1e3:2e4 ") == (1000.0, 20_000.0)


@pytest.mark.parametrize("key", ["returns.rate", "force.other_exits"])
def test_a_prior_on_the_models_scale_reaches_the_model_as_it_was_meant(key: str) -> None:
    axis = key_range(key, CENTRAL)
    center, scale = axis.cover(0.75)
    assumptions = CENTRAL.with_priors({key: axis.prior(center, scale)})
    data = model_inputs(load_evidence(assumptions), assumptions).data
    assert data["assumption_location"][axis.position] == pytest.approx(center)
    assert data["assumption_scale"][axis.position] == pytest.approx(scale)
    inside = stats.norm(center, scale).cdf(axis.ends)
    assert inside[1] - inside[0] == pytest.approx(0.75)
    held = CENTRAL.with_priors({key: axis.prior(center, 0.0)})
    data = model_inputs(load_evidence(held), held).data
    assert data["assumption_location"][axis.position] == pytest.approx(center)
    assert data["assumption_scale"][axis.position] == 0.0


def test_other_priors_stay_as_they_were() -> None:
    axis = key_range("returns.rate", CENTRAL)
    changed = CENTRAL.with_priors({"returns.rate": axis.prior(0.0, 0.0)})
    before, after = dict(CENTRAL.priors()), dict(changed.priors())
    assert after.pop("returns.rate") == Prior(family="Fixed", value=0.5, unit="share")
    before.pop("returns.rate")
    assert after == before
