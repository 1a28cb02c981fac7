from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit, logit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.errors import OutputError
from estimator.quantities.answers import Answer
from estimator.quantities.parameters import fights
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.sensitivity import (
    ANSWER_COLUMNS,
    COLUMNS,
    prior_or_data,
)
from tests.studies.compare.made import CHANCE, LOSSES

pytestmark = pytest.mark.slow

SHAPE = (4, 1500)
SOURCES = ("nato:losses", "kobak:killed", "nobody:losses")
RATE = "returns.rate"


def decided(tree: xr.DataTree, options: CompareOptions | None = None) -> pd.DataFrame:
    return prior_or_data(tree, options=options)[0]


def link(key: str, values: np.ndarray) -> np.ndarray:
    return logit(values) if ASSUMPTIONS[key].support == "share" else np.log(values)


def unlink(key: str, linear: np.ndarray) -> np.ndarray:
    return expit(linear) if ASSUMPTIONS[key].support == "share" else np.exp(linear)


def toy(
    assumptions: AssumptionSet, *, key: str = RATE, distance: float = 0.0, noise: float = 1e6
) -> xr.DataTree:
    """All assumptions from their priors but one, on which a normal claim was made.

    The claim lies `distance` prior standard deviations from the prior's middle, with a noise of
    `noise` of them, so that the posterior is known.
    """
    rng = np.random.default_rng(0)
    values = np.empty((*SHAPE, len(ASSUMPTIONS)))
    z = {}
    for n, (name, prior) in enumerate(assumptions.priors()):
        if prior.is_fixed:
            values[..., n] = prior.value
            continue
        location, scale = prior.location_scale()
        variance = 1.0 / (1.0 + noise**-2) if name == key else 1.0
        mean = variance * distance / noise**2 if name == key else 0.0
        z[name] = mean + np.sqrt(variance) * rng.standard_normal(SHAPE)
        values[..., n] = unlink(name, location + scale * z[name])
    bias = np.stack(
        [
            assumptions.reporting.of(*source.rsplit(":", 1)).noise * rng.standard_normal(SHAPE)
            for source in SOURCES
        ],
        axis=-1,
    )
    undercount = assumptions.reporting.of("kobak", "killed").undercount
    assert undercount is not None
    location, scale = undercount.location_scale()
    bias[..., 1] = -np.exp(location + scale * rng.standard_normal(SHAPE))
    losses = 30_000.0 + 2_000.0 * z[key]
    density = stats.norm.logpdf(distance, z[key], noise)
    dims = ("chain", "draw")
    tree = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {
                    "assumption_value": ((*dims, "assumption"), values),
                    "reporting_bias": ((*dims, "source"), bias),
                    "reporting_drift": (
                        (*dims, "source"),
                        0.05 * rng.standard_normal((*SHAPE, len(SOURCES))),
                    ),
                    "losses": ((*dims, "month"), losses[..., None]),
                    "net_change": ((*dims, "month"), losses[..., None] - 30_000.0),
                },
                coords={
                    "assumption": list(ASSUMPTIONS),
                    "source": list(SOURCES),
                    "month": ["2026-01"],
                },
            ),
            "/log_likelihood": xr.Dataset({"published": ((*dims, "figure"), density[..., None])}),
            "/constant_data": xr.Dataset(
                {
                    "source": ("claim", [*SOURCES[:2], SOURCES[2]]),
                    "used": ("claim", [True, True, False]),
                }
            ),
        }
    )
    tree.attrs = {
        "assumption_set": "toy",
        "configuration": json.dumps(assumptions.model_dump(mode="json")),
    }
    return tree


def row(table, parameter: str = RATE) -> dict:
    return table.set_index("parameter").loc[parameter].to_dict()


def test_a_claim_that_says_nothing_leaves_the_prior(central):
    found = row(decided(toy(central)))
    assert found["verdict"] == "prior"
    assert found["contraction"] == pytest.approx(0.0, abs=0.06)
    assert found["shift"] == pytest.approx(0.0, abs=0.05)
    assert found["likelihood_sensitivity"] < 0.01
    # What Kallioinen's measure gives for a normal posterior that is its prior.
    assert found["prior_sensitivity"] == pytest.approx(0.083, abs=0.015)


