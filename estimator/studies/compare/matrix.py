"""All sets by all answers on one screen; of a sweep, what was varied in columns of its own."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTITIES
from estimator.show.grid import FAILED, Cell, Column, Grid, column
from estimator.show.number import NOTHING, Write, interval, probability, rounded, scale
from estimator.show.run_tables import BELOW_ZERO
from estimator.store.sets import Sets
from estimator.studies.compare.drivers.levels import Levels
from estimator.studies.compare.labels import Naming, levels_of, short_keys

_RANGED = 5  # levels across, of which medians have their ranges; beside more there is no room
_MARK = "✗"


def matrix_grid(
    sets: Sets,
    answers: Sequence[Answer],
    labels: Sequence[str],
    file: str = "comparison.csv",
) -> Grid:
    """Medians and probabilities, a row a set.

    Parameters
    ----------
    sets
        All of them.
    answers
        The columns.
    labels
        Of the sets that are shown, in their order.
    file
        Which has all sets, and what they assume.
    """
    naming = Naming.of(sets)
    values = np.column_stack([sets.value(answer) for answer in answers])
    writes = [_write(sets, answer) for answer in answers]
    rows = []
    for label in labels:
        at = sets.labels.index(label)
        failed = bool(sets.facts["failures"].iloc[at])
        cells = [
            Cell(write(value) if np.isfinite(value) else NOTHING)
            for write, value in zip(writes, values[at], strict=True)
        ]
        rows.append([*naming.cells(label, failed=failed), *cells])
    notes = ["Medians of each set; persons in thousands.", *naming.notes(labels, file)]
    if (hidden := len(sets) - len(labels)) > 0:
        notes.append(f"{hidden:,} sets between these by {answers[0]} are in {file}.")
    title = f"{len(sets):,} assumption sets"
    return Grid.of(title, [*naming.columns(), *map(_heading, answers)], rows, notes)


def crossed_levels(sets: Sets) -> Levels | None:
    """Levels of two keys in whose combinations the sets lie; None if they do not."""
    levels = levels_of(sets)
    if levels is None or len(levels.names) != 2:
        return None
    places = set(map(tuple, levels.codes))
    crossed = len(places) > np.prod(levels.counts) / 2  # not one at a time, nor spread over both
    return levels if crossed and len(places) == len(sets) else None


def product_grids(sets: Sets, answers: Sequence[Answer]) -> list[Grid]:
    """Of a sweep over all combinations of two keys a table an answer: one down, one across."""
    levels = crossed_levels(sets)
    if levels is None:
        return []
    place = {tuple(codes): n for n, codes in enumerate(levels.codes)}
    down, across = short_keys(levels.names)
    position = {label: n for n, label in enumerate(sets.labels)}
    failed = sets.facts["failures"].astype(str).to_numpy() != ""
    ranged = len(levels.texts[1]) <= _RANGED
    found = []
    for answer in answers:
        table = sets.table([answer])[:, 0]
        write = _write(sets, answer)
        rows = []
        for n, text in enumerate(levels.texts[0]):
            cells = [Cell(text)]
            for m in range(len(levels.texts[1])):
                at = place.get((n, m))
                if at is None:
                    cells.append(Cell(NOTHING))
                else:
                    row = position[levels.labels[at]]
                    cell = _answer_cell(answer, table[row], write, ranged=ranged)
                    cells.append(_failed(cell) if failed[row] else cell)
            rows.append(cells)
        heads = [column("", "text"), *map(column, levels.texts[1])]
        unit = "" if answer.below_zero else f", {scale(sets.unit(answer), table[:, 0])[1]}"
        notes = [f"{_MARK}: the set failed its checks."] if failed.any() else []
        title = f"{answer}{unit}: {down} down, {across} across"
        found.append(Grid.of(title, heads, rows, notes))
    return found


def _answer_cell(answer: Answer, row: np.ndarray, write: Write, *, ranged: bool) -> Cell:
    if answer.below_zero:
        return Cell(write(row[STATISTICS.index("below_zero")]))
    low, middle, high = (float(row[STATISTICS.index(name)]) for name in ("q05", "q50", "q95"))
    if not np.isfinite(middle):
        return Cell(NOTHING)
    return Cell(write(middle), interval(low, high, write) if ranged else "")


def _failed(cell: Cell) -> Cell:
    return Cell(f"{cell.text} {_MARK}", cell.below, FAILED)


def _heading(answer: Answer) -> Column:
    words = QUANTITIES[answer.quantity].words if answer.quantity in QUANTITIES else answer.quantity
    if answer.below_zero:
        words = BELOW_ZERO.get(answer.quantity, f"P({words}<0)")
    return column(words, below=answer.period)


def _write(sets: Sets, answer: Answer) -> Write:
    if answer.below_zero:
        return probability
    unit = sets.unit(answer)
    if unit == "share":
        return functools.partial(rounded, unit=unit)
    return scale(unit, sets.value(answer))[0]
