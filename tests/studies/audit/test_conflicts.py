"""Contradictions at face value: small tables with known ones, and the shipped table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.run import Estimate
from estimator.studies.audit.bases import AuditedSet
from estimator.studies.audit.conflicts import FaceValues, conflicts, resolutions
from estimator.studies.audit.face_values import FaceValue, face_values
from tests.evidence.tables import claims as read
from tests.evidence.tables import row

pytestmark = pytest.mark.slow

MONTHS = ["2025-01", "2025-02", "2025-03"]


def claim(
    name: str,
    quantity: str,
    months: tuple[int, ...],
    low: float,
    high: float,
    origin: str = "",
    status: str = "claimed",
) -> FaceValue:
    weight = np.zeros((1, len(MONTHS)))
    weight[0, list(months)] = 1.0
    first, last = MONTHS[min(months)], MONTHS[max(months)]
    text = f"{low} to {high}"
    return FaceValue(name, origin or name, quantity, status, first, last, text, weight, low, high)


GAP = [
    claim("gap", "replacement_gap", (0,), -9_000, -9_000),
    claim("lost", "losses", (0,), 30_000, 30_000, status="confirmed"),
    claim("came", "recruits", (0,), 30_000, 40_000),
]
OTHERS = [
    claim("lost later", "losses", (1, 2), 50_000, 70_000),
    claim("killed", "killed", (0, 1, 2), 20_000, 30_000),
    claim("share", "killed_share", (1,), 0.2, 0.4),
]


def test_a_gap_that_fights_losses_and_recruits_is_found_among_other_claims() -> None:
    table, members = conflicts([*OTHERS, *GAP], MONTHS, 10)
    assert len(table) == 1
    assert {one.claim for one in members[0]} == {"gap", "lost", "came"}


def test_each_way_out_says_what_the_claim_would_have_to_be() -> None:
    table, _ = conflicts(GAP, MONTHS, 10)
    text = table["resolution"].iloc[0]
    assert "without came, recruits in 2025-01 would be from 21,000 to 21,000" in text
    assert "without gap, recruits less losses in 2025-01 would be from 0 to 10,000" in text
    assert "without lost, losses in 2025-01 would be from 39,000 to 49,000" in text
    assert "9,000 or more unconfirmed beside it (a ratio of 0.30)" in text


def test_the_give_is_the_smallest_share_by_which_all_must_move() -> None:
    a, b = claim("a", "losses", (0,), 100, 100), claim("b", "losses", (0,), 200, 200)
    # In shares of their own size, of at least 1,000 persons: 100 + 1000 g = 200 - 1000 g.
    assert FaceValues([a, b], MONTHS).give([0, 1])[0] == pytest.approx(0.05)


def test_killed_cannot_exceed_losses() -> None:
    table, _ = conflicts(
        [claim("k", "killed", (0,), 900, 900), claim("l", "losses", (0,), 500, 500)], MONTHS, 5
    )
    assert list(table["claims"]) == ["k, l"]


def test_a_killed_share_binds_killed_and_losses() -> None:
    made = [
        claim("k", "killed", (0, 1), 10_000, 11_000),
        claim("l", "losses", (0, 1), 50_000, 50_000),
        claim("s", "killed_share", (0, 1), 0.6, 0.7),
    ]
    table, _ = conflicts(made, MONTHS, 5)
    assert table["claims"].iloc[0] == "k, l, s"
    assert (
        "the share killed in 2025-01 to 2025-02 would be from 0.20 to 0.22"
        in (table["resolution"].iloc[0])
    )


def test_an_origin_that_contradicts_itself_is_told_claim_by_claim() -> None:
    made = [
        claim("early", "killed", (0, 1), 120, 120, origin="office"),
        claim("late", "killed", (0, 1, 2), 100, 100, origin="office"),
        claim("else", "losses", (0, 1, 2), 500, 500),
    ]
    table, _ = conflicts(made, MONTHS, 5)
    assert list(table["claims"]) == ["early, late"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 50), min_size=6, max_size=6),
    st.lists(
        st.tuples(
            st.sampled_from(["losses", "recruits", "replacement_gap"]),
            st.sets(st.integers(0, 2), min_size=1),
            st.integers(0, 20),
            st.integers(0, 20),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_figures_that_one_truth_satisfies_never_contradict_each_other(
    truth: list[int], made: list[tuple[str, set[int], int, int]]
) -> None:
    losses, recruits = np.array(truth[:3]) * 1000.0, np.array(truth[3:]) * 1000.0
    series = {"losses": losses, "recruits": recruits, "replacement_gap": recruits - losses}
    claims = [
        claim(f"c{n}", q, tuple(m), total - below, total + above)
        for n, (q, m, below, above) in enumerate(made)
        for total in [series[q][list(m)].sum()]
    ]
    table, _ = conflicts(claims, MONTHS, 5)
    assert table.empty


def test_the_articles_gap_is_found_to_fight_its_losses_and_its_recruits() -> None:
    assumptions = assumption_set([])
    evidence = load_evidence(assumptions)
    values = face_values(evidence.dataset, assumptions.hedging, 2.0)
    months = evidence.dataset["month"].values.tolist()
    table, members = conflicts(values, months, 40)
    found = [{one.claim for one in claims} for claims in members]
    assert {"S11", "S13", "S04"} in found
    assert len(table) == len({frozenset(claims) for claims in found})
    programme = FaceValues(values, months)
    names = [one.claim for one in values]
    for members_of in found:
        at = [names.index(name) for name in members_of]
        assert not programme.possible(at)
        for one in at:
            assert programme.possible([other for other in at if other != one])


def test_what_a_set_makes_of_a_contradiction_is_its_posterior(from_prior: Estimate) -> None:
    audited = AuditedSet.of("from prior", from_prior.tree)
    values = face_values(audited.data, audited.assumptions.hedging, 2.0)
    months = audited.data["month"].values.tolist()
    wanted = [one for one in values if one.claim in ("S11", "S13", "S04")]
    _, members = conflicts(wanted, months, 5)
    table = resolutions(members, audited)
    assert set(table["claim"]) == {"S11", "S13", "S04"}
    january = audited.posterior["losses"].sel(month="2026-01")
    row = table[table["claim"] == "S04"].iloc[0]
    assert row["true_q50"] == pytest.approx(float(january.median()))
    of_rate = table[table["claim"] == "S13"]
    assert list(of_rate["period"]) == ["2025-12", "2026-01"]


def figures_of(folder: Path, *rows: tuple[str, str, float]) -> list[FaceValue]:
    """Claims on losses (first day, last day, persons), each of an origin of its own."""
    made = [
        row(id=f"c{n}", origin=f"o{n}", period_start=first, period_end=last, value=str(persons))
        for n, (first, last, persons) in enumerate(rows)
    ]
    assumptions = assumption_set(["window.start=2025-01-01", "window.end=2025-03-31"])
    evidence = load_evidence(assumptions, claims=read(folder, *made))
    values = face_values(evidence.dataset, assumptions.hedging, 2.0)
    return [one for one in values if one.status != "confirmed"]


def test_days_of_one_month_that_differ_do_not_contradict_each_other(tmp_path: Path) -> None:
    values = figures_of(
        tmp_path, ("2025-02-01", "2025-02-01", 100), ("2025-02-02", "2025-02-02", 900)
    )
    assert [one.is_part for one in values] == [True, True]
    assert conflicts(values, MONTHS, 5)[0].empty


def test_days_with_more_than_their_month_contradict_it(tmp_path: Path) -> None:
    values = figures_of(
        tmp_path, ("2025-02-01", "2025-02-28", 5_000), ("2025-02-03", "2025-02-09", 9_000)
    )
    assert [one.is_part for one in values] == [False, True]
    table, _ = conflicts(values, MONTHS, 5)
    assert table["claims"].tolist() == ["c0, c1"]
    assert "c1 (o1): losses in part of 2025-02 about 9,000 persons" in table["says"].iloc[0]
    assert "without c1, losses in 2025-02 would be" in table["resolution"].iloc[0]


def test_many_pairs_that_contradict_each_other_are_found_before_the_tree_outgrows_all() -> None:
    months = [f"2025-{month:02d}" for month in range(1, 13)]
    made = []
    for n in range(30):
        quantity = ("losses", "recruits", "foreign_recruits")[n % 3]
        weight = np.zeros((1, 12))
        weight[0, n // 3] = 1.0
        for side, figure in (("low", 1_000.0 + n), ("high", 90_000.0 + n)):
            what = (f"{side} {n}", f"{side} {n}", quantity, "claimed", "2025", "2025", "")
            made.append(FaceValue(*what, weight, figure, figure))
    table, members = conflicts(made, months, 24)
    assert len(table) == 24
    found = [frozenset(one.claim for one in claims) for claims in members]
    assert len(set(found)) == 24
    assert all(len(claims) == 2 for claims in found)
