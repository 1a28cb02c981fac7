from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from estimator.errors import OutputError
from estimator.store.netcdf import dataset_of, netcdf_bytes, read_netcdf, write_netcdf

ROOM = 100_000  # bytes


@pytest.fixture
def little_room() -> Iterator[None]:
    """Let no file grow beyond some bytes, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def tree(numbers: int) -> xr.DataTree:
    draws = np.random.default_rng(1).normal(size=numbers)
    return xr.DataTree.from_dict({"/posterior": xr.Dataset({"losses": ("draw", draws)})})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = tree(1000)
    written.attrs["seed"] = 3
    back = read_netcdf(write_netcdf(written, tmp_path / "new" / "result.nc"))
    xr.testing.assert_identical(back, written)


@pytest.mark.usefixtures("little_room")
def test_a_full_disk_is_an_error_that_leaves_what_was_there(tmp_path: Path) -> None:
    path = write_netcdf(tree(100), tmp_path / "result.nc")
    with pytest.raises(OutputError, match=r"result\.nc: cannot be written \(File too large\)"):
        write_netcdf(tree(ROOM), path)
    assert [file.name for file in tmp_path.iterdir()] == ["result.nc"]
    xr.testing.assert_identical(read_netcdf(path), tree(100))


def test_a_dataset_comes_back_from_the_content_of_a_record() -> None:
    draws = np.random.default_rng(0).random((2, 3), np.float32)
    dataset = xr.Dataset({"rate": (("chain", "draw"), draws)}, attrs={"failures": ""})
    xr.testing.assert_identical(dataset_of(netcdf_bytes(dataset)), dataset)


def test_one_byte_that_changed_anywhere_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = write_netcdf(tree(100), tmp_path / "result.nc")
    content = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(content), size=100):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(OutputError, match=r"result\.nc: .*damaged.*; estimate the set again"):
            read_netcdf(path)
    path.write_bytes(content)
    xr.testing.assert_identical(read_netcdf(path), tree(100))


def test_a_sealed_file_is_plain_netcdf_for_others_and_theirs_is_read(tmp_path: Path) -> None:
    with xr.open_datatree(write_netcdf(tree(100), tmp_path / "ours.nc"), engine="netcdf4") as ours:
        xr.testing.assert_identical(ours.load(), tree(100))
    tree(100).to_netcdf(tmp_path / "theirs.nc", engine="netcdf4")
    xr.testing.assert_identical(read_netcdf(tmp_path / "theirs.nc"), tree(100))


def test_a_file_with_texts_may_be_open_twice_and_closed_once(tmp_path: Path) -> None:
    """HDF5 2.2 ends the process of who does so with texts of free length."""
    texts = xr.DataTree.from_dict(
        {"/posterior": xr.Dataset({"month": ("at", ["2026-01", "", "é"])})}
    )
    path = write_netcdf(texts, tmp_path / "result.nc")
    first = xr.open_datatree(path, engine="netcdf4")
    for _ in range(3):
        with xr.open_datatree(path, engine="netcdf4") as second:
            second.load()
    xr.testing.assert_identical(first.load(), texts)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("sweep.nc", "make it again: estimator collect {folder}"),
        ("fits/cover.nc", "delete {folder} and run the sweep again"),
        ("set/result.nc", "estimate the set again"),
    ],
)
def test_what_to_do_about_a_damaged_file_hangs_on_what_it_was(
    tmp_path: Path, name: str, advice: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"text")
    with pytest.raises(OutputError, match=advice.format(folder=tmp_path)):
        read_netcdf(path)
