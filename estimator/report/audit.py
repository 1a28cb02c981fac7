"""The audit as tables: every claim against every set, statements, conflicts, stock and flow."""

from __future__ import annotations

import pandas as pd

from estimator.report import words
from estimator.report._table import Cell, Table, amount, long
from estimator.report.answers import Answers
from estimator.report.sets import set_cell

_MARKS = {
    "consistent": "✓ fits",
    "strained": "~ strained",
    "in conflict": "✗ in conflict",
    "repeat": "↺ repeats",
}
_MOST_INFLUENCES = 12


def heat_tables(found: Answers) -> tuple[Table | None, Table | None]:
    """Make tables of claims by sets: those that some set finds hard to fit, and the rest."""
    audit = found.data.claims
    if audit is None:
        return None, None
    bad = set(audit.loc[audit["verdict"].isin(["strained", "in conflict"]), "claim"])
    noted = audit["claim"].isin(bad)
    return (
        _heat(found, audit[noted], "Claims that some set finds strained or in conflict"),
        _heat(found, audit[~noted], "Claims that no set finds strained or in conflict"),
    )


def _heat(found: Answers, audit: pd.DataFrame, caption: str) -> Table | None:
    if audit.empty:
        return None
    labels = list(dict.fromkeys(audit["assumption_set"].astype(str)))
    rows = []
    for claim, own in audit.groupby("claim", sort=False):
        by_set = {str(row["assumption_set"]): row for _, row in own.iterrows()}
        row = own.iloc[0]
        period = words.dates(row["period_start"], row["period_end"])
        rows.append(
            [
                Cell(
                    f"{claim} · {words.quantity(str(row['quantity']))}: {row['figure']}",
                    "long",
                    f"{period}; {found.data.options.origin(str(row['origin']))}",
                ),
                *(_verdict(by_set.get(label)) for label in labels),
            ]
        )
    head = ("claim", *(found.marked(label) for label in labels))
    return Table.of(caption, head, rows)


def asked_table(found: Answers) -> Table | None:
    """Tabulate the claims that the question names: how many sets they go together with."""
    audit = found.data.claims
    if audit is None:
        return None
    audit = found.sound(audit)
    rows = [
        _asked_row(found, audit[audit["claim"] == claim])
        for claim in found.data.options.asked
        if (audit["claim"] == claim).any()
    ]
    head = ("figure asked about", "what the sets expect to read", "verdict of the sets")
    return (
        Table.of("The figures of the question, and how many sets they go together with", head, rows)
        if rows
        else None
    )


def _asked_row(found: Answers, own: pd.DataFrame) -> tuple[Cell, ...]:
    row = own.iloc[0]
    unit, quantity = str(row["unit"]), str(row["quantity"])
    sign = words.is_signed(quantity)
    ends = own["predicted_q50"].min(), own["predicted_q50"].max()
    reach = own["predicted_q05"].min(), own["predicted_q95"].max()
    counts = own["verdict"].value_counts()
    verdicts = [
        f"{_MARKS.get(str(verdict), str(verdict))} in {count} of {len(own)}"
        for verdict, count in counts.items()
    ]
    return (
        Cell(
            f"{words.capital(words.quantity(quantity))}: {row['figure']}",
            "long",
            f"{words.dates(row['period_start'], row['period_end'])}; {row['claim']}",
        ),
        amount(words.span(*ends, unit, sign=sign), words.span(*reach, unit, sign=sign)),
        long("; ".join(verdicts)),
    )


def _verdict(row: pd.Series | None) -> Cell:
    """Mark a verdict in words and colour; a claim that does not count is judged all the same."""
    if row is None or pd.isna(row["verdict"]) or not str(row["verdict"]):
        return Cell("not judged", "verdict none")
    verdict = str(row["verdict"])
    kind = f"verdict {verdict.replace(' ', '-')}" if verdict in _MARKS else "verdict"
    tail = row["tail_probability"]
    below = "" if pd.isna(tail) else words.number(float(tail), "probability")
    if not bool(row["counted"]):
        below = f"{below}, not counted".lstrip(", ")
    return Cell(_MARKS.get(verdict, verdict), kind, below)


def influence_table(found: Answers) -> Table | None:
    """Claims that move an answer furthest if they are left out."""
    audit = found.data.claims
    if audit is None:
        return None
    rows = audit[audit["influence"].notna()]
    rows = rows.reindex(rows["influence"].abs().sort_values(ascending=False).index)
    rows = rows.head(_MOST_INFLUENCES)
    if rows.empty:
        return None
    cells = [
        (
            Cell(str(row["claim"])),
            Cell(f"{words.quantity(str(row['quantity']))}: {row['figure']}", "long",
                 found.data.options.origin(str(row["origin"]))),
            set_cell(found, str(row["assumption_set"])),
            amount(f"{float(row['influence']):+,.2f}".replace("-", "−")),
            words.heading(str(row["influence_on"]), found.months)
            if str(row["influence_on"]) not in ("", "nan")
            else words.NOTHING,
        )
        for _, row in rows.iterrows()
    ]  # fmt: skip
    head = ("claim", "figure", "set", "shift without it (in standard deviations)", "of")
    return Table.of("The claims that the answers hang on most", head, cells)


def statements_table(found: Answers) -> Table | None:
    """How likely each statement is, by set."""
    table = found.data.statements
    if table is None:
        return None
    cells = []
    for _, row in table.iterrows():
        unit = str(row["unit"])
        ends = words.span(float(row["value_q05"]), float(row["value_q95"]), unit)
        error = float(row["mcse"])
        cells.append(
            (
                Cell(str(row["statement"]), "", ""),
                Cell(f"“{row['says']}”", "long", str(row["about"])),
                set_cell(found, str(row["assumption_set"])),
                amount(
                    words.number(float(row["probability"]), "probability"),
                    "" if pd.isna(error) else f"± {200 * error:.1f} points",
                ),
                amount(words.number(float(row["value_q50"]), unit), ends),
                long("" if pd.isna(row["note"]) else row["note"]),
            )
        )
    head = ("statement", "says", "set", "holds in", "the number behind it", "note")
    return Table.of("Statements, and the share of each set's draws in which they hold", head, cells)


def balance_table(found: Answers) -> Table | None:
    """Set published sizes of the force against the flows between them."""
    table = found.data.balance
    if table is None:
        return None
    cells = []
    for _, row in table.iterrows():
        change = words.number(float(row["published_change"]), "persons", sign=True)
        flows = [float(row[f"flows_{q}"]) for q in ("q05", "q50", "q95")]
        gap = [float(row[f"gap_{q}"]) for q in ("q05", "q50", "q95")]
        cells.append(
            (
                Cell(words.dates(row["period_start"], row["period_end"])),
                set_cell(found, str(row["assumption_set"])),
                amount(change),
                *(
                    amount(
                        words.number(values[1], sign=True),
                        words.span(values[0], values[2], sign=True),
                    )
                    for values in (flows, gap)
                ),
                long("" if pd.isna(row["note"]) else row["note"]),
            )
        )
    head = (
        *("between", "set", "published change", "recruits and returns less losses"),
        *("left over, persons a month", "note"),
    )
    return Table.of("Stock and flow: does what came and went explain the published sizes?", head,
                    cells)  # fmt: skip
