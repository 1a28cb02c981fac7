"""Pictures of a comparison: ranges, densities, fan charts and drivers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from estimator.evidence.periods import days_in
from estimator.fitting.entries import STATISTICS
from estimator.paths import folder_name
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTILES
from estimator.show.figures import plot_forest
from estimator.show.figures.fans import plot_fans
from estimator.show.figures.ridge import plot_ridge
from estimator.show.figures.specification import plot_specification
from estimator.show.figures.tornado import plot_indices, plot_tornado
from estimator.store.sets import Sets
from estimator.studies.compare.densities import even_draws, spread
from estimator.studies.compare.drivers.design import OneAtATime, recognise
from estimator.studies.compare.drivers.levels import NoSweep
from estimator.studies.compare.floors import floors_of
from estimator.studies.compare.labels import Naming
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.specification import Specification

_WIDTH = 36  # characters of a line of a name
_LINES = 3  # of a name
_ORDERED = 16  # sets from which on they stand in the order of the first answer
_WITH_FLOORS = ("losses",)

Figures = Iterator[tuple[str, Figure]]
"""Figures by the name of their file, drawn one after the other."""


@dataclass(frozen=True)
class Selection:
    """Sets that are drawn, their names as shown by label, and what is said of both.

    Attributes
    ----------
    heading
        What the names are made of (see `Naming.heading`).
    note
        Why these are not all sets; empty if they are.
    """

    sets: Sets
    names: Mapping[str, str]
    heading: str
    note: str

    @classmethod
    def of(cls, sets: Sets, answer: Answer, reference: str, count: int) -> Selection | None:
        """Choose `count` sets by an answer, of those whose names can be read; None if none can."""
        naming = Naming.of(sets)
        names = {label: _in_lines(naming.name(label)) for label in sets.labels}
        legible = [n for n, label in enumerate(sets.labels) if label not in naming.numbered]
        if not legible:
            return None
        values = sets.value(answer)[legible]
        always = [n for n, at in enumerate(legible) if sets.labels[at] == reference]
        chosen = spread(values, count, always)
        if len(chosen) > _ORDERED:
            chosen = sorted(chosen, key=lambda n: (not np.isfinite(values[n]), values[n]))
        labels = [sets.labels[legible[n]] for n in chosen]
        note = ""
        if len(labels) < len(legible):
            note = f"{len(labels)} of {len(legible):,} sets, at even steps of {answer}."
        if left := len(sets) - len(legible):
            note += f" {left:,} sets that differ in many keys: see specification."
        shown = _short([names[label] for label in labels])
        names = dict(zip(labels, shown, strict=True))
        return cls(sets.only(labels), names, naming.heading, note.strip())

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
    if many is not None:
        yield "forest", draw_forest(many, table, reference)
        ridge = _ridge(many, answers, table, options.density_draws)
        if ridge is not None:
            yield "ridge", ridge
    yield from _changes(sets, table, options.changes)
    few = Selection.of(sets, answers[0], reference, options.fans)
    for quantity in options.fan_quantities:
        figure = None if few is None else _fans(few, quantity, reference)
        if figure is not None:
            yield f"fans_{quantity}", figure


def draw_forest(selection: Selection, table: pd.DataFrame, reference: str = "") -> Figure:
    """Draw the ranges of the answers of some sets.

    Parameters
    ----------
    selection
        Which sets, and their names.
    table
        As `compare_sets` gives it.
    reference
        Label of a set.
    """
    return plot_forest(
        selection.shown(table),
        reference=selection.names.get(reference, ""),
        heading=selection.heading,
        selection=selection.note,
    )


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


def draw_specifications(sets: Sets, answers: Sequence[Answer], drivers: pd.DataFrame) -> Figures:
    """Draw a specification curve of each answer, where the sets are a sweep over several keys.

    Parameters
    ----------
    sets, answers
        What is asked.
    drivers
        As `estimator.studies.compare.drivers.drivers` gives it; it orders the keys.
    """
    for answer in answers:
        found = Specification.of(sets, answer, drivers)
        if found is not None:
            yield (
                _stem("specification", answer, sets.last_month),
                plot_specification(
                    found.table,
                    found.levels,
                    reference=found.base,
                    notes=[found.note],
                ),
            )


def _stem(kind: str, answer: Answer, last_month: str) -> str:
    """Name of a picture's files; the last month is not named."""
    words = [kind, answer.quantity]
    words += ["below_zero"] if answer.below_zero else []
    words += [folder_name(answer.period)] if answer.period != last_month else []
    return "_".join(words)


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
        dataset,
        selection.shown(table),
        reference=reference,
        heading=selection.heading,
        selection=selection.note,
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
        notes=[selection.heading and f"Named by {selection.heading}.", selection.note],
    )


def _month_days(sets: Sets, months: Sequence[str]) -> np.ndarray:
    """Days of each month that any set covers; all of them where that is not known. (month,)."""
    windows = sets.facts["window"].astype(str).unique()
    found = []
    for month in months:
        known = [days for window in windows if (days := days_in(window, month))]
        found.append(max(known, default=pd.Period(month, freq="M").days_in_month))
    return np.array(found, dtype=float)


def _in_lines(name: str) -> str:
    return "\n".join(textwrap.wrap(name, _WIDTH, break_on_hyphens=False)) or name


def _short(names: Sequence[str]) -> list[str]:
    """Leave out the middle of labels that take too many lines; they stay different."""
    cut = ["\n".join(name.split("\n")[: _LINES - 1] + name.split("\n")[-1:])
           if name.count("\n") >= _LINES else name for name in names]  # fmt: skip
    return [text if cut.count(text) == 1 else f"{n}. {text}" for n, text in enumerate(cut, start=1)]
