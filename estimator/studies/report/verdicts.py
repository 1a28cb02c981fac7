"""The verdicts: in how many of 100 draws a headline is true, by set, and what it turns on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from estimator.show import grid, number
from estimator.show.grid import Cell, Grid, column
from estimator.studies.audit.claims import KEPT_IN, REPEAT
from estimator.studies.report import words
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.data import ReportData

_MOST_SETS = 12  # columns that fit on a printed page
_NAMED = 5  # sets that are named beside a headline
_ALIKE = {
    "true": "True in every set.",
    "false": "True in no set.",
    "likely": "More likely than not in every set.",
    "unlikely": "Less likely than not in every set.",
}
_SAYS = {"consistent": "fits", "strained": "strained", "in conflict": "in conflict"}


@dataclass(frozen=True)
class Headline:
    """Something that is true in some draws of each set.

    Attributes
    ----------
    says
        The headline.
    chances
        Share of each set's draws in which it is true, by label.
    answer
        The signed answer whose sign it is, as in the audit's table of groups; else empty.
    claims
        Ids of the claims that say it.
    cannot
        Why there are no shares.
    """

    says: str
    chances: pd.Series
    answer: str = ""
    claims: tuple[str, ...] = ()
    cannot: str = ""


def headlines(data: ReportData) -> Iterator[Headline]:
    """Yield the signs of the answers, then the statements that are asked about."""
    for answer in data.asked:
        if answer.quantity in words.BELOW_ZERO:
            below = data.ranges(answer)["below_zero"].dropna()
            when = number.period(answer.period, data.months)
            says = f"{words.BELOW_ZERO[answer.quantity]} in {when}"
            if len(below):
                yield Headline(says, below, str(answer))
    table = data.audit.statements
    for name in data.options.asked:
        rows = table[table["statement"] == name]
        if rows.empty:
            continue
        # Of several months the last row is about all of them together.
        together = rows.groupby("assumption_set", sort=False).tail(1).set_index("assumption_set")
        notes = together.loc[together["probability"].isna(), "note"]
        yield Headline(
            str(rows["says"].iloc[0]),
            together["probability"].reindex(data.labels).dropna(),
            claims=tuple(str(rows["claims"].iloc[0]).split(", ")),
            cannot="" if notes.empty else str(notes.iloc[0]),
        )


def verdict_table(data: ReportData, claims: ClaimRows) -> Grid:
    """Tabulate the headlines against the sets, with what each turns on and what is expected."""
    labels = [label for label in data.shown if label in data.trees][:_MOST_SETS]
    rows = []
    for n, headline in enumerate(headlines(data), start=1):
        place = "details.html#statements" if headline.claims else "details.html#sets"
        says = words.link(place, words.capital(headline.says), f"verdict-{n}")
        rows.append(
            (
                Cell(
                    says, words.lines(_turns_on(data, headline), *_expected(data, claims, headline))
                ),
                *(_chance(data, headline.chances.get(label)) for label in labels),
            )
        )
    heads = [
        grid.Column(Cell(data.marked(label), style=f"upright{_failed(data, label)}"))
        for label in labels
    ]
    more = len(data.labels) - len(labels)
    return Grid.of(
        "True in so many of 100 draws, by set",
        (column("headline", "long"), *heads),
        rows,
        [f"{number.count(more, 'more set')} in the details."] if more else [],
    )


def _failed(data: ReportData, label: str) -> str:
    return " failed" if label in data.failures else ""


def _chance(data: ReportData, share: float | None) -> Cell:
    if share is None:
        return Cell(number.NOTHING)
    return Cell(words.hundred(share), style=f"verdict {_side(data, share)}")


def _side(data: ReportData, share: float) -> str:
    """Say whether a headline is all but certain, likely, unlikely or all but ruled out."""
    if share > data.certain or share < 1 - data.certain:
        return "true" if share > 0.5 else "false"
    return "likely" if share > 0.5 else "unlikely"


def _turns_on(data: ReportData, headline: Headline) -> Markup:
    """Say which sets and pieces of evidence move a verdict away from that of the first set."""
    if headline.chances.empty:
        return Markup("{}.").format(words.capital(headline.cannot or "no draws tell"))
    chances = data.sound(headline.chances.rename_axis("assumption_set").to_frame("share"))["share"]
    first = float(chances.iloc[0])
    side = _side(data, first)
    moved = [
        _side(data, share) != side or abs(share - first) >= data.options.moved for share in chances
    ]
    away = chances[moved]
    away = away.reindex((away - first).abs().sort_values(ascending=False).index)
    if away.empty:
        verdict = _ALIKE[side]
    else:
        named = [f"{_dispute(data, str(label))} ({words.hundred(p)})" for label, p in away.items()]
        verdict = f"Depends on {number.listed(named, _NAMED)}."
    return Markup(" ").join([Markup.escape(verdict), *_carried(data, headline)])


def _dispute(data: ReportData, label: str) -> str:
    known = data.options.sets.get(label)
    return (known.dispute if known else "") or f"the set “{data.options.set_name(label)}”"


def _carried(data: ReportData, headline: Headline) -> Iterator[Markup]:
    """Say which single pieces of evidence make or move it, where that could be worked out."""
    groups = data.groups[data.groups["answer"] == headline.answer]
    groups = data.sound(groups[groups["without_below_zero"].notna()])
    change = (groups["without_below_zero"] - groups["with_below_zero"]).abs()
    groups = groups[groups["turned"] | (change >= data.options.moved)]
    for (name, turned), rows in groups.groupby(["evidence_group", "turned"], sort=False):
        hangs = [
            f"{words.hundred(row['with_below_zero'])} to {words.hundred(row['without_below_zero'])}"
            f" in “{data.options.set_name(str(row['assumption_set']))}”"
            for _, row in rows.iterrows()
        ]
        text = Markup('{} <a href="details.html#evidence-groups">without {}</a> it goes from {}.')
        yield text.format(
            "All but certain only with it:" if turned else "One piece of evidence carries it:",
            data.options.evidence_group(str(name)),
            number.listed(hangs, _NAMED),
        )


def _expected(data: ReportData, claims: ClaimRows, headline: Headline) -> Iterator[Markup]:
    """Say what the origin of a figure would be expected to publish, and whether it fits."""
    for claim in headline.claims:
        of_claim = data.audit.claims[data.audit.claims["claim"] == claim]
        if of_claim.empty:
            continue
        rows = data.sound(data.judged[data.judged["claim"] == claim])
        row = of_claim.iloc[0]
        origin = data.options.origin(str(row["origin"]))
        said = claims.link(claim, f"Published: {row['figure']} ({origin})")
        if rows.empty:
            text = Markup("{}. Whether it fits was not worked out ({}).")
            yield text.format(said, words.code("estimator audit"))
            return
        unit, sign = str(row["unit"]), words.is_signed(str(row["quantity"]))
        ends = rows["predicted_q50"].min(), rows["predicted_q50"].max()
        low, high = rows["predicted_q05"].min(), rows["predicted_q95"].max()
        yield Markup("{}. Expected: {} ({}); {}.").format(
            said,
            number.span(*ends, unit, sign=sign),
            number.span(low, high, unit, sign=sign),
            _fits(rows, len(data.sound(of_claim))),
        )
        return


def _fits(rows: pd.DataFrame, asked: int) -> str:
    """Count the sets in which a published figure fits, of those that could be judged."""
    verdicts = rows["verdict"].astype(str)
    repeats = rows[verdicts == REPEAT]
    counts = [
        f"{text} in {int((verdicts == verdict).sum())}"
        for verdict, text in _SAYS.items()
        if (verdicts == verdict).any()
    ]
    texts = [f"{number.listed(counts)} of {number.count(asked, 'set')}"] if counts else []
    if len(repeats):
        texts.append(f"counted through the figure that it repeats in {len(repeats)}")
    if (rows["failures"].fillna("") == KEPT_IN).any():
        texts.append("itself counted as a floor")
    if len(rows) < asked:
        texts.append(f"{asked - len(rows)} would need fits")
    return "; ".join(texts)
