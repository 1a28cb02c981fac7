"""The sets side by side, and their monthly losses, as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pandas as pd

from estimator.quantities.answers import Answer
from estimator.show import grid, number
from estimator.show.figures.fans import monthly_bands
from estimator.show.grid import Cell, Column, Grid, column
from estimator.studies.compare.grids import stacking_grid
from estimator.studies.report import words
from estimator.studies.report.beliefs import differences
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData
from estimator.studies.report.pictures import pool_name

_MOST_DIFFERENCES = 8


def set_cell(data: ReportData, label: str) -> Cell:
    """Name a set at the head of its row; one that failed is marked."""
    return grid.set_cell(label, failed=label in data.failures)


def cells_by_set(
    rows: pd.DataFrame, labels: Sequence[str], cell: Callable[[pd.Series | None], Cell]
) -> list[Cell]:
    """Make a cell for each set, of its row in the column `assumption_set`, or of None."""
    by_set = {str(row["assumption_set"]): row for _, row in rows.iterrows()}
    return [cell(by_set.get(label)) for label in labels]


def beliefs_table(data: ReportData, claims: ClaimRows) -> Grid:
    """Say what each set believes, and how many claims it counts."""
    rows = []
    for label in data.shown:
        counted = claims.counted.get(label)
        counts = (
            ""
            if counted is None
            else f"counts {counted} of {len(claims.rows)} claims: {claims.pieces[label]} pieces of "
            "evidence"
        )
        rows.append(
            (
                set_cell(data, label),
                Cell(belief(data, label), counts),
            )
        )
    return Grid.of("What each set believes", ("set", column("believes", "long")), rows)


def belief(data: ReportData, label: str) -> str:
    """Say what a set believes: as the options describe it, or how it differs from the first set."""
    described = data.options.sets.get(label)
    if described is not None:
        return described
    trees = data.trees
    first = next(iter(trees))
    if label not in trees:
        return "a set of a sweep; its assumptions are in the sweep's table"
    if label == first:
        return "not described (option report.sets)"
    keys = differences(trees[label], trees[first])
    if not keys:
        return f"as {first}"
    return f"as {first}, but for {number.listed(keys, _MOST_DIFFERENCES)}"


def answers_table(data: ReportData) -> Grid:
    """All answers of all sets: median with the range below it."""
    columns = [(answer, data.ranges(answer)) for answer in data.asked]
    columns = [(answer, table) for answer, table in columns if not table.empty]
    by_label = [
        (answer, {str(label): row for label, row in table.iterrows()}) for answer, table in columns
    ]
    rows: list[list[Cell | str]] = [
        [
            set_cell(data, label),
            *(_cell_of(answer, row_of.get(label)) for answer, row_of in by_label),
        ]
        for label in data.shown
    ]
    for weights in data.pools:
        cells = [_cell_of(answer, data.pool(answer, weights)) for answer, _ in columns]
        if any(cell.text != number.NOTHING for cell in cells):
            rows.append([Cell(pool_name(weights), style="pooled"), *cells])
    head = [column("set", "name"), *(_heading(data, answer) for answer, _ in columns)]
    caption = "Middle value, and below it the range that holds 9 of 10 draws"
    return Grid.of(caption, head, rows)


def _heading(data: ReportData, answer: Answer) -> Column:
    when = number.period(answer.period, data.months)
    return column(words.capital(words.quantity(answer.quantity)), below=when)


def _cell_of(answer: Answer, row: pd.Series | None) -> Cell:
    if row is None:
        return Cell(number.NOTHING)
    unit, sign = str(row["unit"]), words.is_signed(answer.quantity)
    middle = number.rounded(row["q50"], unit, sign=sign)
    return Cell(middle, number.span(row["q05"], row["q95"], unit, sign=sign))


def signs_table(data: ReportData) -> Grid | None:
    """How likely each set finds it that a signed quantity is below 0; None if none is asked."""
    columns = [a for a in data.asked if words.is_signed(a.quantity) and len(data.ranges(a))]
    if not columns:
        return None
    rows = []
    for label in data.shown:
        cells = []
        for answer in columns:
            below = data.ranges(answer)["below_zero"].get(label, float("nan"))
            cells.append(Cell(number.rounded(float(below), "probability")))
        rows.append((set_cell(data, label), *cells))
    head = [column("set", "name"), *(_heading(data, answer) for answer in columns)]
    return Grid.of("Share of the draws below 0", head, rows)


def differences_table(data: ReportData) -> Grid:
    """How far each set lies from the one that others are compared with."""
    rows = []
    for _, row in data.comparison.iterrows():
        label, reference = str(row["assumption_set"]), str(row["reference"])
        difference = float(row["difference"])
        if label == reference or label not in data.shown or math.isnan(difference):
            continue
        # A difference of probabilities is small: as a share it has a decimal.
        unit = str(row["unit"]).replace("probability", "share")
        error = number.rounded(2 * float(row["difference_mcse"]), unit)
        rows.append(
            (
                set_cell(data, label),
                words.heading(str(row["answer"]), data.months),
                Cell(number.rounded(difference, unit, sign=True), f"± {error}"),
                Cell(number.rounded(float(row["p_above"]), "probability")),
                reference,
            )
        )
    head = (
        "set",
        column("answer", "text"),
        "difference of the middle values",
        "chance to be higher",
        column("than", "text"),
    )
    return Grid.of("Differences, with twice their Monte-Carlo error", head, rows)


def refusals(data: ReportData) -> list[str]:
    """Say which answers are not pooled, and why."""
    refused = data.pooled.fillna({"refused": ""})
    refused = refused[refused["refused"].astype(str) != ""]
    return [
        f"{words.heading(str(row['answer']), data.months)}: {row['refused']}"
        for _, row in refused.iterrows()
    ]


def stacking_table(data: ReportData) -> Grid:
    """How well each set foretells claims that it has not seen."""
    table = data.stacking
    shown = table[table["assumption_set"].astype(str).isin(data.shown)]
    return stacking_grid(shown, data.failures)


def months_table(data: ReportData) -> Grid:
    """Median and range of the losses in every month, sets as columns."""
    bands = monthly_bands(data.trees, "losses")
    rows: list[list[Cell]] = []
    for month in data.months:
        ranges = bands.sel(month=month).transpose("set", "quantile").values
        cells = [
            Cell(number.NOTHING)
            if math.isnan(middle)
            else Cell(number.rounded(middle), number.span(low, high))
            for low, _, middle, _, high in ranges.tolist()
        ]
        rows.append([Cell(number.month(month)), *cells])
    head = ("month", *(data.marked(label) for label in data.trees))
    notes = [text] if (text := number.cut_months(data.cut_months)) else []
    return Grid.of("Losses a month, persons: middle value and range", head, rows, notes)
