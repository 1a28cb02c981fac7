"""What an audit says, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from estimator.export import escape_markdown, markdown_table
from estimator.studies.audit.claims import CONSISTENT, IN_CONFLICT, REPEAT, STRAINED
from estimator.studies.audit.run import Audit
from estimator.studies.audit.statements import MONTHS

SHOWN = 25
TOLD = 10
WRITTEN = 400
"""Rows of the table in Markdown; those of more claims are in the CSV alone."""
MANY = 200
"""More claims than this are summed up by origin too."""
_STYLES = {IN_CONFLICT: "bold red", STRAINED: "yellow", CONSISTENT: "", REPEAT: "dim"}
_MARK = "?"  # behind a verdict whose draws cannot be trusted
CAPTION = (
    "Tail probability of each claim's figure under what the set predicts for it without the claim "
    "(two-sided). Strained: outside the 95 % range; in conflict: outside the 99 % range. Of a "
    "hundred consistent claims about five are strained by chance. (brackets): the set does not "
    f"count the claim. {_MARK}: the prediction failed its diagnostics. Claims of one count are one "
    "row."
)


@dataclass(frozen=True)
class Row:
    """One count in the table claims x sets.

    Attributes
    ----------
    claims
        The claim, with those that repeat its count.
    figure
        Quantity and figure as published.
    cells
        For each set tail probability and verdict; the former in brackets if the set does not count
        the claim.
    """

    claims: str
    figure: str
    cells: list[tuple[str, str]]


def verdict_rows(claims: pd.DataFrame) -> tuple[list[str], list[Row]]:
    """Labels of the sets, and the rows of the table claims x sets, the worst claims first."""
    labels = list(dict.fromkeys(claims["assumption_set"]))
    counts: dict[str, list[dict[Hashable, Any]]] = {}
    for record in claims[claims["verdict"] != REPEAT].to_dict("records"):
        counts.setdefault(_count_of(record), []).append(record)
    rows = []
    for ids, group in counts.items():
        by_set = {str(one["assumption_set"]): _cell(one) for one in group}
        figure = f"{group[0]['quantity'].replace('_', ' ')}: {group[0]['figure']}"
        cells = [by_set.get(label, ("", "")) for label in labels]
        # Sets that count the claim first: others only say that they believe somebody else.
        counted = _smallest_tail([one for one in group if one["counted"]])
        rank = (counted, 0.0) if counted == counted else (2.0, _smallest_tail(group))
        rows.append((rank, Row(ids, figure, cells)))
    rows.sort(key=lambda pair: pair[0])
    return labels, [row for _, row in rows]


def _smallest_tail(group: list[dict[Hashable, Any]]) -> float:
    tails = [one["tail_probability"] for one in group]
    return min((tail for tail in tails if tail == tail), default=float("nan"))


def _count_of(row: Mapping[Hashable, Any]) -> str:
    others = [name for name in str(row["same_as"]).split(", ") if name]
    return " = ".join(sorted([str(row["claim"]), *others]))


def _cell(row: Mapping[Hashable, Any]) -> tuple[str, str]:
    tail = float(row["tail_probability"])
    text = "<.001" if tail < 0.001 else f"{tail:.3f}" if tail < 0.1 else f"{tail:.2f}"
    text += _MARK if row["failures"] else ""
    return (text if row["counted"] else f"({text})"), str(row["verdict"])


def verdict_counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Numbers of verdicts of each set, for the claims that it counts and those that it does not."""
    told = claims[claims["verdict"] != REPEAT]
    counts = pd.crosstab([told["assumption_set"], told["counted"]], told["verdict"])
    wanted = [CONSISTENT, STRAINED, IN_CONFLICT]
    return pd.DataFrame(counts.reindex(columns=wanted, fill_value=0).reset_index())


def audit_tables(found: Audit) -> list[Table | Text]:
    """Tables for the terminal, readable in 100 columns."""
    return [
        _claims_table(found.claims),
        _counts_table(found.claims),
        *_origins_tables(found.claims),
        *(Text(note) for note in draws_notes(found.facts)),
        *_statement_tables(found.statements),
        *_conflict_texts(found),
        *([] if found.balance.empty else [_balance_table(found.balance)]),
    ]


