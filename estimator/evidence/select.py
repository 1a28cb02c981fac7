"""Which claims count, and why the others do not."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd

from estimator.assumptions.fields import OF_A_GROUP, Names
from estimator.assumptions.groups import EvidenceOptions
from estimator.assumptions.registries import Triangle
from estimator.errors import EvidenceError, nearest, problems_text
from estimator.evidence.load import shipped_groups
from estimator.evidence.periods import Window
from estimator.evidence.schema import HEDGES, LIKELIHOOD_STATUSES, ancestors, names_in
from estimator.evidence.vintages import NOT_BELIEVED, in_triangle, mark_totals
from estimator.quantity import CONFIRMABLE, MODELLED, names_where

log = logging.getLogger(__name__)

_MISTYPED = 0.75  # likeness of an id with a slip of the finger: S1 and S01
_OF_KILLED = names_where(lambda quantity: "killed" in quantity.parts)
_OF_LOSSES = names_where(lambda quantity: "losses" in quantity.series_behind)


@contextmanager
def quiet_evidence() -> Iterator[None]:
    """Keep back the warnings of loading one table over and over, or sets that nobody asked for."""
    logger = logging.getLogger("estimator.evidence")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def select_claims(
    claims: pd.DataFrame,
    options: EvidenceOptions,
    killed_origins: Names,
    window: Window,
    triangles: Mapping[str, Triangle] | None = None,
) -> pd.DataFrame:
    """Mark each claim as used or say why it is not.

    Parameters
    ----------
    claims
        As `estimator.evidence.read_claims` returns them.
    options
        The `evidence` group of the configuration.
    killed_origins
        Origins whose claims on killed and on the killed share count.
    window
        Months that are estimated.
    triangles
        Origins of which every vintage counts; of all others the last one does.

    Returns
    -------
    pandas.DataFrame
        The claims with two columns more: `used` (bool) and `reason` (empty if used).

    Raises
    ------
    EvidenceError
        If an id to drop is in no claim, a group is unknown or has no such claim, no claim counts,
        an origin has two speakers, or the confirmed figures contradict each other.
    """
    counts = claims["status"].isin(LIKELIHOOD_STATUSES) & claims["quantity"].isin(MODELLED)
    _check_names(claims, options, killed_origins, counts)
    reason = pd.Series("", index=claims.index, dtype=object)  # of text, each change copies all

    def rule(mask: pd.Series, text: str) -> None:
        reason[mask & (reason == "")] = text

    rule(~counts, "not a figure for the likelihood (status or quantity)")
    rule(claims["id"].isin(options.drop), "dropped by evidence.drop")
    if options.as_of is not None:
        rule(claims["published"] > pd.Timestamp(options.as_of), f"published after {options.as_of}")
    rule(~_among(claims["source"], options.sources), "source not in evidence.sources")
    rule(
        ~_among(claims["population"], options.populations) & (claims["population"] != ""),
        "population not in evidence.populations",
    )
    for quantity, origins in options.origins.items():
        rule(
            (claims["quantity"] == quantity) & ~_among(claims["origin"], origins),
            f"origin not in evidence.origins.{quantity}",
        )
    rule(
        claims["quantity"].isin(_OF_KILLED) & ~_among(claims["origin"], killed_origins),
        NOT_BELIEVED,
    )
    rule(~window.covering(claims["period_start"], claims["period_end"]), "outside the window")
    chosen = _chosen(claims, options)
    rule(chosen == "none", "evidence group of which none counts")
    for name in set(chosen) - {"", *OF_A_GROUP}:
        rule((chosen == name) & (claims["id"] != name), f"of its evidence group {name} counts")
    triangle = in_triangle(claims, triangles or {})
    _mark_repeats(claims, reason, triangle)
    mark_totals(claims, reason, triangle)
    _mark_derived(claims, chosen, reason)
    selected = claims.assign(used=reason == "", reason=reason.astype(str))
    if not selected["used"].any():
        raise EvidenceError(nothing_counts(selected))
    _check_speakers(selected[selected["used"]])
    if options.populations == "all":
        _warn_of_populations(selected[selected["used"]])
    if not (selected["used"] & (selected["status"] == "confirmed")).any():
        log.warning("%s", _no_floor(selected))
        _warn_of_bounds(selected[selected["used"]])
    _check_floors(selected[selected["used"] & (selected["status"] == "confirmed")])
    return selected


def _among(values: pd.Series, names: Names) -> pd.Series:
    return pd.Series(True, index=values.index) if names == "all" else values.isin(list(names))


def _check_names(
    claims: pd.DataFrame, options: EvidenceOptions, killed_origins: Names, counts: pd.Series
) -> None:
    """Refuse unknown ids and evidence groups, and warn of other names that no claim has.

    Those may be right: the shipped sets name origins that a user's own table does not have.
    """
    ids = set(claims["id"])
    unknown = [
        f"evidence.drop: {name!r} is in no claim; {_nearest_id(name, sorted(ids))}"
        for name in options.drop
        if name not in ids
    ]
    unknown += _unknown_members(claims[counts], options, set(claims["evidence_group"]) - {""})
    if unknown:
        raise EvidenceError(problems_text("The evidence options name what is not there:", unknown))
    columns = {
        "evidence.sources": (options.sources, "source"),
        "evidence.populations": (options.populations, "population"),
        "killed_share.origins": (killed_origins, "origin"),
        **{f"evidence.origins.{q}": (names, "origin") for q, names in options.origins.items()},
    }
    for key, (names, column) in columns.items():
        valid = sorted(set(claims[column]) - {""})
        for name in () if names == "all" else names:
            if name not in valid:
                log.warning("%s: %r is in no claim; %s", key, name, nearest(name, valid))


def _nearest_id(name: str, ids: Sequence[str]) -> str:
    """Return a hint: the range of ids that begin with the same letters, as P01 to P57."""
    if difflib.get_close_matches(name, ids, n=1, cutoff=_MISTYPED):
        return nearest(name, ids)
    numbered = re.fullmatch(r"([A-Za-z]+)\d+", name)
    alike = [one for one in ids if numbered and re.fullmatch(rf"{numbered[1]}\d+", one)]
    return f"there are {alike[0]} to {alike[-1]}" if alike else nearest(name, ids)


def _unknown_members(claims: pd.DataFrame, options: EvidenceOptions, groups: set[str]) -> list[str]:
    """Say which group is none, or has no such claim; those of the shipped table may be missing."""
    problems = []
    for name, choice in options.groups.items():
        if name not in groups:
            if name not in shipped_groups():
                found = nearest(name, sorted(groups | shipped_groups()))
                problems.append(f"evidence.groups: {name!r} is the group of no claim; {found}")
        elif choice not in OF_A_GROUP:
            members = claims.loc[claims["evidence_group"] == name, "id"].tolist()
            if choice not in members:
                found = f"allowed: {', '.join((*OF_A_GROUP, *members))}"
                problems.append(
                    f"evidence.groups.{name}: {choice!r} is no figure of the group; {found}"
                )
    return problems


def _chosen(claims: pd.DataFrame, options: EvidenceOptions) -> pd.Series:
    """Which claims of its group count, for each claim; empty for one without a group. (claim,)."""
    group = claims["evidence_group"]
    return group.map(lambda name: options.groups.get(name, options.other_groups) if name else "")


def _mark_derived(claims: pd.DataFrame, chosen: pd.Series, reason: pd.Series) -> None:
    """Leave the original claims of groups that want them, or one of them."""
    parents = dict(zip(claims["id"], claims["derived_from"].map(names_in), strict=True))
    open_ = claims.loc[
        (reason == "") & chosen.isin(["original", "one"]),
        ["id", "evidence_group", "hedge", "published"],
    ]
    for name, group in open_.groupby("evidence_group", sort=False):
        members = set(group["id"])
        for row, one in zip(group.index, group["id"], strict=True):
            if above := ancestors(one, parents) & members:
                reason[row] = f"derived from {', '.join(sorted(above))}"
        if chosen[group.index[0]] == "one":
            originals = _last_and_most_exact(group[reason[group.index] == ""])
            kept = originals["id"].iloc[-1]
            reason[originals.index[:-1]] = f"one claim of {name} counts: {kept}"


def _last_and_most_exact(claims: pd.DataFrame) -> pd.DataFrame:
    """Sort claims so that the one published last, and of these the most exact, is the last."""
    exactness = -claims["hedge"].map(HEDGES.index).astype(int)
    ordered = claims.assign(exactness=exactness)
    return ordered.sort_values(["published", "exactness"], kind="stable")


def _mark_repeats(claims: pd.DataFrame, reason: pd.Series, triangle: pd.Series) -> None:
    """Leave one claim of each figure that an origin gave several times.

    Of claims of one origin, quantity, population and period, confirmed or not, the one published
    last counts (of a triangle one for each day of publication), of these the most exact. A sum
    whose every day is covered by shorter claims of the same origin repeats them too (confirmed sums
    stay: a floor under a sum says more than floors under some parts).
    """
    open_ = _last_and_most_exact(claims[reason == ""])
    same = ["origin", "quantity", "population", "period_start", "period_end"]
    vintage = open_["published"].where(triangle[open_.index], pd.Timestamp.min)
    keys = [*same, open_["status"] == "confirmed", vintage]
    # "" where a key is missing: of a claim without a period nothing can be said.
    kept = open_.groupby(keys, sort=False)["id"].transform("last").fillna("")
    repeats = kept[(kept != "") & (kept != open_["id"])]
    reason[repeats.index] = "repeats " + repeats
    left = claims[(reason == "") & (claims["status"] != "confirmed")]
    of_one = ["origin", "quantity", "population"]
    for _, group in left[[*of_one, "period_start", "period_end"]].groupby(of_one, sort=False):
        first = group["period_start"].to_numpy(dtype="datetime64[D]").astype(int)
        last = group["period_end"].to_numpy(dtype="datetime64[D]").astype(int)
        reason[group.index[_covered(first, last)]] = (
            f"repeats the sum of shorter claims of {group['origin'].iloc[0]}"
        )


def _covered(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Whether each day of a period lies in periods of at most half its length. (claim,)."""
    length = last - first
    covered = np.zeros(len(first), dtype=bool)
    order = np.argsort(length, kind="stable").tolist()
    begin = first.min(initial=0)
    told = np.zeros(last.max(initial=begin) - begin + 1, dtype=bool)  # days in shorter periods
    shorter = iter(order)
    part = next(shorter, None)
    for row in order:
        while part is not None and 2 * length[part] < length[row]:
            told[first[part] - begin : last[part] - begin + 1] = True
            part = next(shorter, None)
        covered[row] = told[first[row] - begin : last[row] - begin + 1].all()
    return covered


