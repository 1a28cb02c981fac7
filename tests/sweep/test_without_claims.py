"""Sweeps of claims tables that leave one kind of claims empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator import cli
from tests.store.crates import entities

HEADER = (
    "id,quantity,period_start,period_end,low,value,high,unit,hedge,status,origin,source,published,"
    "citation,population\n"
)
CONFIRMED = (
    "year,killed,2024-01-01,2024-06-30,,36600,,persons,exact,confirmed,names,list,2025-06-01,"
    "Somebody,a"
)
ESTIMATED = (
    "month,losses,2024-01-01,2024-01-31,,937,,persons,about,estimated,counter,list,2024-08-01,"
    "Somebody,a"
)


@pytest.mark.slow
@pytest.mark.parametrize("claim", [CONFIRMED, ESTIMATED], ids=["only confirmed", "none confirmed"])
def test_a_sweep_of_one_kind_of_claims_ends_with_its_table(
    claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "claims.csv").write_text(f"{HEADER}{claim}\n")
    monkeypatch.chdir(tmp_path)
    status = cli.main(
        [
            "run",
            "-m",
            "experiment=other_war",
            "evidence.files=[claims.csv]",
            "window.start=2024-01-01",
            "window.end=2024-06-30",
            "sampler=prior_only",
            "sampler.prior_draws=60",
            "sweep.whole_results=1",
            "seed=1,2",
            "name=sweep",
        ]
    )
    assert status == 0
    assert "2 assumption sets: 2 fitted" in capsys.readouterr().out
    assert (tmp_path / "outputs" / "sweep" / "sweep.nc").exists()
    assert "sweep.nc" in entities(tmp_path / "outputs" / "sweep")
