"""The wars of ``make bench-wars``: each table is taken, and says what happened."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from tests.benchmarks.war_tables import KINDS
from tests.benchmarks.war_truth import War
from tests.benchmarks.wars import RANGES, overrides, table, written


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("default")
def test_every_table_is_taken_and_counts(name: str, tmp_path: Path) -> None:
    war, tables = KINDS[name].made(name, 0)
    assumptions = assumption_set(overrides(war, written(tables, tmp_path)))
    claims = load_evidence(assumptions).claims
    assert claims["used"].mean() > 0.8, claims.loc[~claims["used"], "reason"].value_counts()


@pytest.mark.parametrize("name", KINDS)
def test_the_same_seed_makes_the_same_tables_and_another_one_others(name: str) -> None:
    first, again, other = (KINDS[name].made(name, seed)[1] for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", ["named_by_day", "named_by_month", "floor_and_estimate"])
def test_floors_lie_below_the_truth(name: str, tmp_path: Path) -> None:
    war, claims = claims_of(name, tmp_path)
    floors = claims[(claims["hedge"] == "at_least") | (claims["status"] == "confirmed")]
    assert len(floors) >= 12
    for row in floors.itertuples():
        first, last = (dt.date.fromisoformat(day) for day in (row.period_start, row.period_end))
        assert row.value <= war.between(row.quantity, max(first, war.first), min(last, war.last))


@pytest.mark.parametrize(
    ("name", "quantity"), [("months_with_zeros", "killed"), ("quiet_days_listed", "killed")]
)
def test_what_is_counted_whole_or_in_part_adds_up(name: str, quantity: str, tmp_path: Path) -> None:
    war, claims = claims_of(name, tmp_path)
    share = claims["value"].sum() / war.daily[quantity].sum()
    assert share == pytest.approx(1.0 if name == "months_with_zeros" else 0.8, abs=0.1)


def test_a_count_that_begins_anew_is_carried_on(tmp_path: Path) -> None:
    _, claims = claims_of("restarts", tmp_path)
    totals = pd.read_csv(tmp_path / "totals.csv")["total"]
    steps = totals.diff().fillna(totals)
    assert (steps < 0).sum() == 2
    assert claims["value"].sum() == steps.where(steps >= 0, totals).sum()


def test_killed_and_wounded_are_the_losses() -> None:
    for name, kind in KINDS.items():
        war, _ = kind.made(name, 1)
        assert (war.daily["killed"] + war.daily["wounded"] == war.daily["losses"]).all()
        assert war.force.min() > 0


def claims_of(name: str, folder: Path) -> tuple[War, pd.DataFrame]:
    war, tables = KINDS[name].made(name, 0)
    return war, pd.concat(map(pd.read_csv, written(tables, folder)), ignore_index=True)


def test_a_war_that_broke_off_and_one_with_ranges_are_in_one_table() -> None:
    ran = {"seed": 0, "claims": 9, "attempts": 1, "seconds": 3.0, "processor": 2.0}
    whole = [("losses", "2024-01", 10, 8.5, 10.0, 12.0), ("losses", "total", 10, 11.2, 12.0, 13.0)]
    found = pd.DataFrame(whole, columns=RANGES).assign(war="whole", status=0, **ran)
    broken = pd.DataFrame([["", "", *4 * [float("nan")]]], columns=RANGES)
    grid = table(pd.concat([found, broken.assign(war="broken", status=1, **ran)]))
    assert [row[2] for row in grid.texts] == ["clean", "broke off"]
    assert "1 of 2 wars have clean draws" in grid.notes[0]
    assert "losses 1 of 1 (100 %)" in grid.notes[1]
    assert "losses 0 of 1 (0 %)" in grid.notes[2]
