"""A small sweep of the real model."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from estimator.assumptions.compose import plain_config
from estimator.fitting.compiled import densities
from estimator.sweep.design import design_overrides
from estimator.sweep.journal import SweepJournal
from estimator.sweep.options import SweepOptions
from estimator.sweep.run_sweep import SweepOutcome, run_sweep

pytestmark = pytest.mark.sampling

# Two sets that weights cannot reach, of one structure with the others, and one that cannot be.
OTHERS = [["returns=none"], ["reporting=radford"], ["unconfirmed.ratio.high=0.001"]]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> SweepOutcome:
    plain = plain_config(
        [
            "experiment=latin_hypercube",
            "sweep.design.sets=12",
            "sweep.check=2",
            "sweep.base_draws=2000",
        ]
    )
    options = SweepOptions.from_config(plain["sweep"])
    assert options.design is not None
    sets = [*design_overrides(options.design, plain), *OTHERS]
    folder = tmp_path_factory.mktemp("sweep")
    return run_sweep(sets, options, folder, Console(quiet=True))


def test_all_possible_sets_have_an_answer_that_holds_the_bounds(swept: SweepOutcome) -> None:
    data = swept.tree.to_dataset()
    assert data.sizes["assumption_set"] == 15
    assert list(swept.failed.values()) == [data["failures"].values[-1]]
    answered = data.isel(assumption_set=slice(None, -1))
    assert (answered["max_rhat"] <= 1.01).all()
    assert (answered["ess"] >= 400).all()
    assert (answered["divergences"] == 0).all()


def test_sets_that_differ_in_priors_are_reweighted_and_the_others_fitted(
    swept: SweepOutcome,
) -> None:
    obtained = swept.tree["obtained"].values
    assert (obtained[:12] == "reweighted").sum() >= 9
    assert (obtained[12:14] == "fitted").all()


def test_all_of_them_share_one_compiled_model(swept: SweepOutcome) -> None:
    assert swept.densities <= 1
    assert densities() >= 1


def test_reweighted_sets_agree_with_real_fits(swept: SweepOutcome) -> None:
    assert len(swept.check) == 2
    assert (swept.check["note"] == "").all()
    assert swept.check["max_errors"].max() < 6.0
    assert swept.check["rms_errors"].max() < 2.0


def test_the_floor_holds_in_every_draw_of_every_fit(swept: SweepOutcome) -> None:
    with SweepJournal(swept.folder, read_only=True) as journal:
        low = swept.tree["unconfirmed"].sel(statistic="q05").isel(assumption_set=0)
        used = low["confirmed_claim"].values[low.notnull().values]
        assert len(used) >= 3
        strict = [r for r in journal.fits() if r.kind in ("cover", "base", "check")]
        assert len(strict) >= 3
        for record in strict:
            core = journal.read_draws(record).core
            assert core is not None
            # Draws are kept with 7 digits.
            assert float(core["unconfirmed"].sel(confirmed_claim=used).min()) > -0.01


def test_the_folder_can_be_read_without_this_package(swept: SweepOutcome, tmp_path: Path) -> None:
    import pandas as pd
    import xarray as xr

    tree = xr.open_datatree(swept.folder / "sweep.nc", engine="netcdf4")
    last = tree["losses"].sel(statistic="q50", month="2026-01")
    assert last[:12].values == pytest.approx(33_500, rel=0.05)
    table = pd.read_parquet(swept.folder / "summary.parquet")
    assert {"assumption_set", "quantity", "month", "unit", "q50"} <= set(table.columns)
    assert len(table) > 10_000


@pytest.mark.calibration
def test_sets_with_bounded_priors_reach_the_ends_of_their_own(tmp_path: Path) -> None:
    # The claims want high rates: the posterior crowds at the upper end.
    plain = plain_config(["sweep.method=plan", "sweep.check=0", "sweep.base_draws=1000"])
    uniform = "returns.rate={family: Uniform, low: 0.05, high: %s, mass: 0.9}"
    highs = [0.35, 0.35, 0.65, 0.65]
    sets = [
        [uniform % high, f"unconfirmed.ratio.high={ratio}"]
        for high, ratio in zip(highs, (0.28, 0.32, 0.28, 0.32), strict=True)
    ]
    swept = run_sweep(sets, SweepOptions.from_config(plain["sweep"]), tmp_path, Console(quiet=True))
    assert swept.failed == {}
    rate = swept.tree["assumption_value"].sel(assumption="returns.rate", statistic="q95").values
    assert rate == pytest.approx(highs, rel=0.1)