def _claims_table(claims: pd.DataFrame) -> Table:
    labels, rows = verdict_rows(claims)
    table = _table(
        f"Claims under {len(labels)} sets: the {min(SHOWN, len(rows))} that fit worst of "
        f"{len(rows)} (all: claims.csv)",
        CAPTION,
    )
    table.add_column("claim", overflow="fold", min_width=24)
    for label in labels:
        table.add_column(Text(label), justify="right", overflow="fold", max_width=8)
    for row in rows[:SHOWN]:
        cells = (Text(text, style=_STYLES.get(verdict, "")) for text, verdict in row.cells)
        table.add_row(Text(f"{row.claims}\n{row.figure}"), *cells)
    return table


def _counts_table(claims: pd.DataFrame) -> Table:
    table = _table("How many claims", "A set does not count what its options leave out.")
    for heading in ("set", "claims", CONSISTENT, STRAINED, IN_CONFLICT):
        table.add_column(heading, justify="left" if heading in ("set", "claims") else "right")
    for row in verdict_counts(claims).itertuples(index=False):
        label, counted, *numbers = row
        what = "counted" if counted else "not counted"
        table.add_row(Text(str(label)), what, *(str(n) for n in numbers))
    return table


def origin_counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Numbers of claims that sets count, and of verdicts, by origin and quantity.

    Returns
    -------
    pandas.DataFrame
        Columns origin, quantity, claims, strained, in conflict; the largest share of claims that
        are not consistent first. A claim is counted once a set.
    """
    told = claims[(claims["verdict"] != REPEAT) & claims["counted"]]
    grouped = told.groupby(["origin", "quantity"])["verdict"]
    counts = grouped.agg(
        claims="size",
        strained=lambda verdicts: (verdicts == STRAINED).sum(),
        in_conflict=lambda verdicts: (verdicts == IN_CONFLICT).sum(),
    )
    share = (counts["strained"] + counts["in_conflict"]) / counts["claims"]
    counts = counts.loc[share.sort_values(ascending=False, kind="stable").index]
    return pd.DataFrame(counts.rename(columns={"in_conflict": IN_CONFLICT}).reset_index())


def _origins_tables(claims: pd.DataFrame) -> list[Table]:
    """Sum the verdicts up by origin and quantity, where claims are too many to be read one by one.

    Origins that fit worst first.
    """
    if claims["claim"].nunique() <= MANY:
        return []
    counts = origin_counts(claims)
    shown = counts.head(SHOWN)
    table = _table(
        "By origin and quantity",
        "Of a hundred consistent claims about five are strained by chance."
        if len(shown) == len(counts)
        else f"Shown: {len(shown)} of {len(counts)}, the largest shares of strained and in "
        "conflict first (all claims: claims.csv).",
    )
    for heading in ("origin", "quantity", "claims", STRAINED, IN_CONFLICT):
        table.add_column(heading, justify="left" if heading in ("origin", "quantity") else "right")
    for origin, quantity, *numbers in shown.itertuples(index=False):
        table.add_row(Text(str(origin)), str(quantity).replace("_", " "), *map(str, numbers))
    return [table]


def draws_notes(facts: pd.DataFrame) -> list[str]:
    """Say of which sets the claims were judged by a part of the draws; nothing if of none."""
    if "note" not in facts:
        return []
    # A column without any text is read back as numbers that are missing.
    notes = facts["note"].fillna("")
    return [f"{label}: {note}." for label, note in notes.items() if note]


def _statement_tables(statements: pd.DataFrame) -> list[Table]:
    if statements.empty:
        return []
    table = _table("What was said, as probabilities", "In brackets: the claims that say it.")
    labels = list(dict.fromkeys(statements["assumption_set"]))
    table.add_column("statement", overflow="fold", min_width=24)
    for label in labels:
        table.add_column(Text(label), justify="right", overflow="fold", max_width=7)
    several = (statements.groupby("statement")["period"].nunique() > 1).to_dict()
    for (name, period), group in statements.groupby(["statement", "period"], sort=False):
        first = group.iloc[0]
        text = f"{first['says']} [{first['claims']}]"
        by_set = {str(row["assumption_set"]): statement_text(row) for _, row in group.iterrows()}
        cells = [by_set.get(label, "-") for label in labels]
        table.add_row(Text(f"{text}: {period}" if several[name] else text), *cells)
        table.add_section()
    return [table]


def statement_text(row: pd.Series) -> str:
    """Write the probability of a statement, or how many months it needs."""
    if row["unit"] == MONTHS:
        low, middle, high = (row[f"value_{q}"] for q in ("q05", "q50", "q95"))
        return f"{middle:.0f} mon." if low == high else f"{low:.0f} to {high:.0f} mon."
    return probability_text(row["probability"])


def probability_text(p: float) -> str:
    """Write a probability, never as certain."""
    if np.isnan(p):
        return "-"
    return "<0.01" if p < 0.005 else ">0.99" if p > 0.995 else f"{p:.2f}"


def _conflict_texts(found: Audit) -> list[Text]:
    if found.conflicts.empty:
        return [Text("No claims contradict each other at face value.")]
    return [
        Text("\nClaims that cannot all be true at face value, worst first", style="bold"),
        *(
            Text(
                f"{row['conflict']}. {row['claims']} ({row['months']}): each would have to give "
                f"{100 * row['give']:.1f} % or more.\n   {row['says']}.\n   {row['resolution']}."
            )
            for row in found.conflicts.head(TOLD).to_dict("records")
        ),
    ]


def _balance_table(balance: pd.DataFrame) -> Table:
    table = _table(
        "Stock and flow",
        "Flows (recruits + foreign recruits + returned - losses) against the change between two "
        "published sizes of the force. Thousands.",
    )
    for heading in ("set", "from", "to", "published\nchange", "flows", "what must give"):
        table.add_column(heading, overflow="fold")
    for row in balance.to_dict("records"):
        table.add_row(
            Text(str(row["assumption_set"])),
            str(row["period_start"]),
            str(row["period_end"]),
            f"{row['published_change'] / 1000:,.0f}",
            _thousands(row, "flows"),
            Text(str(row["note"])),
        )
    return table


def _thousands(row: Mapping[Hashable, Any], name: str) -> str:
    low, middle, high = (row[f"{name}_{q}"] / 1000 for q in ("q05", "q50", "q95"))
    return f"{middle:,.0f} \\[{low:,.0f}, {high:,.0f}]"


def _table(title: str, caption: str) -> Table:
    return Table(
        title=Text(title, style="bold"),
        caption=Text(caption),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        padding=(0, 0, 0, 1),
        pad_edge=False,
    )


def markdown(found: Audit) -> str:
    """Write the audit as Markdown."""
    labels, rows = verdict_rows(found.claims)
    rest = f"The {WRITTEN} that fit worst of {len(rows):,}; all of them: claims.csv.\n"
    parts = [
        "# Audit\n",
        markdown_table(
            ["claim", "figure", *labels],
            ([row.claims, row.figure, *(text for text, _ in row.cells)] for row in rows[:WRITTEN]),
        ),
        *([rest] if len(rows) > WRITTEN else []),
        f"{CAPTION}\n",
        *(f"{escape_markdown(note)}\n" for note in draws_notes(found.facts)),
        "## What was said\n",
        markdown_table(
            ["statement", "claims", "computed", "set", "probability", "median [90 %]", "unit"],
            (
                (
                    row["says"],
                    row["claims"],
                    row["about"] or row["note"],
                    row["assumption_set"],
                    statement_text(pd.Series(row)),
                    _range_text(row),
                    row["unit"],
                )
                for row in found.statements.to_dict("records")
            ),
        ),
        "## Contradictions at face value\n",
        *(
            f"{row['conflict']}. **{escape_markdown(row['claims'])}** ({row['months']}), "
            f"{100 * row['give']:.1f} %: {escape_markdown(row['says'])}. "
            f"*{escape_markdown(row['resolution'])}.*\n"
            for row in found.conflicts.to_dict("records")
        ),
        "## Stock and flow\n",
        markdown_table(
            ["set", "from", "to", "what must give"],
            (
                (row["assumption_set"], row["period_start"], row["period_end"], row["note"])
                for row in found.balance.to_dict("records")
            ),
        ),
    ]
    return "\n".join(parts)


def _range_text(row: Mapping[Hashable, Any]) -> str:
    values = [row[f"value_{q}"] for q in ("q50", "q05", "q95")]
    if any(np.isnan(values)):
        return ""
    digits = 0 if max(abs(v) for v in values) >= 100 else 2
    middle, low, high = (f"{v:,.{digits}f}" for v in values)
    return f"{middle} [{low}, {high}]"
