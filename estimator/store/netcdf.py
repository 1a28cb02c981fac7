"""Write and read netCDF files: the draws and statistics of all results.

A file ends with a seal: the hash of all that stands before it, which HDF5 does not look at. HDF5's
own checksums leave out labels and attributes, so that damage could pass for other numbers, and some
damage ends the process. A file without a seal, as other programs write them, is read all the same.
"""

from __future__ import annotations

import functools
import hashlib
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from estimator.errors import OutputError
from estimator.export import atomically
from estimator.store.sweep_files import DATASET

RESULT = "result.nc"
"""File of a set that was written whole."""

_MARK = b"\n sealed: sha256 "
_SEAL = len(_MARK) + hashlib.sha256().digest_size


def write_netcdf(data: xr.Dataset | xr.DataTree, path: Path) -> Path:
    """Write a dataset or a tree to a file in one step; return its path.

    The file is made in memory first, which takes as much room there as the file does on disk (63
    MiB for the result of a shipped set, and no more time). HDF5 cannot recover from a disk that
    fills up under it: h5netcdf then deletes a variable that is half made, and the process ends
    with a segmentation fault.

    Raises
    ------
    OutputError
        If the file cannot be written, as on a full disk. What was there before stays.
    """
    tree = xr.DataTree(data) if isinstance(data, xr.Dataset) else data
    with io.BytesIO() as image:
        tree.to_netcdf(image, engine="h5netcdf", encoding=_compressed(tree))
        return atomically(path, lambda partial: _copy(image, partial))


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
    with reading(path, hint), xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


@contextmanager
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
    return bytes(dataset.to_netcdf(engine="h5netcdf"))


def dataset_of(content: bytes) -> xr.Dataset:
    """Read back what `netcdf_bytes` made."""
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as opened:
        return opened.load()


def _copy(image: io.BytesIO, path: Path) -> None:
    image.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(image, file)
        file.write(_MARK + hashlib.sha256(image.getbuffer()).digest())


def _compressed(tree: xr.DataTree) -> dict[str, dict[str, dict[str, object]]]:
    """Compress arrays of numbers but for draws of a posterior.

    These are noise: compressing them took half of the time of writing, and the file came out a
    tenth smaller. Level 1 makes the others nearly as small as the highest.
    """
    return {
        group.path: {
            str(name): {"zlib": True, "complevel": 1, "shuffle": True}
            for name, variable in group.data_vars.items()
            if variable.dtype.kind in "fi" and variable.ndim and variable.dims[0] != "chain"
        }
        for group in tree.subtree
    }
