"""Tables of a comparison as a reader sees them, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from estimator.export import escape_markdown, markdown_table
from estimator.store.sets import Sets
from estimator.studies.compare.comparable import some
from estimator.studies.compare.labels import names_of, printable

FAILED = " (FAILED)"
_THOUSAND = 1000.0
_VERDICTS = ("prior-data conflict", "prior", "both", "data")
_WIDTH = 36  # characters of a set's name


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes
    ----------
    title, notes
        Above and below it.
    headings, rows
        The cells.
    red
        Numbers of the rows that are marked.
    left
        Numbers of the columns that are to the left; the others are to the right.
    fold
        Numbers of the columns that may be folded where the terminal is narrow.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    red: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset({0})
    fold: frozenset[int] = frozenset({0})

    def terminal(self) -> Group:
        """Table and notes for the terminal, at their best with 100 columns."""
        table = Table(
            title=_text(self.title, "bold"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1),
            pad_edge=False,
        )
        for n, heading in enumerate(self.headings):
            side: Literal["left", "right"] = "left" if n in self.left else "right"
            widest = max((len(row[n]) for row in self.rows), default=0)
            width = None if n in self.fold else widest
            table.add_column(_text(heading), justify=side, overflow="fold", min_width=width)
        for n, row in enumerate(self.rows):
            table.add_row(*(_text(cell) for cell in row), style="red" if n in self.red else "")
        return Group(table, *(_text(note) for note in self.notes), Text())

    def markdown(self) -> str:
        """Table as Markdown under a heading."""
        lines = [f"## {escape_markdown(self.title)}\n", markdown_table(self.headings, self.rows)]
        lines += [f"{escape_markdown(note)}\n" for note in self.notes]
        return "\n".join(lines)


def _text(text: str, style: str = "") -> Text:
    """Text without markup, and without what would move a terminal's cursor."""
    return Text(printable(text), style=style)


def drivers_grid(sentences: Sequence[tuple[str, str]], notes: Sequence[str]) -> Grid:
    """Say of each answer in a sentence what drives it."""
    return Grid(
        "What drives the answers",
        ("answer", "drivers (all: drivers.csv)"),
        tuple(sentences),
        tuple(notes),
        left=frozenset({0, 1}),
        fold=frozenset({0, 1}),
    )


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
    labels = _shown(first, reference, most)
    names = dict(zip(labels, names_of(sets, labels, _WIDTH), strict=True))
    hidden = len(first) - len(labels)
    notes: tuple[str, ...] = ()
    if hidden > 0:
        notes = (
            f"{hidden:,} sets between them by {first['answer'].iloc[0]} are not shown; "
            "what each assumes: sets.csv.",
        )
    return [
        _comparison_grid(rows.set_index("assumption_set").loc[labels], names, reference, notes)
        for _, rows in table.groupby("answer", sort=False)
    ]


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
    rows: pd.DataFrame, names: dict[str, str], reference: str, notes: tuple[str, ...]
) -> Grid:
    """Table of one answer; rows by label."""
    answer, unit = str(rows["answer"].iloc[0]), str(rows["unit"].iloc[0])
    write, shown_unit = _writer(unit, rows["q50"])
    finer, _ = _writer(unit, rows["q50"], more=1)
    probability = unit == "probability"
    below = rows["below_zero"]
    with_below = not probability and bool(((below > 0) & (below < 1)).any())
    headings = ["set", "probability ± error" if probability else "median [90 % range]"]
    headings += [f"less {names.get(reference, reference)}"]
    headings += [] if probability else ["P(above it)"]
    headings += ["P(< 0)"] if with_below else []
    cells = []
    for label, row in rows.iterrows():
        mark = FAILED if row["failures"] else ""
        one = [names[str(label)] + mark]
        if probability:
            one.append(f"{write(row['q50'])} ± {write(row['mcse_q50'])}")
        else:
            one.append(_range(write, row["q05"], row["q50"], row["q95"]))
        one.append(_difference(finer, row, is_reference=str(label) == reference))
        one += [] if probability else [_plain(row["p_above"], 3)]
        one += [_plain(row["below_zero"], 3)] if with_below else []
        cells.append(tuple(one))
    unlike = rows[rows["note"] != ""].groupby("note", sort=False)
    texts = [f"Not set against it: {some(part.index)}: {note}." for note, part in unlike]
    return Grid(
        f"{answer}, {shown_unit}",
        tuple(headings),
        tuple(cells),
        (*texts, *notes),
        frozenset(np.flatnonzero(rows["failures"].to_numpy() != "").tolist()),
    )


def _difference(write: Callable[[float], str], row: pd.Series, *, is_reference: bool) -> str:
    if is_reference:
        return "reference"
    if not np.isfinite(row["difference"]):
        return "-"
    return f"{write(row['difference'])} ± {write(row['difference_mcse'])}"


def _writer(unit: str, values: pd.Series, more: int = 0) -> tuple[Callable[[float], str], str]:
    """How numbers of a unit are written, with as many digits as their size asks for."""
    if unit.startswith("persons") and unit != "persons/km":
        known = np.abs(values[np.isfinite(values)])
        largest = float(known.max()) / _THOUSAND if len(known) else 0.0
        digits = (0 if largest >= 1000 else 1) + more
        return (lambda number: _plain(number / _THOUSAND, digits)), f"thousand {unit}"
    digits = (1 if unit == "persons/km" else 3) + (more if unit != "probability" else 0)
    return (lambda number: _plain(number, digits)), unit


