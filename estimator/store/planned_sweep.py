"""All sets of a planned sweep, as a source of statistics and draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer, answer_draws, variables_of
from estimator.store.log_weights import unpacked
from estimator.store.netcdf import open_netcdf, reading
from estimator.store.sources import Chunk, places_of
from estimator.store.sweep_files import ASSUMED, DATASET, thinning

_WEIGHTED = 256  # sets whose weights are unpacked at a time
_HELD = 400_000_000  # bytes of log weights that are kept in memory


class PlannedSweep:
    """All sets of a planned sweep: statistics at hand, draws from its fits and weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._statistics: dict[Answer, np.ndarray] = {}
        self._held: dict[str, np.ndarray] = {}
        with reading(folder / DATASET):
            self._data = open_netcdf(folder / DATASET)
            labels = [str(label) for label in self._data["assumption_set"].values]
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
                yield Chunk(labels, flat, unpacked(steps), places, parts)

    def _weights(self) -> Iterator[tuple[str, xr.Dataset]]:
        with xr.open_datatree(self.folder / DATASET, engine="netcdf4") as tree:
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
            with open_netcdf(path, "posterior") as kept:
                names = variables_of(answers, set(map(str, kept.variables)))
                datasets.append(kept[names].load())
        shapes = [(dataset.sizes["chain"], dataset.sizes["draw"]) for dataset in datasets]
        thin = thinning([n_chains * n_draws for n_chains, n_draws in shapes])
        parts, places = [], []
        for path, dataset, shape in zip(paths, datasets, shapes, strict=True):
            parts.append(answer_draws(dataset.isel(draw=slice(None, None, thin)), answers))
            own = places_of(str(path), shape[0] * shape[1]).reshape(shape)
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
