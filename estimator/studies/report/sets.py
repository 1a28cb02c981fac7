"""The sets side by side, as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pandas as pd
from markupsafe import Markup

from estimator.quantities.answers import Answer
from estimator.quantities.parameters import Fight, fights
from estimator.show import number
from estimator.show.grid import FAILED, Cell, Column, Grid, column
from estimator.studies.report import words
from estimator.studies.report.beliefs import differences
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData
from estimator.studies.report.pictures import POOLED

_MOST_DIFFERENCES = 8


def set_cell(data: ReportData, label: str) -> Cell:
    """Name a set at the head of its row; one that failed is marked."""
    return Cell(data.marked(label), style=FAILED if label in data.failures else "")


def cells_by_set(
    rows: pd.DataFrame, labels: Sequence[str], cell: Callable[[pd.Series | None], Cell]
) -> list[Cell]:
    """Make a cell for each set, of its row in the column `assumption_set`, or of None."""
    by_set = {str(row["assumption_set"]): row for _, row in rows.iterrows()}
    return [cell(by_set.get(label)) for label in labels]


def sets_table(data: ReportData) -> Grid:
    """Tabulate the sets: on what each takes which side, and its answers."""
    columns = [(answer, data.ranges(answer)) for answer in data.asked]
    columns = [(answer, table) for answer, table in columns if not table.empty]
    by_label = [
        (answer, {str(label): row for label, row in table.iterrows()}) for answer, table in columns
    ]
    rows: list[list[Cell | str]] = []
    for n, label in enumerate(data.shown, start=1):
        cells = [_cell_of(answer, row_of.get(label)) for answer, row_of in by_label]
        known = data.options.sets.get(label)
        dispute = f"Disputes {known.dispute}." if known and known.dispute else ""
        text = Markup("{} <em>{}</em> {}").format(words.code(label), dispute, belief(data, label))
        place = f"details.html#set-{n}" if label in data.trees else "details.html#sets"
        style = FAILED if label in data.failures else ""
        name = Cell(words.link(place, data.marked(label), f"side-{n}"), text, style)
        rows.append([name, *cells])
    pooled = [_cell_of(answer, data.pool(answer)) for answer, _ in columns]
    if any(cell.text != number.NOTHING for cell in pooled):
        below = "A summary of opinions, not a set of its own."
        rows.append([Cell(words.capital(POOLED), below, "pooled"), *pooled])
    head = [
        column("set, dispute and belief", "long"),
        *(_heading(data, answer) for answer, _ in columns),
    ]
    return Grid.of("What each set believes, and its middle values with 9-of-10 ranges", head, rows)


def evidence_table(data: ReportData, claims: ClaimRows) -> Grid:
    """Tabulate what each set counts, and where evidence pushed an assumption out of its range."""
    rows = []
    for n, (label, tree) in enumerate(data.trees.items(), start=1):
        name = words.link(f"report.html#side-{n}", data.marked(label), f"set-{n}")
        counted = (
            f"{claims.counted[label]} of {len(claims.rows)} claims: {claims.pieces[label]} pieces "
            "of evidence"
        )
        moved = "; ".join(_moved(data, fight) for fight in fights(tree)) or "nothing"
        style = FAILED if label in data.failures else ""
        rows.append((Cell(name, words.code(label), style), counted, moved))
    head = (
        column("set", "name"),
        column("counts", "long"),
        column("what had to move out of its assumed range", "long"),
    )
    return Grid.of("What each set counts, and where evidence and belief pull apart", head, rows)


def _moved(data: ReportData, fight: Fight) -> str:
    name, _, source = fight.name.partition("[")
    origin, _, quantity = source.removesuffix("]").rpartition(":")
    values = (fight.median, fight.low, fight.high)
    if name == "reporting_bias" and fight.unit == "log ratio":
        median, low, high = (number.fixed(math.exp(value), 2) for value in values)
        return (
            f"figures of {data.options.origin(origin)} on {words.quantity(quantity)} are {median} "
            f"of the truth (believed: {low} to {high})"
        )
    median, low, high = (number.significant(value, 3) for value in values)
    what = words.assumption(fight.name, data.options.origins)
    return f"{what} is {median} {fight.unit} (believed: {low} to {high})"


def belief(data: ReportData, label: str) -> str:
    """Say what a set believes: as the options describe it, or how it differs from the first set."""
    if described := data.options.belief(label):
        return described
    trees = data.trees
    first = next(iter(trees))
    if label not in trees:
        return "a set of a sweep; its assumptions are in the sweep's table"
    if label == first:
        return "not described (option report.sets)"
    keys = differences(trees[label], trees[first])
    if not keys:
        return f"as {data.options.set_name(first)}"
    name = data.options.set_name(first)
    return f"as {name}, but for {number.listed(keys, _MOST_DIFFERENCES)}"


def _heading(data: ReportData, answer: Answer) -> Column:
    when = number.period(answer.period, data.months)
    return column(words.capital(words.quantity(answer.quantity)), below=when)


def _cell_of(answer: Answer, row: pd.Series | None) -> Cell:
    if row is None:
        return Cell(number.NOTHING)
    unit, sign = str(row["unit"]), words.is_signed(answer.quantity)
    middle = number.rounded(row["q50"], unit, sign=sign)
    return Cell(middle, number.span(row["q05"], row["q95"], unit, sign=sign))


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
                data.options.set_name(reference),
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
