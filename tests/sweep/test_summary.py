from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from estimator.batch import Batch
from estimator.cli import parse
from estimator.collect_cli import run as collect
from estimator.fitting.entries import STATISTICS, EntryLayout, Variable
from estimator.quantity import HEADLINES
from estimator.store.summary import SUMMARY_COLUMNS
from estimator.sweep.collect import collect_sweep
from estimator.sweep.journal import Obtained, SetRecord, SweepJournal
from estimator.sweep.run_sweep import SweepOutcome

MONTHS = ("2025-12", "2026-01")
CHECK = pd.DataFrame({"assumption_set": ["central #1"], "k_hat": [0.31], "note": ["agrees"]})


def write(folder: Path, keys: list[dict[str, object]]) -> xr.DataTree:
    """Write a sweep whose last set failed; the medians of a set are its number in thousands."""
    layout = EntryLayout(
        (
            *(Variable(name, "month", MONTHS, ("persons/month",) * 2) for name in HEADLINES),
            Variable("total_losses", "total", ("total",), ("persons",)),
        )
    )
    window = {"set_window": "2025-12-01 to 2026-01-31", "set_counts": "losses", "error": ""}
    rows = [
        {"set_id": str(n), "label": f"central #{n + 1}", **window, **own}
        for n, own in enumerate(keys)
    ]
    records = []
    for n in range(len(keys)):
        lost = n == len(keys) - 1
        numbers = np.full((len(layout.names), len(STATISTICS)), 1000.0 * n, np.float32)
        numbers[:, STATISTICS.index("below_zero")] = n / len(keys)
        how, why = ("failed", "gave up") if lost else ("fitted", "")
        obtained = Obtained(how, (), np.nan, 450.0, 1.0, 0, why, 1.0)
        records.append(
            SetRecord(str(n), obtained, "" if lost else layout.name, None if lost else numbers,
                      None, why)
        )  # fmt: skip
    with SweepJournal(folder) as journal:
        journal.set_about(sets=json.dumps(rows), data_hash="0123")
        journal.add_layout(layout)
        journal.add_sets(records)
        return collect_sweep(journal)


def finished(folder: Path, tree: xr.DataTree, *, plots: bool = False) -> str:
    """End a run with this sweep; return what it printed at 80 columns."""
    printed = io.StringIO()
    batch = Batch(Console(file=printed, width=80))
    batch.outputs, batch.name, batch.plots = folder.parent, folder.name, plots
    batch.sweep = SweepOutcome(folder, tree, {}, CHECK, {}, 0)
    batch.finish()
    return printed.getvalue()


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, xr.DataTree, str]:
    """A sweep of two keys, and what its end printed."""
    folder = tmp_path_factory.mktemp("outputs") / "crossed"
    keys = [{"returns.rate": r, "killed_share": s} for r in (0.2, 0.3, 0.4) for s in ("all", "few")]
    tree = write(folder, keys)
    return folder, tree, finished(folder, tree, plots=True)


def test_a_sweep_writes_tables_and_pictures_like_a_run(
    crossed: tuple[Path, xr.DataTree, str],
) -> None:
    folder, _, _ = crossed
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "6 assumption sets: 1 failed, 5 fitted" in text
    assert "1 reweighted sets, fitted as well" in text
    pictures = {path.name for path in folder.glob("*.png")}
    assert pictures == {
        "forest.png",
        "specification_losses.png",
        "specification_net_change.png",
        "specification_net_change_below_zero.png",
    }


def test_the_summary_has_the_columns_of_a_run_and_the_varied_keys(
    crossed: tuple[Path, xr.DataTree, str],
) -> None:
    table = pd.read_csv(crossed[0] / "summary.csv", keep_default_na=False)
    assert tuple(table.columns[: len(SUMMARY_COLUMNS)]) == SUMMARY_COLUMNS
    assert set(table["month"]) == {"2026-01", "total"}  # the whole is in summary.parquet
    assert table["assumption_set"].nunique() == 5
    rates = table.groupby("assumption_set")["assumed.returns.rate"].first()
    assert rates.tolist() == [0.2, 0.2, 0.3, 0.3, 0.4]


def test_a_sweep_of_two_keys_prints_a_table_of_them_and_names_its_ends_by_them(
    crossed: tuple[Path, xr.DataTree, str],
) -> None:
    *_, printed = crossed
    assert "P(net_change[2026-01] < 0): returns.rate down, killed_share across" in printed
    assert "returns.rate 0.4, killed_share all" in " ".join(printed.split())
    assert "central #" not in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_a_collected_sweep_writes_the_same(
    crossed: tuple[Path, xr.DataTree, str],
) -> None:
    folder, _, _ = crossed
    before = (folder / "summary.csv").read_bytes()
    (folder / "summary.csv").unlink()
    _, options = parse(["collect", str(folder), "--no-plots"])
    assert collect(options, Console(quiet=True)) == 0
    assert (folder / "summary.csv").read_bytes() == before


def test_a_sweep_without_numbers_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    tree = write(folder, [{"returns.rate": 0.2}])
    assert "1 assumption sets: 1 failed" in finished(folder, tree)