def test_a_sharp_claim_decides(central):
    found = row(decided(toy(central, distance=1.0, noise=0.1)))
    assert found["verdict"] == "data"
    assert found["contraction"] == pytest.approx(1 - 1 / 101, abs=0.01)
    assert found["shift"] == pytest.approx(1.0, abs=0.03)
    assert found["prior_sensitivity"] < 0.05 < found["likelihood_sensitivity"]


def test_a_claim_as_sure_as_the_prior_shares_the_decision(central):
    found = row(decided(toy(central, distance=1.0, noise=1.0)))
    assert found["verdict"] == "both"
    assert found["contraction"] == pytest.approx(0.5, abs=0.05)
    assert found["shift"] == pytest.approx(0.5, abs=0.05)


def test_a_claim_far_from_the_prior_is_in_conflict_with_it(central):
    found = row(decided(toy(central, distance=4.0, noise=0.5)))
    assert found["verdict"] == "prior-data conflict"
    assert found["shift"] == pytest.approx(3.2, abs=0.05)


def test_evidence_fights_a_prior_where_it_moves_its_middle_out_of_its_range(central):
    # The middle of the posterior lies 3.2 standard deviations out; 90 % lie within 1.645.
    (moved,) = fights(toy(central, distance=4.0, noise=0.5))
    assert moved.name == RATE
    assert moved.shift == pytest.approx(3.2, abs=0.05)
    assert (moved.low, moved.high) == (pytest.approx(0.30), pytest.approx(0.65))
    assert moved.median > moved.high
    assert fights(toy(central, distance=4.0, noise=1.5)) == []  # 1.23 out


def test_ranges_are_those_of_prior_and_posterior_in_the_unit_of_the_assumption(central):
    table = decided(toy(central, distance=1.0, noise=0.1))
    assert tuple(table.columns) == COLUMNS
    found = row(table)
    prior = dict(central.priors())[RATE]
    assert found["prior_q05"] == pytest.approx(prior.low)
    assert found["prior_q95"] == pytest.approx(prior.high)
    location, scale = prior.location_scale()
    middle = expit(location + scale * 1.0 / 1.01)
    assert found["posterior_q50"] == pytest.approx(middle, rel=0.01)
    assert found["unit"] == "share"


def test_fixed_assumptions_are_told_as_fixed(central):
    table = decided(toy(central))
    fixed = {key for key, prior in central.priors() if prior.is_fixed}
    told = table[table["verdict"] == "fixed"]
    assert fixed <= set(told["parameter"])
    assert told[["contraction", "shift", "prior_sensitivity"]].isna().all().all()
    assert set(table["parameter"]) >= set(ASSUMPTIONS)


def test_biases_of_sources_that_count_are_there_and_an_undercount_points_down(central):
    table = decided(toy(central)).set_index("parameter")
    assert "reporting_bias[nato:losses]" in table.index
    assert "reporting_bias[nobody:losses]" not in table.index
    undercount = table.loc["reporting_bias[kobak:killed]"]
    assert undercount["prior_q05"] < undercount["prior_q50"] < undercount["prior_q95"] < 0
    assert undercount["contraction"] == pytest.approx(0.0, abs=0.06)
    assert undercount["shift"] == pytest.approx(0.0, abs=0.05)
    assert undercount["verdict"] == "prior"


def test_drifts_are_there_where_they_are_not_fixed():
    assumptions = assumption_set(["assumptions=sceptical"])
    tree = toy(assumptions)
    tree["posterior"] = (
        tree["posterior"]
        .to_dataset()
        .assign_coords(source=["general_staff_ukraine:losses", *SOURCES[1:]])
    )
    tree["constant_data"] = (
        tree["constant_data"]
        .to_dataset()
        .assign(source=("claim", ["general_staff_ukraine:losses", *SOURCES[1:]]))
    )
    table = decided(tree).set_index("parameter")
    drift = table.loc["reporting_drift[general_staff_ukraine:losses]"]
    assert drift["unit"] == "log ratio/year"


