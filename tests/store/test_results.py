from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from estimator.errors import OutputError
from estimator.evidence.pieces import KINDS
from estimator.run import Estimate
from estimator.store.results import check_writable, point_latest, read_result, write_result
from estimator.store.summary import SUMMARY_COLUMNS
from tests.store.crates import FILES

GROUPS = {
    "posterior",
    "prior",
    "log_likelihood",
    "log_prior",
    "posterior_predictive",
    "sample_stats",
    "observed_data",
    "constant_data",
    "scenarios",
}


def write(found: Estimate, folder: Path, **more: Any) -> None:
    write_result(folder, found.tree, found.summary, found.evidence.claims, {"seed": 1}, **more)


@pytest.fixture(scope="module")
def written(from_prior: Estimate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("outputs") / "run" / "set"
    write(from_prior, folder)
    return folder


def test_arviz_alone_opens_a_result(written: Path, from_prior: Estimate) -> None:
    tree = az.from_netcdf(written / "result.nc")
    assert set(tree.children) == GROUPS
    losses = tree["posterior"]["losses"]
    assert losses.dims == ("chain", "draw", "month")
    np.testing.assert_array_equal(losses, from_prior.tree["posterior"]["losses"])


def test_xarray_alone_opens_a_result(written: Path) -> None:
    with xr.open_datatree(written / "result.nc", engine="netcdf4") as tree:
        assert set(tree.children) == GROUPS
        assert tree["posterior"]["month"].values[-1] == "2026-02"


def test_what_is_read_back_is_what_was_written(written: Path, from_prior: Estimate) -> None:
    tree = read_result(written)
    assert tree.attrs == from_prior.tree.attrs
    for group in ("posterior", "prior", "scenarios", "observed_data"):
        found, expected = tree[group].to_dataset(), from_prior.tree[group].to_dataset()
        assert set(found.data_vars) == set(expected.data_vars)
        for name in expected.data_vars:
            np.testing.assert_array_equal(found[name], expected[name])
            assert found[name].attrs.get("units") == expected[name].attrs.get("units")


def test_every_series_says_its_unit(written: Path) -> None:
    tree = read_result(written)
    for group in ("posterior", "prior", "scenarios"):
        data = tree[group].to_dataset()
        named = [name for name in data.data_vars if name != "assumption_value"]
        assert len(named) >= 9
        assert all(data[name].attrs["units"] for name in named)


def test_the_attrs_say_what_was_assumed_and_with_what(from_prior: Estimate) -> None:
    attrs = from_prior.tree.attrs
    assert attrs["assumption_set"] == "from prior"
    assert len(attrs["assumption_set_id"]) == 16
    assert json.loads(attrs["configuration"])["sampler"]["method"] == "prior"
    assert attrs["data_hash"] == from_prior.evidence.data_hash != ""
    assert json.loads(attrs["versions"])["pymc"][0] == "6"
    assert json.loads(attrs["diagnostics"])["divergences"] == 0
    assert attrs["diagnostics_ok"] == "true"
    assert attrs["diagnostics_failures"] == ""


def test_claims_that_do_not_count_are_in_the_constant_data_alone(from_prior: Estimate) -> None:
    tree = from_prior.tree
    used = tree["constant_data"]["used"]
    assert not used.values.all()
    expected = used["claim"].values[used.values].tolist()
    for group in ("posterior_predictive", "observed_data"):
        assert tree[group]["reported"]["claim"].values.tolist() == expected
    counted = from_prior.evidence.claims.query("used")["id"]
    assert set(tree["log_likelihood"]["figure"].values.tolist()) == set(counted)


def test_observed_figures_are_in_the_unit_of_their_claims(from_prior: Estimate) -> None:
    observed = from_prior.tree["observed_data"]["reported"]
    assert float(observed.sel(claim="P10")) == pytest.approx(191_000)
    assert float(observed.sel(claim="S11")) == pytest.approx(-9_000)
    predicted = from_prior.tree["posterior_predictive"]["reported"]
    assert (predicted.sel(claim="P10") > 0).all()
    assert np.isfinite(predicted).all()


def test_the_summary_is_tidy(from_prior: Estimate) -> None:
    summary = from_prior.summary
    assert tuple(summary.columns) == SUMMARY_COLUMNS
    assert not summary.duplicated(["assumption_set", "scenario", "quantity", "month"]).any()
    assert not summary.isna().any().any()
    ordered = summary[["q05", "q25", "q50", "q75", "q95"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()
    names = set(summary["quantity"])
    assert {"losses", "killed", "net_change", "force_size", "break_even_plan_share"} <= names
    assert {"losses_per_km", "other_side_losses", "assumption_value[returns.rate]"} <= names


def test_the_summary_is_of_the_draws(from_prior: Estimate) -> None:
    losses = from_prior.tree["posterior"]["losses"]
    summary = from_prior.summary[from_prior.summary["scenario"] == ""]
    rows = summary[summary["quantity"] == "losses"].set_index("month")
    assert len(rows) == losses.sizes["month"] + 1
    median = float(losses.sel(month="2026-01").median())
    assert rows.loc["2026-01", "q50"] == pytest.approx(median)
    assert rows.loc["total", "mean"] == pytest.approx(float(losses.sum("month").mean()))
    assert rows.loc["total", "unit"] == "persons"


def test_a_set_is_written_with_all_its_files(written: Path, from_prior: Estimate) -> None:
    assert {path.name for path in written.iterdir()} == FILES
    assert [path.name for path in written.parent.iterdir()] == ["set"]
    table = pd.read_csv(written / "summary.csv", keep_default_na=False)
    assert len(table) == len(from_prior.summary)
    assert yaml.safe_load((written / "config.yaml").read_text()) == {"seed": 1}
    assert json.loads((written / "diagnostics.json").read_text())["min_ess_bulk"] is None


def test_a_failure_in_the_middle_leaves_the_old_folder_and_nothing_else(
    from_prior: Estimate, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "old").write_text("old")

    def fail(target: Path) -> None:
        assert (target.parent / "result.nc").is_file()
        raise RuntimeError("no pictures")

    with pytest.raises(RuntimeError, match="no pictures"):
        write(from_prior, folder, plots=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert [path.name for path in folder.iterdir()] == ["old"]


def test_an_older_result_is_replaced_as_a_whole(from_prior: Estimate, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "old").write_text("old")
    write(from_prior, folder)
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_pictures_are_drawn_into_the_folder(from_prior: Estimate, tmp_path: Path) -> None:
    def draw(target: Path) -> None:
        target.mkdir()
        (target / "losses.png").write_text("picture")

    write(from_prior, tmp_path / "set", plots=draw)
    assert (tmp_path / "set" / "plots" / "losses.png").is_file()


def test_a_file_in_the_place_of_a_folder_is_an_output_error(
    from_prior: Estimate, tmp_path: Path
) -> None:
    """Root may write into any folder, so that a file stands in for one that is read-only."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(OutputError, match=r"blocked/run/set: cannot be written \("):
        write(from_prior, blocked / "run" / "set")
    with pytest.raises(OutputError, match=r"output folder .*blocked: cannot be written \("):
        check_writable(blocked)
    assert blocked.read_text() == "a file"


def test_checking_a_folder_makes_none(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "run")
    assert list(tmp_path.iterdir()) == []


def test_latest_points_to_the_newest_run(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        point_latest(tmp_path, name)
        assert (tmp_path / "latest").is_symlink()
        assert (tmp_path / "latest").resolve() == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "latest", "second"]


def test_a_missing_or_broken_result_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"result\.nc: cannot be read"):
        read_result(tmp_path)
    (tmp_path / "result.nc").write_text("no netCDF")
    with pytest.raises(OutputError, match=r"result\.nc: cannot be read"):
        read_result(tmp_path)


def test_a_result_says_of_every_figure_whether_and_why_it_does_not_count(
    from_prior: Estimate,
) -> None:
    constant = from_prior.tree["constant_data"].to_dataset()
    for prefix, dim in KINDS.items():
        assert constant.sizes[dim] > 0
        counts = constant[f"{prefix}used"].values.astype(bool)
        np.testing.assert_array_equal(constant[f"{prefix}reason"].values == "", counts)
