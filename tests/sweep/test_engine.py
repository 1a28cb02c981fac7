from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from estimator.assumptions.compose import plain_config
from estimator.errors import ConfigError, EstimatorError, OutputError, SweepError
from estimator.sweep.collect import read_sweep, set_table
from estimator.sweep.design import design_overrides
from estimator.sweep.journal import SweepJournal
from estimator.sweep.options import SweepOptions
from estimator.sweep.results import collect_folder
from estimator.sweep.run_sweep import SweepOutcome, run_sweep
from estimator.sweep.set_fit import Fit, FitTask, Shared
from estimator.sweep.sets import compose_sets
from tests.sweep import synthetic
from tests.sweep.killed import OVERRIDES

pytestmark = pytest.mark.slow

CUBE = "experiment=latin_hypercube"


@pytest.fixture(autouse=True)
def no_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    fits_are(monkeypatch, synthetic.synthetic_fit)
    monkeypatch.setattr("estimator.sweep.engine.pilot_of", synthetic.synthetic_pilot)


def fits_are(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]) -> None:
    monkeypatch.setattr("estimator.sweep.engine.fit", function)


def sweep(
    folder: Path, *overrides: str, sets: Sequence[Sequence[str]] | None = None
) -> SweepOutcome:
    """Run a sweep of a short window: what takes time are the statistics of each month."""
    plain = plain_config(["sweep.check=0", *overrides])
    options = SweepOptions.from_config(plain["sweep"])
    if sets is None:
        assert options.design is not None
        sets = design_overrides(options.design, plain)
    sets = [[synthetic.WINDOW, *one] for one in sets]
    return run_sweep(sets, options, folder, Console(quiet=True))


def values(tree: xr.DataTree) -> xr.Dataset:
    """Everything but how long it took."""
    return tree.to_dataset().drop_vars("sampler_seconds").drop_attrs()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., SweepOutcome]]:
    """Runs a sweep for several tests."""
    with pytest.MonkeyPatch.context() as patch:
        fits_are(patch, synthetic.synthetic_fit)
        patch.setattr("estimator.sweep.engine.pilot_of", synthetic.synthetic_pilot)
        yield lambda *overrides: sweep(tmp_path_factory.mktemp("sweep"), *overrides)


@pytest.fixture(scope="module")
def cube(made: Callable[..., SweepOutcome]) -> SweepOutcome:
    return made(CUBE, "sweep.design.sets=40", "sweep.check=4")


TWENTY = (CUBE, "sweep.design.sets=20", "sweep.check=2")


@pytest.fixture(scope="module")
def twenty(made: Callable[..., SweepOutcome]) -> SweepOutcome:
    """A sweep whose folder tests leave as it is."""
    return made(*TWENTY)


@pytest.fixture
def copied(twenty: SweepOutcome, tmp_path: Path) -> Path:
    """Folder of a finished sweep, to go on in."""
    return Path(shutil.copytree(twenty.folder, tmp_path / "copied"))


def test_a_few_fits_reach_all_sets_of_a_design(cube: SweepOutcome) -> None:
    obtained = cube.tree["obtained"].values.astype(str)
    assert len(obtained) == 40
    assert (obtained == "reweighted").sum() > 30
    assert cube.failed == {}
    with SweepJournal(cube.folder, read_only=True) as journal:
        kinds = [record.kind for record in journal.fits()]
    assert kinds.count("cover") == 1
    assert kinds.count("check") == 4
    assert len(kinds) < 20


def test_every_reweighted_set_holds_the_bounds(cube: SweepOutcome) -> None:
    data = cube.tree.to_dataset()
    reweighted = data["obtained"] == "reweighted"
    assert float(data["k_hat"].where(reweighted, drop=True).max()) <= 0.7
    assert float(data["ess"].min()) >= 400


def test_reweighted_assumptions_have_the_quantiles_of_their_own_priors(cube: SweepOutcome) -> None:
    # Nothing is known beyond the priors in these fits, so the answer is the range itself.
    data = cube.tree.to_dataset()
    for key in ("unconfirmed.ratio", "returns.rate", "force.other_exits"):
        for end, statistic in (("low", "q05"), ("high", "q95")):
            wanted = data[f"assumed.{key}.{end}"].values.astype(float)
            found = data["assumption_value"].sel(assumption=key)
            error = found.sel(statistic=f"mcse_{statistic}").values
            far = (found.sel(statistic=statistic).values - wanted) / error
            assert np.abs(far).max() < 5.0
            assert np.sqrt(np.mean(far**2)) < 2.0


