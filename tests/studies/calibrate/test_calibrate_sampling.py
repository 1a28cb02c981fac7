"""A whole small calibration; one structure, compiled once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estimator.assumptions.compose import plain_config
from estimator.cli import main
from estimator.studies.calibrate.calibration import calibrate
from estimator.studies.calibrate.options import CalibrateOptions

pytestmark = pytest.mark.sampling

WINDOW = "window=since_2025"


def test_a_small_calibration_passes_and_writes_its_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["calibrate", "calibrate.only=[since_2025]", "calibrate.sims=12"]
    arguments += ["calibrate.parts=[sbc,coverage]", f"output_dir={tmp_path}", "name=small"]
    # Of 12 fits none may fail altogether; one that misses a bound makes the status 3.
    assert main(arguments) in (0, 3)
    assert "Calibration" in capsys.readouterr().out
    folder = tmp_path / "small"
    sbc = pd.read_csv(folder / "sbc.csv")
    assert len(sbc) > 50
    assert (sbc["worlds"] == 12).all()
    assert sbc["holm_p"].min() > 0.001
    coverage = pd.read_csv(folder / "coverage.csv")
    model = coverage[(coverage["method"] == "model") & (coverage["period"] == "months")]
    assert model.loc[model["level"] == 0.9, "coverage"].min() > 0.7
    assert {path.name for path in (folder / "plots").iterdir()} == {
        "ranks_since_2025.png",
        "coverage.png",
    }
    assert "Coverage" in (folder / "calibration.md").read_text()


def test_broken_worlds_and_reweighted_sets_are_told(tmp_path: Path) -> None:
    config = plain_config()["calibrate"]
    kept = {
        name: config["broken"][name] for name in ("none", "confirmed_too_high", "wrong_definition")
    }
    moves = {"returns": {"shift": {"returns.rate": 0.5}}}
    options = CalibrateOptions.from_config(
        {
            **config,
            "parts": ["broken", "reweighting"],
            "sims": 2,
            "broken": kept,
            "reweighting": {
                **config["reweighting"],
                "moves": moves,
                "base_draws": 500,
                "fit_draws": 500,
            },
        }
    )
    found = calibrate(options, [WINDOW], tmp_path, lambda what, done, total: None)
    assert set(found.broken["break"]) == set(kept)
    high = found.broken[found.broken["break"] == "confirmed_too_high"].set_index("entry")
    assert high.loc["losses[2026-01]", "error"] > 0
    few = found.broken[found.broken["break"] == "wrong_definition"].set_index("entry")
    assert few.loc["losses[total]", "error_share"] < -0.05, "who comes back is not in the figures"
    assert len(found.reweighting) == 2
    assert (found.reweighting["k_hat"] < 0.7).all()
    assert (found.reweighting["median_rms_errors"] < 3).all()
