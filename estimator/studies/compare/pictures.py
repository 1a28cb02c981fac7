"""Pictures of a comparison: ranges, densities, fan charts and drivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from estimator.evidence.periods import days_in
from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTILES
from estimator.show.figures import plot_forest
from estimator.show.figures.fans import plot_fans
from estimator.show.figures.ridge import plot_ridge
from estimator.show.figures.tornado import plot_indices, plot_tornado
from estimator.store.sets import Sets
from estimator.studies.compare.densities import even_draws, spread
from estimator.studies.compare.drivers.design import OneAtATime, recognise
from estimator.studies.compare.drivers.levels import NoSweep
from estimator.studies.compare.floors import floors_of
from estimator.studies.compare.labels import names_of
from estimator.studies.compare.options import CompareOptions

_WIDTH = 34  # characters of a name
_ORDERED = 16  # sets from which on they stand in the order of the first answer
_WITH_FLOORS = ("losses",)

Figures = Iterator[tuple[str, Figure]]
"""Figures by the name of their file, drawn one after the other."""


@dataclass(frozen=True)
class Selection:
    """Sets that are drawn, their names as shown by label, and a note if these are not all."""

    sets: Sets
    names: Mapping[str, str]
    note: str

    @classmethod
    def of(cls, sets: Sets, answer: Answer, reference: str, count: int) -> Selection:
        """Choose `count` sets by an answer."""
        values = sets.value(answer)
        chosen = spread(values, count, sets.labels.index(reference))
        if len(chosen) > _ORDERED:
            chosen = sorted(chosen, key=lambda n: (not np.isfinite(values[n]), values[n]))
        labels = [sets.labels[n] for n in chosen]
        names = dict(zip(labels, names_of(sets, labels, _WIDTH), strict=True))
        note = ""
        if len(labels) < len(sets):
            note = f"{len(labels)} of {len(sets):,} sets, at even steps of {answer}."
        return cls(sets.only(labels), names, note)

    def shown(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of a comparison that are drawn, in their order and with their names."""
        order = {label: n for n, label in enumerate(self.names)}
        rows = table[table["assumption_set"].isin(order)]
        place = rows["assumption_set"].map(order)
        answer = rows["answer"].map({a: n for n, a in enumerate(dict.fromkeys(rows["answer"]))})
        rows = rows.iloc[np.lexsort([place.to_numpy(), answer.to_numpy()])]
        return rows.assign(assumption_set=rows["assumption_set"].map(self.names))


def draw_comparison(
    sets: Sets, answers: Sequence[Answer], table: pd.DataFrame, options: CompareOptions
) -> Figures:
    """Draw the pictures of a comparison: forest, ridge, single changes, and fans.

    Parameters
    ----------
    sets, answers
        What is compared.
    table
        As `compare_sets` gives it.
    options
        How many sets are drawn.
    """
    reference = str(table["reference"].iloc[0])
    many = Selection.of(sets, answers[0], reference, options.drawn)
    yield (
        "forest",
        plot_forest(
            many.shown(table), reference=many.names.get(reference, ""), selection=many.note
        ),
    )
    ridge = _ridge(many, answers, table, options.density_draws)
    if ridge is not None:
        yield "ridge", ridge
    yield from _changes(sets, table, options.changes)
    few = Selection.of(sets, answers[0], reference, options.fans)
    for quantity in options.fan_quantities:
        figure = _fans(few, quantity, reference)
        if figure is not None:
            yield f"fans_{quantity}", figure


def _changes(sets: Sets, table: pd.DataFrame, most: int) -> Figures:
    """Draw what each change does, for sets that differ from one base in one assumption each."""
    try:
        design = recognise(sets)
    except NoSweep:
        return
    # Of a single assumption the forest shows the same.
    if not isinstance(design, OneAtATime) or not 1 < len(design.levels.names) <= most:
        return
    levels = design.levels
    for n, key in enumerate(levels.names):
        rows = [design.base, *np.flatnonzero(design.moved == n).tolist()]
        names = {levels.labels[row]: levels.texts[n][levels.codes[row, n]] for row in rows}
        shown = table[table["assumption_set"].isin(list(names))]
        place = shown["assumption_set"].map({label: at for at, label in enumerate(names)})
        shown = shown.iloc[np.argsort(place.to_numpy(), kind="stable")]
        yield (
            f"changes/{key}",
            plot_forest(
                shown.assign(assumption_set=shown["assumption_set"].map(names)),
                reference=names[levels.labels[design.base]],
                selection=f"One change at a time: {key}.",
            ),
        )


def draw_drivers(table: pd.DataFrame) -> Figures:
    """Draw the tornado and, where there are any, shares of variance.

    Parameters
    ----------
    table
        As `estimator.studies.compare.drivers.drivers` gives it, of one method.
    """
    if table["effect"].notna().any():  # else no prior could be moved
        yield "tornado", plot_tornado(table)
    if table["total"].notna().any():
        yield "indices", plot_indices(table)


def _ridge(
    selection: Selection, answers: Sequence[Answer], table: pd.DataFrame, count: int
) -> Figure | None:
    """Densities of the sets that have draws; None if none has."""
    asked = [answer for answer in answers if not answer.below_zero]
    draws = even_draws(selection.sets, asked, count) if asked else np.zeros((0, 0, 0))
    spread_out = np.isfinite(draws).any(axis=2) & (np.ptp(draws, axis=2) > 0)
    kept = np.flatnonzero(spread_out.any(axis=0))
    known = [n for n in range(len(asked)) if spread_out[n].any()]
    if not len(kept) or not known:
        return None
    names = [selection.names[selection.sets.labels[n]] for n in kept]
    dataset = xr.Dataset(
        {str(asked[n]): (("set", "draw"), draws[n][kept]) for n in known}, coords={"set": names}
    )
    reference = selection.names.get(str(table["reference"].iloc[0]), "")
    return plot_ridge(
        dataset, selection.shown(table), reference=reference, selection=selection.note
    )


def _fans(selection: Selection, quantity: str, reference: str) -> Figure | None:
    """Fan charts of a quantity; None if no set has it by month."""
    sets = selection.sets
    months = sets.every_month
    answers = [Answer(quantity, month) for month in months]
    statistics = sets.table(answers)[..., [STATISTICS.index(name) for name in QUANTILES]]
    if not np.isfinite(statistics).any():
        return None
    bands = xr.DataArray(
        statistics,
        dims=("set", "month", "quantile"),
        coords={
            "set": [selection.names[label] for label in sets.labels],
            "month": months,
            "quantile": list(QUANTILES),
            "month_days": ("month", _month_days(sets, months)),
        },
        name=quantity,
    )
    failures = sets.facts["failures"].astype(str)
    floors = floors_of(sets) if quantity in _WITH_FLOORS else {}
    return plot_fans(
        bands,
        unit=sets.unit(answers[-1]),
        failures={selection.names[str(label)]: text for label, text in failures.items() if text},
        reference=selection.names.get(reference, ""),
        floors={selection.names[label]: tree for label, tree in floors.items()},
        notes=(selection.note,) if selection.note else (),
    )


def _month_days(sets: Sets, months: Sequence[str]) -> np.ndarray:
    """Days of each month that any set covers; all of them where that is not known. (month,)."""
    windows = sets.facts["window"].astype(str).unique()
    found = []
    for month in months:
        known = [days for window in windows if (days := days_in(window, month))]
        found.append(max(known, default=pd.Period(month, freq="M").days_in_month))
    return np.array(found, dtype=float)
