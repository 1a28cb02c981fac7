"""A sweep as one dataset and one table, from whatever state its journal is in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.errors import OutputError
from estimator.export import atomically
from estimator.fitting.entries import STATISTICS, EntryLayout
from estimator.quantity import HEADLINES, SIGNED
from estimator.store import log_weights
from estimator.store.netcdf import read_netcdf, write_netcdf
from estimator.store.sweep_files import ASSUMED, DATASET, TABLE, last_month
from estimator.sweep.journal import FILE, Obtained, SweepJournal

_FACTS = {
    "set_window": "days that are estimated",
    "set_counts": "what a confirmed figure counts",
}
_ROWS = 100  # sets that are turned into rows of the table at a time
_OBTAINED = {
    "obtained": ("how", "how the set's numbers came about: fitted, reweighted or failed"),
    "k_hat": ("k_hat", "Pareto k-hat of the weights; NaN if fitted"),
    "ess": ("ess", "smallest effective sample size of a reported quantity"),
    "max_rhat": ("max_rhat", "largest R-hat, of the fits if reweighted"),
    "divergences": ("divergences", "divergent transitions, of the fits if reweighted"),
    "failures": ("failures", "bounds that were missed, or why there are no numbers; else empty"),
    "seconds": ("seconds", "time that the set took"),
}


def facts_of(assumptions: AssumptionSet) -> dict[str, str]:
    """Say what decides whether a set's figures mean the same as another's."""
    window = assumptions.window
    facts = (f"{window.start} to {window.end}", assumptions.definitions.confirmed)
    return dict(zip(_FACTS, facts, strict=True))


def set_table(journal: SweepJournal) -> pd.DataFrame:
    """One row a set, in the order of the sweep: id, label, varied keys, how it was obtained.

    A varied key has the prefix ``assumed.``: a group may have the name of a quantity.
    """
    about = journal.about()
    if "sets" not in about:
        raise OutputError(f"{journal.folder / FILE}: holds no sweep")
    table = pd.DataFrame(json.loads(about["sets"]))
    own = ("set_id", "label", "error", *_FACTS)
    table = table.rename(columns={c: f"{ASSUMED}{c}" for c in table.columns if c not in own})
    finished = journal.finished()
    unfinished = Obtained("unfinished", (), np.nan, np.nan, np.nan, 0, "", np.nan)
    found = [finished.get(set_id, unfinished) for set_id in table["set_id"]]
    for column, (field, _) in _OBTAINED.items():
        table[column] = [getattr(one, field) for one in found]
    impossible = table["error"] != ""
    table.loc[impossible, "obtained"] = "failed"
    table.loc[impossible, "failures"] = table.loc[impossible, "error"]
    table["fits"] = [" ".join(one.fits) for one in found]
    return table.drop(columns="error")


def collect_sweep(journal: SweepJournal) -> xr.DataTree:
    """Write ``sweep.nc`` and ``summary.parquet`` of what is finished; return the former.

    Returns
    -------
    xarray.DataTree
        The root has a variable a quantity with dims assumption_set, the quantity's own (month, …)
        and statistic (see `estimator.fitting.entries.STATISTICS`); coordinates for the varied keys
        and for how each set was obtained. Group ``weights/<n>`` holds, for the sets
        (reweighted_set) that were reweighted from the same fits, their log weights on the fits'
        draws joined (chain by chain, fit by fit).
    """
    table = set_table(journal)
    gathered = _SetStatistics(table, journal)
    tree = xr.DataTree.from_dict(
        {"/": _dataset(table, gathered, journal.about()), **_weights(journal, table)}
    )
    write_netcdf(tree, journal.folder / DATASET)
    rows = _table_rows(table, gathered)
    atomically(journal.folder / TABLE, lambda path: _write_table(rows, path))
    return tree


def read_sweep(folder: Path) -> xr.DataTree:
    """Read ``sweep.nc`` of a folder."""
    return read_netcdf(folder / DATASET)


class _SetStatistics:
    """Statistics of all sets, a variable at a time: ten thousand sets have half a gigabyte.

    Attributes
    ----------
    dims
        As `_union` gives them.
    values
        Statistics of each variable. (set, place, statistic).
    layouts, targets
        Layouts by name, and where each of their variables has its entries in `values`.
    layout_of
        Layout of each row that has statistics.
    """

    def __init__(self, table: pd.DataFrame, journal: SweepJournal) -> None:
        names = journal.layout_names()
        self.layouts = journal.layouts()
        self.dims = _union(self.layouts[name] for name in names.values())
        places = {dim: {p: n for n, p in enumerate(at)} for dim, at in self.dims["coords"].items()}
        self.values = {
            name: np.full((len(table), len(places[dim]), len(STATISTICS)), np.nan, np.float32)
            for name, (dim, _) in self.dims["variables"].items()
        }
        self.targets = {
            name: {
                v.name: np.array([places[v.dim][label] for label in v.labels], dtype=int)
                for v in self.layouts[name].variables
            }
            for name in set(names.values())
        }
        self.layout_of: dict[int, str] = {}
        rows: dict[str, list[int]] = {}  # two labels may name one set
        for row, set_id in enumerate(table["set_id"]):
            rows.setdefault(set_id, []).append(row)
        for record in journal.sets():
            if record.statistics is None:
                continue
            for row in rows.get(record.set_id, ()):
                self.layout_of[row] = record.layout
                for name, entries in self.layouts[record.layout].slices.items():
                    targets = self.targets[record.layout][name]
                    self.values[name][row, targets] = record.statistics[entries]

    def statistics(self, row: int) -> np.ndarray:
        """Statistics of a set in the order of its layout. (entry, statistic)."""
        targets = self.targets[self.layout_of[row]]
        return np.concatenate([self.values[name][row, at] for name, at in targets.items()])


def _dataset(table: pd.DataFrame, gathered: _SetStatistics, about: Mapping[str, str]) -> xr.Dataset:
    labels = table["label"].to_numpy(dtype=object)
    dataset = xr.Dataset(coords={"assumption_set": labels, "statistic": list(STATISTICS)})
    for dim, places in gathered.dims["coords"].items():
        dataset = dataset.assign_coords({dim: np.array(places, dtype=object)})
    for name, (dim, units) in gathered.dims["variables"].items():
        distinct = list(dict.fromkeys(units.values()))
        attrs = (
            {"units": distinct[0]} if len(distinct) == 1 else {"units": "see the coordinate unit"}
        )
        dataset[name] = (("assumption_set", dim, "statistic"), gathered.values[name], attrs)
        if len(distinct) > 1:
            unit = np.array([units[place] for place in gathered.dims["coords"][dim]], dtype=object)
            dataset = dataset.assign_coords({"unit": (dim, unit)})
    own = {"set_id": "identity of the set with its data", "fits": "fits it comes from", **_FACTS}
    descriptions = own | {column: text for column, (_, text) in _OBTAINED.items()}
    for column in table.columns.drop("label"):
        cells = table[column].to_numpy()
        if cells.dtype.kind == "O":
            cells = np.array([str(cell) for cell in cells], dtype=object)
        name = "sampler_seconds" if column == "seconds" else str(column)
        attrs = {"description": descriptions.get(str(column), "varied key of the configuration")}
        dataset = dataset.assign_coords({name: ("assumption_set", cells, attrs)})
    dataset.attrs = {key: value for key, value in about.items() if key not in ("sets",)}
    return dataset


def _union(layouts: Iterator[EntryLayout]) -> dict[str, Any]:
    """Dims of all layouts together, each variable's dim, and the unit at each place."""
    coords: dict[str, dict[str, None]] = {}
    variables: dict[str, tuple[str, dict[str, str]]] = {}
    for layout in {layout.name: layout for layout in layouts}.values():
        for variable in layout.variables:
            coords.setdefault(variable.dim, {}).update(dict.fromkeys(variable.labels))
            _, units = variables.setdefault(variable.name, (variable.dim, {}))
            units.update(zip(variable.labels, variable.units, strict=True))
    months = "month"
    return {
        "coords": {
            dim: sorted(places) if dim == months else list(places) for dim, places in coords.items()
        },
        "variables": variables,
    }


