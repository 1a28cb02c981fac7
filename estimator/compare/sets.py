"""Assumption sets from runs and sweeps, as one collection: their statistics and their draws."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.compare.answers import Answer, answer_draws
from estimator.convergence import convergence
from estimator.entries import STATISTICS, Entries, EntryLayout, Variable, statistics
from estimator.errors import OutputError, nearest, problems_text
from estimator.quantities import derived_quantities
from estimator.results import TOTAL, read_attrs, read_result
from estimator.sweep.files import ASSUMED, DATASET, thinning

_WEIGHTED = 256  # sets whose weights are unpacked at a time
_KEPT = 8  # whole results that are kept in memory
_DERIVED = ("other_side_losses", "losses_per_km", "break_even_plan_share")


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
    relative_ess
        The smallest effective sample size over the number of draws, before weighting. (answer,).
    """

    labels: tuple[str, ...]
    values: np.ndarray
    weights: np.ndarray
    relative_ess: np.ndarray


class _Source(Protocol):
    """One folder's sets, or one set."""

    facts: pd.DataFrame
    months: list[str]

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """(set, answer, statistic)."""

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        """Draws of the sets that are wanted."""

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""


class Sets:
    """Assumption sets of one or more runs and sweeps.

    Attributes
    ----------
    labels
        Names of the sets, unique; where two folders use one name, the folder's stands in front.
    facts
        Index `label`; columns set_id, folder, obtained (fitted, reweighted, failed, unfinished),
        k_hat, ess, max_rhat, divergences, failures, data_hash, window, counts (what a confirmed
        figure counts), and ``assumed.<key>`` for each key that a sweep varied.
    """

    def __init__(self, sources: Sequence[_Source]) -> None:
        self._sources = list(sources)
        tables = [source.facts for source in self._sources]
        self.facts = pd.concat(tables)
        double = self.facts.index[self.facts.index.duplicated(keep=False)]
        for table in tables:
            names = [f"{Path(str(f)).name}/{n}" if n in double else n
                     for n, f in zip(table.index, table["folder"], strict=True)]  # fmt: skip
            table["own_label"] = table.index
            table.index = pd.Index(names, name="label")
        self.facts = pd.concat(tables)
        if not self.facts.index.is_unique:
            twice = sorted(set(self.facts.index[self.facts.index.duplicated()]))
            raise OutputError(f"these sets are given twice: {', '.join(twice)}")
        self.labels = [str(label) for label in self.facts.index]

    @classmethod
    def open(cls, folders: Sequence[Path]) -> Sets:
        """Open runs (``<set>/result.nc``), single sets and sweeps (``sweep.nc``).

        Raises
        ------
        OutputError
            With every folder that holds neither.
        """
        sources: list[_Source] = []
        problems = []
        for folder in folders:
            whole = sorted(folder.glob("*/result.nc")) or sorted(folder.glob("result.nc"))
            if whole:
                sources += [_Whole(path.parent) for path in whole]
            elif (folder / DATASET).exists():
                sources.append(_Sweep(folder))
            else:
                problems.append(f"{folder}: {_what_to_do(folder)}")
        if problems:
            raise OutputError(problems_text("These outputs cannot be compared:", problems))
        return cls(sources)

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.labels)

    @cached_property
    def months(self) -> list[str]:
        """Months that every set has."""
        common = set.intersection(*(set(source.months) for source in self._sources))
        return sorted(common)

    def check(self, answers: Sequence[Answer]) -> None:
        """Refuse answers that no set has.

        Raises
        ------
        OutputError
            With each of them, and the nearest period that there is.
        """
        problems = []
        for answer in answers:
            if np.isnan(self.value(answer)).all():
                known = [*self.months, TOTAL]
                problems.append(f"{answer}: no set has it; {nearest(answer.period, known)}")
        if problems:
            raise OutputError(problems_text("These answers cannot be given:", problems))

    def select(self, labels: Sequence[str]) -> list[int]:
        """Positions of sets by their labels.

        Raises
        ------
        OutputError
            With every label that no set has, and the nearest one.
        """
        unknown = [name for name in labels if name not in self.labels]
        if unknown:
            texts = [f"{name!r}: {nearest(name, self.labels[:40])}" for name in unknown]
            raise OutputError(problems_text("These sets are not there:", texts))
        return [self.labels.index(name) for name in labels]

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """Statistics (`estimator.entries.STATISTICS`) of answers. (set, answer, statistic)."""
        return np.concatenate([source.table(answers) for source in self._sources])

    def value(self, answer: Answer, statistic: str = "q50") -> np.ndarray:
        """Median of an answer, or its probability; another statistic if named. (set,)."""
        if answer.below_zero:
            statistic = "below_zero"
        return np.asarray(self.table([answer])[:, 0, STATISTICS.index(statistic)], dtype=float)

    def error(self, answer: Answer) -> np.ndarray:
        """Monte-Carlo standard error of `value`. (set,)."""
        if not answer.below_zero:
            return self.value(answer, "mcse_q50")
        p, ess = self.value(answer), self.facts["ess"].to_numpy(dtype=float)
        return np.asarray(np.sqrt(p * (1.0 - p) / ess))

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""
        return self._sources[0].unit(answer)

    def chunks(
        self, answers: Sequence[Answer], labels: Sequence[str] | None = None
    ) -> Iterator[Chunk]:
        """Draws of answers, sets that share draws together; sets without draws are left out.

        Parameters
        ----------
        answers
            What to read.
        labels
            Of the sets; None for all.
        """
        wanted = set(self.labels if labels is None else labels)
        for source in self._sources:
            yield from source.chunks(answers, wanted)

    def tree(self, label: str) -> xr.DataTree | None:
        """Whole result of a set; None for a set of a planned sweep."""
        for source in self._sources:
            if isinstance(source, _Whole) and label in source.facts.index:
                return _result(source.folder)
        return None

    @property
    def whole(self) -> list[str]:
        """Labels of the sets that were written whole."""
        return [str(s.facts.index[0]) for s in self._sources if isinstance(s, _Whole)]

    def groups(self) -> list[list[str]]:
        """Labels by folder: the sets of one sweep, or of one run."""
        return [
            [str(label) for label in part.index]
            for _, part in self.facts.groupby("run", sort=False)
        ]


