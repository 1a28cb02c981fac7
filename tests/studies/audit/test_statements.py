from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from estimator.assumptions.compose import plain_config
from estimator.errors import ConfigError
from estimator.run import Estimate
from estimator.studies.audit.balance import balance
from estimator.studies.audit.bases import AuditedSet
from estimator.studies.audit.options import AuditOptions, Statement
from estimator.studies.audit.statements import judge_statements


@pytest.fixture
def audited(from_prior: Estimate) -> AuditedSet:
    return AuditedSet.of("from prior", from_prior.tree)


def ask(audited: AuditedSet, **cells: object):
    statement = Statement.model_validate({"claims": ["X"], "says": "something", **cells})
    return judge_statements(audited, {"it": statement})


def shipped() -> AuditOptions:
    return AuditOptions.from_config(plain_config()["audit"])


def test_the_probability_is_the_share_of_draws(audited: AuditedSet) -> None:
    gap = audited.posterior["replacement_gap"].sel(month="2026-01")
    row = ask(audited, quantity="replacement_gap", below=0).iloc[0]
    assert row["probability"] == pytest.approx(float((gap < 0).mean()))
    assert row["value_q50"] == pytest.approx(float(gap.median()))
    assert row["period"] == "2026-01"


def test_several_months_are_told_one_by_one_and_together(audited: AuditedSet) -> None:
    table = ask(audited, quantity="replacement_gap", below=0, months=["2025-12", "2026-01"])
    gap = audited.posterior["replacement_gap"].sel(month=["2025-12", "2026-01"])
    assert len(table) == 3
    assert table["probability"].iloc[2] == pytest.approx(float((gap < 0).all("month").mean()))
    assert table["probability"].iloc[2] <= table["probability"].iloc[:2].min()


def test_the_killed_share_of_a_period_is_that_of_its_sums(audited: AuditedSet) -> None:
    months = ["2022-02", "2024-02"]
    row = ask(audited, quantity="killed_share", over="sum", months=months, below=0.5).iloc[0]
    part = audited.posterior[["killed", "losses"]].sel(month=slice(*months)).sum("month")
    assert row["value_q50"] == pytest.approx(float((part["killed"] / part["losses"]).median()))


def test_a_window_is_as_many_months_as_the_sum_needs(audited: AuditedSet) -> None:
    losses = audited.posterior["losses"]
    limit = float(losses.isel(month=slice(-3, None)).sum("month").median())
    row = ask(audited, quantity="losses", over="window", above=limit).iloc[0]
    assert row["unit"] == "months"
    assert row["value_q05"] <= 3 <= row["value_q95"]


def test_between_is_above_and_below(audited: AuditedSet) -> None:
    asked = {"quantity": "losses", "over": "sum"}
    total = audited.posterior["losses"].sum("month")
    low, high = (float(total.quantile(q)) for q in (0.3, 0.6))
    row = ask(audited, **asked, above=low, below=high).iloc[0]
    assert row["probability"] == pytest.approx(0.3, abs=0.05)


def test_a_difference_of_scenarios_is_taken_draw_by_draw(audited: AuditedSet) -> None:
    row = ask(
        audited,
        quantity="net_change",
        over="sum",
        scenario="goal_60000",
        against="goal_50000",
        below=0,
    ).iloc[0]
    assert row["probability"] > 0.9
    scenarios = audited.tree["scenarios"]["net_change"]
    both = [scenarios.sel(scenario=name) for name in ("goal_60000", "goal_50000")]
    difference = (both[0] - both[1]).sum("projected_month")
    assert row["value_q50"] == pytest.approx(float(difference.median()))


def test_a_statement_on_months_that_are_not_there_says_so(audited: AuditedSet) -> None:
    row = ask(audited, quantity="losses", above=1, months=["1999-01", "1999-02"]).iloc[0]
    assert np.isnan(row["probability"])
    assert "no month '1999-01'" in row["note"]


def test_an_unknown_scenario_is_named_with_the_nearest(audited: AuditedSet) -> None:
    row = ask(audited, quantity="losses", above=1, scenario="status_qou").iloc[0]
    assert "status_quo" in row["note"]


@pytest.mark.parametrize(
    "cells",
    [
        {"quantity": "losses"},
        {"quantity": "losses", "above": 2, "below": 1},
        {"quantity": "looses", "above": 2},
        {"quantity": "losses", "above": 2, "against": "status_quo"},
        {"quantity": "losses", "below": 2, "over": "window"},
        {"quantity": "losses", "above": 2, "months": ["2026-01", "2025-01"]},
    ],
)
def test_an_impossible_statement_is_refused(cells: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Statement.model_validate({"claims": ["X"], "says": "it", **cells})


def test_all_shipped_statements_can_be_answered(audited: AuditedSet) -> None:
    table = judge_statements(audited, shipped().statements)
    assert set(table["statement"]) == set(shipped().statements)
    assert table["probability"].between(0, 1).all()
    assert (table["mcse"] > 0).all()


def test_the_articles_qualitative_statements_are_all_asked() -> None:
    claims = {name for s in shipped().statements.values() for name in s.claims}
    assert claims >= {"S07", "S08", "S09", "S10", "S12", "S17", "S19", "S20", "S27", "S28"}


def test_all_problems_of_the_options_are_told_at_once() -> None:
    plain = plain_config()["audit"]
    bad = plain | {"strained": 2.0, "refit": "al", "unknown": 1}
    with pytest.raises(ConfigError) as caught:
        AuditOptions.from_config(bad)
    text = str(caught.value)
    assert "audit.strained" in text and "audit.refit" in text and "audit.unknown" in text


def test_flows_between_two_sizes_are_recruits_and_returned_less_losses(
    audited: AuditedSet,
) -> None:
    table = balance(audited)
    assert list(table["claims"]) == ["P18, P19", "P19, P20", "P20, P21"]
    row = table.iloc[0]  # 2023-01-01 to 2024-01-01: the whole year
    year = audited.posterior.sel(month=slice("2023-01", "2023-12")).sum("month")
    flows = year["recruits"] + year["foreign_recruits"] + year["returned"] - year["losses"]
    assert row["flows_q50"] == pytest.approx(float(flows.median()), rel=1e-6)
    assert row["published_change"] == 110_000
    gap = (flows - 110_000) / 12
    assert row["gap_q50"] == pytest.approx(float(gap.median()), rel=2e-3)
