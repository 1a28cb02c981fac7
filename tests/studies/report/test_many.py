"""A report on thousands of claims shows some of each long series and says where the rest is."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from estimator.studies.report.audit import heat_tables
from estimator.studies.report.claims import ClaimRows
from tests.studies.report.conftest import Change, claims_table, options

pytestmark = pytest.mark.slow

N = 600


@pytest.fixture
def many() -> pd.DataFrame:
    """The table with N daily figures of one origin."""
    row = claims_table().iloc[[0]]
    series = pd.concat([row] * N, ignore_index=True)
    days = pd.date_range("2022-03-01", periods=N).strftime("%Y-%m-%d")
    ids = [f"D{n}" for n in range(N)]
    series = series.assign(id=ids, origin="daily", period_start=days, period_end=days)
    return pd.concat([claims_table(), series], ignore_index=True)


def test_of_a_long_series_in_a_large_table_the_first_are_shown(
    changed: Change, many: pd.DataFrame
) -> None:
    folded = [table for fold, table in ClaimRows(changed(claims_table=many)).tables() if fold]
    [daily] = [table for table in folded if "daily" in table.title]
    assert daily.title.startswith(f"{N} claims by daily")
    assert daily.title.endswith("; the first 12 (all of them: claims.csv of the set)")
    assert len(daily.rows) == 12


def test_a_long_series_in_a_small_table_is_shown_in_full(
    changed: Change, many: pd.DataFrame
) -> None:
    roomy = options().model_copy(update={"most_claims": 2 * N})
    data = changed(claims_table=many, options=roomy)
    [daily] = [t for fold, t in ClaimRows(data).tables() if fold and "daily" in t.title]
    assert "first" not in daily.title
    assert len(daily.rows) == N


def test_verdicts_of_a_large_table_are_cut_and_counted(changed: Change) -> None:
    audit = changed().audit
    row = audit.claims.iloc[[0]]
    verdicts = pd.concat([row] * N, ignore_index=True)
    verdicts = verdicts.assign(claim=[f"D{n}" for n in range(N)], verdict="consistent")
    data = changed(audit=dataclasses.replace(audit, claims=verdicts))
    noted, consistent = heat_tables(data, ClaimRows(data))
    assert noted is None
    assert consistent is not None
    assert len(consistent.rows) == 400
    assert consistent.title.endswith(": 400 of 600 (all of them: audit/claims.csv)")
