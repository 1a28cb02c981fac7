"""Figures of 0: they say nothing on a log scale, so they go with the next figure.

Left out, a day on which nobody died would count as a usual one, and the sum of a quiet war would
come out too high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from estimator.evidence.schema import LIKELIHOOD_STATUSES
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.totals import DAY
from estimator.quantity import COUNTS

_POINTS = ("about", "exact")
ZERO = "a figure of 0 says nothing on a log scale, and no other figure follows it at once"


def zeros_joined(drafts: Iterable[Draft], ledger: Ledger) -> list[Draft]:
    """Join figures of 0 with the figure of the same series whose period begins the day after.

    Parameters
    ----------
    drafts
        Sums over periods, in any order. Only counts in persons with a point add up.
    ledger
        Gets the rows of zeros that nothing follows, and how many were joined.
    """
    series: dict[tuple[str, ...], list[Draft]] = {}
    others: list[Draft] = []
    for draft in drafts:
        counts = draft.status in LIKELIHOOD_STATUSES and draft.unit == "persons"
        if counts and draft.quantity in COUNTS and draft.hedge in _POINTS:
            key = (draft.origin, draft.quantity, draft.population, draft.status, draft.hedge)
            series.setdefault(key, []).append(draft)
        else:
            others.append(draft)
    for same in series.values():
        others += _joined(sorted(same, key=lambda draft: (draft.start, draft.end)), ledger)
    return others


def _joined(drafts: Sequence[Draft], ledger: Ledger) -> list[Draft]:
    """Join the zeros of one series, in order of periods."""
    result: list[Draft] = []
    waiting: Draft | None = None
    zeros = 0
    for draft in drafts:
        follows = waiting is not None and waiting.end + DAY == draft.start
        if waiting is not None and not follows:
            ledger.skip_all(waiting.rows, ZERO)
        if waiting is not None and follows:
            zeros += 1
            draft = replace(
                draft,
                start=waiting.start,
                rows=(*waiting.rows, *draft.rows),
                note="; ".join(filter(None, [draft.note, f"0 from {waiting.start} on"])),
            )
        if draft.value == 0 and math.isnan(draft.high):
            waiting = draft
        else:
            result.append(draft)
            waiting = None
    if waiting is not None:
        ledger.skip_all(waiting.rows, ZERO)
    if zeros:
        ledger.remark(
            "figures of 0, part of the claim on the period that follows",
            f"{zeros} of {drafts[0].origin}, {drafts[0].quantity}",
        )
    return result
