from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.errors import OutputError
from estimator.fitting.entries import STATISTICS, EntryLayout, Variable
from estimator.quantity import HEADLINES
from estimator.store.log_weights import packed
from estimator.sweep.collect import (
    DATASET,
    TABLE,
    collect_sweep,
    headline,
    read_sweep,
    set_table,
)
from estimator.sweep.journal import Obtained, SetRecord, SweepJournal

LABELS = ["short", "long", "failed", "impossible", "unfinished", "other weights"]


def layout(*months: str) -> EntryLayout:
    monthly = ("persons/month",) * len(months)
    keys, units = ("losses.level", "returns.rate"), ("persons/month", "share")
    return EntryLayout(
        (
            *(Variable(name, "month", months, monthly) for name in HEADLINES),
            Variable("total_losses", "total", ("total",), ("persons",)),
            Variable("assumption_value", "assumption", keys, units),
            Variable("unconfirmed", "confirmed_claim", (), ()),  # no confirmed claim counts
        )
    )


SHORT, LONG = layout("2025-12"), layout("2026-01", "2025-12", "2025-11")
LOG_WEIGHTS = np.log(np.random.default_rng(0).dirichlet(np.ones(30), 2))


def numbers(of: EntryLayout, seed: int) -> np.ndarray:
    shape = (len(of.names), len(STATISTICS))
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def obtained(how: str, k_hat: float = np.nan, failures: str = "") -> Obtained:
    return Obtained(how, ("fit-a", "fit-b"), k_hat, 450.0, 1.01, 0, failures, 2.0)


RECORDS = [
    SetRecord("0", obtained("fitted"), SHORT.name, numbers(SHORT, 0), None),
    SetRecord("1", obtained("reweighted", 0.3), LONG.name, numbers(LONG, 1), LOG_WEIGHTS[0]),
    SetRecord("2", obtained("failed", failures="gave up"), "", None, None, "gave up"),
    SetRecord("5", obtained("reweighted", 0.4), LONG.name, numbers(LONG, 2), LOG_WEIGHTS[1]),
    SetRecord("of an older list", obtained("fitted"), SHORT.name, numbers(SHORT, 3), None),
]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SweepJournal]:
    rows = [
        {
            "set_id": str(n),
            "label": label,
            "ratio.high": 0.1 * n,
            "killed_share": "wide",
            "error": "",
        }
        for n, label in enumerate(LABELS)
    ]
    rows[3] |= {"set_id": "", "error": "ratio.hgh: unknown key"}
    with SweepJournal(tmp_path / "sweep") as journal:
        journal.set_about(sets=json.dumps(rows), data_hash="0123")
        journal.add_layout(SHORT)
        journal.add_layout(LONG)
        journal.add_sets(RECORDS)
        yield journal


@pytest.fixture
def tree(journal: SweepJournal) -> xr.DataTree:
    return collect_sweep(journal)


def test_the_table_says_of_every_set_how_it_was_obtained(journal: SweepJournal) -> None:
    table = set_table(journal).set_index("label")
    assert table.index.tolist() == LABELS
    assert table["obtained"].tolist() == [
        *("fitted", "reweighted", "failed", "failed", "unfinished", "reweighted")
    ]
    assert table["failures"].tolist() == ["", "", "gave up", "ratio.hgh: unknown key", "", ""]
    assert table.loc["long", "k_hat"] == 0.3
    assert np.isnan(table.loc["unfinished", "ess"])
    assert table.loc["short", "fits"] == "fit-a fit-b"
    assert table["assumed.ratio.high"].tolist() == pytest.approx([0.1 * n for n in range(6)])


def test_plain_xarray_opens_the_dataset(tree: xr.DataTree, journal: SweepJournal) -> None:
    with xr.open_dataset(journal.folder / DATASET, engine="netcdf4") as data:
        assert data["losses"].dims == ("assumption_set", "month", "statistic")
        assert data["assumption_set"].values.tolist() == LABELS
        assert data["month"].values.tolist() == ["2025-11", "2025-12", "2026-01"]
        assert data["statistic"].values.tolist() == list(STATISTICS)
        assert data["obtained"].values.tolist() == set_table(journal)["obtained"].tolist()
        assert data["assumed.ratio.high"].dims == ("assumption_set",)
        assert data["assumed.killed_share"].values.tolist() == ["wide"] * 6
        assert data["losses"].attrs["units"] == "persons/month"
        assert data["unit"].values.tolist() == ["persons/month", "share"]
        assert data.attrs == {"data_hash": "0123"}


def test_each_number_lies_at_its_set_month_and_statistic(tree: xr.DataTree) -> None:
    data = tree.to_dataset()
    by_label = {LABELS[int(r.set_id)]: r for r in RECORDS if r.set_id.isdecimal()}
    checked = 0
    for label, of in (("short", SHORT), ("long", LONG), ("other weights", LONG)):
        table = by_label[label].statistics
        assert table is not None
        for variable in of.variables:
            places = {"assumption_set": label, variable.dim: list(variable.labels)}
            found = data[variable.name].sel(places).values
            np.testing.assert_array_equal(found, table[of.slices[variable.name]])
            checked += found.size
    assert checked == len(STATISTICS) * (len(SHORT.names) + 2 * len(LONG.names))


