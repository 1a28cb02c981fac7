"""The drivers of an answer in one sentence."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer
from estimator.quantity import TOTAL
from estimator.show.number import fixed, listed
from estimator.studies.compare.drivers.one_at_a_time import WITHIN_ERROR
from estimator.studies.compare.drivers.table import NEGLIGIBLE

_THOUSAND = 1000.0
_NAMED = 3  # assumptions that are named
_SMALL = 0.005  # shares below are not told
_MONTH = re.compile(r"\d{4}-\d{2}")


def statement(
    table: pd.DataFrame, answer: Answer, width: float = np.nan, negligible: float = 0.0
) -> str:
    """Say in a sentence what drives an answer, or that nothing does worth speaking of.

    Parameters
    ----------
    table
        As `drivers` or `shifts` gives it; of one method.
    answer
        One of its answers.
    width
        Of the 90 % range of a set, in the answer's unit; 1 for a probability; NaN if not known.
    negligible
        An effect below this share of the width is negligible.

    Examples
    --------
    Of the 21 assumptions varied one at a time, reporting moves net change in 2026-01 most: from
    −10.6 (face_value) to 5.6 (radford) thousand persons/month, with 3.6 as it is; returns (−6.8 to
    5.9) and confirmed (−2.5 to 3.6) follow; 8 others stay within Monte-Carlo error.
    """
    rows = table[table["answer"] == str(answer)].sort_values("rank")
    if rows.empty:
        return f"What drives {words(answer)} cannot be told from these sets."
    small = rows["effect"] < negligible * width
    if small.any() and small[rows["effect"].notna()].all():
        return _negligible(rows, answer, width)
    if rows["method"].iloc[0] in ("one_at_a_time", "shift"):
        return _of_effects(rows, answer, small)
    told = _of_shares(rows, answer)
    if not small.any():
        return told
    others = "All others" if small.sum() == len(rows) - 1 else listed(rows["assumption"][small])
    return f"{told} {others}: {NEGLIGIBLE}."


def _negligible(rows: pd.DataFrame, answer: Answer, width: float) -> str:
    """Say that what varies hardly matters beside what each set leaves open."""
    largest, write = rows.nlargest(1, "effect").iloc[0], _writer(rows, answer)
    ends = f"{write(largest['value_low'])} to {write(largest['value_high'])}{_unit(largest)}"
    beside = "" if answer.below_zero else (
        f", while the 90 % range of a set alone is {write(width)} wide"
    )  # fmt: skip
    what = words(answer)
    return (
        f"{what[:1].upper()}{what[1:]}: all drivers are negligible; the largest, "
        f"{largest['assumption']}, moves it from {ends}{beside}."
    )


def words(answer: Answer) -> str:
    """Name an answer in words, e.g. ``net change in 2026-01``."""
    quantity = answer.quantity.replace("_", " ")
    if answer.period == TOTAL:
        text = f"{quantity} over the window"
    elif _MONTH.fullmatch(answer.period):
        text = f"{quantity} in {answer.period}"
    else:
        text = f"{quantity} of {answer.period}"
    return f"the probability of {text} below 0" if answer.below_zero else text


def _of_effects(rows: pd.DataFrame, answer: Answer, small: pd.Series) -> str:
    """Say which effects are largest; those that are `small` are counted. (row,)."""
    one_at_a_time = rows["method"].iloc[0] == "one_at_a_time"
    how = "assumptions varied one at a time" if one_at_a_time else (
        "priors moved down and up by one of their standard deviations"
    )  # fmt: skip
    told = rows[rows["effect"].notna()]
    within = told["note"].str.contains(WITHIN_ERROR, regex=False)
    clear = told[~within]
    missing = len(rows) - len(told)
    lost = f"; of {missing} there are no numbers" if missing else ""
    single = len(rows) == 1
    if clear.empty:
        who = rows["assumption"].iloc[0] if single else f"None of the {len(rows)} {how}"
        return (
            f"{who} moves {words(answer)} by {'no ' if single else ''}more than its Monte-Carlo "
            f"error{lost}."
        )
    first = clear.iloc[0]
    write = _writer(rows, answer)
    opening = "" if single else f"Of the {len(rows)} {how}, "
    parts = [
        f"{opening}{first['assumption']} moves {words(answer)}{'' if single else ' most'}: from "
        f"{write(first['value_low'])} ({first['level_low']}) to {write(first['value_high'])} "
        f"({first['level_high']}){_unit(first)}"
    ]
    if np.isfinite(first["reference"]):
        parts[0] += f", with {write(first['reference'])} as it is"
    large = clear[~small[clear.index]]
    others = [
        f"{row['assumption']} ({write(row['value_low'])} to {write(row['value_high'])})"
        for _, row in large.iloc[1:_NAMED].iterrows()
    ]
    if others:
        parts.append(f"{' and '.join(others)} follow{'s' if len(others) == 1 else ''}")
    if hardly := len(clear) - len(large):
        verb = "is" if hardly == 1 else "are"
        parts.append(f"{hardly} {verb} {NEGLIGIBLE}")
    if within.any():
        count = int(within.sum())
        parts.append(f"{count} stay{'s' if count == 1 else ''} within Monte-Carlo error")
    return "; ".join(parts) + f"{lost}."


def _of_shares(rows: pd.DataFrame, answer: Answer) -> str:
    if rows["total"].isna().all():
        return f"What varies between these sets in {words(answer)} is mostly Monte-Carlo error."
    rows = rows.sort_values("first_order", ascending=False)
    shares = [
        f"{_share(row['first_order'])} % [{_share(row['first_order_low'])}, "
        f"{_share(row['first_order_high'])}] "
        + (f"of the variance of {words(answer)} comes " if place == 0 else "")
        + f"from {row['assumption']}"
        for place, (_, row) in enumerate(rows.head(_NAMED).iterrows())
        if place == 0 or row["first_order"] >= _SMALL
    ]
    rest = _interactions(rows)
    together = f"interactions add about {_share(rest)} %" if rest >= _SMALL else (
        "interactions add next to nothing"
    )  # fmt: skip
    first, write = rows.iloc[0], _writer(rows, answer)
    low, high = (
        f"({text})" if " to " in text else text
        for text in (first["level_low"], first["level_high"])
    )
    moves = (
        f"with {first['assumption']} from {low} to {high} it goes from "
        f"{write(first['value_low'])} to {write(first['value_high'])}{_unit(first)} on average"
    )
    return f"{', '.join(shares)}; {together}; {moves}."


def _interactions(rows: pd.DataFrame) -> float:
    """Share of the variance that no assumption explains alone."""
    if rows["method"].iloc[0] == "regression":  # has interactions of two, each in two totals
        return float((rows["total"] - rows["first_order"]).sum()) / 2.0
    return max(1.0 - float(rows["first_order"].sum()), 0.0)


def _share(share: float) -> str:
    return fixed(100.0 * share)


def _unit(row: pd.Series) -> str:
    if row["unit"] in ("probability", "share", "ratio"):
        return ""
    return f" thousand {row['unit']}" if _in_thousands(row) else f" {row['unit']}"


def _in_thousands(row: pd.Series) -> bool:
    return bool(str(row["unit"]).startswith("persons"))


class _writer:
    """Writes numbers of an answer with as many digits as its largest effect needs."""

    def __init__(self, rows: pd.DataFrame, answer: Answer) -> None:
        self.size = _THOUSAND if _in_thousands(rows.iloc[0]) else 1.0
        most = 2 if answer.below_zero else 3 if self.size == 1.0 else 1
        effect = float(rows["effect"].max()) / self.size
        digits = 2 - int(np.floor(np.log10(effect))) if effect > 0 else most
        self.digits = min(max(digits, 0), most)

    def __call__(self, value: float) -> str:
        if not np.isfinite(value):
            return "no number"
        return fixed(value / self.size, self.digits)
