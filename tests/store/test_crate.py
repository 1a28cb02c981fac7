"""What a folder says of itself to other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xarray as xr

from estimator.run import Estimate
from estimator.store.crate import CRATE, without_places, write_crate
from estimator.store.netcdf import write_netcdf
from estimator.store.results import COMMAND, describe_run, write_result
from estimator.store.versions import versions
from tests.store.crates import entities

OURS = "https://creativecommons.org/licenses/by/4.0/"


def written(found: Estimate, folder: Path) -> Path:
    def draw(plots: Path) -> None:
        plots.mkdir()
        (plots / "a picture.png").write_bytes(b"")

    write_result(folder, found.tree, found.summary, found.evidence.claims, {"seed": 1}, draw)
    return folder


def test_a_set_says_what_went_in_and_what_came_out(from_prior: Estimate, tmp_path: Path) -> None:
    crate = entities(written(from_prior, tmp_path / "run" / "set"))
    attrs = from_prior.tree.attrs
    assert crate["#assumption-set"]["value"] == "from prior"
    assert crate["#identity-of-set-and-data"]["value"] == attrs["assumption_set_id"]
    assert crate["#seed"]["value"] == attrs["seed"]
    claims = crate[f"#claims-{attrs['data_hash'][:16]}"]
    assert claims["identifier"] == f"sha256:{attrs['data_hash']}"
    assert claims["name"] == "Claims: claims.csv, registries.csv"
    assert crate["./"]["license"] == {"@id": OURS}
    assert crate["#estimator"]["version"] == json.loads(attrs["versions"])["estimator"]
    assert crate["#pymc"]["version"] == versions()["pymc"]
    assert "plots/a%20picture.png" in crate


def test_a_run_names_its_command_and_its_sets(from_prior: Estimate, tmp_path: Path) -> None:
    run = tmp_path / "run"
    written(from_prior, run / "set")
    (run / COMMAND).write_text("estimator run name=run 'output_dir=/home/some body/out'\n")
    describe_run(run)
    crate = entities(run)
    assert crate["#estimation"]["description"] == "estimator run name=run output_dir=out"
    assert crate["#assumption-sets"]["value"] == "from prior"
    assert [part["@id"] for part in crate["./"]["hasPart"]] == [COMMAND, "set/"]
    assert crate["set/"]["subjectOf"] == {"@id": f"set/{CRATE}"}


def test_a_planned_sweep_is_described_by_its_dataset(tmp_path: Path) -> None:
    write_netcdf(xr.Dataset(attrs={"data_hash": "b a"}), tmp_path / "sweep.nc")
    write_netcdf(xr.Dataset({"x": 1}), tmp_path / "fits" / "cover.nc")
    (tmp_path / ".journal.lock").touch()
    describe_run(tmp_path)
    crate = entities(tmp_path)
    assert [one["@id"] for one in crate["#estimation"]["object"]] == ["#claims-a", "#claims-b"]
    assert "fits/cover.nc" in crate


def test_claims_of_other_tables_are_licensed_by_nobody_here(tmp_path: Path) -> None:
    write_crate(tmp_path, name="x", facts={}, data_hashes=["0"], versions=versions())
    crate = json.loads((tmp_path / CRATE).read_text())["@graph"]
    assert "Not stated" in crate[1]["license"]
    assert OURS not in [entity["@id"] for entity in crate]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/me/conf", "conf"),
        ("evidence.files=[shipped,/a/b.csv,/c/d.csv]", "evidence.files=[shipped,b.csv,d.csv]"),
        ("output_dir=/home/my name/my runs", "output_dir=my runs"),
        ("central,evidence.files=[/home/me/my.csv]", "central,evidence.files=[my.csv]"),
        ("evidence.files=[data/my.csv]", None),
        ("hydra/launcher=joblib", None),
    ],
)
def test_only_the_last_part_of_a_place_is_kept(text: str, expected: str | None) -> None:
    assert without_places(text) == (text if expected is None else expected)
