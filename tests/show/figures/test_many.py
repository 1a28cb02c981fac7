"""Pictures of thousands of claims: few marks, and a word on what is not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from estimator.show.figures import _claims as claims
from estimator.show.figures import predictive_claims
from estimator.show.figures.killed_share import plot_killed_share
from estimator.show.figures.monthly_losses import plot_monthly_losses
from estimator.show.figures.predictive_claims import FARTHEST, met, predictive_table
from estimator.show.figures.recruits_losses import plot_recruits_losses

pytestmark = pytest.mark.slow

DAYS = pd.date_range("2025-01-01", "2025-12-31")
ORIGINS = 14


def daily(quantity: str, hedge: str = "exact") -> pd.DataFrame:
    """Figures of each second day of a year, of many origins, on a quantity."""
    return pd.DataFrame(
        [
            {"id": f"{quantity}-{n}-{day:%j}-{hedge}", "quantity": quantity, "unit": "persons",
             "hedge": hedge, "status": "claimed", "origin": f"origin_{n}", "low": np.nan,
             "high": np.nan, "value": 1000.0 + 10.0 * n + day.day,
             **dict.fromkeys(("period_start", "period_end", "published"), f"{day:%Y-%m-%d}")}
            for n in range(ORIGINS) for day in DAYS[::2]
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def crowd(shared_result: xr.DataTree) -> xr.DataTree:
    """The shared result, with thousands of claims in place of its own."""
    table = pd.concat([daily(name) for name in ("losses", "killed", "recruits")])
    table = pd.concat([table, daily("losses", "at_least").iloc[:400]], ignore_index=True)
    tree = shared_result.copy()
    kept = shared_result["constant_data"].to_dataset()
    kept = kept.drop_dims("claim").drop_vars("claim", errors="ignore")
    columns = {name: ("claim", table[name].to_numpy()) for name in table.columns if name != "id"}
    kept = kept.assign(columns).assign(used=("claim", np.ones(len(table), bool)))
    tree["constant_data"] = xr.DataTree(kept.assign_coords(claim=table["id"].to_numpy()))
    rng = np.random.default_rng(3)
    draws = table["value"].to_numpy() * np.exp(0.1 * rng.standard_normal((2, 50, len(table))))
    predictive = shared_result["posterior_predictive"].to_dataset().drop_dims("claim")
    predictive = predictive.assign(reported=(("chain", "draw", "claim"), draws))
    tree["posterior_predictive"] = xr.DataTree(
        predictive.assign_coords(claim=table["id"].to_numpy())
    )
    return tree


def marks(figure: Figure) -> int:
    """How many lines, collections and patches are drawn."""
    return sum(len(ax.lines) + len(ax.collections) + len(ax.patches) for ax in figure.axes)


def texts(figure: Figure) -> str:
    return " ".join(" ".join(t.get_text() for t in figure.texts).split())


@pytest.mark.parametrize("plot", [plot_killed_share, plot_recruits_losses])
def test_thousands_of_claims_are_drawn_by_origin_and_month(plot, crowd):
    assert_summed_up(plot(crowd))


def assert_summed_up(figure: Figure) -> None:
    assert marks(figure) < 8 * ORIGINS + 3 * claims.MANY
    assert "medians and middle halves of 2,196 claims of 12 origins" in texts(figure)
    assert "Not drawn: " in texts(figure)


def test_all_claims_are_drawn_in_some_way_or_counted_as_not_drawn(crowd):
    table = claims.used_claims(crowd, "losses")
    division = claims.Division.of(table)
    assert len(division.monthly) + len(division.single) + division.left_out == len(table)
    assert set(division.single["hedge"]) == {"at_least"}
    assert len(division.single) == claims.MANY
    assert division.single["period_end"].min() >= table.loc[
        table["hedge"] == "at_least", "period_end"
    ].sort_values().iloc[-claims.MANY]  # fmt: skip


def test_up_to_a_number_all_claims_are_drawn_one_by_one(crowd):
    table = claims.used_claims(crowd, "losses").iloc[: claims.MANY]
    division = claims.Division.of(table)
    assert division.single.equals(table)
    assert claims.notes(division) == []


def test_the_mark_of_a_month_is_the_median_of_an_origins_claims(crowd):
    figure = plot_monthly_losses(crowd)
    assert_summed_up(figure)
    axes, look = figure.axes[0], claims.marks_of(crowd)["origin_3"]
    [line] = [
        line for line in axes.lines
        if len(line.get_xdata()) == 12
        and (line.get_color(), line.get_marker()) == (look.color, look.marker)
    ]  # fmt: skip
    january = [1000.0 + 30.0 + day.day for day in DAYS[::2] if day.month == 1]
    assert line.get_ydata()[0] == pytest.approx(np.median(january) * 31)


def test_predictive_sums_up_each_origin_and_shows_those_farthest_out(crowd):
    figure = predictive_claims.plot_predictive_claims(crowd)
    assert [ax.get_label() for ax in figure.axes] == ["ratios by origin", "ratios"]
    above, below = figure.axes
    rows = [t.get_text() for t in above.get_yticklabels()]
    assert len([text for text in rows if text.startswith("origin ")]) == 3 * ORIGINS
    # Some of origin 0's 183 claims are followed by bounds that it gave too.
    assert sum("origin 0: " in text for text in rows) == 3
    assert len(below.get_yticklabels()) == FARTHEST
    total = 3 * ORIGINS * len(DAYS[::2]) + 400 + 3  # and what is confirmed
    assert f"all {total:,}." in texts(figure)


def test_sums_are_medians_and_quantiles_without_bounds(crowd):
    table = predictive_table(crowd)
    sums = predictive_claims.sums_by_origin(table, "ratios", met(table))
    assert sums["claims"].sum() == len(table)
    row = sums[(sums["group"] == "recruits") & (sums["origin"] == "origin_5")].iloc[0]
    own = table[(table["group"] == "recruits") & (table["origin"] == "origin_5")]
    ratio = own["central"] / own["pp_mid"]
    assert row["claimed_mid"] == pytest.approx(ratio.median())
    assert row["expected_low"] == pytest.approx((own["pp_low"] / own["pp_mid"]).median())


def test_totals_of_thousands_become_a_line_an_origin(crowd, shared_result):
    table = claims.used_claims(crowd, "losses")
    axes = Figure().subplots()
    marks = claims.marks_of(crowd)
    claims.draw_levels(axes, table, lambda claim: float(claim["period_end"][5:7]), marks)
    assert sum(len(line.get_xdata()) > 0 for line in axes.lines) == ORIGINS
