"""A result of many claims keeps some draws of each; everything that reads it still works."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions.compose import assumption_set, label_of, plain_config
from estimator.errors import ConfigError
from estimator.quantities.answers import Answer
from estimator.run import Estimate, estimate, write_estimate
from estimator.store.claim_draws import GROUP, KeepOptions, note, with_locations
from estimator.store.results import read_result
from estimator.store.sets import Sets
from estimator.studies.audit.bases import AuditedSet
from estimator.studies.audit.claims import judge_claims
from estimator.studies.audit.leave_out import LeaveOneOut
from estimator.studies.audit.options import AuditOptions
from estimator.studies.compare.drivers import shifts
from estimator.studies.compare.sensitivity import prior_or_data
from estimator.studies.compare.stacking import stacking

pytestmark = pytest.mark.slow

DRAWS, KEPT = 1080, 360
PRIOR = ("sampler=prior_only", f"sampler.prior_draws={DRAWS}")
FEW = KeepOptions(claim_numbers=100, claim_draws=KEPT)
ENOUGH = KeepOptions(claim_numbers=10**7, claim_draws=KEPT)


@pytest.fixture(scope="module")
def whole() -> Estimate:
    return estimate(assumption_set([*PRIOR, "label=whole"]), keep=ENOUGH)


@pytest.fixture(scope="module")
def thinned() -> Estimate:
    return estimate(assumption_set([*PRIOR, "label=thinned"]), keep=FEW)


def audit_options() -> AuditOptions:
    config = plain_config(["audit=claims_only", "audit.refit=none", "audit.min_ess=10"])
    return AuditOptions.from_config(config["audit"])


def test_up_to_a_number_all_draws_are_kept_and_above_it_no_fewer_than_asked() -> None:
    keep = KeepOptions(claim_numbers=4_000_000, claim_draws=1000)
    assert keep.every(109, 6000) == 1
    assert keep.every(4472, 6000) == 6
    assert keep.every(4472, 2800) == 2
    assert keep.every(100_000, 900) == 1


def test_a_small_table_is_kept_as_if_nothing_were_asked(whole: Estimate, thinned: Estimate) -> None:
    assert GROUP not in whole.tree.children
    assert json.loads(whole.tree.attrs[GROUP]) == {"every": 1, "of": DRAWS}
    assert note(whole.tree) == ""
    for group, name in (("log_likelihood", "published"), ("posterior_predictive", "reported")):
        assert whole.tree[group][name].dtype == np.float64
        assert whole.tree[group].sizes["draw"] == DRAWS


def test_draws_of_many_claims_are_every_nth_of_all(whole: Estimate, thinned: Estimate) -> None:
    tree = thinned.tree
    assert json.loads(tree.attrs[GROUP]) == {"every": 3, "of": DRAWS}
    assert note(tree) == "360 of 1,080 draws of each claim are kept (keep.claim_draws)"
    assert "claim_location" not in tree["posterior"]
    for group in (GROUP, "log_likelihood", "posterior_predictive"):
        assert tree[group]["draw"].values.tolist() == list(range(0, DRAWS, 3))
    full = whole.tree["log_likelihood"]["published"].isel(draw=slice(None, None, 3))
    found = tree["log_likelihood"]["published"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.values, full.values, rtol=1e-5, atol=1e-30)
    location = whole.tree["posterior"]["claim_location"].isel(draw=slice(None, None, 3))
    np.testing.assert_array_equal(tree[GROUP]["claim_location"].values, location.values)


def test_all_else_keeps_every_draw(whole: Estimate, thinned: Estimate) -> None:
    for group in ("posterior", "prior", "scenarios"):
        kept, full = thinned.tree[group].to_dataset(), whole.tree[group].to_dataset()
        assert set(kept.data_vars) == set(full.data_vars) - {"claim_location"}
        for name in kept.data_vars:
            np.testing.assert_array_equal(kept[name].values, full[name].values)
    numbers = thinned.summary.drop(columns="assumption_set")
    assert numbers.equals(whole.summary.drop(columns="assumption_set"))


def test_locations_are_read_back_beside_the_draws_that_they_belong_to(
    thinned: Estimate, whole: Estimate, tmp_path: Path
) -> None:
    folder = write_estimate(thinned, tmp_path, "run", {}, None)
    read = with_locations(read_result(folder))
    full = with_locations(whole.tree).isel(draw=slice(None, None, 3))
    assert read.sizes["draw"] == KEPT
    for name in ("losses", "claim_location"):
        np.testing.assert_array_equal(read[name].values, full[name].values)


def test_an_audit_judges_all_claims_by_the_draws_that_are_kept(
    thinned: Estimate, whole: Estimate
) -> None:
    of_kept, of_all = (
        judge_claims(LeaveOneOut(audited, audit_options())).set_index("claim")
        for audited in (AuditedSet.of("set", one.tree) for one in (thinned, whole))
    )
    assert set(of_kept.index) == set(of_all.index)
    used = int(thinned.tree["constant_data"]["used"].sum())
    assert (of_kept["method"] == "psis").sum() == used
    free = of_all.index[~of_all["counted"]]
    assert len(free) > 3
    np.testing.assert_allclose(
        of_kept.loc[free, "tail_probability"], of_all.loc[free, "tail_probability"], atol=0.15
    )


def test_an_audit_says_how_many_draws_it_had(thinned: Estimate, tmp_path: Path) -> None:
    from estimator.studies.audit.audit import audit
    from estimator.studies.audit.parts import claims_grid

    write_estimate(thinned, tmp_path, "run", {}, None)
    found = audit(Sets.open([tmp_path / "run"]), audit_options())
    assert "360 of 1,080 draws of each claim" in found.facts.loc["thinned", "note"]
    assert (
        "thinned: 360 of 1,080 draws of each claim"
        in claims_grid(found.claims, found.facts).markdown()
    )


def test_sensitivity_to_the_claims_takes_the_draws_that_are_kept(thinned: Estimate) -> None:
    tree = thinned.tree.copy()
    data = tree["posterior"].to_dataset().isel(draw=slice(None, None, 3))
    tree["posterior"] = xr.DataTree(data)
    # All other draws are of another posterior: none of them may enter.
    other = thinned.tree.copy()
    shifted = thinned.tree["posterior"].to_dataset().copy(deep=True)
    left_out = np.arange(DRAWS) % 3 > 0
    shifted["reporting_bias"][:, left_out] -= 0.5  # an undercount stays one
    other["posterior"] = xr.DataTree(shifted)
    for one in (tree, other):  # a likelihood that follows what is assumed, with finite values
        rate = one["posterior"]["assumption_value"].sel(assumption="returns.rate")[:, ::1]
        kept = rate if rate.sizes["draw"] == KEPT else rate[:, ::3]
        likelihood = xr.Dataset(
            {"published": -30.0 * (kept.drop_vars("assumption").expand_dims("figure") - 0.5) ** 2}
        )
        one["log_likelihood"] = xr.DataTree(likelihood.assign_coords(draw=range(0, DRAWS, 3)))
    found, expected = (prior_or_data(one)[0].set_index("parameter") for one in (other, tree))
    column = "likelihood_sensitivity"
    assert found.loc["returns.rate", column] > 0.05
    np.testing.assert_allclose(found[column], expected[column])


def test_moving_priors_needs_no_draws_of_claims(thinned: Estimate, tmp_path: Path) -> None:
    write_estimate(thinned, tmp_path, "run", {}, None)
    table = shifts(Sets.open([tmp_path / "run"]), [Answer.parse("losses[total]")], "thinned")
    assert (table["assumption"] == "losses.level").any()


def test_stacking_takes_a_set_of_which_some_draws_are_kept(
    thinned: Estimate, whole: Estimate, tmp_path: Path
) -> None:
    for one in (thinned, whole):
        write_estimate(one, tmp_path, "run", {}, None)
    table = stacking(Sets.open([tmp_path / "run"]))
    assert set(table["assumption_set"]) == {"thinned", "whole"}


def test_what_is_kept_is_no_part_of_a_set() -> None:
    override = "keep.claim_draws=500"
    assert label_of(["assumptions=open", override]) == "open"
    plain, changed = assumption_set([]), assumption_set([override])
    assert plain.identity("hash") == changed.identity("hash")


@pytest.mark.parametrize("override", ["keep.claim_draws=3", "keep.claim_numbers=none"])
def test_what_cannot_be_kept_is_refused_by_name(override: str) -> None:
    config = plain_config([override])["keep"]
    with pytest.raises(ConfigError, match=override.partition("=")[0].replace(".", r"\.")):
        KeepOptions.from_config(config)
