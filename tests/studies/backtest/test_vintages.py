"""Predictions of later vintages, by arithmetic."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set, plain_config
from estimator.evidence import Evidence, read_claims
from estimator.model.inputs import model_inputs
from estimator.model.registries import FIGURE
from estimator.studies.backtest import vintages
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import evidence_as_of

DAY = dt.date(2024, 12, 31)
LIST = "mediazona_bbc_named_list"


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    return read_claims(("shipped", "registries"))


@pytest.fixture(scope="module")
def known(claims: pd.DataFrame) -> tuple[AssumptionSet, Evidence]:
    return evidence_as_of(assumption_set(["assumptions=registry"]), claims, DAY)


@pytest.fixture(scope="module")
def targets(claims: pd.DataFrame, known: tuple[AssumptionSet, Evidence]) -> pd.DataFrame:
    return vintages._targets(claims, known[1], DAY)


@pytest.fixture(scope="module")
def options() -> BacktestOptions:
    return BacktestOptions.from_config(plain_config([])["backtest"])


def at_the_figures(evidence: Evidence, inputs: dict[str, np.ndarray], above: float) -> xr.Dataset:
    """Draws in which every figure of a triangle lies so much above its location."""
    location = np.tile(inputs["registry_value"] - above, (2, 500, 1))
    coords = {FIGURE: evidence.dataset[FIGURE].values}
    return xr.Dataset({"registry_figure_location": (("chain", "draw", FIGURE), location, coords)})


def test_targets_came_later_on_months_that_had_passed_from_origins_that_had_spoken(
    targets: pd.DataFrame,
) -> None:
    assert (targets["published"] > pd.Timestamp(DAY)).all()
    assert (targets["period_end"] <= pd.Timestamp(DAY)).all()
    assert set(targets["origin"]) == {LIST, "mediazona_meduza"}  # not the quick estimate of 2025
    assert len(targets) == 35 + 33


def test_a_vintage_of_old_months_is_predicted_closely_from_the_one_before(
    known: tuple[AssumptionSet, Evidence], targets: pd.DataFrame
) -> None:
    assumptions, evidence = known
    inputs = model_inputs(evidence, assumptions)
    fitted = at_the_figures(evidence, inputs.data, 0.0)
    of_list = targets[targets["origin"] == LIST]
    rng = np.random.default_rng(1)
    draws = vintages._predicted(fitted, assumptions, evidence, of_list, rng)
    spread = draws.std(axis=1)
    first, last = spread[of_list["period_start"].dt.year == 2022], spread[-3:]
    assert first.max() < 0.1 < last.min()


def test_what_the_known_vintages_lie_off_is_carried_to_the_next(
    known: tuple[AssumptionSet, Evidence], targets: pd.DataFrame
) -> None:
    assumptions, evidence = known
    inputs = model_inputs(evidence, assumptions)
    row = targets[targets["id"] == "NL-2023-06-2025-12-31"]
    middle = [
        np.median(
            vintages._predicted(
                at_the_figures(evidence, inputs.data, above),
                assumptions,
                evidence,
                row,
                np.random.default_rng(1),
            )
        )
        for above in (0.0, 0.3)
    ]
    # Locations are 0.3 lower in the second; errors of about 0.3 are passed on, nearly in full.
    assert middle[0] == pytest.approx(middle[1], abs=0.06)


def test_years_add_up_their_months_and_are_scored_as_such(
    targets: pd.DataFrame, options: BacktestOptions
) -> None:
    exact = np.log(targets["value"].to_numpy() / 1000.0)
    draws = exact[:, None] + np.linspace(-0.1, 0.1, 101)[None, :]
    table = vintages._scored(targets, draws, options)
    years = table[(table["kind"] == "year") & (table["origin"] == LIST)].set_index("period")
    assert years["observed"].to_dict() == {"2022": 19_791, "2023": 44_899, "2024": 70_082}
    assert years["q50"].to_numpy() == pytest.approx(years["observed"].to_numpy())
    assert table["covered_90"].all()
    scores = vintages.vintage_scores(table.assign(assumption_set="one"), 0.9)
    assert scores.set_index("kind")["coverage"].to_dict() == {"month": 1.0, "year": 1.0}
    assert scores.set_index("kind")["interval_score"]["year"] == pytest.approx(0.18)