GRID = [f"unconfirmed.ratio.high={high}" for high in (0.28, 0.30, 0.32)]
UNIFORM = "returns.rate={family: Uniform, low: %s, high: %s, mass: 0.9}"
RANGES = {
    "of higher and higher ends": [[UNIFORM % (0.05, high)] for high in (0.35, 0.45, 0.55, 0.65)],
    "of higher and higher beginnings": [[UNIFORM % (low, 0.65)] for low in (0.05, 0.15, 0.25)],
    "apart": [[UNIFORM % ends] for ends in ((0.05, 0.2), (0.3, 0.4), (0.5, 0.9))],
    "of several families": [
        [UNIFORM % (0.2, 0.3)],
        ["returns.rate={family: Beta, low: 0.1, high: 0.6}"],
        [
            "returns.rate.family=TruncatedNormal",
            "+returns.rate.lower=0.2",
            "+returns.rate.upper=0.9",
        ],
        [],
    ],
}


@pytest.mark.parametrize("ranges", RANGES)
def test_no_set_has_the_numbers_of_another_where_supports_differ(
    tmp_path: Path, ranges: str
) -> None:
    sets = [[*prior, ratio] for prior in RANGES[ranges] for ratio in GRID]
    data = sweep(tmp_path, "sweep.method=plan", sets=sets).tree.to_dataset()
    assert (data["obtained"] == "reweighted").sum() >= 6
    priors = [one.assumptions.returns.rate for one in compose_sets(sets) if one.assumptions]
    assert len(priors) == len(sets)
    rate = data["assumption_value"].sel(assumption="returns.rate")
    for statistic, probability in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        wanted = np.array([prior.quantile(probability) for prior in priors])
        error = rate.sel(statistic=f"mcse_{statistic}").values
        far = (rate.sel(statistic=statistic).values - wanted) / error
        assert np.abs(far).max() < 6.0


def test_fits_of_sets_that_a_covering_fit_does_not_reach_serve_their_neighbours(
    tmp_path: Path,
) -> None:
    # Priors so narrow, and so far apart, that few draws of a cover for all of them fall into each.
    lows = np.concatenate([np.linspace(0.1, 0.101, 10), np.linspace(0.2, 0.202, 10)])
    ranges = [(low, low * 1.03) for low in lows.tolist()]
    sets = [
        [f"unconfirmed.ratio.low={low}", f"unconfirmed.ratio.high={high}"] for low, high in ranges
    ]
    data = sweep(tmp_path, "sweep.method=plan", sets=sets).tree.to_dataset()
    assert set(data["obtained"].values.tolist()) == {"fitted", "reweighted"}
    ratio = data["assumption_value"].sel(assumption="unconfirmed.ratio")
    for statistic, wanted in zip(("q05", "q95"), np.array(ranges).T, strict=True):
        error = ratio.sel(statistic=f"mcse_{statistic}").values
        assert np.abs((ratio.sel(statistic=statistic).values - wanted) / error).max() < 6.0


def test_the_check_finds_differences_of_the_size_of_their_errors(cube: SweepOutcome) -> None:
    assert len(cube.check) == 4
    assert (cube.check["compared"] > 100).all()
    assert cube.check["max_errors"].max() < 6.0
    assert cube.check["rms_errors"].between(0.2, 2.0).all()


def wrong_check(task: FitTask, shared: Shared) -> Fit:
    """Fit for a check what a set does not say."""
    found = synthetic.synthetic_fit(task, shared)
    if not task.fit_id.startswith("check-") or found.core is None:
        return found
    wrong = found.core.assign(killed_share=found.core["killed_share"] * 1.1)
    return replace(found, core=wrong)


def failing_check(task: FitTask, shared: Shared) -> Fit:
    if not task.fit_id.startswith("check-"):
        return synthetic.synthetic_fit(task, shared)
    return Fit(task.fit_id, None, None, None, None, "the sampler gave up", 0.01, 3)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (wrong_check, r"killed 20\d\d-\d\d q\d\d is .* errors from a fit"),
        (failing_check, "gave up"),
    ],
)
def test_what_a_check_finds_is_an_error_once_everything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: Callable[..., Fit], message: str
) -> None:
    fits_are(monkeypatch, fit)
    found = sweep(tmp_path, CUBE, "sweep.design.sets=20", "sweep.check=3")
    assert len(found.doubtful) == len(found.check) == 3
    assert found.failed == {}
    assert (tmp_path / "check.csv").exists()
    with pytest.raises(SweepError, match=message) as raised:
        found.raise_for_failures()
    assert raised.value.exit_status == 4
    for label in found.doubtful:
        assert label in str(raised.value)


