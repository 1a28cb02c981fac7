"""The posterior of a netCDF file, of which single variables are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from estimator.store.netcdf import reading


class PosteriorFile:
    """The posterior of a netCDF file, of which single variables are read.

    Through h5py: xarray looks at all variables of a file before it reads one, and a sweep may have
    hundreds of files.

    Attributes
    ----------
    names
        Of the variables and coordinates.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with reading(path):
            self._file = h5py.File(path)
            self._group = self._file["posterior"]
            self._group["chain"], self._group["draw"]
            self.names = frozenset(self._group)

    def __enter__(self) -> PosteriorFile:
        """Return itself, open."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self._file.close()

    @property
    def units(self) -> dict[str, str]:
        """Units of the variables that have one."""
        units = {name: self._group[name].attrs.get("units") for name in self.names}
        return {name: str(unit) for name, unit in units.items() if unit is not None}

    def labels(self, coordinate: str) -> list[str]:
        """Labels of a coordinate; none if it is not there."""
        if coordinate not in self.names:
            return []
        return [str(label) for label in self._group[coordinate].asstr()[:]]

    def read(self, names: Sequence[str]) -> xr.Dataset:
        """Draws of variables. (chain, draw, …).

        Raises
        ------
        OutputError
            If the file is damaged.
        """
        with reading(self._path):
            sizes = {dim: np.arange(len(self._group[dim])) for dim in ("chain", "draw")}
            dataset = xr.Dataset(coords=sizes)
            for name in names:
                dims = [str(axis[0].name).rsplit("/", 1)[-1] for axis in self._group[name].dims]
                dataset[name] = (dims, self._group[name][:])
                for dim in dims[2:]:
                    dataset = dataset.assign_coords({dim: self.labels(dim)})
        return dataset
