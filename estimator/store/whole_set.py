"""One set that was written whole, as a source of statistics and draws."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.groups import DefinitionsOptions
from estimator.errors import OutputError
from estimator.fitting.entries import Entries, EntryLayout, Variable, statistics
from estimator.quantities.answers import Answer, answer_draws, variables_of
from estimator.quantities.derived import derived_quantities
from estimator.quantity import OPTIONAL, TOTAL
from estimator.store.netcdf import RESULT, open_groups, open_netcdf
from estimator.store.results import read_attrs, read_result
from estimator.store.sources import Chunk, places_of, relative_ess
from estimator.streams import Stream, stream

_KEPT = 4  # whole results that are kept in memory
_DERIVED_FROM = ("losses", "recruits", "net_change")


@lru_cache(maxsize=_KEPT)
def read_whole(folder: Path, groups: tuple[str, ...] | None = None) -> xr.DataTree:
    """Read a set that was written whole, or some groups of it; the last few are kept in memory."""
    if groups is None:
        return read_result(folder)
    tree = open_groups(folder / RESULT, groups).load()
    tree.attrs = read_attrs(folder)
    return tree


class WholeSet:
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
                "counts": DefinitionsOptions.model_validate(
                    self._configuration["definitions"]
                ).confirmed,
            }
            label = str(attrs["assumption_set"])
        except (KeyError, ValueError) as error:
            raise OutputError(f"{folder / 'result.nc'}: is no result of a run ({error})") from error
        self.facts = pd.DataFrame([facts], index=pd.Index([label], name="label"))

    @cached_property
    def months(self) -> list[str]:
        """Months of the window."""
        return self._described[0]

    @cached_property
    def _described(self) -> tuple[list[str], dict[Hashable, str]]:
        """Months, and the unit of each quantity."""
        with open_netcdf(self.folder / RESULT, "posterior") as posterior:
            months = [str(month) for month in posterior["month"].values]
            return months, {name: posterior[name].attrs.get("units", "") for name in posterior}

    def _draws(self, answers: Sequence[Answer]) -> np.ndarray:
        """(answer, chain, draw)."""
        derived = any(answer.quantity in OPTIONAL for answer in answers)
        with open_netcdf(self.folder / RESULT, "posterior") as kept:
            names = variables_of(answers, set(map(str, kept.variables)))
            posterior = kept[[*names, *(_DERIVED_FROM if derived else ())]].load()
        if derived:
            posterior = posterior.merge(self._derived(posterior))
        return answer_draws(posterior, answers)

    def _derived(self, posterior: xr.Dataset) -> xr.Dataset:
        assumptions = AssumptionSet.from_config(self._configuration, label=str(self.facts.index[0]))
        rng = np.random.default_rng(stream(assumptions.seed, Stream.DERIVED))
        return derived_quantities(posterior, assumptions, rng)

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
            found = statistics(Entries(layout, ordered, order, relative_ess(draws)))
            self._statistics |= dict(zip(missing, found, strict=True))
        return np.array([self._statistics[answer] for answer in plain])[None]

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        """Draws of the sets that are wanted."""
        label = str(self.facts.index[0])
        if label in wanted:
            draws = self._draws(answers)
            flat = draws.reshape(len(answers), -1)
            weights = np.full((1, flat.shape[1]), 1.0 / flat.shape[1])
            places = places_of(str(self.folder), flat.shape[1])
            yield Chunk((label,), flat, weights, places, (draws,))

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""
        if answer.below_zero:
            return answer.unit
        if answer.quantity == "assumption_value":
            known = ASSUMPTIONS.get(answer.period)
            return known.unit if known is not None else ""
        recorded = self._described[1].get(answer.quantity) or answer.unit
        return recorded.replace("persons/month", "persons") if answer.period == TOTAL else recorded
