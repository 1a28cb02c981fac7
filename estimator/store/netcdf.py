"""Write and read netCDF files: the draws and statistics of all results."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import xarray as xr

from estimator.errors import OutputError
from estimator.export import atomically


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
        What to do if it cannot be read, for the message.

    Raises
    ------
    OutputError
        If it is not there, or is no netCDF file.
    """
    try:
        return xr.open_datatree(path, engine="h5netcdf").load()
    except (OSError, ValueError) as error:
        text = f"{path}: cannot be read ({error})"
        raise OutputError(f"{text}; {hint}" if hint else text) from error


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
