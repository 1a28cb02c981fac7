"""Where sets come from: a result written whole, or a planned sweep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.errors import OutputError
from estimator.fitting.convergence import convergence
from estimator.fitting.entries import STATISTICS, Entries, EntryLayout, Variable, statistics
from estimator.quantities.answers import Answer, answer_draws, variables_of
from estimator.quantities.derived import derived_quantities
from estimator.quantity import OPTIONAL, TOTAL
from estimator.store.results import read_attrs, read_result
from estimator.store.sweep_files import ASSUMED, DATASET, thinning

_WEIGHTED = 256  # sets whose weights are unpacked at a time
_KEPT = 4  # whole results that are kept in memory
_HELD = 400_000_000  # bytes of log weights that are kept in memory
_DERIVED_FROM = ("losses", "recruits", "net_change")


@dataclass(frozen=True)
class Chunk:
    """Draws of some answers that several sets share, with each set's weights.

    Attributes
    ----------
    labels
        Of the sets.
    values
        (answer, draw).
    weights
        Rows sum to 1. (set, draw).
    places
        Which draw of which fit each is: equal numbers are the same draw, also of other chunks.
        (draw,).
    parts
        The draws of each fit, chain by chain. Each (answer, chain, draw).
    """

    labels: tuple[str, ...]
    values: np.ndarray
    weights: np.ndarray
    places: np.ndarray
    parts: tuple[np.ndarray, ...]

    @cached_property
    def relative_ess(self) -> np.ndarray:
        """The smallest effective sample size of any fit over its draws, unweighted. (answer,)."""
        return np.asarray(np.min([_relative_ess(part) for part in self.parts], axis=0))


class Source(Protocol):
    """One folder's sets, or one set."""

    facts: pd.DataFrame
    months: list[str]

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """(set, answer, statistic)."""

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        """Draws of the sets that are wanted."""

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""


@lru_cache(maxsize=_KEPT)
def read_whole(folder: Path, groups: tuple[str, ...] | None = None) -> xr.DataTree:
    """Read a set that was written whole, or some groups of it; the last few are kept in memory."""
    if groups is None:
        return read_result(folder)
    path = folder / "result.nc"
    try:
        with h5py.File(path) as file:
            there = [group for group in groups if group in file]
        datasets = {}
        for group in there:
            with xr.open_dataset(path, group=group, engine="h5netcdf") as dataset:
                datasets[f"/{group}"] = dataset.load()
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read ({error})") from error
    tree = xr.DataTree.from_dict(datasets)
    tree.attrs = read_attrs(folder)
    return tree


class Stored:
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
        try:
            self._file = h5py.File(path)
            self._group = self._file["posterior"]
            self._group["chain"], self._group["draw"]
        except (OSError, KeyError) as error:
            raise OutputError(f"{path}: cannot be read ({error})") from error
        self.names = frozenset(self._group)

    def __enter__(self) -> Stored:
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
        try:
            sizes = {dim: np.arange(len(self._group[dim])) for dim in ("chain", "draw")}
            dataset = xr.Dataset(coords=sizes)
            for name in names:
                dims = [str(axis[0].name).rsplit("/", 1)[-1] for axis in self._group[name].dims]
                dataset[name] = (dims, self._group[name][:])
                for dim in dims[2:]:
                    dataset = dataset.assign_coords({dim: self.labels(dim)})
        except (OSError, KeyError, RuntimeError) as error:
            raise OutputError(f"{self._path}: cannot be read ({error})") from error
        return dataset


