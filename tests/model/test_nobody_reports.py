"""Tables in which nobody reports the single months: what is known is a sum, or bounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.model.inputs import Structure, model_inputs
from estimator.run import Estimate, estimate
from tests.evidence import tables

OTHER_WAR = (
    "experiment=other_war",
    "evidence.populations=[ruritania_forces]",
    "window.start=2024-01-01",
    "window.end=2024-12-31",
)
COUNTED = 36_600
YEAR = {"period_start": "2024-01-01", "period_end": "2024-12-31", "value": str(COUNTED)}
CONFIRMED = {"status": "confirmed", "hedge": "exact"}
BOUND = {"status": "estimated", "hedge": "at_least"}


def overrides(folder: Path, *rows: Mapping[str, str]) -> list[str]:
    common = {"population": "ruritania_forces", "published": "2025-06-01"}
    claims = [tables.row(id=f"C{n}", **(common | row)) for n, row in enumerate(rows)]
    return [*OTHER_WAR, f"evidence.files=['{tables.write(folder / 'claims.csv', claims)}']"]


def structure(folder: Path, *rows: Mapping[str, str]) -> Structure:
    assumptions = assumption_set(overrides(folder, *rows))
    return model_inputs(load_evidence(assumptions), assumptions).structure


def months(**cells: str) -> list[dict[str, str]]:
    return [
        {"period_start": f"{month.start_time:%Y-%m-%d}", "period_end": f"{month.end_time:%Y-%m-%d}"}
        | cells
        for month in pd.period_range("2024-01", "2024-12", freq="M")
    ]


def test_bounds_do_not_tell_months_apart_and_figures_and_floors_do(tmp_path: Path) -> None:
    assert not structure(tmp_path, YEAR | CONFIRMED).told_apart
    assert not structure(tmp_path, *months(value="3000", **BOUND)).told_apart
    for cells in ({}, {"quantity": "killed"}, CONFIRMED):
        assert structure(tmp_path, *months(value="3000", **cells)).told_apart


def test_months_that_several_report_each_in_part_are_told_apart(tmp_path: Path) -> None:
    rows = months(value="3000")
    for n, row in enumerate(rows):
        row["origin"] = f"counter {n % 3}"
    assert structure(tmp_path, *rows).told_apart


def test_a_month_is_told_by_a_period_of_which_three_quarters_lie_there(tmp_path: Path) -> None:
    for days, apart in ((4, True), (14, False)):
        rows = months(value="3000")[:11]
        for row in rows:
            for name in ("period_start", "period_end"):
                row[name] = f"{pd.Timestamp(row[name]) + pd.Timedelta(days=days):%Y-%m-%d}"
        assert structure(tmp_path, *rows).told_apart is apart


def test_a_confirmed_sum_lifts_all_its_months_where_nobody_reports_them(tmp_path: Path) -> None:
    assert structure(tmp_path, YEAR | CONFIRMED).pivots.whole == (0,)
    assert structure(tmp_path, YEAR | CONFIRMED, *months(value="3000")).pivots.whole == ()


# Killed of the same war: a larger one would lie above the prior of its first month, which pulls
# that month below the last (by 14 % with three times as many).
SUMS = {"losses": str(COUNTED), "killed": str(COUNTED // 3)}


@pytest.fixture(scope="module", params=SUMS.items(), ids=list(SUMS))
def only_confirmed(request: pytest.FixtureRequest, tmp_path_factory) -> Estimate:
    """One confirmed figure of a year, and nothing else."""
    folder = tmp_path_factory.mktemp("confirmed")
    quantity, value = request.param
    words = overrides(folder, YEAR | CONFIRMED | {"quantity": quantity, "value": value})
    return estimate(assumption_set(words))


@pytest.mark.sampling
def test_draws_are_clean_where_one_confirmed_sum_is_known(only_confirmed: Estimate) -> None:
    assert only_confirmed.diagnostics.ok, only_confirmed.diagnostics.failures


@pytest.mark.sampling
def test_what_lies_above_one_floor_is_what_the_prior_says(only_confirmed: Estimate) -> None:
    posterior, prior = (
        only_confirmed.tree[group]["unconfirmed.ratio"].values for group in ("posterior", "prior")
    )
    low, middle, high = np.quantile(posterior, [0.05, 0.5, 0.95])
    assert (low, middle, high) == pytest.approx(np.quantile(prior, [0.05, 0.5, 0.95]), rel=0.35)


@pytest.mark.sampling
def test_the_first_and_the_last_month_of_a_sum_are_alike(only_confirmed: Estimate) -> None:
    losses = only_confirmed.tree["posterior"]["losses"].median(("chain", "draw")).values
    assert losses[0] == pytest.approx(losses[-1], rel=0.15)