def nothing_counts(selected: pd.DataFrame) -> str:
    """Say that no claim counts, with the reasons and what there is to choose from."""
    populations = sorted(set(selected["population"]) - {""})
    lines = [
        f"{reason!s}: {len(ids)} claims ({', '.join(ids[:3])}{', …' if len(ids) > 3 else ''})"
        for reason, ids in selected.groupby("reason", sort=False)["id"]
    ]
    if populations:
        lines.append(f"populations of the claims: {', '.join(populations)}")
    dated = selected[selected["period_start"].notna()]
    if len(dated):
        first, last = dated["period_start"].min(), dated["period_end"].max()
        lines.append(f"periods of the claims: {first:%Y-%m-%d} to {last:%Y-%m-%d}")
    return problems_text("No claim counts; at least one must:", lines)


def _warn_of_populations(used: pd.DataFrame) -> None:
    """Warn if figures of several forces make one series: nobody chose that."""
    counts = used["population"].value_counts().drop("", errors="ignore")
    if len(counts) > 1:
        found = ", ".join(f"{name} ({count} claims)" for name, count in counts.items())
        log.warning("several populations count as one force: %s; see evidence.populations", found)


def _check_speakers(used: pd.DataFrame) -> None:
    """Refuse an origin that speaks of one quantity from two sides: it has one bias."""
    source = ["origin", "quantity"]
    several = used.groupby(source)["speaker"].transform("nunique") > 1
    problems = []
    for (origin, quantity), group in used[several].groupby(source, sort=False):
        speakers = {str(name): ids.iloc[0] for name, ids in group.groupby("speaker")["id"]}
        found = ", ".join(f"{name or '(empty)'} ({i})" for name, i in speakers.items())
        problems.append(
            f"origin {origin!r}, quantity {quantity}: speaker is {found}; allowed: one speaker "
            "(choose one population with evidence.populations, or give two origins)"
        )
    if problems:
        raise EvidenceError(problems_text("Claims that count contradict each other:", problems))