class Whole:
    """One set with all its draws."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._statistics: dict[Answer, np.ndarray] = {}
        attrs = read_attrs(folder)
        try:
            found = json.loads(attrs["diagnostics"])
            self._configuration: dict[str, Any] = json.loads(attrs["configuration"])
            window = self._configuration["window"]
            facts = {
                "set_id": attrs["assumption_set_id"],
                "folder": str(folder.parent),
                "run": str(folder.parent),
                "obtained": "fitted",
                "k_hat": np.nan,
                "ess": min(
                    (s for s in (found["min_ess_bulk"], found["min_ess_tail"]) if s is not None),
                    default=np.nan,
                ),
                "max_rhat": found["max_rhat"],
                "divergences": found["divergences"],
                "failures": attrs["diagnostics_failures"],
                "data_hash": attrs["data_hash"],
                "window": f"{window['start']} to {window['end']}",
                "counts": self._configuration["confirmed"]["counts"],
            }
            label = str(attrs["assumption_set"])
        except (KeyError, ValueError) as error:
            raise OutputError(f"{folder / 'result.nc'}: is no result of a run ({error})") from error
        self.facts = pd.DataFrame([facts], index=pd.Index([label], name="label"))
        with Stored(folder / "result.nc") as stored:
            self.months = stored.labels("month")
            self._units = stored.units
            units = stored.labels("unit")
            self._unit_of = dict(zip(stored.labels("assumption"), units, strict=False))

    def _draws(self, answers: Sequence[Answer]) -> np.ndarray:
        """(answer, chain, draw)."""
        derived = any(answer.quantity in OPTIONAL for answer in answers)
        with Stored(self.folder / "result.nc") as stored:
            names = variables_of(answers, stored.names)
            posterior = stored.read([*names, *(_DERIVED_FROM if derived else ())])
        if derived:
            posterior = posterior.merge(self._derived(posterior))
        return answer_draws(posterior, answers)

    def _derived(self, posterior: xr.Dataset) -> xr.Dataset:
        assumptions = AssumptionSet.from_config(self._configuration, label=str(self.facts.index[0]))
        # As in `estimator.run.estimate`: the third child of the set's seed.
        rng = np.random.default_rng(np.random.SeedSequence(assumptions.seed).spawn(3)[2])
        return derived_quantities(posterior, assumptions.derived, rng)

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """Statistics of answers. (set, answer, statistic)."""
        plain = [replace(answer, below_zero=False) for answer in answers]
        missing = [answer for answer in dict.fromkeys(plain) if answer not in self._statistics]
        if missing:
            draws = self._draws(missing)
            flat = draws.reshape(len(missing), -1)
            order = np.argsort(flat, axis=1)
            layout = EntryLayout((Variable("answer", "answer", tuple(map(str, missing)), ("",)),))
            ordered = np.take_along_axis(flat, order, axis=1)
            found = statistics(Entries(layout, ordered, order, _relative_ess(draws)))
            self._statistics |= dict(zip(missing, found, strict=True))
        return np.array([self._statistics[answer] for answer in plain])[None]

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        """Draws of the sets that are wanted."""
        label = str(self.facts.index[0])
        if label in wanted:
            draws = self._draws(answers)
            flat = draws.reshape(len(answers), -1)
            weights = np.full((1, flat.shape[1]), 1.0 / flat.shape[1])
            places = _places(str(self.folder), flat.shape[1])
            yield Chunk((label,), flat, weights, places, (draws,))

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""
        if answer.below_zero:
            return answer.unit
        if answer.quantity == "assumption_value":
            return str(self._unit_of.get(answer.period, ""))
        recorded = self._units.get(answer.quantity) or answer.unit
        return recorded.replace("persons/month", "persons") if answer.period == TOTAL else recorded


def _places(fit: str, n_draws: int) -> np.ndarray:
    """Numbers that tell the draws of a fit from those of any other. (draw,)."""
    name = int.from_bytes(hashlib.blake2b(fit.encode(), digest_size=8).digest())
    return np.uint64(name & ~0xFF_FFFF) + np.arange(n_draws, dtype=np.uint64)


def _relative_ess(draws: np.ndarray) -> np.ndarray:
    """Smaller one of bulk and tail ESS of each row over the number of draws. (answer,)."""
    relative = np.ones(len(draws))
    moving = np.flatnonzero(np.ptp(draws.reshape(len(draws), -1), axis=1) > 0)
    if len(moving):
        with np.errstate(invalid="ignore", divide="ignore"):  # R-hat of draws that are 0 or 1
            found = convergence(draws[moving])
        smaller = np.minimum(found.ess_bulk, found.ess_tail)
        relative[moving] = np.minimum(smaller / draws[0].size, 1.0)
    return relative


class Sweep:
    """All sets of a planned sweep: statistics at hand, draws from its fits and weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._statistics: dict[Answer, np.ndarray] = {}
        self._held: dict[str, np.ndarray] = {}
        path = folder / DATASET
        try:
            self._data = xr.open_dataset(path, engine="h5netcdf")
            labels = [str(label) for label in self._data["assumption_set"].values]
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(f"{path}: is no dataset of a sweep ({error})") from error
        columns = {
            "set_id": "set_id",
            "obtained": "obtained",
            "k_hat": "k_hat",
            "ess": "ess",
            "max_rhat": "max_rhat",
            "divergences": "divergences",
            "failures": "failures",
            "window": "set_window",
            "counts": "set_counts",
            "fits": "fits",
        }
        facts: dict[str, Any] = {
            name: self._data[column].values if column in self._data else ""
            for name, column in columns.items()
        }
        facts |= {
            str(name): self._data[name].values
            for name in self._data.coords
            if str(name).startswith(ASSUMED)
        }
        facts |= {
            "folder": str(folder),
            "run": str(folder),
            "data_hash": str(self._data.attrs.get("data_hash", "")),
        }
        self.facts = pd.DataFrame(facts, index=pd.Index(labels, name="label"))
        self.months = [str(month) for month in self._data["month"].values]

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """Statistics of answers. (set, answer, statistic)."""
        plain = [replace(answer, below_zero=False) for answer in answers]
        for answer in dict.fromkeys(plain):
            if answer not in self._statistics:
                self._statistics[answer] = self._read(answer)
        return np.stack([self._statistics[answer] for answer in plain], axis=1)

    def _read(self, answer: Answer) -> np.ndarray:
        """(set, statistic)."""
        name, label = answer.entry
        if name in self._data:
            (dim,) = (d for d in self._data[name].dims if d not in ("assumption_set", "statistic"))
            at = np.flatnonzero(self._data[dim].values == label)
            if len(at):
                return np.asarray(self._data[name].isel({dim: int(at[0])}).values)
        return np.full((len(self.facts), len(STATISTICS)), np.nan, np.float32)

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        """Draws of the sets that are wanted."""
        own = dict(zip(self.facts["own_label"], self.facts.index, strict=True))
        fitted = self.facts.index[self.facts["obtained"] == "fitted"]
        for label in fitted[fitted.isin(list(wanted))]:
            found = self._draws_of([str(self.facts.at[label, "fits"])], answers)
            if found is not None:
                parts, places = found
                flat = _joined(parts)
                weights = np.full((1, flat.shape[1]), 1.0 / flat.shape[1])
                yield Chunk((str(label),), flat, weights, places, parts)
        for name, group in self._weights():
            names = [str(own[name]) for name in group["reweighted_set"].values]
            rows = [row for row, name in enumerate(names) if name in wanted]
            found = self._draws_of(str(group.attrs["fits"]).split(), answers) if rows else None
            if found is None:
                continue
            parts, places = found
            flat = _joined(parts)
            for begin in range(0, len(rows), _WEIGHTED):
                part = rows[begin : begin + _WEIGHTED]
                steps = self._steps(name, group["log_weight"], part)
                labels = tuple(names[row] for row in part)
                yield Chunk(labels, flat, _unpacked(steps), places, parts)

    def _weights(self) -> Iterator[tuple[str, xr.Dataset]]:
        with xr.open_datatree(self.folder / DATASET, engine="h5netcdf") as tree:
            if "weights" in tree.children:
                for name, group in tree["weights"].children.items():
                    yield name, group.to_dataset()

    def _steps(self, name: str, stored: xr.DataArray, rows: list[int]) -> np.ndarray:
        """Log weights of some sets as they are stored; all are kept in memory if they are few."""
        if stored.nbytes > _HELD:
            return np.asarray(stored.isel(reweighted_set=rows).values)
        if name not in self._held:
            self._held[name] = stored.values
        return np.asarray(self._held[name][rows])

    def _draws_of(
        self, fits: Sequence[str], answers: Sequence[Answer]
    ) -> tuple[tuple[np.ndarray, ...], np.ndarray] | None:
        """Draws of fits, each (answer, chain, draw), and their places (draw,); None if not kept."""
        paths = [self.folder / "fits" / f"{fit}.nc" for fit in fits]
        if not all(path.exists() for path in paths):
            return None
        datasets = []
        for path in paths:
            with Stored(path) as stored:
                datasets.append(stored.read(variables_of(answers, stored.names)))
        shapes = [(dataset.sizes["chain"], dataset.sizes["draw"]) for dataset in datasets]
        thin = thinning([n_chains * n_draws for n_chains, n_draws in shapes])
        parts, places = [], []
        for path, dataset, shape in zip(paths, datasets, shapes, strict=True):
            parts.append(answer_draws(dataset.isel(draw=slice(None, None, thin)), answers))
            own = _places(str(path), shape[0] * shape[1]).reshape(shape)
            places.append(own[:, ::thin].ravel())
        return tuple(parts), np.concatenate(places)

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""
        if answer.quantity == "assumption_value" and not answer.below_zero:
            unit = self._data["unit"].to_series().get(answer.period, "")
            return str(unit)
        return answer.unit


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join draws as their weights are: fit by fit, chain by chain. (answer, draw)."""
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def _unpacked(steps: np.ndarray) -> np.ndarray:
    """Weights from stored log weights. (set, draw); rows sum to 1."""
    weights = np.exp(steps.astype(np.float32) * np.float32(0.001))
    weights[steps == np.iinfo(np.int16).min] = 0.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
