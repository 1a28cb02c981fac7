"""Figures that may be one piece of evidence: copies, sums and differences of one another.

A table seldom says that one figure was worked out from others. These are looked for, and told as a
remark: whether they are one count is for a reader to judge.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product

from estimator.ingest.cells import is_given
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.quantity import COUNTS, QUANTITIES

REASON = "figures that may be one piece of evidence (evidence_group, derived_from)"
_DAY = dt.timedelta(days=1)
_NAMED = 3  # claims of a sum that are named


def suggest(drafts: Sequence[Draft], ledger: Ledger, alike: float) -> None:
    """Tell of claims that agree as copies, sums or differences of one another.

    Parameters
    ----------
    drafts
        Named; those that share an evidence group are not told again.
    ledger
        Gets the remarks.
    alike
        Figures agree if they differ by at most this share of the largest figure involved.
    """
    figures = [draft for draft in drafts if is_given(draft.value) and draft.value != 0]
    for claim, parts, how in (*_copies(figures, alike), *_sums(figures, alike),
                              *_differences(figures, alike)):  # fmt: skip
        groups = {draft.evidence_group for draft in (claim, *parts)}
        if len(groups) == 1 and "" not in groups:
            continue
        names = " ".join(draft.id for draft in parts[:_NAMED])
        of = names if len(parts) <= _NAMED else f"{names} … ({len(parts)} claims)"
        row = claim.rows[0] if claim.rows else None
        ledger.remark(REASON, f"{claim.id} is {how} {of}", row)


_Found = Iterator[tuple[Draft, Sequence[Draft], str]]


def _agree(figure: float, other: float, largest: float, alike: float) -> bool:
    return math.isclose(figure, other, rel_tol=0.0, abs_tol=alike * abs(largest))


def _copies(figures: Sequence[Draft], alike: float) -> _Found:
    """Find figures of several origins on the same; those of one origin are repeats anyway."""
    same: dict[tuple[object, ...], list[Draft]] = defaultdict(list)
    for draft in figures:
        same[draft.quantity, draft.population, draft.unit, draft.start, draft.end].append(draft)
    for group in same.values():
        for first, second in combinations(group, 2):
            if first.origin != second.origin and _agree(
                first.value, second.value, max(first.value, second.value, key=abs), alike
            ):
                yield second, [first], "a copy, or nearly, of"


def _sums(figures: Sequence[Draft], alike: float) -> _Found:
    """Find figures that are what another origin gave for the parts of their period."""
    counts: dict[tuple[str, str], list[Draft]] = defaultdict(list)
    for draft in figures:
        if draft.quantity in COUNTS and draft.unit == "persons":
            counts[draft.quantity, draft.population].append(draft)
    for of_one in counts.values():
        by_origin: dict[str, list[Draft]] = defaultdict(list)
        for draft in sorted(of_one, key=lambda d: (d.start, d.end)):
            by_origin[draft.origin].append(draft)
        for whole, (origin, parts) in product(of_one, by_origin.items()):
            if whole.origin == origin or len(parts) < 2:
                continue
            found = _covering(whole, parts, alike)
            total = math.fsum(part.value for part in found)
            if len(found) > 1 and _agree(whole.value, total, whole.value, alike):
                yield whole, found, f"the sum, or nearly, of what {origin} gave:"


def _covering(whole: Draft, parts: Sequence[Draft], alike: float) -> list[Draft]:
    """Parts that follow each other and fill a period but for a share of its days; else none."""
    days = (whole.end - whole.start).days + 1
    found: list[Draft] = []
    day, covered = whole.start, 0
    at = bisect_left(parts, day, key=lambda part: part.start)
    for part in parts[at:]:
        if part.start > whole.end:
            break
        length = (part.end - part.start).days + 1
        if part.start >= day and part.end <= whole.end and length < days:
            found.append(part)
            covered += length
            day = part.end + _DAY
    return found if covered >= (1.0 - alike) * days else []


def _differences(figures: Sequence[Draft], alike: float) -> _Found:
    """Find figures that others on the same period give, as a gap is recruits less losses."""
    same: dict[tuple[object, ...], dict[str, list[Draft]]] = defaultdict(lambda: defaultdict(list))
    for draft in figures:
        key = (draft.population, draft.unit, draft.start, draft.end)
        same[key][draft.quantity].append(draft)
    for group in same.values():
        for quantity, claims in list(group.items()):
            parts = QUANTITIES[quantity].parts
            if len(parts) < 2 or not all(group.get(name) for name in parts):
                continue
            for claim, *given in product(claims, *(group[name] for name in parts)):
                terms = [d.value * parts[d.quantity] for d in given]
                largest = max(terms, key=abs)
                if _agree(claim.value, math.fsum(terms), largest, alike):
                    yield claim, given, "the difference, or nearly, of"
