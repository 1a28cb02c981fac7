"""Launchers of others, as users start them: one plain fit a job, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from estimator import run
from estimator.cli import main
from estimator.fitting.diagnostics import Diagnostics

pytestmark = [pytest.mark.cluster, pytest.mark.sampling]

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from estimator.cli import main; sys.exit(main(sys.argv[1:]))"
QUICK = ("sampler=prior_only", "plots=false", "output_dir=out", "name=x")
LAUNCHERS = {
    "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    "submitit_local": ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5"),
}


def estimator(folder: Path, launcher: str, *overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM, "run", "-m", *LAUNCHERS[launcher], *QUICK, *overrides],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def written(folder: Path) -> set[str]:
    """What the sets that were written whole varied last."""
    found = (folder / "out" / "x").glob("*/result.nc")
    return {path.parent.name.rpartition(",")[2] for path in found}


def collected(folder: Path) -> list[str]:
    with xr.open_datatree(folder / "out" / "x" / "sweep.nc", engine="netcdf4") as tree:
        assert set(tree["obtained"].values.tolist()) == {"fitted"}
        return sorted(label.rpartition(",")[2] for label in tree["assumption_set"].values.tolist())


@pytest.mark.parametrize(
    ("launcher", "rates"), [("joblib", ["9000", "12000"]), ("submitit_local", ["9000"])]
)
def test_each_set_is_a_job_and_all_that_can_be_done_end_in_one_dataset(
    tmp_path: Path, launcher: str, rates: list[str]
) -> None:
    sets = ("returns=nonsense,none", f"force.other_exits=-1,{','.join(rates)}")
    done = estimator(tmp_path, launcher, *sets)
    assert done.returncode == 2
    assert "Results: out/x" in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.count("returns=nonsense: unknown option") == 1 + len(rates)
    assert done.stderr.count("force.other_exits.value: must lie in") == 1
    possible = sorted(f"force.other_exits={rate}" for rate in rates)
    assert written(tmp_path) == set(possible)
    assert collected(tmp_path) == possible
    assert not (tmp_path / "out" / "x" / "forest.png").exists()  # plots=false
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # Hydra leaves nothing behind


def test_failed_diagnostics_come_back_from_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = Diagnostics(1.08, 100.0, 90.0, {}, 2, ("R-hat 1.080 > 1.01 (losses[2026-01])",))
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setattr(run, "diagnose", lambda *_: poor)
        assert main(["run", "-m", *QUICK, "unconfirmed.ratio.high=0.3"]) == 3
    # The job finds its set there, with the verdict that it got.
    done = estimator(tmp_path, "joblib", "unconfirmed.ratio.high=0.3")
    assert done.returncode == 3, done.stderr
    assert "unconfirmed.ratio.high=0.3: R-hat 1.080" in done.stderr
