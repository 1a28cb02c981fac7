"""Evidence groups as tables and sentences: each answer without each group, sets side by side."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from estimator.show.grid import Cell, Grid, column
from estimator.show.number import NOTHING, fixed, interval, probability

TURNED = "turned"
"""Style of a probability that is all but certain with all evidence, and not without a group."""

_ALL = "all evidence"
_NAMED = 4  # ids of a group that are written; of more the number
_NOTE = (
    "An evidence group is all claims of one underlying count. Below each probability: the middle "
    "and the 90 % range, in thousands. ?: the numbers failed their diagnostics. All of it: "
    "groups.csv."
)


def group_grids(groups: pd.DataFrame) -> Iterator[Grid]:
    """Yield a table an answer: rows are groups, the most influential first; columns are sets.

    Parameters
    ----------
    groups
        As `estimator.studies.audit.groups.judge_groups` returns them, of all sets.
    """
    labels = list(dict.fromkeys(groups["assumption_set"]))
    for answer, of_answer in groups.groupby("answer", sort=False):
        largest = of_answer["shift"].abs().groupby(of_answer["evidence_group"]).max()
        names = largest.sort_values(ascending=False, kind="stable", na_position="last").index
        records = {
            (str(row["evidence_group"]), str(row["assumption_set"])): row
            for row in of_answer.to_dict("records")
        }
        first = [next(r for key, r in records.items() if key[1] == label) for label in labels]
        rows = [[Cell(_ALL), *(_cell(row, "with") for row in first)]]
        for name in names:
            found = [records.get((str(name), label)) for label in labels]
            rows.append(
                [Cell(str(name), _members(found)), *(_cell(row, "without") for row in found)]
            )
        signed = of_answer["with_below_zero"].notna().any()
        what = f"P({answer} < 0)" if signed else f"{answer}, thousands"
        yield Grid.of(
            f"{what} without each evidence group",
            [column("without", "long"), *(column(label) for label in labels)],
            rows,
            [_NOTE],
        )


def _members(found: list[dict[Hashable, Any] | None]) -> str:
    """Claims of a group that count in some set."""
    ids = dict.fromkeys(name for row in found if row for name in str(row["claims"]).split())
    return " ".join(ids) if len(ids) <= _NAMED else f"{len(ids)} claims"


def _cell(row: Mapping[Hashable, Any] | None, when: str) -> Cell:
    """Write a probability over the middle and range of its quantity, or these alone."""
    if row is None:
        return Cell("")
    low, middle, high = (row[f"{when}_{name}"] / 1000 for name in ("q05", "q50", "q95"))
    if middle != middle:
        return Cell(NOTHING)
    mark = "?" if when == "without" and row["failures"] else ""
    reach = interval(low, high, lambda value: fixed(value, 1))
    below = row[f"{when}_below_zero"]
    if below != below:
        return Cell(fixed(middle, 1) + mark, reach)
    style = TURNED if when == "without" and row["turned"] else ""
    return Cell(probability(below) + mark, f"{fixed(middle, 1)} {reach}", style)


def turned_sentences(groups: pd.DataFrame) -> list[str]:
    """Say which probabilities are all but certain only as long as one group counts."""
    return [
        f"In {row['assumption_set']} P({row['answer']} < 0) is "
        f"{probability(row['with_below_zero'])} with all evidence and "
        f"{probability(row['without_below_zero'])} without {row['evidence_group']}."
        for row in groups[groups["turned"].astype(bool)].to_dict("records")
    ]
