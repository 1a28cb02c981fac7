"""The audit as tables: every claim against every set, statements, conflicts, stock and flow."""

from __future__ import annotations

import pandas as pd

from estimator.show import number
from estimator.show.grid import Cell, Grid, column
from estimator.studies.audit.claims import KEPT_IN
from estimator.studies.audit.group_grids import group_grids
from estimator.studies.report import words
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData
from estimator.studies.report.sets import cells_by_set, set_cell

_HARD = "\N{NO-BREAK SPACE}"
_MARKS = {
    "consistent": f"✓{_HARD}fits",
    "strained": f"~{_HARD}strained",
    "in conflict": f"✗{_HARD}in conflict",
    "repeat": f"↺{_HARD}repeats",
}
_BAD = {"in conflict": 1.0, "strained": 0.01}
"""How bad a verdict is: the claims that most sets find in conflict stand first."""
_MOST_INFLUENCES = 12


def heat_tables(data: ReportData, claims: ClaimRows) -> tuple[Grid | None, Grid | None]:
    """Make tables of claims by sets: those that some set finds hard to fit, and the rest."""
    audit = data.audit.claims
    known = audit.index.isin(data.judged.index)
    audit = audit.assign(bad=audit["verdict"].where(known).map(_BAD).fillna(0.0))
    audit = audit.assign(bad=audit.groupby("claim")["bad"].transform("sum"))
    audit = audit.sort_values("bad", ascending=False, kind="stable")
    noted = audit["bad"] > 0
    return (
        _heat(data, claims, audit[noted], "Claims that some set finds strained or in conflict"),
        _heat(data, claims, audit[~noted], "Claims that no set finds strained or in conflict"),
    )


def _heat(data: ReportData, claims: ClaimRows, audit: pd.DataFrame, caption: str) -> Grid | None:
    if audit.empty:
        return None
    labels = _in_order(data, audit)
    most, names = data.options.most_claims, audit["claim"].unique()
    if len(names) > most:
        caption = f"{caption}: {most:,} of {len(names):,} (all of them: audit/claims.csv)"
        audit = audit[audit["claim"].isin(names[:most])]
    rows = []
    for claim, verdicts in audit.groupby("claim", sort=False):
        row = verdicts.iloc[0]
        period = number.dates(row["period_start"], row["period_end"])
        what = words.quantity(str(row["quantity"]))
        rows.append(
            [
                Cell(
                    claims.link(str(claim), f"{claim} · {what}: {row['figure']}"),
                    f"{period}; {data.options.origin(str(row['origin']))}",
                ),
                *cells_by_set(verdicts, labels, _verdict),
            ]
        )
    head = [
        column("claim", "long"),
        *(column(data.marked(label), "text") for label in labels),
    ]
    return Grid.of(caption, head, rows)


def _verdict(row: pd.Series | None) -> Cell:
    """Mark a verdict in words and colour; a claim that does not count is judged all the same."""
    if row is None or pd.isna(row["verdict"]) or not str(row["verdict"]):
        return Cell("not judged", style="verdict none")
    verdict, failures = str(row["verdict"]), row.get("failures")
    if isinstance(failures, str) and failures not in ("", KEPT_IN):
        return Cell("not known", "needs a fit", "verdict none")
    style = f"verdict {verdict.replace(' ', '-')}" if verdict in _MARKS else "verdict"
    tail = row["tail_probability"]
    below = "" if pd.isna(tail) else number.rounded(float(tail), "probability")
    notes = [below, "" if bool(row["counted"]) else "not counted"]
    return Cell(_MARKS.get(verdict, verdict), ", ".join(note for note in notes if note), style)


def influence_table(data: ReportData) -> Grid | None:
    """Claims that move an answer furthest if they are left out."""
    audit = data.judged
    rows = audit[audit["influence"].abs() > 0]
    rows = rows.reindex(rows["influence"].abs().sort_values(ascending=False).index)
    rows = rows.head(_MOST_INFLUENCES)
    if rows.empty:
        return None
    cells = [
        (
            Cell(str(row["claim"])),
            Cell(f"{words.quantity(str(row['quantity']))}: {row['figure']}",
                 data.options.origin(str(row["origin"]))),
            set_cell(data, str(row["assumption_set"])),
            number.fixed(float(row["influence"]), 2, sign=True),
            words.heading(str(row["influence_on"]), data.months)
            if str(row["influence_on"]) not in ("", "nan")
            else number.NOTHING,
        )
        for _, row in rows.iterrows()
    ]  # fmt: skip
    head = (
        "claim",
        column("figure", "long"),
        column("set", "text"),
        "shift without it (in standard deviations)",
        column("of", "text"),
    )
    return Grid.of("The claims that the answers hang on most", head, cells)