def _what_to_do(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    if (folder / "journal.sqlite").exists():
        return f"holds a sweep that is not collected; run: estimator collect {folder}"
    return "holds no result.nc, <set>/result.nc or sweep.nc"


@lru_cache(maxsize=_KEPT)
def _result(folder: Path) -> xr.DataTree:
    return read_result(folder)


class _Whole:
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
        with self._posterior() as posterior:
            self.months = [str(month) for month in posterior["month"].values]
            self._units = {str(n): str(v.attrs.get("units", "")) for n, v in posterior.items()}
            self._unit_of = (
                posterior["unit"].to_series().to_dict() if "unit" in posterior.coords else {}
            )

    def _posterior(self) -> xr.Dataset:
        path = self.folder / "result.nc"
        try:
            return xr.open_dataset(path, group="posterior", engine="h5netcdf")
        except (OSError, ValueError) as error:
            raise OutputError(f"{path}: cannot be read ({error})") from error

    def _draws(self, answers: Sequence[Answer]) -> np.ndarray:
        """(answer, chain, draw)."""
        with self._posterior() as posterior:
            if any(answer.quantity in _DERIVED for answer in answers):
                posterior = posterior[["losses", "recruits", "net_change"]].load().merge(posterior)
                posterior = posterior.merge(self._derived(posterior))
            return answer_draws(posterior, answers)

    def _derived(self, posterior: xr.Dataset) -> xr.Dataset:
        assumptions = AssumptionSet.from_config(self._configuration, label=str(self.facts.index[0]))
        # As in `estimator.run.estimate`: the third child of the set's seed.
        rng = np.random.default_rng(np.random.SeedSequence(assumptions.seed).spawn(3)[2])
        return derived_quantities(posterior, assumptions.derived, rng)

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
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
        label = str(self.facts.index[0])
        if label in wanted:
            draws = self._draws(answers)
            flat = draws.reshape(len(answers), -1)
            weights = np.full((1, flat.shape[1]), 1.0 / flat.shape[1])
            yield Chunk((label,), flat, weights, _relative_ess(draws))

    def unit(self, answer: Answer) -> str:
        if answer.quantity == "assumption_value" and not answer.below_zero:
            return str(self._unit_of.get(answer.period, ""))
        return answer.unit


def _relative_ess(draws: np.ndarray) -> np.ndarray:
    """Smaller one of bulk and tail ESS of each row over the number of draws. (answer,)."""
    relative = np.ones(len(draws))
    moving = np.flatnonzero(np.ptp(draws.reshape(len(draws), -1), axis=1) > 0)
    if len(moving):
        found = convergence(draws[moving])
        smaller = np.minimum(found.ess_bulk, found.ess_tail)
        relative[moving] = np.minimum(smaller / draws[0].size, 1.0)
    return relative


class _Sweep:
    """All sets of a planned sweep: statistics at hand, draws from its fits and weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        found = np.full((len(self.facts), len(answers), len(STATISTICS)), np.nan, np.float32)
        for column, answer in enumerate(answers):
            name, label = answer.entry
            if name not in self._data:
                continue
            (dim,) = (d for d in self._data[name].dims if d not in ("assumption_set", "statistic"))
            places = self._data[dim].values
            if label in places:
                at = int(np.flatnonzero(places == label)[0])
                found[:, column] = self._data[name].isel({dim: at}).values
        return found

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        own = dict(zip(self.facts["own_label"], self.facts.index, strict=True))
        for label, row in self.facts.iterrows():
            if label in wanted and row["obtained"] == "fitted":
                draws = self._draws_of([str(row["fits"])], answers)
                if draws is not None:
                    flat = draws.reshape(len(answers), -1)
                    weights = np.full((1, flat.shape[1]), 1.0 / flat.shape[1])
                    yield Chunk((str(label),), flat, weights, _relative_ess(draws))
        for group in self._weights():
            draws = self._draws_of(str(group.attrs["fits"]).split(), answers)
            if draws is None:
                continue
            flat, relative = draws.reshape(len(answers), -1), _relative_ess(draws)
            names = [str(own[name]) for name in group["reweighted_set"].values]
            rows = [row for row, name in enumerate(names) if name in wanted]
            for begin in range(0, len(rows), _WEIGHTED):
                part = rows[begin : begin + _WEIGHTED]
                steps = group["log_weight"].isel(reweighted_set=part).values
                yield Chunk(tuple(names[r] for r in part), flat, _unpacked(steps), relative)

    def _weights(self) -> Iterator[xr.Dataset]:
        with xr.open_datatree(self.folder / DATASET, engine="h5netcdf") as tree:
            if "weights" in tree.children:
                for group in tree["weights"].children.values():
                    yield group.to_dataset()

    def _draws_of(self, fits: Sequence[str], answers: Sequence[Answer]) -> np.ndarray | None:
        """Draws of fits joined as their weights are. (answer, 1, draw); None if not kept."""
        paths = [self.folder / "fits" / f"{fit}.nc" for fit in fits]
        if not all(path.exists() for path in paths):
            return None
        datasets = [xr.open_dataset(p, group="posterior", engine="h5netcdf") for p in paths]
        thin = thinning([d.sizes["chain"] * d.sizes["draw"] for d in datasets])
        parts = []
        for dataset in datasets:
            with dataset:
                parts.append(answer_draws(dataset.isel(draw=slice(None, None, thin)), answers))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([part.reshape(len(answers), 1, -1) for part in parts], axis=2)

    def unit(self, answer: Answer) -> str:
        if answer.quantity == "assumption_value" and not answer.below_zero:
            unit = self._data["unit"].to_series().get(answer.period, "")
            return str(unit)
        return answer.unit


def _unpacked(steps: np.ndarray) -> np.ndarray:
    """Weights from stored log weights. (set, draw); rows sum to 1."""
    weights = np.exp(steps.astype(np.float32) * np.float32(0.001))
    weights[steps == np.iinfo(np.int16).min] = 0.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
