"""Contradictions between published figures, at face value and without any model.

Each claim is an interval for a weighted sum of the monthly series (or for a share of two sums), so
whether several claims can be true together is a question of linear programming. Searched are
minimal contradictions: sets of claims that cannot all be true, while any of them can be left out to
make the rest possible. For each the smallest common give that would reconcile them, and what each
claim alone would have to be.

A confirmed figure is read as the whole here, as a headline reads it. That it is a floor, and that
more was lost than was confirmed, is one of the ways out that are listed. A range of a rate ("30,000
to 40,000 a month") is where the rate of each month lies, any other rate the mean of its period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr
from scipy.optimize import linprog

from estimator.quantity import QUANTITIES, SHARES, combine
from estimator.show.number import fixed
from estimator.studies.audit.bases import RANGE, AuditedSet
from estimator.studies.audit.face_values import SERIES, FaceValue

COLUMNS = ("conflict", "claims", "origins", "quantities", "months", "give", "says", "resolution")
RESOLUTION_COLUMNS = (
    "conflict",
    "assumption_set",
    "claim",
    "quantity",
    "period",
    "figure",
    "true_q05",
    "true_q50",
    "true_q95",
    "probability_inside",
)
_NAMES = {"replacement_gap": "recruits less losses", "killed_share": "the share killed"}
_NAMED = 4  # claims of one source that are named one by one
_LARGEST_TREE = 20_000  # nodes; that of the shipped claims has 4,066
_TINY = 1e-6
_LARGE = 1e9
_TYPICAL = 30_000.0  # persons: brings rows of shares to the size of the others
_LEAST_SIZE = 1000.0  # persons: of figures at 0, whose share would be nothing


class FaceValues:
    """All claims at face value as one linear programme over the months.

    Variables are the monthly series (not negative, killed at most losses), then the give: the share
    of its figure by which each claim may miss its interval.
    """

    def __init__(self, claims: Sequence[FaceValue], months: Sequence[str]) -> None:
        self.claims, self.months = list(claims), list(months)
        self.n_months = claims[0].weights.shape[1] if claims else 0
        self._n_series = len(SERIES) * self.n_months

    @cached_property
    def _rows(self) -> list[list[tuple[np.ndarray, float, float]]]:
        """For each claim rows (coefficients, bound, size) of ``coefficients @ x <= bound``."""
        return [self._rows_of(claim) for claim in self.claims]

    def _rows_of(self, claim: FaceValue) -> list[tuple[np.ndarray, float, float]]:
        ends = [end for end in (claim.low, claim.high) if np.isfinite(end)]
        size = max([abs(end) for end in ends], default=0.0)
        rows = []
        for weight in claim.weights:
            for end, sign in ((claim.high, 1.0), (claim.low, -1.0)):
                if not np.isfinite(end):
                    continue
                quantity = QUANTITIES[claim.quantity]
                total = self._sum(quantity.parts, weight)
                if claim.quantity in SHARES:  # killed <= end x losses, and so on
                    whole = self._sum(quantity.whole, weight)
                    scaled = (total - end * whole) / float(weight.sum()) / _TYPICAL
                    rows.append((sign * scaled, 0.0, size))
                else:
                    rows.append((sign * total, sign * end, max(size, _LEAST_SIZE)))
        return rows

    def _sum(self, parts: Mapping[str, float], weight: np.ndarray) -> np.ndarray:
        row = np.zeros(self._n_series)
        for name, sign in parts.items():
            begin = SERIES.index(name) * self.n_months
            row[begin : begin + self.n_months] = sign * weight
        return row

    @cached_property
    def _killed_at_most_losses(self) -> sp.csr_array:
        n = self.n_months
        eye = sp.eye_array(n, format="csr")
        rest = sp.csr_array((n, (len(SERIES) - 2) * n))
        return sp.csr_array(sp.hstack([-eye, eye, rest]))

    def give(self, chosen: Sequence[int]) -> tuple[float, list[int]]:
        """Smallest share by which all chosen claims must give for them to be true together.

        Returns
        -------
        give, bind
            The share, and the claims that hold it up: if it is not 0, they contradict each other.
        """
        rows = [(claim, row) for claim in chosen for row in self._rows[claim]]
        if not rows:
            return 0.0, []
        size = np.array([size for _, (_, _, size) in rows])
        matrix = np.stack([coefficients for _, (coefficients, _, _) in rows]) / size[:, None]
        bound = np.array([bound for _, (_, bound, _) in rows]) / size
        lifted = np.concatenate([matrix, -np.ones((len(rows), 1))], axis=1)
        fixed = sp.hstack([self._killed_at_most_losses, sp.csr_array((self.n_months, 1))])
        found = linprog(
            np.append(np.zeros(self._n_series), 1.0),
            A_ub=sp.vstack([sp.csr_array(lifted), fixed]),
            b_ub=np.append(bound, np.zeros(self.n_months)),
            bounds=(0.0, _LARGE),
            method="highs",
        )
        if found.status != 0:
            return np.inf, list(chosen)
        binding = np.flatnonzero(np.abs(found.ineqlin.marginals[: len(rows)]) > _TINY)
        return float(found.x[-1]), sorted({rows[at][0] for at in binding})

    def possible(self, chosen: Sequence[int]) -> bool:
        """Whether the chosen claims can all be true."""
        return self.give(chosen)[0] <= _TINY

    def extents(self, claim: int, others: Sequence[int]) -> list[tuple[float, float]]:
        """Lowest and highest figure that a claim could have had with the others true, by row."""
        own = self.claims[claim]
        rows = [row for other in others for row in self._rows[other]]
        matrix = sp.csr_array(np.array([coefficients for coefficients, _, _ in rows]))
        constraints = sp.vstack([matrix, self._killed_at_most_losses])
        bounds = np.append([bound for _, bound, _ in rows], np.zeros(self.n_months))
        quantity = QUANTITIES[own.quantity]
        found = []
        for weight in own.weights:
            low, high = self._ends(self._sum(quantity.parts, weight), constraints, bounds)
            if own.quantity in SHARES:
                whole = self._ends(self._sum(quantity.whole, weight), constraints, bounds)
                low, high = low / max(whole[1], 1.0), min(high / max(whole[0], 1.0), 1.0)
            found.append((low, high))
        return found

    @staticmethod
    def _ends(
        target: np.ndarray, constraints: sp.csr_array, bounds: np.ndarray
    ) -> tuple[float, float]:
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(
                sign * target, A_ub=constraints, b_ub=bounds, bounds=(0.0, _LARGE), method="highs"
            )
            value = sign * float(found.fun) if found.status == 0 else np.nan
            ends.append(-sign * np.inf if abs(value) > _LARGE / 100 else value)
        return ends[0], ends[1]

    def minimal(self, chosen: Iterable[int]) -> list[int]:
        """Take claims away from an impossible set until each that is left is needed."""
        _, left = self.give(list(chosen))
        for claim in list(left):
            without = [other for other in left if other != claim]
            if not self.possible(without):
                left = without
        return left


def conflicts(
    claims: Sequence[FaceValue], months: Sequence[str], most: int
) -> tuple[pd.DataFrame, list[list[FaceValue]]]:
    """Find minimal contradictions, those that need the most give first.

    Claims of one origin on one quantity are looked at as one (they are one count), unless they
    contradict each other.

    Parameters
    ----------
    claims
        As `face_values` gives them.
    months
        Labels of the months that they are weights on.
    most
        How many contradictions are looked for.

    Returns
    -------
    pandas.DataFrame, list of list of FaceValue
        `COLUMNS`, and the claims of each contradiction. `give` is the share by which every claim of
        the contradiction must give at least.
    """
    programme = FaceValues(claims, months)
    found = _search(programme, _blocks(programme), most)
    gives = [programme.give(one)[0] for one in found]
    ranked = sorted(zip(gives, found, strict=True), key=lambda pair: -pair[0])
    rows = [
        _row(number, give, programme, chosen) for number, (give, chosen) in enumerate(ranked, 1)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table, [[programme.claims[at] for at in chosen] for _, chosen in ranked]


def resolutions(found: Sequence[Sequence[FaceValue]], audited: AuditedSet) -> pd.DataFrame:
    """Say how a set resolves each contradiction: what it thinks of each claim's own figure.

    Returns
    -------
    pandas.DataFrame
        `RESOLUTION_COLUMNS`, one row for each claim of each contradiction, and for each month of a
        range of a rate: true figure by the set's posterior in the claim's unit, without any bias,
        and the probability that it lies where the claim says. Sources with more than a few claims
        in a contradiction are left out.
    """
    posterior = audited.posterior
    rows = []
    for number, claims in enumerate(found, start=1):
        few = {s for s, members in _by_source(claims).items() if len(members) <= _NAMED}
        for claim in (claim for claim in claims if claim.source in few):
            for weight in claim.weights:
                months = np.flatnonzero(weight > 0)
                part = posterior.isel(month=months)
                weights = xr.DataArray(weight[months], dims="month")
                quantity = QUANTITIES[claim.quantity]
                truth = xr.dot(combine(quantity.parts, part), weights, dim="month")
                if claim.quantity in SHARES:
                    truth = truth / xr.dot(combine(quantity.whole, part), weights, dim="month")
                inside = float(((truth >= claim.low) & (truth <= claim.high)).mean())
                names = [str(month) for month in part["month"].values]
                period = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
                ranges = (float(q) for q in truth.quantile(list(RANGE)).values)
                what = (claim.claim, claim.quantity, period, claim.text)
                rows.append((number, audited.label, *what, *ranges, inside))
    return pd.DataFrame(rows, columns=list(RESOLUTION_COLUMNS))


def _blocks(programme: FaceValues) -> list[list[int]]:
    """Claims that are looked at together: of one source, or single ones where it is at odds."""
    by_source: dict[tuple[str, str], list[int]] = {}
    for at, claim in enumerate(programme.claims):
        by_source.setdefault(claim.source, []).append(at)
    blocks = []
    for members in by_source.values():
        blocks += [members] if programme.possible(members) else [[at] for at in members]
    return blocks


def _search(programme: FaceValues, blocks: list[list[int]], most: int) -> list[list[int]]:
    """Minimal contradictions by a hitting-set tree (Reiter 1987) over the blocks.

    Each contradiction found is broken in every way, by leaving out one of its blocks, and the rest
    is searched again, breadth first. The tree doubles with each two claims that contradict each
    other alone: where thousands of claims make it too large, the search goes on with all blocks of
    the contradictions found left out, for such as share none with them.
    """
    found: list[list[int]] = []
    seen: set[frozenset[int]] = set()
    queue: list[frozenset[int]] = [frozenset()]
    everything = range(len(blocks))
    block_of = {claim: at for at, block in enumerate(blocks) for claim in block}
    known: list[frozenset[int]] = []
    resolved: list[frozenset[int]] = []  # blocks without which the rest can be true
    while queue and len(found) < most:
        if len(seen) > _LARGEST_TREE:
            queue, seen = [frozenset().union(*known)], set()
        removed = queue.pop(0)
        if any(enough <= removed for enough in resolved):
            continue
        left = [block for block in everything if block not in removed]
        core = next((c for c in known if not c & removed), None)
        if core is None:
            give, binding = programme.give(_members(blocks, left))
            if give <= _TINY:
                resolved.append(removed)
                continue
            bound = sorted({block_of[claim] for claim in binding})
            core = frozenset(_minimal_blocks(programme, blocks, bound))
            known.append(core)
            found.append(programme.minimal(_members(blocks, sorted(core))))
        for block in sorted(core):
            further = removed | {block}
            if further not in seen:
                seen.add(further)
                queue.append(further)
    return found


def _members(blocks: list[list[int]], chosen: Iterable[int]) -> list[int]:
    return [claim for block in chosen for claim in blocks[block]]


def _minimal_blocks(programme: FaceValues, blocks: list[list[int]], left: list[int]) -> list[int]:
    needed = list(left)
    for block in list(needed):
        without = [other for other in needed if other != block]
        if not programme.possible(_members(blocks, without)):
            needed = without
    return needed


def _row(number: int, give: float, programme: FaceValues, chosen: list[int]) -> tuple[object, ...]:
    claims = [programme.claims[at] for at in chosen]
    first, last = min(c.first for c in claims), max(c.last for c in claims)
    groups = _by_source(claims)
    ways = [
        _way_out(programme, at, [other for other in chosen if other != at])
        for at in chosen
        if len(groups[programme.claims[at].source]) <= _NAMED
    ]
    ways += [
        f"the {len(members)} figures of {source[0]} on {source[1]} are not so"
        for source, members in groups.items()
        if len(members) > _NAMED
    ]
    return (
        number,
        ", ".join(_ids(members) for members in groups.values()),
        ", ".join(dict.fromkeys(c.origin for c in claims)),
        ", ".join(dict.fromkeys(c.quantity for c in claims)),
        first if first == last else f"{first} to {last}",
        give,
        "; ".join(_said(members) for members in groups.values()),
        "; or ".join(ways),
    )


def _by_source(claims: Sequence[FaceValue]) -> dict[tuple[str, str], list[FaceValue]]:
    groups: dict[tuple[str, str], list[FaceValue]] = {}
    for claim in claims:
        groups.setdefault(claim.source, []).append(claim)
    return groups


def _ids(members: Sequence[FaceValue]) -> str:
    if len(members) <= _NAMED:
        return ", ".join(claim.claim for claim in members)
    return f"{members[0].claim} … {members[-1].claim} ({len(members)} claims)"


def _said(members: Sequence[FaceValue]) -> str:
    if len(members) <= _NAMED:
        return "; ".join(f"{c.claim} ({c.origin}): {_what(c)} {c.text}" for c in members)
    first, last = members[0], members[-1]
    return (
        f"{first.claim} to {last.claim} ({first.origin}): {len(members)} figures of "
        f"{first.quantity.replace('_', ' ')} from {first.first} to {last.last}"
    )


def _what(claim: FaceValue, period: str = "") -> str:
    name = _NAMES.get(claim.quantity, claim.quantity.replace("_", " "))
    own = claim.first if claim.first == claim.last else f"{claim.first} to {claim.last}"
    confirmed = "confirmed " if claim.status == "confirmed" and not period else ""
    part = "part of " if claim.is_part and not period else ""
    return f"{confirmed}{name} in {part}{period or own}"


def _way_out(programme: FaceValues, at: int, others: list[int]) -> str:
    """Say what a claim would have to be with the others true."""
    claim = programme.claims[at]
    months = [programme.months[np.flatnonzero(weight > 0)[0]] for weight in claim.weights]
    extents = programme.extents(at, others)
    # Of a rate the month that it fails in.
    row = next((n for n, (a, b) in enumerate(extents) if a > claim.high or b < claim.low), 0)
    low, high = extents[row]
    digits = 2 if claim.quantity in SHARES else 0
    ends = [fixed(end, digits) for end in (low, high)]
    if np.isfinite(low) and np.isfinite(high):
        needed = f"from {ends[0]} to {ends[1]}"
    else:
        needed = f"at least {ends[0]}" if np.isfinite(low) else f"at most {ends[1]}"
    whole = _what(replace(claim, is_part=False), months[row] if len(months) > 1 else "")
    text = f"without {claim.claim}, {whole.replace('confirmed ', '')} would be {needed}"
    if claim.status == "confirmed" and np.isfinite(low) and low > claim.high:
        text += (
            f", so that {claim.claim} is a floor with {fixed(low - claim.high)} or more "
            f"unconfirmed beside it (a ratio of {fixed(low / claim.high - 1.0, 2)})"
        )
    return text