def group_tables(data: ReportData) -> list[Grid]:
    """Tabulate the answers without each evidence group, sets side by side."""
    groups = data.groups
    words_of = {
        str(answer): words.heading(str(answer), data.months) for answer in groups["answer"].unique()
    }
    marked = {label: data.marked(label) for label in groups["assumption_set"].unique()}
    return list(
        group_grids(
            groups.assign(
                answer=groups["answer"].map(words_of),
                assumption_set=groups["assumption_set"].map(marked),
                evidence_group=groups["evidence_group"].map(data.options.evidence_group),
                failures="",
            )
        )
    )


def statements_table(data: ReportData) -> Grid | None:
    """How likely each statement is, sets beside each other, with the number behind it."""
    table = data.audit.statements
    if table.empty:
        return None
    labels = _in_order(data, table)
    rows = []
    for _, chances in table.groupby(["statement", "about"], sort=False, dropna=False):
        row = chances.iloc[0]
        about = "" if pd.isna(row["about"]) else words.event(words.plain(str(row["about"])))
        notes = dict.fromkeys(str(note) for note in chances["note"].dropna() if note)
        below = "; ".join(text for text in (str(row["claims"]), about, *notes) if text)
        cells = cells_by_set(chances, labels, _chance)
        rows.append([Cell(f"“{row['says']}”", below), *cells])
    head = [column("statement", "long"), *(column(data.marked(label)) for label in labels)]
    caption = "Share of each set's draws in which a statement holds, and the number behind it"
    return Grid.of(caption, head, rows)


def _chance(row: pd.Series | None) -> Cell:
    if row is None:
        return Cell(number.NOTHING)
    middle, low = float(row["value_q50"]), float(row["value_q05"])
    unit = "" if pd.isna(row["unit"]) else str(row["unit"])
    value = "" if pd.isna(middle) else number.rounded(middle, unit, sign=low < 0)
    return Cell(number.rounded(float(row["probability"]), "probability"), value)


def balance_tables(data: ReportData) -> tuple[Grid | None, Grid | None]:
    """Set published sizes of the force against the flows between them: in short, and in full."""
    table = data.audit.balance
    if table.empty:
        return None, None
    labels = _in_order(data, table)
    short = []
    for _, gaps in table.groupby(["period_start", "period_end"], sort=False):
        cells = cells_by_set(gaps, labels, lambda row: _range(row, "gap"))
        short.append([_between(gaps.iloc[0]), _published(gaps.iloc[0]), *cells])
    full = [
        (
            _between(row),
            set_cell(data, str(row["assumption_set"])),
            _published(row),
            _range(row, "flows"),
            _range(row, "gap"),
            "" if pd.isna(row["note"]) else str(row["note"]),
        )
        for _, row in table.iterrows()
    ]
    marked = [data.marked(label) for label in labels]
    return (
        Grid.of(
            "Left over, persons a month: what came and went, less the change of the published size",
            ("between", "published change", *marked),
            short,
        ),
        Grid.of(
            "Stock and flow in full",
            (
                "between",
                column("set", "text"),
                "published change",
                "came less went",
                "left over a month",
                column("note", "long"),
            ),
            full,
        ),
    )


def _in_order(data: ReportData, table: pd.DataFrame) -> list[str]:
    """Order the sets of a table as the page does."""
    there = list(dict.fromkeys(table["assumption_set"].astype(str)))
    known = [label for label in data.labels if label in there]
    return known + [label for label in there if label not in known]


def _between(row: pd.Series) -> Cell:
    return Cell(number.dates(row["period_start"], row["period_end"]), style="period")


def _published(row: pd.Series) -> Cell:
    return Cell(number.rounded(float(row["published_change"]), "persons", sign=True))


def _range(row: pd.Series | None, name: str) -> Cell:
    if row is None:
        return Cell(number.NOTHING)
    low, middle, high = (float(row[f"{name}_{q}"]) for q in ("q05", "q50", "q95"))
    return Cell(number.rounded(middle, sign=True), number.span(low, high, sign=True))
