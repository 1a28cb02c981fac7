"""The tables that end a run or a sweep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from estimator.evidence.periods import Window
from estimator.evidence.pieces import pieces
from estimator.quantities.parameters import Fight, fights
from estimator.quantity import HEADLINES, QUANTITIES, SIGNED, TOTAL
from estimator.show.grid import Cell, Grid, column, escape_markdown, set_cell
from estimator.show.number import (
    NOTHING,
    Write,
    cut_months,
    fixed,
    interval,
    probability,
    rounded,
    significant,
)
from estimator.store.sweep_files import last_month

BELOW_ZERO = {"replacement_gap": "P(gap<0)", "net_change": "P(net<0)"}
"""Quantities of which tables give the probability to be below 0, and its heading."""

_SMALL = 1000.0  # losses of a month
_TOLD = 0.01  # share of draws
_FIGHTS = 3  # assumptions of a set that are named

HEADINGS = (
    "set",
    "period",
    *(QUANTITIES[name].words for name in HEADLINES),
    *BELOW_ZERO.values(),
    "R-hat",
    "ESS",
    "div.",
)


def rows(trees: Mapping[str, xr.DataTree]) -> list[tuple[Cell, ...]]:
    """Cells of the table: two rows a set, the last whole month and the total over the window.

    Median and 90 % range in thousands of persons (of a small war in persons), the probabilities
    that the replacement gap and the net change are below 0, and the worst diagnostics of the set.
    """
    small = _is_small(trees)
    return [row for label, tree in trees.items() for row in _rows_of(label, tree, small=small)]


def _is_small(trees: Mapping[str, xr.DataTree]) -> bool:
    """Whether thousands with a decimal would say little: of any set's losses of a month."""
    posteriors = [tree["posterior"].to_dataset()["losses"] for tree in trees.values()]
    return any(float(losses.median()) < _SMALL for losses in posteriors)


def _rows_of(label: str, tree: xr.DataTree, *, small: bool) -> list[tuple[Cell, ...]]:
    posterior = tree["posterior"].to_dataset()
    last_month = Window.of_result(tree).last_whole_month
    last = posterior[list(HEADLINES)].sel(month=last_month)
    total = posterior[list(HEADLINES)].sum("month")
    worst = json.loads(tree.attrs["diagnostics"])
    ess = [worst[name] for name in ("min_ess_bulk", "min_ess_tail") if worst[name] is not None]
    diagnostics = (
        fixed(worst["max_rhat"], 3),
        fixed(min(ess)) if ess else NOTHING,
        f"{worst['divergences']}",
    )
    name = set_cell(label, failed=tree.attrs["diagnostics_ok"] != "true")
    month = Cell(last_month)
    return [
        (name, month, *_cells(last, 1, small=small), *map(Cell, diagnostics)),
        (Cell(""), Cell(TOTAL), *_cells(total, 0, small=small), Cell(""), Cell(""), Cell("")),
    ]


def _cells(period: xr.Dataset, digits: int, *, small: bool) -> list[Cell]:
    write, unit = (rounded, 1.0) if small else (partial(fixed, digits=digits), 1000.0)
    cells = []
    for name in HEADLINES:
        low, middle, high = np.quantile(period[name].values, (0.05, 0.5, 0.95)) / unit
        cells.append(Cell(write(middle), interval(low, high, write)))
    below = [float((period[name] < 0).mean()) for name in BELOW_ZERO]
    return [*cells, *(Cell(probability(share)) for share in below)]


def caption(trees: Mapping[str, xr.DataTree]) -> str:
    """Say what the figures are."""
    window = Window.of_result(next(iter(trees.values())))
    sentences = (
        f"{'Persons' if _is_small(trees) else 'Thousands of persons'}: median [90 % range]; total: "
        f"{window.months[0]} to {window.months[-1]}.",
        cut_months(window.cut_months),
        _equations(),
        "R-hat, ESS: the worst of all reported quantities.",
    )
    return " ".join(filter(None, sentences))


def _notes(trees: Mapping[str, xr.DataTree]) -> list[str]:
    """Sentences below the table."""
    return [
        caption(trees),
        evidence_line(trees),
        *turning_lines(trees),
        *fight_lines(trees),
        *nobody_left_lines(trees),
    ]


