from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr
from rich.console import Console

from estimator.batch import Batch
from estimator.sweep.run_sweep import SweepOutcome


def test_a_sweep_writes_what_it_prints(tmp_path: Path) -> None:
    data = xr.Dataset(
        coords={
            "assumption_set": ["a", "b"],
            "obtained": ("assumption_set", ["failed", "failed"]),
            "failures": ("assumption_set", ["no draws", "no draws"]),
        }
    )
    check = pd.DataFrame({"assumption_set": ["a"], "k_hat": [0.31], "note": ["agrees"]})
    batch = Batch(Console(quiet=True))
    batch.outputs, batch.name = tmp_path, "mine"
    folder = tmp_path / "mine"
    folder.mkdir()
    batch.sweep = SweepOutcome(folder, xr.DataTree(data), {}, check, {}, 0)
    batch.finish()
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "2 assumption sets: 2 failed" in text
    assert "1 reweighted sets, fitted as well" in text
