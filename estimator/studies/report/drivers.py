"""What drives the answers: pictures and tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from estimator.assumptions import ASSUMPTIONS
from estimator.quantities.answers import Answer
from estimator.show import number
from estimator.show.grid import Cell, Column, Grid, column
from estimator.studies.report import pictures, words
from estimator.studies.report.data import ReportData
from estimator.studies.report.sets import cells_by_set

_METHODS = {
    "one_at_a_time": "each assumption changed alone",
    "shift": "each prior moved alone",
    "sobol": "Sobol indices: all assumptions varied together",
    "anova": "analysis of variance: all options combined",
    "regression": "regression over the sets of a sweep",
}
_VERDICTS = {
    "data": "the claims decide",
    "prior": "the assumption decides",
    "both": "both",
    "prior-data conflict": "they disagree",
    "fixed": "held fixed",
}


def charts(data: ReportData) -> list[pictures.Picture]:
    """Draw the pictures of each answer and method."""
    return [
        picture
        for at, (answer, _, rows) in enumerate(_groups(data), start=1)
        for picture in pictures.drivers(
            data, rows, words.phrase(Answer.parse(answer), data.months), at
        )
    ]


def tables(data: ReportData) -> list[Grid]:
    """Tabulate what moves each answer by each method."""
    return [_table(data, *group) for group in _groups(data)]


def _groups(data: ReportData) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for (answer, method), rows in data.drivers.groupby(["answer", "method"], sort=False):
        yield str(answer), str(method), rows.sort_values("rank")


def _table(data: ReportData, answer: str, method: str, rows: pd.DataFrame) -> Grid:
    unit = str(rows["unit"].iloc[0])
    reference = number.rounded(float(rows["reference"].iloc[0]), unit)
    title = words.heading(answer, data.months)
    caption = f"{title} ({_METHODS.get(method, words.plain(method))}); as it is: {reference}"
    moves = bool(rows["value_low"].notna().any())
    has_shares = bool(rows[["first_order", "total"]].notna().any(axis=None))
    head: list[Column | str] = [column("assumption", "long")]
    head += ["at its low", "at its high", "moves by"] if moves else []
    head += ["share alone", "share with others"] if has_shares else []
    with_notes = bool((rows["note"].fillna("") != "").any())
    head += [column("note", "long")] if with_notes else []
    cells = []
    for _, row in rows.iterrows():
        key = str(row["assumption"])
        line: list[Cell | str] = [
            Cell(words.assumption(key, data.options.origins), words.code(key))
        ]
        if moves:
            line += [
                Cell(number.rounded(float(row[f"value_{end}"]), unit), str(row[f"level_{end}"]))
                for end in ("low", "high")
            ]
            line.append(Cell(number.rounded(float(row["effect"]), unit)))
        if has_shares:
            line.append(Cell(number.rounded(float(row["first_order"]), "share")))
            ends = number.span(float(row["total_low"]), float(row["total_high"]), "share")
            line.append(Cell(number.rounded(float(row["total"]), "share"), ends))
        if with_notes:
            line.append("" if pd.isna(row["note"]) else str(row["note"]))
        cells.append(line)
    return Grid.of(caption, head, cells)


def deciding_tables(data: ReportData) -> tuple[Grid | None, Grid | None]:
    """Tabulate whether the claims or the assumption decide: single assumptions, then biases."""
    table = data.prior_or_data
    single = table["parameter"].isin(list(ASSUMPTIONS))
    return (
        _deciding(data, table[single], "Who decides each number"),
        _deciding(data, table[~single], "Who decides how each origin reports"),
    )


def _deciding(data: ReportData, table: pd.DataFrame, title: str) -> Grid | None:
    if table.empty:
        return None
    labels = list(dict.fromkeys(table["assumption_set"].astype(str)))
    rows = []
    for parameter, verdicts in table.groupby("parameter", sort=False):
        name = Cell(
            words.assumption(str(parameter), data.options.origins), words.code(str(parameter))
        )
        rows.append([name, *cells_by_set(verdicts, labels, _verdict)])
    head = [
        column("assumption", "long"),
        *(column(data.marked(label), "text") for label in labels),
    ]
    return Grid.of(f"{title}, and how much narrower the claims made its range", head, rows)


def _verdict(row: pd.Series | None) -> Cell:
    if row is None:
        return Cell(number.NOTHING)
    verdict = str(row["verdict"])
    style = f"verdict {verdict.replace(' ', '-')}" if verdict in _VERDICTS else "verdict"
    narrower = float(row["contraction"])
    below = "" if verdict == "fixed" else number.rounded(narrower, "probability")
    return Cell(_VERDICTS.get(verdict, verdict), below, style)
