"""What drives the answers: pictures and tables."""

from __future__ import annotations

import pandas as pd

from estimator.assumptions import ASSUMPTIONS
from estimator.quantities.answers import Answer
from estimator.show import number
from estimator.show.grid import Cell, Grid, column
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
    drawn = []
    groups = data.drivers.groupby(["answer", "method"], sort=False)
    for at, ((answer, method), rows) in enumerate(groups, start=1):
        how = _METHODS.get(str(method), words.plain(str(method)))
        what = words.phrase(Answer.parse(str(answer)), data.months)
        drawn += pictures.drivers(data, rows, what, how, at)
    curves = enumerate(data.specifications, start=1)
    return [*drawn, *(pictures.specification(data, curve, at) for at, curve in curves)]


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
