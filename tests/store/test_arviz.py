"""A result is read by ArviZ's own functions, without a word of this package's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from estimator.run import Estimate
from estimator.store.results import write_result

ONE_LINERS: dict[str, Callable[[xr.DataTree], Any]] = {
    "summary": az.summary,
    "loo": az.loo,
    "psense_summary": lambda tree: az.psense_summary(tree, var_names=["net_change"]),
    "plot_forest": lambda tree: az.plot_forest(tree, var_names=["losses"]),
    "plot_prior_posterior": lambda tree: az.plot_prior_posterior(tree, var_names=["returns.rate"]),
    "plot_ppc_dist": lambda tree: az.plot_ppc_dist(tree, var_names=["reported"]),
}


@pytest.fixture(scope="module")
def opened(from_prior: Estimate, tmp_path_factory: pytest.TempPathFactory) -> xr.DataTree:
    folder: Path = tmp_path_factory.mktemp("outputs") / "set"
    write_result(folder, from_prior.tree, from_prior.summary, from_prior.evidence.claims, {})
    tree = az.from_netcdf(folder / "result.nc")
    # Draws from the prior fall below floors, where the density is 0; those of a posterior do not.
    likelihood = tree["log_likelihood"].to_dataset().load()
    tree["log_likelihood"] = xr.DataTree(likelihood.where(np.isfinite(likelihood), -50.0))
    return tree


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of few draws from the prior
@pytest.mark.parametrize("name", ONE_LINERS)
def test_a_one_liner_of_arviz_takes_a_result_as_it_is(opened: xr.DataTree, name: str) -> None:
    assert ONE_LINERS[name](opened) is not None
    plt.close("all")


def test_an_assumption_that_is_not_fixed_is_a_variable_by_its_key(from_prior: Estimate) -> None:
    posterior = from_prior.tree["posterior"]
    rate = posterior["returns.rate"]
    assert rate.dims == ("chain", "draw")
    assert rate.attrs["units"] == "share"
    packed = posterior["assumption_value"].sel(assumption="returns.rate")
    np.testing.assert_array_equal(rate, packed)
    assert "losses.volatility" not in posterior  # fixed


def test_the_log_prior_is_the_density_that_the_set_assumes(from_prior: Estimate) -> None:
    tree = from_prior.tree
    rate = tree["posterior"]["assumption_value"].sel(assumption="returns.rate").values.ravel()
    density = tree["log_prior"]["returns.rate"].values.ravel()
    inside = (rate > 0.4) & (rate < 0.6)
    assert density[inside].min() > density[(rate < 0.2) | (rate > 0.8)].max(initial=-99.0)
    assert "losses.volatility" not in tree["log_prior"]  # fixed