def test_a_sound_sweep_raises_nothing(cube: SweepOutcome) -> None:
    assert cube.doubtful == {}
    cube.raise_for_failures()


@pytest.mark.parametrize("option", ["base_draws=4000", "fit.draws=700"])
def test_options_that_change_how_fits_are_made_begin_a_sweep_anew(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    option: str,
) -> None:
    sets = [["unconfirmed.ratio.high=0.4"]]
    sweep(tmp_path, sets=sets)
    fits_are(monkeypatch, synthetic.forbidden_fit)
    assert not sweep(tmp_path, "sweep.workers=1", "sweep.check=5", sets=sets).failed
    assert "begun anew" not in caplog.text
    with pytest.raises(EstimatorError, match="fitted again"):
        sweep(tmp_path, "sweep.workers=1", f"sweep.{option}", sets=sets)
    key, _, value = option.partition("=")
    assert f"begun anew, for sweep.{key} was " in caplog.text
    assert f" and is {value}" in caplog.text


def test_real_fits_everywhere_if_so_asked(tmp_path: Path) -> None:
    found = sweep(tmp_path, CUBE, "sweep.design.sets=6", "sweep.method=fit")
    assert set(found.tree["obtained"].values) == {"fitted"}
    assert found.tree.to_dataset()["losses"].notnull().all()


@pytest.mark.parametrize("how", [("workers=1",), ("workers=2", "backend=processes")])
def test_results_do_not_hang_on_the_workers(
    tmp_path: Path, twenty: SweepOutcome, how: tuple[str, ...]
) -> None:
    again = sweep(tmp_path, *TWENTY, *(f"sweep.{option}" for option in how))
    xr.testing.assert_identical(values(again.tree), values(twenty.tree))


def test_sets_of_other_claims_are_fitted_where_weights_do_not_reach(tmp_path: Path) -> None:
    sets = [
        [f"killed_share={option}", f"unconfirmed.ratio.high={high}"]
        for option in ("all", "registry", "western")
        for high in (0.3, 0.4)
    ]
    found = sweep(tmp_path, "sweep.method=plan", sets=sets)
    data = found.tree.to_dataset()
    assert set(data["obtained"].values) <= {"fitted", "reweighted"}
    reweighted = data["k_hat"].notnull()
    assert (data["k_hat"].where(reweighted, 0.0) <= 0.7).all()
    assert (data["ess"] >= 400).all()


def test_a_finished_sweep_is_not_done_again(
    twenty: SweepOutcome, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits_are(monkeypatch, synthetic.forbidden_fit)
    again = sweep(copied, *TWENTY)
    assert again.failed == {}
    xr.testing.assert_identical(values(again.tree), values(twenty.tree))


def test_another_seed_is_another_set(tmp_path: Path) -> None:
    sets = [["unconfirmed.ratio.high=0.4"]]
    first = sweep(tmp_path, sets=sets)
    again = sweep(tmp_path, sets=[["unconfirmed.ratio.high=0.4", "seed=7"]])
    assert first.tree["set_id"].values[0] != again.tree["set_id"].values[0]
    assert not np.array_equal(first.tree["losses"].values, again.tree["losses"].values)


def test_stricter_bounds_than_before_do_reweighted_sets_again(
    twenty: SweepOutcome, copied: Path
) -> None:
    k_hat = twenty.tree["k_hat"].values
    bound = float(np.nanmedian(k_hat[k_hat > 0]))
    strict = sweep(copied, *TWENTY, f"sweep.max_k_hat={bound:.6f}")
    assert np.nanmax(strict.tree["k_hat"].values) <= bound + 1e-6
    assert (strict.tree["obtained"].values == "fitted").sum() > (
        twenty.tree["obtained"].values == "fitted"
    ).sum()


def test_other_sets_in_the_same_folder_give_what_they_give_in_their_own(
    copied: Path, tmp_path: Path
) -> None:
    moved = (*TWENTY, "sweep.design.vary={unconfirmed.ratio: {shift: [0.5, 1.5]}}")
    again = sweep(copied, *moved)
    alone = sweep(tmp_path / "alone", *moved)
    assert list(again.tree["set_id"].values) == list(alone.tree["set_id"].values)
    xr.testing.assert_identical(values(again.tree)["losses"], values(alone.tree)["losses"])


def test_results_of_other_versions_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(tmp_path, sets=[[]])
    monkeypatch.setattr("estimator.sweep.engine.versions", lambda: {"estimator": "other"})
    fits_are(monkeypatch, synthetic.forbidden_fit)
    with pytest.raises(Exception, match="fitted again"):
        sweep(tmp_path, sets=[[]])


FIXED = [[f"returns.rate={value}"] for value in (0.25, 0.5, 0.75)]


def test_failures_are_recorded_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits_are(monkeypatch, synthetic.failing_fit)
    wrong = ["unconfirmed.ratio.high=0.001"]
    found = sweep(tmp_path, sets=[wrong, *FIXED])
    assert len(found.tree["assumption_set"]) == 4
    assert list(found.tree["obtained"].values) == ["failed", "failed", "fitted", "fitted"]
    assert "low must be below high" in found.tree["failures"].values[0]
    assert "the sampler gave up" in found.tree["failures"].values[1]
    assert found.tree["failures"].values[2] == ""
    assert "7 divergences" in found.tree["failures"].values[3]
    assert len(found.failed) == 3
    data = found.tree.to_dataset()["losses"]
    assert data[:2].isnull().all()
    assert data[2:].notnull().all()


def test_what_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits_are(monkeypatch, synthetic.failing_fit)
    assert sweep(tmp_path, sets=FIXED[:1]).failed
    fits_are(monkeypatch, synthetic.synthetic_fit)
    assert not sweep(tmp_path, sets=FIXED[:1]).failed


def test_fail_fast_stops_at_the_first_failure_and_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits_are(monkeypatch, synthetic.failing_fit)
    with pytest.raises(SweepError, match="gave up"):
        sweep(tmp_path, "sweep.fail_fast=true", "sweep.workers=1", sets=FIXED[::-1][1:])
    with SweepJournal(tmp_path, read_only=True) as journal:
        assert list(set_table(journal)["obtained"]) == ["fitted", "failed"]


def test_a_sweep_without_a_possible_set_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="low must be below high"):
        sweep(tmp_path, sets=[["unconfirmed.ratio.high=0.001"]])