def test_what_a_set_does_not_have_is_nan(tree: xr.DataTree) -> None:
    losses = tree["losses"]
    for label in ("failed", "impossible", "unfinished"):
        assert losses.sel(assumption_set=label).isnull().all(), label
    missing = losses.sel(assumption_set="short", statistic="mean").isnull()
    assert missing.values.tolist() == [True, False, True]
    assert losses.sel(assumption_set="long").notnull().all()


def test_weights_are_kept_for_the_sets_that_were_reweighted(tree: xr.DataTree) -> None:
    [group] = tree["weights"].children.values()
    assert group.attrs["fits"] == "fit-a fit-b"
    assert group["reweighted_set"].values.tolist() == ["long", "other weights"]
    assert group["log_weight"].dims == ("reweighted_set", "pooled_draw")
    expected = [packed(log_weights) for log_weights in LOG_WEIGHTS]
    np.testing.assert_array_equal(group["log_weight"].values, expected)


def test_the_dataset_is_read_back_as_it_was_made(tree: xr.DataTree, journal: SweepJournal) -> None:
    again = read_sweep(journal.folder)
    xr.testing.assert_equal(again.to_dataset(), tree.to_dataset())
    xr.testing.assert_equal(again["weights/0"].to_dataset(), tree["weights/0"].to_dataset())


def test_pandas_opens_the_table_of_tidy_rows(tree: xr.DataTree, journal: SweepJournal) -> None:
    table = pd.read_parquet(journal.folder / TABLE)
    assert list(table.columns) == [
        *("assumption_set", "obtained", "quantity", "month", "unit"),
        *STATISTICS,
        *("assumed.ratio.high", "assumed.killed_share"),
    ]
    sizes = table.groupby("assumption_set", observed=True).size().to_dict()
    assert sizes == {"short": len(SHORT.names)} | dict.fromkeys(
        ("long", "other weights"), len(LONG.names)
    )
    text = table.astype({name: str for name in ("assumption_set", "quantity", "month", "unit")})
    long = text[text["assumption_set"] == "long"].set_index(["quantity", "month"])
    assert long.index.tolist()[0] == ("losses", "2026-01")
    assert ("losses", "total") in long.index
    assert long.loc[("assumption_value[returns.rate]", ""), "unit"] == "share"
    np.testing.assert_array_equal(long[list(STATISTICS)].to_numpy(), RECORDS[1].statistics)


def test_the_headline_is_of_the_month_that_is_asked_for(tree: xr.DataTree) -> None:
    data = tree.to_dataset()
    for month, label in ((None, "2026-01"), ("2025-11", "2025-11")):
        found = headline(tree, month).set_index("assumption_set")
        assert found.index.tolist() == LABELS
        for name, statistic in (("losses", "q05"), ("net_change", "q95")):
            expected = data[name].sel(month=label, statistic=statistic).values
            np.testing.assert_array_equal(found[f"{name}_{statistic}"], expected)
        below = data["net_change"].sel(month=label, statistic="below_zero").values
        np.testing.assert_array_equal(found["p_net_change_below_zero"], below)
    assert found["obtained"].tolist()[:3] == ["fitted", "reweighted", "failed"]


def test_collecting_again_replaces_whole_files_and_leaves_nothing_else(
    tree: xr.DataTree, journal: SweepJournal
) -> None:
    before = {path.name for path in journal.folder.iterdir()}
    assert {DATASET, TABLE} <= before
    journal.add_sets([SetRecord("4", obtained("fitted"), LONG.name, numbers(LONG, 4), None)])
    again = collect_sweep(journal)
    assert again["losses"].sel(assumption_set="unfinished").notnull().all()
    assert {path.name for path in journal.folder.iterdir()} == before


@pytest.mark.parametrize("name", [DATASET, TABLE])
def test_a_file_that_cannot_be_written_is_told_and_no_part_of_it_is_left(
    journal: SweepJournal, name: str
) -> None:
    (journal.folder / name / "in the way").mkdir(parents=True)
    with pytest.raises(OutputError, match=f"{name}: cannot be written"):
        collect_sweep(journal)
    assert list(journal.folder.glob(".*.partial")) == []


def test_a_sweep_of_which_nothing_is_finished_can_be_collected(journal: SweepJournal) -> None:
    journal.forget([record.set_id for record in RECORDS])
    tree = collect_sweep(journal)
    assert tree["assumption_set"].values.tolist() == LABELS
    assert set(tree["obtained"].values) == {"failed", "unfinished"}
    assert len(pd.read_parquet(journal.folder / TABLE)) == 0


def test_a_journal_without_a_sweep_is_told(tmp_path: Path) -> None:
    with SweepJournal(tmp_path) as journal, pytest.raises(OutputError, match="holds no sweep"):
        collect_sweep(journal)


def test_a_folder_without_a_dataset_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        read_sweep(tmp_path)
