"""The back-test of the real model: two origins, few draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.groups import Projection
from estimator.assumptions.priors import Prior
from estimator.fitting.inference import infer_whitened, learn_whitening
from estimator.quantities.dynamics import Walk, carry_on
from estimator.store.journal import Journal
from estimator.studies.backtest import backtest as running
from estimator.studies.backtest.backtest import FILE, FIT, Backtest, backtest
from estimator.studies.backtest.origin_fits import PILOT, OriginFits, forecast_inputs
from tests.studies.backtest import made

pytestmark = pytest.mark.sampling

FIRST, LAST = "2024-11", "2024-12"


@pytest.fixture(scope="module")
def loose() -> AssumptionSet:
    return assumption_set(["sampler.min_ess=100", "sampler.max_rhat=1.05", "sampler.chains=2"])


OPTIONS = made.options(first=FIRST, last=LAST, fit=made.fit_options(draws=400), horizons=3)


@pytest.fixture(scope="module")
def found(loose: AssumptionSet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Backtest, Path]:
    path = tmp_path_factory.mktemp("backtest") / FILE
    with Journal(path, "back-test") as journal:
        return backtest([loose], OPTIONS, journal=journal), path


def test_every_dynamics_forecasts_every_target_once(found: tuple[Backtest, Path]) -> None:
    cases = found[0].cases
    assert found[0].failures == []
    ahead = cases[cases["kind"] == "forecast"]
    counts = ahead.groupby(["by", "dynamics", "origin"]).size()
    assert set(counts) == {3}
    names = set(OPTIONS.dynamics) | set(OPTIONS.naive)
    assert set(ahead["dynamics"]) == names
    assert len(ahead) == 2 * 3 * len(names)
    assert set(cases.loc[cases["kind"] == "vintage", "claim"]) == {
        "P31",
        "P32",
    }  # the others are vintages of a triangle


def test_forecasts_lie_around_the_last_figure_and_widen(found: tuple[Backtest, Path]) -> None:
    cases = found[0].cases.query("kind == 'forecast'")  # of a month in hand half is known
    own = cases[(cases["dynamics"] == "model") & (cases["origin"] == FIRST)].set_index("horizon")
    assert (np.abs(np.log(own["q50"] / 45_450)) < 0.15).all()  # GS-2024-11, and month lengths
    assert own["width_90"].is_monotonic_increasing
    still = cases[(cases["dynamics"] == "no_change") & (cases["origin"] == FIRST)]
    assert still["width_90"].max() < own["width_90"].min()


def test_a_backtest_that_was_stopped_goes_on_from_kept_fits(
    found: tuple[Backtest, Path], loose: AssumptionSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoFit(OriginFits):
        def fit(self, *_: object) -> xr.Dataset:
            raise AssertionError("a kept fit was made again")

    monkeypatch.setattr(running, "OriginFits", NoFit)
    with Journal(found[1], "back-test") as journal:
        again = backtest([loose], OPTIONS, journal=journal).cases
    before = found[0].cases
    assert len(again) == len(before)
    numbers = ["q5", "q50", "q95", "crps", "pit"]
    np.testing.assert_allclose(again[numbers], before[numbers], rtol=1e-5)


def test_a_backtest_that_was_stopped_ends_as_if_it_had_not_been(
    found: tuple[Backtest, Path], loose: AssumptionSet, tmp_path: Path
) -> None:
    whole, path = found
    with Journal(path, "back-test") as journal:
        kept = [*journal.records(FIT), *journal.records(PILOT)]
    assert [record.kind for record in kept] == [FIT, FIT, PILOT]
    with Journal(tmp_path / FILE, "back-test") as journal:
        journal.keep(kept[1:])  # as if it was stopped after a fit
        again = backtest([loose], OPTIONS, journal=journal)
        assert [key for key, _, _ in journal.facts(FIT)] == [record.key for record in kept[:2]]
    pd.testing.assert_frame_equal(again.cases, whole.cases)


def test_the_walk_from_the_cut_is_the_latent_path_of_the_fit(loose: AssumptionSet) -> None:
    origin = made.origin(FIRST)
    then, evidence = made.known(FIRST)
    then = then.with_priors({"losses.volatility": Prior(family="Fixed", value=0.0)})
    inputs = forecast_inputs(evidence, then, [made.GENERAL_STAFF], 1.0)
    whitening = learn_whitening(inputs, loose.sampler, np.random.SeedSequence(1), 2)
    options = FitOptions(tune=100, draws=2000, max_depth=6, target_accept=0.9, attempts=1)
    variables, _ = infer_whitened(inputs, whitening, options, 2, np.random.SeedSequence(2), 2)
    exposure = inputs.structure.constants["exposure"]
    losses = variables["losses"].transpose("chain", "draw", "month").values.reshape(4000, -1)
    rate = np.log(losses / exposure)
    values = variables["assumption_value"].transpose("assumption", "chain", "draw")
    walk = Walk(
        known=rate[:, : origin.position + 1],
        level=np.log(values.sel(assumption="losses.level").values.ravel()),
        step=values.sel(assumption="losses.step").values.ravel(),
        persistence=1.0,
    )
    path = carry_on(walk, 6, Projection(dynamics="walk"), np.random.default_rng(3))
    latent = rate[:, origin.position + 1 : origin.position + 7]
    spread = path.std(axis=0)
    probabilities = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    ends = [np.quantile(one, probabilities, axis=0) / spread for one in (path, latent)]
    # Standard error of a normal's quantile: sqrt(p (1 - p) / n) / density, twice, for n >= 1,500.
    density = np.array([0.103, 0.318, 0.399, 0.318, 0.103])
    error = np.sqrt(2 * probabilities * (1 - probabilities) / 1500) / density
    assert (np.abs(ends[0] - ends[1]) < 4.0 * error[:, None]).all()
    np.testing.assert_allclose(latent.std(axis=0) / spread, 1.0, atol=0.12)
