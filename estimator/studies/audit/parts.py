"""The parts of an audit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from estimator.show.grid import Cell, Grid, column
from estimator.show.number import NOTHING, fixed, interval, probability, tail
from estimator.show.part import Part, publish
from estimator.studies.audit.audit import Audit
from estimator.studies.audit.claims import CONSISTENT, IN_CONFLICT, REPEAT, STRAINED
from estimator.studies.audit.group_grids import group_grids, turned_sentences
from estimator.studies.audit.statements import MONTHS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

SHOWN = 25
"""Claims that are printed."""
WRITTEN = 400
"""Claims in the Markdown table; those of more claims are in the CSV alone."""
MANY = 200
"""More claims than this are summed up by origin too."""
_CONFLICTS = 10  # that are printed
_MARK = "?"  # behind a verdict whose draws cannot be trusted
_CAPTION = (
    "Tail probability of each claim's figure under what the set predicts for it without the claim "
    "(two-sided). Strained: outside the 95 % range; in conflict: outside the 99 % range. Of a "
    "hundred consistent claims about five are strained by chance. (brackets): the set does not "
    f"count the claim. {_MARK}: the prediction failed its diagnostics. Claims of one count are one "
    "row."
)


def publish_audit(
    audit: Audit, folder: Path, console: Console | None = None, *, plots: bool = False
) -> None:
    """Write the files of an audit, and print it where there is a console."""
    publish(parts(audit), folder, document="audit", heading="Audit", console=console, plots=plots)


def parts(audit: Audit) -> Iterator[Part]:
    """Yield verdicts of claims, evidence groups, statements, contradictions, stock and flow."""
    verdicts = claims_grid(audit.claims, audit.facts)

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.show.figures.audit import plot_verdicts  # matplotlib takes a second

        yield "audit", plot_verdicts(verdicts)

    grids = [verdicts, _counts_grid(audit.claims)]
    if audit.claims["claim"].nunique() > MANY:
        grids.append(_origins_grid(audit.claims))
    yield Part(grids=grids, tables=audit.tables, figures=figures)
    if len(audit.groups):
        yield Part(
            sentences=turned_sentences(audit.groups),
            grids=list(group_grids(audit.groups)),
        )
    if len(audit.statements):
        yield Part(grids=[_statements_grid(audit.statements)])
    if len(audit.conflicts):
        yield Part(grids=[_conflicts_grid(audit.conflicts)])
    else:
        yield Part(sentences=["No claims contradict each other at face value."])
    if len(audit.balance):
        yield Part(grids=[_balance_grid(audit.balance)])


def verdict_rows(claims: pd.DataFrame) -> tuple[list[str], list[list[Cell]]]:
    """Labels of the sets, and the rows of the table claims x sets, the worst claims first.

    A row is one count: the claim with those that repeat it, its figure below, and for each set the
    tail probability, in brackets if the set does not count the claim. The style is the verdict.
    """
    labels = list(dict.fromkeys(claims["assumption_set"]))
    counts: dict[str, list[dict[Hashable, Any]]] = {}
    for record in claims[claims["verdict"] != REPEAT].to_dict("records"):
        counts.setdefault(_count_of(record), []).append(record)
    rows = []
    for ids, group in counts.items():
        by_set = {str(verdict["assumption_set"]): _cell(verdict) for verdict in group}
        figure = f"{group[0]['quantity'].replace('_', ' ')}: {group[0]['figure']}"
        cells = [by_set.get(label, Cell("")) for label in labels]
        # Sets that count the claim first: others only say that they believe somebody else.
        counted = _smallest_tail([verdict for verdict in group if verdict["counted"]])
        rank = (counted, 0.0) if counted == counted else (2.0, _smallest_tail(group))
        rows.append((rank, [Cell(ids, figure), *cells]))
    rows.sort(key=lambda pair: pair[0])
    return labels, [row for _, row in rows]


def _smallest_tail(group: list[dict[Hashable, Any]]) -> float:
    tails = [verdict["tail_probability"] for verdict in group]
    return min((value for value in tails if value == value), default=float("nan"))


def _count_of(row: Mapping[Hashable, Any]) -> str:
    others = [name for name in str(row["same_as"]).split(", ") if name]
    return " = ".join(sorted([str(row["claim"]), *others]))


def _cell(row: Mapping[Hashable, Any]) -> Cell:
    text = tail(float(row["tail_probability"])) + (_MARK if row["failures"] else "")
    return Cell(text if row["counted"] else f"({text})", style=str(row["verdict"]))


def claims_grid(claims: pd.DataFrame, facts: pd.DataFrame) -> Grid:
    """Every count against every set, the worst first."""
    labels, rows = verdict_rows(claims)
    notes = [_CAPTION, *draws_notes(facts)]
    if len(rows) > WRITTEN:
        notes.insert(0, f"The {WRITTEN} that fit worst of {len(rows):,}; all of them: claims.csv.")
    return Grid.of(
        "Claims under each set, those that fit worst first (all: claims.csv)",
        [column("claim", "long"), *(column(label) for label in labels)],
        rows[:WRITTEN],
        notes,
        most=SHOWN,
    )


def draws_notes(facts: pd.DataFrame) -> list[str]:
    """Say of which sets the claims were judged by a part of the draws; nothing if of none."""
    if "note" not in facts:
        return []
    # A column without any text is read back as numbers that are missing.
    notes = facts["note"].fillna("")
    return [f"{label}: {note}." for label, note in notes.items() if note]


def verdict_counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Numbers of verdicts of each set, for the claims that it counts and those that it does not."""
    judged = claims[claims["verdict"] != REPEAT]
    counts = pd.crosstab([judged["assumption_set"], judged["counted"]], judged["verdict"])
    wanted = [CONSISTENT, STRAINED, IN_CONFLICT]
    return pd.DataFrame(counts.reindex(columns=wanted, fill_value=0).reset_index())