def test_a_second_sweep_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    with SweepJournal(tmp_path), pytest.raises(OutputError, match="another sweep is writing here"):
        sweep(tmp_path, sets=[[]])


def test_a_folder_that_is_removed_in_the_middle_ends_the_sweep_and_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sweep"

    def remove(task: FitTask, shared: Shared) -> Fit:
        shutil.rmtree(folder, ignore_errors=True)
        return synthetic.synthetic_fit(task, shared)

    fits_are(monkeypatch, remove)
    with pytest.raises(OutputError, match="was removed or replaced while this sweep was at work"):
        sweep(folder, *OVERRIDES)
    assert not folder.exists()


def test_collect_rebuilds_dataset_and_table(twenty: SweepOutcome, copied: Path) -> None:
    for name in ("sweep.nc", "summary.parquet"):
        (copied / name).unlink()
    tree = collect_folder(copied)
    xr.testing.assert_identical(values(tree), values(twenty.tree))
    xr.testing.assert_identical(values(read_sweep(copied)), values(twenty.tree))
    table = pd.read_parquet(copied / "summary.parquet")
    assert set(table["assumption_set"]) == set(twenty.tree["assumption_set"].values)


def test_stored_weights_give_back_the_quantiles(twenty: SweepOutcome) -> None:
    weights = twenty.tree["weights/0"].to_dataset()
    paths = [twenty.folder / "fits" / f"{name}.nc" for name in weights.attrs["fits"].split()]
    fits = [xr.open_datatree(path, engine="netcdf4")["posterior"] for path in paths]
    draws = np.concatenate([fit["losses"].isel(month=-1).values.ravel() for fit in fits])
    label = str(weights["reweighted_set"].values[3])
    steps = weights["log_weight"].sel(reweighted_set=label).values.astype(float)
    weight = np.where(steps > -32768, np.exp(steps * weights["log_weight"].attrs["step"]), 0.0)
    order = np.argsort(draws)
    middle = np.interp(0.5, np.cumsum(weight[order]) / weight.sum(), draws[order])
    stored = twenty.tree["losses"].sel(assumption_set=label, statistic="q50").isel(month=-1)
    assert middle == pytest.approx(float(stored), rel=1e-4)


def test_twenty_kills_cost_nothing_but_time(tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - no secret
    delays = [rng.uniform(0.0, 0.4) for _ in range(20)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    sweep(whole, *OVERRIDES)
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.sweep.killed", str(killed), *map(str, delays)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(delays)
    xr.testing.assert_identical(values(read_sweep(killed)), values(read_sweep(whole)))
    weights = [read_sweep(folder)["weights/0"].to_dataset() for folder in (killed, whole)]
    xr.testing.assert_identical(*weights)
    assert not list(killed.rglob("*.partial"))