def turning_lines(trees: Mapping[str, xr.DataTree]) -> list[str]:
    """Say which headlines the sets decide, and not the evidence: probabilities about 0.5.

    Of the last whole month of each set.
    """
    lines = []
    for name, heading in BELOW_ZERO.items():
        below = {}
        for label, tree in trees.items():
            month = Window.of_result(tree).last_whole_month
            draws = tree["posterior"].to_dataset()[name].sel(month=month)
            below[label] = float((draws < 0).mean())
        low, high = min(below, key=below.__getitem__), max(below, key=below.__getitem__)
        if below[low] < 0.5 < below[high]:
            lines.append(
                f"{heading} turns on what is assumed: {probability(below[low])} in {low}, "
                f"{probability(below[high])} in {high}."
            )
    return lines


def fight_lines(trees: Mapping[str, xr.DataTree]) -> list[str]:
    """Say in which sets evidence and priors fight, and which assumptions had to move how far.

    A line a set. An assumption moved where the middle of its posterior lies outside the 90 % range
    of its prior; those that moved most standard deviations of it are named.
    """
    lines = []
    for label, tree in trees.items():
        found = fights(tree)
        if found:
            left_out = len(found) - _FIGHTS
            more = f"; and {left_out} more" if left_out > 0 else ""
            named = "; ".join(moved(fight) for fight in found[:_FIGHTS])
            lines.append(f"In {label} evidence and beliefs pull apart: {named}{more}.")
    return lines


def nobody_left_lines(trees: Mapping[str, xr.DataTree]) -> list[str]:
    """Say in which sets the force may come to nothing, which no prior or claim on it forbids."""
    lines = []
    for label, tree in trees.items():
        least = tree["posterior"].to_dataset()["force_size"].min("month")
        share = float((least <= 0).mean())
        if share >= _TOLD:
            lines.append(
                f"In {label} more leave the force than there were in {fixed(100 * share)} of 100 "
                "draws: how large it was at the start (force.start) is hardly known."
            )
    return lines


def moved(fight: Fight) -> str:
    """Say how far an assumption had to move.

    Examples
    --------
    >>> moved(Fight("returns.rate", "share", 0.71, 0.3, 0.65, 2.1))
    'returns.rate had to be 0.71 share (believed 0.3 to 0.65)'
    >>> moved(Fight("reporting_bias[csis:killed]", "log ratio", -0.43, -0.4, 0.4, -1.8))
    'figures of csis on killed had to be 0.65 of the truth (believed 0.67 to 1.49)'
    """
    name, _, source = fight.name.partition("[")
    origin, _, quantity = source.removesuffix("]").rpartition(":")
    values = [fight.median, fight.low, fight.high]
    if name == "reporting_bias" and fight.unit == "log ratio":
        what, unit = f"figures of {origin} on {QUANTITIES[quantity].words}", "of the truth"
        median, low, high = (fixed(float(np.exp(value)), 2) for value in values)
    else:
        what, unit = fight.name, fight.unit
        median, low, high = (significant(value, 3) for value in values)
    return f"{what} had to be {median} {unit} (believed {low} to {high})"


def evidence_line(trees: Mapping[str, xr.DataTree]) -> str:
    """Say how many figures each set counts, and how many pieces of evidence they are."""
    counts = {label: pieces(tree["constant_data"].to_dataset()) for label, tree in trees.items()}
    several = [f"{figures} in {found} ({label})" for label, (figures, found) in counts.items()]
    if len(set(counts.values())) == 1:
        several = ["{} in {}".format(*next(iter(counts.values())))]
    return (
        f"Published figures that count, in pieces of evidence: {', '.join(several)}. Figures that "
        "rest on one underlying count are one piece."
    )


def _equations() -> str:
    """Say what the quantities that may be below 0 are made of."""
    signed = (QUANTITIES[name] for name in SIGNED)
    return " ".join(f"{row.words.capitalize()}: {row.equation}." for row in signed)


def run_grid(trees: Mapping[str, xr.DataTree]) -> Grid:
    """Table for the terminal: diagnostics with the set, a probability with what it is of."""
    lines: list[list[Cell]] = []
    for name, period, *answers, gap, net, rhat, ess, divergences in rows(trees):
        if rhat.text:
            checks = f"R-hat {rhat.text}, ESS {ess.text}, {divergences.text} div."
            name = Cell(name.text, checks, name.style)
        chances = {HEADINGS.index(QUANTITIES[of].words) - 2: cell
                   for of, cell in zip(BELOW_ZERO, (gap, net), strict=True)}  # fmt: skip
        cells = [
            Cell(f"{cell.text} ({chances[n].text})", cell.below) if n in chances else cell
            for n, cell in enumerate(answers)
        ]
        lines.append([name, period, *cells])
    heads = [
        column(words, below="(P<0)" if words in {QUANTITIES[of].words for of in BELOW_ZERO} else "")
        for words in HEADINGS[2:-5]
    ]
    columns = [column("set", "name"), column("period", "text"), *heads]
    return Grid.of("", columns, lines, _notes(trees))