def _weights(journal: SweepJournal, table: pd.DataFrame) -> dict[str, xr.Dataset]:
    labels = dict(zip(table["set_id"], table["label"], strict=True))
    fits_of = {set_id: obtained.fits for set_id, obtained in journal.finished().items()}
    counts = Counter(fits for set_id, fits in fits_of.items() if set_id in labels)
    found: dict[tuple[str, ...], tuple[list[str], np.ndarray]] = {}
    for set_id, steps in journal.weights():
        if set_id in labels:
            fits = fits_of[set_id]
            if fits not in found:
                found[fits] = [], np.empty((counts[fits], len(steps)), steps.dtype)
            names, rows = found[fits]
            rows[len(names)] = steps
            names.append(labels[set_id])
    attrs = {"description": log_weights.DESCRIPTION, "step": log_weights.STEP}
    return {
        f"/weights/{number}": xr.Dataset(
            {"log_weight": (("reweighted_set", "pooled_draw"), rows[: len(names)], attrs)},
            coords={"reweighted_set": np.array(names, dtype=object)},
            attrs={"fits": " ".join(fits)},
        )
        for number, (fits, (names, rows)) in enumerate(found.items())
    }


def _table_rows(table: pd.DataFrame, gathered: _SetStatistics) -> Iterator[pa.Table]:
    """Tidy rows, some sets at a time: a sweep of ten thousand sets has millions."""
    varied = [column for column in table.columns if str(column).startswith(ASSUMED)]
    keys: dict[str, dict[str, pa.Array]] = {}
    for name in gathered.targets:
        quantity, place, unit = [], [], []
        for variable in gathered.layouts[name].variables:
            name_of = variable.name.removeprefix("total_")
            for label, text in zip(variable.labels, variable.units, strict=True):
                timed = variable.dim in ("month", "total")
                quantity.append(name_of if timed else f"{name_of}[{label}]")
                place.append(label if timed else "")
                unit.append(text)
        texts = {"quantity": quantity, "month": place, "unit": unit}
        keys[name] = {
            column: pa.array(words).dictionary_encode() for column, words in texts.items()
        }
    for begin in range(0, len(table), _ROWS):
        pieces = []
        for at, row in enumerate(table.iloc[begin : begin + _ROWS].itertuples(), begin):
            if at not in gathered.layout_of:
                continue
            statistics = gathered.statistics(at)
            n = len(statistics)
            columns: dict[str, Any] = {
                "assumption_set": _alike(row.label, n),
                "obtained": _alike(row.obtained, n),
                **keys[gathered.layout_of[at]],
            }
            for name, column in zip(STATISTICS, statistics.T, strict=True):
                columns[name] = pa.array(np.ascontiguousarray(column))
            for name in varied:
                columns[name] = _alike(table.at[row.Index, name], n)
            pieces.append(pa.table(columns))
        if pieces:
            yield pa.concat_tables(pieces).unify_dictionaries()


def _alike(value: object, count: int) -> pa.Array:
    """Return the text of one value so many times."""
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), pa.array([str(value)]))


def _write_table(rows: Iterator[pa.Table], path: Path) -> None:
    writer = None
    try:
        for table in rows:
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
        else:
            pq.write_table(pa.table({"assumption_set": pa.array([], pa.string())}), path)


def headline(tree: xr.DataTree, month: str | None = None) -> pd.DataFrame:
    """One row a set: losses, killed, gap and net change of a month, and how it was obtained.

    Parameters
    ----------
    tree
        As `collect_sweep` gives it.
    month
        None: the last one that all sets have whole.
    """
    data = tree.to_dataset()
    month = last_month(data) if month is None else month
    columns: dict[str, Any] = {"assumption_set": data["assumption_set"].values}
    for name in HEADLINES:
        for statistic in ("q05", "q50", "q95"):
            columns[f"{name}_{statistic}"] = data[name].sel(month=month, statistic=statistic).values
    for name in SIGNED:
        columns[f"p_{name}_below_zero"] = data[name].sel(month=month, statistic="below_zero").values
    for name in ("obtained", "k_hat", "ess", "failures"):
        columns[name] = data[name].values
    return pd.DataFrame(columns)