def _no_floor(selected: pd.DataFrame) -> str:
    confirmed = selected[selected["status"] == "confirmed"]
    if confirmed.empty:
        return (
            "the evidence holds no confirmed figure (status 'confirmed', quantity "
            f"{' or '.join(CONFIRMABLE)}): there is no floor under the losses"
        )
    return problems_text(
        "no confirmed figure counts: there is no floor under the losses",
        [f"{claim.id}: {claim.reason}" for claim in confirmed.itertuples()],
    )


def _warn_of_bounds(used: pd.DataFrame) -> None:
    """Tell where claims say how many there were at least, and none how many more."""
    of_losses = used[used["quantity"].isin(_OF_LOSSES)]
    if not of_losses.empty and (of_losses["hedge"] == "at_least").all():
        log.warning(
            "every figure on the losses that counts is a lower bound (hedge 'at_least'): how many "
            "more there were is told by the priors alone (losses.level, losses.step)"
        )


def _check_floors(confirmed: pd.DataFrame) -> None:
    """Refuse confirmed figures of one origin whose parts sum to more than the whole."""
    problems = []
    ordered = confirmed.sort_values("period_end", kind="stable")
    for _, group in ordered.groupby(["origin", "quantity", "population"]):
        begins, ends = group["period_start"].to_numpy(), group["period_end"].to_numpy()
        in_persons = (group["unit"] == "persons").to_numpy()
        of_range = group["hedge"] == "range"
        figures = group["value"].where(~of_range, group["low"]).to_numpy()
        tops = group["value"].where(~of_range, group["high"]).to_numpy()
        bounded = in_persons & ~group["hedge"].isin(["more_than", "at_least"]).to_numpy()
        names = group["id"].tolist()
        for row in _in_order(group.index, bounded):
            inside = in_persons & (begins >= begins[row]) & (ends <= ends[row])
            inside[row] = False
            most = tops[row] * 1.1
            if figures[inside].sum() <= most:
                continue
            parts = np.flatnonzero(inside)
            total, taken = _largest_disjoint_sum(begins[parts], ends[parts], figures[parts])
            if total > most:
                first, last = pd.Timestamp(begins[row]), pd.Timestamp(ends[row])
                problems.append(
                    f"{names[row]}: {tops[row]:,.0f} confirmed from {first:%Y-%m-%d} to "
                    f"{last:%Y-%m-%d}, but its parts {', '.join(names[parts[i]] for i in taken)} "
                    f"sum to {total:,.0f}; allowed: parts of at most the whole (and a tenth for "
                    "rounding)"
                )
    if problems:
        raise EvidenceError(problems_text("Confirmed figures contradict each other:", problems))


def _in_order(index: pd.Index, chosen: np.ndarray) -> list[int]:
    """Positions of chosen rows, in the order of the table that they come from."""
    order = np.argsort(index.to_numpy(), kind="stable")
    return [int(row) for row in order[chosen[order]]]


def _largest_disjoint_sum(
    begins: np.ndarray, ends: np.ndarray, figures: np.ndarray
) -> tuple[float, list[int]]:
    """Weighted interval scheduling: the largest sum of figures whose periods do not overlap.

    Parameters
    ----------
    begins, ends, figures
        In the order of the ends.

    Returns
    -------
    total
        The sum.
    taken
        Positions of its figures.
    """
    before = np.searchsorted(ends, begins).tolist()  # how many end before each begins
    best = [0.0]
    for earlier, figure in zip(before, figures.tolist(), strict=True):
        best.append(max(best[-1], best[earlier] + figure))
    taken = []
    position = len(figures)
    while position:
        if best[position] > best[position - 1]:
            taken.append(position - 1)
            position = before[position - 1]
        else:
            position -= 1
    return best[-1], taken[::-1]