def _plain(number: float, digits: int) -> str:
    """Write a number; a dash where there is none."""
    if not np.isfinite(number):
        return "-"
    text = f"{number:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) != 0 else text.lstrip("-")


def _range(write: Callable[[float], str], low: float, middle: float, high: float) -> str:
    if not np.isfinite(middle):
        return "-"
    return f"{write(middle)} [{write(low)}, {write(high)}]"


def pooled_grid(pooled: pd.DataFrame) -> Grid:
    """Table of the mixture of sets under one choice of weights."""
    rows = []
    for row in pooled.to_dict("records"):
        write, unit = _writer(row["unit"], pd.Series([row["q50"]]))
        if row["refused"]:
            text = "refused"
        elif row["unit"] == "probability":
            text = write(row["q50"])
        else:
            text = _range(write, row["q05"], row["q50"], row["q95"])
        rows.append((row["answer"], text, unit, str(row["sets"])))
    weights = list(dict.fromkeys(pooled["weights"]))
    own = pooled.groupby("weights", sort=False)["answer"].agg(", ".join)
    notes = ["It is as wide as the sets that were put in; how probable they are, nobody says."]
    notes += [f"{own[text]}: {text}." for text in weights] if len(weights) > 1 else []
    refused = pooled.loc[pooled["refused"] != "", "refused"]
    return Grid(
        f"Mixture of the sets; weights: {weights[0] if len(weights) == 1 else 'see below'}",
        ("answer", "median [90 % range]", "unit", "sets"),
        tuple(rows),
        (*notes, *(f"Refused: {reason}." for reason in dict.fromkeys(refused))),
        left=frozenset({0, 2}),
    )


def stacking_grid(stacked: pd.DataFrame) -> Grid:
    """Table of the stacking weights, with what ArviZ warned of."""
    rows, notes = [], []
    for row in stacked.to_dict("records"):
        given = np.isfinite(row["elpd"])
        score = f"{_plain(row['elpd'], 1)} ± {_plain(row['se'], 1)}" if given else "-"
        text = row["diagnostics"] if given else row["warnings"]
        rows.append((row["assumption_set"], score, _plain(row["weight"], 2), text))
        if given and row["warnings"]:
            notes.append(f"ArviZ warns: {row['warnings']}")
    if notes:
        notes.append("With k-hats too high the weights are no more than a hint.")
    return Grid(
        "Stacking by leave-one-out of single claims (ArviZ)",
        ("set", "elpd ± se", "weight", "notes"),
        tuple(rows),
        tuple(dict.fromkeys(notes)),
        left=frozenset({0, 3}),
        fold=frozenset({0, 3}),
    )


def prior_grid(table: pd.DataFrame, moved: pd.DataFrame, most: int) -> Grid:
    """Table of one set: each prior, what became of it, and why.

    Parameters
    ----------
    table
        As `estimator.studies.compare.sensitivity.prior_or_data` gives it.
    moved
        As `estimator.studies.compare.sensitivity.answer_sensitivity` gives it.
    most
        Rows that are shown: conflicts first, then what hangs most on its prior.
    """
    free = table[table["verdict"] != "fixed"]
    place = free["verdict"].map(_VERDICTS.index).to_numpy(dtype=float)
    order = np.lexsort([-free["prior_sensitivity"].to_numpy(dtype=float), place])
    rows = [
        (
            str(row["parameter"]).replace("reporting_", ""),
            f"{_compact(row['prior_q05'])} to {_compact(row['prior_q95'])}",
            _range(_compact, row["posterior_q05"], row["posterior_q50"], row["posterior_q95"]),
            f"{_plain(row['shift'], 1)} / {_plain(row['contraction'], 2)}",
            f"{_plain(row['prior_sensitivity'], 2)} / {_plain(row['likelihood_sensitivity'], 2)}",
            row["verdict"],
        )
        for row in free.iloc[order[:most]].to_dict("records")
    ]
    counts = free["verdict"].value_counts()
    fixed = int((table["verdict"] == "fixed").sum())
    told = ", ".join(f"{counts[name]} {name}" for name in _VERDICTS if name in counts)
    notes = [
        f"Of {len(table)} numbers: {told}, {fixed} fixed.",
        "Moved: shift in standard deviations of the prior / 1 less the ratio of variances. "
        "Sensitive: how far the posterior moves when the prior / the claims weigh more.",
    ]
    strongest = [
        f"{answer}: {own['parameter'].iloc[0]} {_plain(own['sensitivity'].iloc[0], 2)}"
        for answer, own in moved.groupby("answer", sort=False)
    ]
    if strongest:
        notes.append(f"The prior to which an answer is most sensitive: {'; '.join(strongest)}.")
    return Grid(
        f"Prior or data? {table['assumption_set'].iloc[0]}",
        ("parameter", "prior, 90 %", "posterior", "moved", "sensitive", "decided by"),
        tuple(rows),
        tuple(notes),
        left=frozenset({0, 5}),
        fold=frozenset({0, 5}),
    )


def _compact(number: float) -> str:
    """Write a number with three digits; thousands as k."""
    if abs(number) >= 1000:
        return f"{_plain(number / 1000, 0 if abs(number) >= 10_000 else 1)}k"
    return _plain(number, 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2)