def summary_markdown(trees: Mapping[str, xr.DataTree]) -> str:
    """Text of ``summary.md``: the table, what its figures are, and which sets failed."""
    columns = [column(name, "number" if n else "name") for n, name in enumerate(HEADINGS)]
    failures = [
        f"**{escape_markdown(label)}** failed: "
        f"{escape_markdown(tree.attrs['diagnostics_failures'])}\n"
        for label, tree in trees.items()
        if tree.attrs["diagnostics_ok"] != "true"
    ]
    notes = _notes(trees)
    grid = Grid.of("", columns, rows(trees), notes)
    return "\n".join([grid.markdown(), *failures])


def sweep_grid(tree: xr.DataTree, names: Sequence[str] | None = None) -> Grid:
    """Table of a sweep: what its sets say of the last whole month, and how they differ.

    Rows are quantities of that month, and probabilities; columns the median over the sets of
    the sets' medians, the lowest and highest of them with the set's name, and the lowest 5 % and
    highest 95 % end of any set's range.

    Parameters
    ----------
    tree
        Of all sets.
    names
        Of the sets, for readers; None takes their labels. (set,).
    """
    data = tree.to_dataset()
    labels = list(map(str, data["assumption_set"].values)) if names is None else list(names)
    title = f"{len(labels)} assumption sets: {_counts(data)}"
    if "month" not in data:  # no set has numbers
        return Grid.of(title, ("quantity",), [])
    month = last_month(data)
    last = data.sel(month=month)
    lines = []
    for name in HEADLINES:
        low, middle, high = (
            last[name].sel(statistic=statistic).values / 1000.0
            for statistic in ("q05", "q50", "q95")
        )
        if not np.isnan(middle).all():
            write = partial(fixed, digits=1)
            reach = interval(float(np.nanmin(low)), float(np.nanmax(high)), write)
            ends = _middle_and_ends(middle, labels, write)
            lines.append((QUANTITIES[name].words, *ends, reach))
    for name, heading in BELOW_ZERO.items():
        below = last[name].sel(statistic="below_zero").values
        if not np.isnan(below).all():
            lines.append((heading, *_middle_and_ends(below, labels, probability), ""))
    return Grid.of(
        title,
        (
            "quantity",
            "middle set",
            "lowest",
            column("set", "long"),
            "highest",
            column("set", "long"),
            "all ranges",
        ),
        lines,
        [
            f"{month}, thousands of persons: medians of the sets, and the widest ends of their "
            "90 % ranges"
        ],
    )


def _middle_and_ends(values: np.ndarray, labels: list[str], write: Write) -> Iterable[str]:
    """Middle of the sets, and the lowest and highest with their names."""
    yield write(float(np.nanmedian(values)))
    for at in (int(np.nanargmin(values)), int(np.nanargmax(values))):
        yield from (write(float(values[at])), labels[at])


def _counts(data: xr.Dataset) -> str:
    """Say how the sets were obtained, and how many missed a bound."""
    obtained = data["obtained"].values.astype(str)
    counts = ", ".join(
        f"{int((obtained == how).sum())} {how}" for how in dict.fromkeys(sorted(obtained))
    )
    missed = int(((data["failures"].values != "") & (obtained != "failed")).sum())
    return counts + (f"; {missed} of them MISSED a bound of their diagnostics" if missed else "")


def check_grid(check: pd.DataFrame) -> Grid:
    """Table of refitted sets: how far reweighting was off."""
    columns = {
        "assumption_set": column("set", "name"),
        "k_hat": column("k-hat"),
        "ess": column("ESS"),
        "rms_errors": column("root mean square"),
        "max_errors": column("largest"),
        "worst": column("at", "long"),
        "far": column("over 4"),
        "note": column("note", "long"),
    }
    cells = check.reindex(columns=list(columns)).itertuples(index=False)
    return Grid.of(
        f"{len(check)} reweighted sets, fitted as well: differences in Monte-Carlo errors",
        list(columns.values()),
        (
            [significant(cell, 3) if isinstance(cell, float) else str(cell) for cell in row]
            for row in cells
        ),
        ["monthly losses, killed, net change; medians, 5 % and 95 % (check.csv)"],
    )
