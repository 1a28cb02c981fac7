"""Tables of a comparison as a reader sees them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
import pandas as pd

from estimator.show.grid import Cell, Column, Grid, column, set_cell
from estimator.show.number import (
    Write,
    compact,
    fixed,
    interval,
    probability,
    scale,
    with_error,
)
from estimator.store.sets import Sets
from estimator.studies.compare.comparable import some
from estimator.studies.compare.labels import Naming

_HEADING = 30  # characters of a set's name in a heading
_VERDICTS = ("prior-data conflict", "prior", "both", "data")


def drivers_grid(sentences: Sequence[tuple[str, str]], notes: Sequence[str]) -> Grid:
    """Say of each answer in a sentence what drives it."""
    columns = ("answer", column("drivers (all: drivers.csv)", "long"))
    return Grid.of("What drives the answers", columns, sentences, notes)


def comparison_grids(table: pd.DataFrame, sets: Sets, most: int) -> list[Grid]:
    """One table an answer: range, difference to the reference set, who is above, below 0.

    Parameters
    ----------
    table
        As `compare_sets` gives it.
    sets
        To which it belongs.
    most
        Sets that are shown; of more, the lowest and highest by the first answer, and the reference.
    """
    first = table[table["answer"] == table["answer"].iloc[0]].reset_index(drop=True)
    reference = str(first["reference"].iloc[0])
    labels = shown_labels(table, most)
    naming = Naming.of(sets)
    hidden = len(first) - len(labels)
    notes: tuple[str, ...] = ()
    if hidden > 0:
        notes = (
            f"{hidden:,} sets between them by {first['answer'].iloc[0]} are not shown; "
            "what each assumes: sets.csv.",
        )
    notes = (*notes, *(naming.notes(labels, "comparison.csv") if hidden <= 0 else ()))
    return [
        _comparison_grid(rows.set_index("assumption_set").loc[labels], naming, reference, notes)
        for _, rows in table.groupby("answer", sort=False)
    ]


def shown_labels(table: pd.DataFrame, most: int) -> list[str]:
    """Labels of the sets that are shown of a table of comparison (see `comparison_grids`)."""
    first = table[table["answer"] == table["answer"].iloc[0]].reset_index(drop=True)
    return _shown(first, str(first["reference"].iloc[0]), most)


def _shown(rows: pd.DataFrame, reference: str, most: int) -> list[str]:
    """Labels that are shown, of few in their order, of many by their medians."""
    labels = [str(label) for label in rows["assumption_set"]]
    if len(labels) <= most:
        return labels
    order = np.argsort(rows["q50"].to_numpy(), kind="stable")
    order = order[np.isfinite(rows["q50"].to_numpy()[order])]
    half = most // 2
    chosen = {*order[:half], *order[len(order) - (most - half) :]}
    return [labels[n] for n in order if n in chosen or labels[n] == reference]


def _comparison_grid(
    rows: pd.DataFrame, naming: Naming, reference: str, notes: tuple[str, ...]
) -> Grid:
    """Table of one answer; rows by label."""
    answer, unit = str(rows["answer"].iloc[0]), str(rows["unit"].iloc[0])
    write, shown_unit = scale(unit, rows["q50"].to_numpy())
    finer, _ = scale(unit, rows["q50"].to_numpy(), more=1)
    is_chance = unit == "probability"
    below = rows["below_zero"]
    with_below = not is_chance and bool(((below > 0) & (below < 1)).any())
    columns: list[Column | str] = list(naming.columns())
    columns += ["probability ± error" if is_chance else "median [90 % range]"]
    name = naming.text(reference) if reference in naming.parts else reference
    columns += [f"less {name if len(name) <= _HEADING else 'the reference'}"]
    columns += [] if is_chance else ["P(above it)"]
    columns += ["P(< 0)"] if with_below else []
    cells = []
    for label, row in rows.iterrows():
        line = naming.cells(str(label), failed=bool(row["failures"]))
        if is_chance:
            line.append(Cell(f"{probability(row['q50'], 3)} ± {write(row['mcse_q50'])}"))
        else:
            line.append(_median(write, row))
        line.append(Cell(_difference(finer, row, is_reference=str(label) == reference)))
        line += [] if is_chance else [Cell(probability(row["p_above"], 3))]
        line += [Cell(probability(row["below_zero"], 3))] if with_below else []
        cells.append(line)
    unlike = rows[rows["note"] != ""].groupby("note", sort=False)
    texts = [
        f"Not set against it: {some(map(naming.text, part.index))}: {note}."
        for note, part in unlike
    ]
    return Grid.of(f"{answer}, {shown_unit}", columns, cells, (*texts, *notes))


def _median(write: Write, row: pd.Series) -> Cell:
    """Median with its range."""
    return Cell(write(row["q50"]), interval(row["q05"], row["q95"], write))


def _difference(write: Write, row: pd.Series, *, is_reference: bool) -> str:
    if is_reference:
        return "reference"
    return with_error(row["difference"], row["difference_mcse"], write)


def pooled_grid(pooled: pd.DataFrame) -> Grid:
    """Table of the mixture of sets under one choice of weights."""
    rows = []
    for _, row in pooled.iterrows():
        write, unit = scale(row["unit"], [row["q50"]])
        if row["refused"]:
            value = Cell("refused")
        elif row["unit"] == "probability":
            value = Cell(probability(row["q50"], 3))
        else:
            value = _median(write, row)
        rows.append((str(row["answer"]), value, unit, str(row["sets"])))
    weights = list(dict.fromkeys(pooled["weights"]))
    by_weights = pooled.groupby("weights", sort=False)["answer"].agg(", ".join)
    notes = ["It is as wide as the sets that were put in; how probable they are, nobody says."]
    notes += [f"{by_weights[text]}: {text}." for text in weights] if len(weights) > 1 else []
    refused = pooled.loc[pooled["refused"] != "", "refused"]
    return Grid.of(
        f"Mixture of the sets; weights: {weights[0] if len(weights) == 1 else 'see below'}",
        ("answer", "median [90 % range]", column("unit", "text"), "sets"),
        rows,
        (*notes, *(f"Refused: {reason}." for reason in dict.fromkeys(refused))),
    )


def stacking_grid(stacked: pd.DataFrame, failed: Collection[str] = ()) -> Grid:
    """Table of the stacking weights, with what ArviZ warned of.

    Parameters
    ----------
    stacked
        As `estimator.studies.compare.stacking.stacking` gives it.
    failed
        Labels of sets that are marked: their diagnostics failed.
    """
    rows, notes = [], []
    for row in stacked.to_dict("records"):
        scored = np.isfinite(row["elpd"])
        score = with_error(row["elpd"], row["se"], partial(fixed, digits=1))
        text = row["diagnostics"] if scored else row["warnings"]
        name = set_cell(str(row["assumption_set"]), failed=row["assumption_set"] in failed)
        rows.append((name, score, fixed(row["weight"], 2), text))
        if scored and row["warnings"]:
            notes.append(f"ArviZ warns: {row['warnings']}")
    if notes:
        notes.append("With k-hats too high the weights are no more than a hint.")
    return Grid.of(
        "Stacking by leave-one-out of single claims (ArviZ)",
        ("set", "elpd ± se", "weight", column("notes", "long")),
        rows,
        dict.fromkeys(notes),
    )


def prior_grid(table: pd.DataFrame, moved: pd.DataFrame, most: int) -> Grid:
    """Table of one set: each prior, what became of it, and why.

    Parameters
    ----------
    table
        The first table of `estimator.studies.compare.sensitivity.prior_or_data`.
    moved
        The second one.
    most
        Rows that are shown: conflicts first, then what hangs most on its prior.
    """
    free = table[table["verdict"] != "fixed"]
    place = free["verdict"].map(_VERDICTS.index).to_numpy(dtype=float)
    order = np.lexsort([-free["prior_sensitivity"].to_numpy(dtype=float), place])
    rows = [
        (
            str(row["parameter"]).replace("reporting_", ""),
            f"{compact(row['prior_q05'])} to {compact(row['prior_q95'])}",
            Cell(
                compact(row["posterior_q50"]),
                interval(row["posterior_q05"], row["posterior_q95"], compact),
            ),
            f"{fixed(row['shift'], 1)} / {fixed(row['contraction'], 2)}",
            f"{fixed(row['prior_sensitivity'], 2)} / {fixed(row['likelihood_sensitivity'], 2)}",
            row["verdict"],
        )
        for row in free.iloc[order[:most]].to_dict("records")
    ]
    counts = free["verdict"].value_counts()
    n_fixed = int((table["verdict"] == "fixed").sum())
    verdicts = ", ".join(f"{counts[name]} {name}" for name in _VERDICTS if name in counts)
    notes = [
        f"Of {len(table)} numbers: {verdicts}, {n_fixed} fixed.",
        "Moved: shift in standard deviations of the prior / 1 less the ratio of variances. "
        "Sensitive: how far the posterior moves when the prior / the claims weigh more.",
    ]
    strongest = [
        f"{answer}: {rows_of['parameter'].iloc[0]} {fixed(rows_of['sensitivity'].iloc[0], 2)}"
        for answer, rows_of in moved.groupby("answer", sort=False)
    ]
    if strongest:
        notes.append(f"The prior to which an answer is most sensitive: {'; '.join(strongest)}.")
    numbers = ("prior, 90 %", "posterior", "moved", "sensitive")
    return Grid.of(
        f"Prior or data? {table['assumption_set'].iloc[0]}",
        ("parameter", *numbers, column("decided by", "long")),
        rows,
        notes,
    )
