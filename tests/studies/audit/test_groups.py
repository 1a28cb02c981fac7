from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from estimator.assumptions.compose import plain_config
from estimator.errors import OutputError
from estimator.evidence.pieces import group_members
from estimator.run import Estimate
from estimator.studies.audit.bases import AuditedSet
from estimator.studies.audit.group_grids import group_grids, turned_sentences
from estimator.studies.audit.groups import NOT_LEFT_OUT, judge_groups
from estimator.studies.audit.leave_out import LeaveOneOut
from estimator.studies.audit.options import AuditOptions


def options(*overrides: str) -> AuditOptions:
    overrides = ("audit.refit=none", *overrides)
    return AuditOptions.from_config(plain_config(overrides)["audit"])


@pytest.fixture(scope="module")
def audited(from_prior: Estimate) -> AuditedSet:
    return AuditedSet.of("from prior", from_prior.tree)


@pytest.fixture(scope="module")
def judged(audited: AuditedSet) -> pd.DataFrame:
    return judge_groups(LeaveOneOut(audited, options()))


def test_every_group_with_a_claim_that_counts_is_left_out(
    judged: pd.DataFrame, from_prior: Estimate
) -> None:
    claims = from_prior.evidence.claims
    used = claims[claims["used"] & (claims["evidence_group"] != "")]
    told = judged.drop_duplicates("evidence_group").set_index("evidence_group")
    for group, ids in used.groupby("evidence_group")["id"]:
        assert set(told.at[group, "claims"].split()) == set(ids)
        assert told.at[group, "counted"] == len(ids)
    assert set(told.index) == set(used["evidence_group"])


def test_a_group_is_left_out_by_the_product_of_the_densities_of_its_claims(
    audited: AuditedSet, judged: pd.DataFrame
) -> None:
    leaving = LeaveOneOut(audited, options("audit.max_k_hat=1", "audit.min_ess=10"))
    basis, left_out = leaving.groups(options().group_answers(leaving.last_month))
    claims, floors, vintages = group_members(audited.data)["army_killed_share"]
    assert not floors.any()
    assert not vintages.any()
    assert claims.sum() == 2
    log_weights = -basis.log_density[:, claims].sum(axis=1)
    weights = left_out["army_killed_share"].weights
    # Smoothing changes the largest weights alone, and shifts all logs by one number.
    usual = (log_weights < np.quantile(log_weights, 0.5)) & (weights > 0)
    assert usual.sum() > 5
    shift = np.log(weights[usual]) - log_weights[usual]
    assert shift == pytest.approx(shift.mean())


@pytest.mark.parametrize("name", ["video_verified", "registries"])
def test_a_group_with_floors_or_vintages_is_not_left_out_by_weights(
    judged: pd.DataFrame, name: str
) -> None:
    rows = judged[judged["evidence_group"] == name]
    assert (rows["failures"] == NOT_LEFT_OUT).all()
    assert rows[["without_q50", "without_below_zero", "shift"]].isna().all(axis=None)
    assert not rows["turned"].any()


def test_only_what_may_be_below_zero_has_a_probability(judged: pd.DataFrame) -> None:
    signed = judged["answer"].str.contains("gap|net_change")
    assert judged["with_below_zero"].notna().equals(signed)


@pytest.fixture
def two_groups() -> pd.DataFrame:
    """What is told of two sets: the gap and its probability with and without two groups."""

    def row(label: str, group: str, before: float, after: float, shift: float) -> dict[str, object]:
        quantiles = {
            f"{w}_{q}": -1000.0 for w in ("with", "without") for q in ("q05", "q50", "q95")
        }
        return {
            "assumption_set": label,
            "evidence_group": group,
            "claims": "A B",
            "answer": "replacement_gap[2026-01]",
            "with_below_zero": before,
            "without_below_zero": after,
            "turned": (before > 0.95) and (after < 0.95),
            "shift": shift,
            "failures": "",
            **quantiles,
        }

    return pd.DataFrame(
        [
            row("central", "small", 0.99, 0.98, 0.1),
            row("central", "large", 0.99, 0.57, -2.0),
            row("wide", "large", 0.80, 0.60, -1.0),
        ]
    )


def test_a_probability_that_one_group_turns_is_said(two_groups: pd.DataFrame) -> None:
    assert turned_sentences(two_groups) == [
        "In central P(replacement_gap[2026-01] < 0) is 0.99 with all evidence and 0.57 without "
        "large."
    ]


def test_groups_stand_by_their_largest_shift_below_all_evidence(two_groups: pd.DataFrame) -> None:
    (grid,) = group_grids(two_groups)
    assert [row[0].text for row in grid.rows] == ["all evidence", "large", "small"]
    assert [cell.text for cell in grid.rows[0][1:]] == ["0.99", "0.80"]
    assert grid.rows[2][2].text == ""  # no claim of the group counts in that set


@pytest.mark.parametrize(
    ("before", "after", "is_turned"),
    [(0.99, 0.9, True), (0.99, 0.96, False), (0.01, 0.5, True), (0.9, 0.1, False)],
)
def test_a_probability_is_turned_if_it_was_all_but_certain_and_is_not(
    before: float, after: float, is_turned: bool
) -> None:
    from estimator.studies.audit.groups import _turns

    assert _turns(before, after, 0.95) == is_turned


def test_a_result_of_before_there_were_groups_is_refused(from_prior: Estimate) -> None:
    old = from_prior.tree.copy()
    old["constant_data"] = old["constant_data"].to_dataset().drop_vars("evidence_group")
    with pytest.raises(OutputError, match="estimate the run again"):
        AuditedSet.of("old", old)