@pytest.mark.parametrize("family", ["Beta", "Uniform", "TruncatedNormal"])
def test_families_that_are_no_map_of_a_normal_are_weighed_too(family):
    bounds = {"Beta": {}, "Uniform": {}, "TruncatedNormal": {"lower": 0.0, "upper": 1.0}}[family]
    override = {"family": family, "low": 0.3, "high": 0.6, "mass": 0.9, "unit": "share", **bounds}
    text = ",".join(f"{key}: {value}" for key, value in override.items())
    # The braces replace the whole prior, so that nothing is left of the shipped range.
    assumptions = assumption_set(["~returns.rate", "+returns.rate={" + text + ", source: test}"])
    prior = dict(assumptions.priors())[RATE]
    tree = toy(assumption_set())
    draws = prior.distribution().rvs(SHAPE, random_state=np.random.default_rng(2))
    values = tree["posterior"]["assumption_value"].values.copy()
    values[..., list(ASSUMPTIONS).index(RATE)] = draws
    dataset = tree["posterior"].to_dataset()
    dataset["assumption_value"] = (("chain", "draw", "assumption"), values)
    tree["posterior"] = dataset
    tree.attrs["configuration"] = json.dumps(assumptions.model_dump(mode="json"))
    found = row(decided(tree))
    assert found["contraction"] == pytest.approx(0.0, abs=0.06)
    assert found["shift"] == pytest.approx(0.0, abs=0.05)
    assert found["prior_q05"] == pytest.approx(0.3, rel=0.01)
    assert found["verdict"] == "prior"


def test_the_answer_hangs_on_the_prior_that_moves_it_and_on_no_other(central):
    table = prior_or_data(toy(central), [LOSSES, CHANCE])[1]
    assert tuple(table.columns) == ANSWER_COLUMNS
    assert set(table["answer"]) == {str(LOSSES)}  # a probability is left out
    assert table["parameter"].iloc[0] == RATE
    assert table["sensitivity"].iloc[0] > 0.05
    assert table["sensitivity"].iloc[1:].max() < 0.03
    assert table["sensitivity"].is_monotonic_decreasing


def test_an_answer_that_the_set_lacks_is_left_out(central):
    table = prior_or_data(toy(central), [Answer.parse("force_size[2026-01]")])[1]
    assert table.empty
    assert tuple(table.columns) == ANSWER_COLUMNS


def test_thresholds_come_from_the_options(central):
    options = CompareOptions.default().model_dump()
    strict = CompareOptions.from_config(options | {"sensitivity": 0.5, "halved": 0.99})
    tree = toy(central, distance=4.0, noise=0.5)
    assert row(decided(tree, strict))["verdict"] == "both"
    assert row(decided(tree))["verdict"] == "prior-data conflict"


def test_a_set_without_a_likelihood_is_told(central):
    tree = toy(central)
    del tree["log_likelihood"]
    with pytest.raises(OutputError, match="toy: holds no log likelihood"):
        decided(tree)


def test_of_shared_biases_the_means_and_spreads_are_told_and_not_their_members():
    assumptions = assumption_set(["reporting=hierarchical"])
    tree = toy(assumptions)
    shared = assumptions.reporting.hierarchy["third_party"]["losses"]
    rng = np.random.default_rng(1)
    draws = {
        "shared_bias_mean": shared.mean.location_scale(),
        "shared_bias_spread": shared.spread.location_scale(),
    }
    posterior = tree["posterior"].to_dataset().assign_coords(bias_group=["third_party:losses"])
    for name, (location, scale) in draws.items():
        values = location + scale * rng.standard_normal((*SHAPE, 1))
        values = np.exp(values) if name.endswith("spread") else values
        posterior[name] = (("chain", "draw", "bias_group"), values)
    tree["posterior"] = posterior
    tree["constant_data"] = (
        tree["constant_data"]
        .to_dataset()
        .assign(speaker=("claim", ["third_party", "third_party", ""]))
    )
    table = decided(tree).set_index("parameter")
    assert "reporting_bias[nato:losses]" not in table.index
    for name in draws:
        found = table.loc[f"{name}[third_party:losses]"]
        assert found["contraction"] == pytest.approx(0.0, abs=0.06)
        assert found["verdict"] == "prior"