def _counts_grid(claims: pd.DataFrame) -> Grid:
    return Grid.of(
        "How many claims",
        ("set", column("claims", "text"), CONSISTENT, STRAINED, IN_CONFLICT),
        (
            (str(label), "counted" if counted else "not counted", *map(str, numbers))
            for label, counted, *numbers in verdict_counts(claims).itertuples(index=False)
        ),
        ["A set does not count what its options leave out."],
    )


def origin_counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Numbers of claims that sets count, and of verdicts, by origin and quantity.

    Returns
    -------
    pandas.DataFrame
        Columns origin, quantity, claims, strained, in conflict; the largest share of claims that
        are not consistent first. A claim is counted once a set.
    """
    judged = claims[(claims["verdict"] != REPEAT) & claims["counted"]]
    grouped = judged.groupby(["origin", "quantity"])["verdict"]
    counts = grouped.agg(
        claims="size",
        strained=lambda verdicts: (verdicts == STRAINED).sum(),
        in_conflict=lambda verdicts: (verdicts == IN_CONFLICT).sum(),
    )
    share = (counts["strained"] + counts["in_conflict"]) / counts["claims"]
    counts = counts.loc[share.sort_values(ascending=False, kind="stable").index]
    return pd.DataFrame(counts.rename(columns={"in_conflict": IN_CONFLICT}).reset_index())


def _origins_grid(claims: pd.DataFrame) -> Grid:
    """Sum the verdicts up by origin and quantity, for claims that are too many to be read."""
    return Grid.of(
        "By origin and quantity, the largest shares of strained and in conflict first",
        ("origin", column("quantity", "text"), "claims", STRAINED, IN_CONFLICT),
        (
            (str(origin), str(quantity).replace("_", " "), *map(str, numbers))
            for origin, quantity, *numbers in origin_counts(claims).itertuples(index=False)
        ),
        ["Of a hundred consistent claims about five are strained by chance."],
        most=SHOWN,
    )


def _statements_grid(statements: pd.DataFrame) -> Grid:
    labels = list(dict.fromkeys(statements["assumption_set"]))
    several = (statements.groupby("statement")["period"].nunique() > 1).to_dict()
    rows: list[list[Cell | str]] = []
    for (name, period), group in statements.groupby(["statement", "period"], sort=False):
        first = group.iloc[0]
        text = f"{first['says']} [{first['claims']}]"
        by_set = {str(row["assumption_set"]): _statement_cell(row) for _, row in group.iterrows()}
        cells = [by_set.get(label, Cell(NOTHING)) for label in labels]
        rows.append([f"{text}: {period}" if several[name] else text, *cells])
    return Grid.of(
        "What was said, as probabilities",
        [column("statement", "long"), *(column(label) for label in labels)],
        rows,
        ["In brackets: the claims that say it. The numbers behind: statements.csv."],
    )


def _statement_cell(row: pd.Series) -> Cell:
    """Probability of a statement, or how many months it needs."""
    if row["unit"] == MONTHS:
        low, middle, high = (row[f"value_{q}"] for q in ("q05", "q50", "q95"))
        return Cell(fixed(middle) if low == high else f"{fixed(low)} to {fixed(high)}", "mon.")
    return Cell(probability(row["probability"]))


def _conflicts_grid(conflicts: pd.DataFrame) -> Grid:
    return Grid.of(
        "Claims that cannot all be true at face value, worst first",
        (
            column("claims", "long"),
            "each gives",
            column("what they say, and what would resolve it", "long"),
        ),
        (
            (
                Cell(f"{row['conflict']}. {row['claims']}", f"({row['months']})"),
                f"{fixed(100 * row['give'], 1)} %",
                Cell(f"{row['says']}.", f"{row['resolution']}."),
            )
            for row in conflicts.to_dict("records")
        ),
        ["Each gives: how far each of them would have to give way at least."],
        most=_CONFLICTS,
    )


def _balance_grid(balance: pd.DataFrame) -> Grid:
    def thousands(row: Mapping[Hashable, Any], name: str) -> Cell:
        low, middle, high = (row[f"{name}_{q}"] / 1000 for q in ("q05", "q50", "q95"))
        return Cell(fixed(middle), interval(low, high))

    return Grid.of(
        "Stock and flow, thousands",
        (
            "set",
            column("from", "text"),
            column("to", "text"),
            "published change",
            "flows",
            column("what must give", "long"),
        ),
        (
            (
                str(row["assumption_set"]),
                str(row["period_start"]),
                str(row["period_end"]),
                fixed(row["published_change"] / 1000),
                thousands(row, "flows"),
                str(row["note"]),
            )
            for row in balance.to_dict("records")
        ),
        [
            "Flows (recruits + foreign recruits + returned − losses) against the change between "
            "two published sizes of the force."
        ],
    )
