"""Write and read netCDF files: the draws and statistics of all results.

A file ends with a seal: the hash of all that stands before it, which HDF5 does not look at. HDF5's
own checksums leave out labels and attributes, so that damage could pass for other numbers, and some
damage ends the process. A file without a seal, as other programs write them, is read all the same.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import xarray as xr
from xarray.backends import NetCDF4DataStore

from estimator.errors import OutputError
from estimator.export import atomically
from estimator.store.sweep_files import DATASET

RESULT = "result.nc"
"""File of a set that was written whole."""

_MARK = b"\n sealed: sha256 "
_SEAL = len(_MARK) + hashlib.sha256().digest_size

_ONE_AT_A_TIME = threading.RLock()
"""The library of netCDF holds for one thread at a time, and lets others run."""


def write_netcdf(data: xr.Dataset | xr.DataTree, path: Path) -> Path:
    """Write a dataset or a tree to a file in one step; return its path.

    Raises
    ------
    OutputError
        If the file cannot be written, as on a full disk. What was there before stays.
    """
    return atomically(path, lambda partial: _write(data, partial))


def read_netcdf(path: Path, hint: str = "") -> xr.DataTree:
    """Read a whole file into memory.

    Parameters
    ----------
    path
        File that `write_netcdf` wrote.
    hint
        As for `reading`.

    Raises
    ------
    OutputError
        If it is not there, is damaged, or is no netCDF file.
    """
    with reading(path, hint), _ONE_AT_A_TIME, xr.open_datatree(path, engine="netcdf4") as tree:
        return tree.load()


def open_netcdf(path: Path, group: str = "/") -> xr.Dataset:
    """Open a group of a file; each variable is read when it is used.

    Raises
    ------
    OutputError
        If it is not there, is damaged, or is no netCDF file.
    """
    with reading(path), _ONE_AT_A_TIME:
        return xr.open_dataset(path, group=group, engine="netcdf4")


def open_groups(path: Path, groups: Sequence[str]) -> xr.DataTree:
    """Open those groups that a file has, by one handle: to open a result anew takes 0.1 s."""
    with reading(path), _ONE_AT_A_TIME:
        file = netCDF4.Dataset(path)  # closed when no variable can be read from it any more
        return xr.DataTree.from_dict(
            {
                f"/{group}": xr.open_dataset(NetCDF4DataStore(file[group]))
                for group in groups
                if group in file.groups
            }
        )


def read_root_attrs(path: Path) -> dict[str, Any]:
    """Read the attributes of a file, once for each state of it."""
    with reading(path):
        stat = path.stat()
        return dict(_root_attrs(path, stat.st_size, stat.st_mtime_ns))


@functools.lru_cache(maxsize=4096)
def _root_attrs(path: Path, size: int, modified: int) -> dict[str, Any]:
    with open_netcdf(path) as root:
        return dict(root.attrs)


@contextlib.contextmanager
def reading(path: Path, hint: str = "") -> Iterator[None]:
    """Check the seal of a file before it is read, and name the file in what goes wrong.

    Parameters
    ----------
    path
        The file.
    hint
        What to do if it cannot be read, for the message; empty: what its name says.

    Raises
    ------
    OutputError
        If it is not there, is damaged, or is no netCDF file.
    """
    try:
        stat = path.stat()
        if not _is_whole(path, stat.st_size, stat.st_mtime_ns):
            raise OSError("it is damaged: its bytes are not those that were written")
        yield
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        advice = hint or _advice(path)
        text = f"{path}: cannot be read ({reason})"
        raise OutputError(f"{text}; {advice}" if advice else text) from error


@functools.lru_cache(maxsize=4096)
def _is_whole(path: Path, size: int, modified: int) -> bool:
    """Whether a file is as it was sealed, or has no seal; worked out once for each state of it."""
    with path.open("rb") as file:
        file.seek(max(size - _SEAL, 0))
        mark, kept = (end := file.read())[: len(_MARK)], end[len(_MARK) :]
        # Most of the mark will do: it may be damaged too.
        if 2 * sum(a == b for a, b in zip(mark, _MARK, strict=False)) < len(_MARK):
            return True
        file.seek(0)
        digest, left = hashlib.sha256(), size - _SEAL
        while left > 0 and (block := file.read(min(left, 2**20))):
            digest.update(block)
            left -= len(block)
    return (mark, kept) == (_MARK, digest.digest())


def _advice(path: Path) -> str:
    """Say what to do about a file that cannot be read."""
    if path.name == RESULT:
        return "estimate the set again"
    if path.name == DATASET:
        return f"it is no dataset of a sweep; make it again: estimator collect {path.parent}"
    if path.parent.name == "fits":
        return f"delete {path.parent.parent} and run the sweep again"
    return ""


def netcdf_bytes(dataset: xr.Dataset) -> bytes:
    """Make a netCDF file in memory, as the content of a record of a journal."""
    with _ONE_AT_A_TIME:
        file = netCDF4.Dataset("record", "w", memory=1)
        _fill(file, dataset)
        return bytes(file.close())


def dataset_of(content: bytes) -> xr.Dataset:
    """Read back what `netcdf_bytes` made."""
    with _ONE_AT_A_TIME, netCDF4.Dataset("record", memory=content) as file:
        return xr.open_dataset(NetCDF4DataStore(file)).load()


def _write(data: xr.Dataset | xr.DataTree, path: Path) -> None:
    with _ONE_AT_A_TIME:
        file = netCDF4.Dataset(path, "w")
        try:
            _fill(file, data)
            file.close()
        except RuntimeError as error:
            with contextlib.suppress(RuntimeError):
                file.close()
            with path.open("ab") as rest:
                rest.write(bytes(data.nbytes))  # the system says why, which the library does not
            raise OSError(errno.EIO, f"{error}; is the disk full?") from error
    with path.open("r+b") as whole:
        digest = hashlib.file_digest(whole, "sha256").digest()
        whole.write(_MARK + digest)


def _fill(file: netCDF4.Dataset, data: xr.Dataset | xr.DataTree) -> None:
    """Put a dataset or a tree into a new file."""
    for group in data.subtree if isinstance(data, xr.DataTree) else [xr.DataTree(data)]:
        place = file if group.path == "/" else file.createGroup(group.path)
        dataset = group.to_dataset(inherit=False)
        dataset.dump_to_store(NetCDF4DataStore(place), encoding=_encoding(dataset))


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, object]]:
    """Say how the variables of a file are kept.

    Arrays of numbers are compressed but for draws, which are noise: compressing these took half of
    the time of writing, and the file came out a tenth smaller. Texts are arrays of characters: HDF5
    2.2 ends the process of whoever has a file with texts of any length open twice.
    """
    level = {"zlib": True, "complevel": 1, "shuffle": True}
    encoding: dict[str, dict[str, object]] = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind in "OUT":
            encoding[str(name)] = {"dtype": "S1", **level}
        elif variable.dtype.kind in "fi" and variable.ndim and "draw" not in variable.dims:
            encoding[str(name)] = {**level}
    return encoding
