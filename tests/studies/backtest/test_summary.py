from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from estimator.show.figures.backtest import plot_forecasts, plot_scores
from estimator.show.grid import Grid
from estimator.show.part import publish
from estimator.studies.backtest.backtest import Backtest
from estimator.studies.backtest.parts import HINDSIGHT, parts
from estimator.studies.backtest.summary import summary, vintage_summary
from tests.studies.backtest import made

OPTIONS = made.options(baseline="walk_12", shown="model")


def backtested(cases: pd.DataFrame, refused: dict[str, str] | None = None) -> Backtest:
    return Backtest(cases, refused or {}, OPTIONS, "f00d")


def test_coverage_and_ratios_are_those_of_the_cases() -> None:
    table = summary(made.cases(20), OPTIONS).set_index(["by", "horizon"])
    model = table.loc[("model", 2)]
    assert model["cases"] == 20
    assert model["coverage_90"] == pytest.approx(0.9)
    assert model["coverage_90_low"] < 0.9 < model["coverage_90_high"]
    assert model["crps"] == pytest.approx(0.1)
    assert model["crps_ratio"] == pytest.approx(0.5)
    assert model["interval_score_ratio"] == pytest.approx(0.5)
    assert table.loc[("naive", 1)]["crps_ratio"] == pytest.approx(1.0)


def test_overlapping_forecasts_count_for_less() -> None:
    table = summary(made.cases(30), OPTIONS)
    own = table[table["by"] == "model"].set_index("horizon")
    assert own["apart"].tolist() == [30.0, 15.0, 10.0]
    width = own["coverage_90_high"] - own["coverage_90_low"]
    assert width.is_monotonic_increasing


def test_ratios_compare_the_same_figures_only() -> None:
    cases = made.cases(12)
    early = (cases["by"] == "naive") & (cases["origin"] < "2023-09")
    cases.loc[cases["origin"] < "2023-09", "crps"] = 100.0
    table = summary(cases[~early], OPTIONS)
    assert table.loc[table["by"] == "model", "crps_ratio"].tolist() == pytest.approx([0.5] * 3)


def test_without_the_baseline_there_is_no_ratio() -> None:
    cases = made.cases(12)
    table = summary(cases[cases["by"] == "model"], OPTIONS)
    assert table["crps_ratio"].isna().all()
    assert len(table) == 3


def test_a_later_claim_is_one_test_however_many_days() -> None:
    cases = made.cases(5, 1)
    later = cases[cases["by"] == "model"].assign(kind="vintage", claim="P31", dynamics="")
    found = vintage_summary(later)
    assert found["as_of"].tolist() == ["2023-07-01", "2023-11-01"]


def grids_of(found: Backtest) -> list[Grid]:
    return [grid for part in parts(found) for grid in part.grids]


def test_failed_fits_are_named_and_marked() -> None:
    cases = made.cases(12)
    bad = (cases["by"] == "model") & (cases["origin"] == "2023-08")
    cases.loc[bad, "failures"] = "R-hat 1.200 > 1.01 (step)"
    found = backtested(cases)
    assert found.failures == ["central, noise x 1, as of 2023-08: R-hat 1.200 > 1.01 (step)"]
    first = grids_of(found)[0]
    assert all("(FAILED)" in row[0] for row in first.texts)
    assert any("R-hat" in note for note in first.notes)


def test_tables_say_what_is_hindsight_and_who_was_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    cases = made.cases(12)
    later = cases[cases["by"] == "model"].assign(kind="vintage", claim="P31|x", dynamics="")
    found = backtested(pd.concat([cases, later]), {"article": "article: nothing to forecast"})
    grids = grids_of(found)
    assert [len(grid.rows) for grid in grids][:2] == [3, 2]
    notes = grids[0].notes
    assert HINDSIGHT in notes
    assert any("nothing to forecast" in note for note in notes)
    publish(parts(found), tmp_path, document="backtest", heading="Back-test", plots=False)
    assert {path.name for path in tmp_path.iterdir()} == {
        "backtest.csv",
        "summary.csv",
        "estimates.csv",
        "later.csv",
        "backtest.md",
    }
    assert len(pd.read_csv(tmp_path / "backtest.csv")) == len(found.cases)
    assert r"P31\|x" in (tmp_path / "backtest.md").read_text(encoding="utf-8")


def test_later_claims_are_told_once_and_not_for_every_noise() -> None:
    cases = made.cases(12)
    later = cases[cases["by"] == "model"].assign(kind="vintage", claim="P31", dynamics="")
    tables = [
        grids_of(backtested(pd.concat([cases, *more])))[-1]
        for more in ([later], [later, later.assign(noise_factor=2.0)])
    ]
    assert tables[0].rows == tables[1].rows


def test_pictures_of_other_horizons_show_the_nearest() -> None:
    cases = made.cases(12)
    cases = cases[cases["horizon"] == 2]
    table = summary(cases, OPTIONS)
    scores = plot_scores(cases, table, shown="model", baseline="walk_12",
                         levels=OPTIONS.levels, interval=OPTIONS.interval)  # fmt: skip
    assert [text.get_text() for text in scores.axes[1].get_legend().get_texts()] == [
        "by chance, 2 ahead",
        "2 ahead",
    ]


def test_pictures_have_a_panel_a_horizon_and_mark_what_was_missed() -> None:
    cases = made.cases(12)
    figure = plot_forecasts(cases, "model")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [f"{n} ahead: 2 of 12 outside the 90 % range" for n in ("1 month", "3 months")]
    scores = plot_scores(
        cases,
        summary(cases, OPTIONS),
        shown="model",
        baseline="walk_12",
        levels=OPTIONS.levels,
        interval=OPTIONS.interval,
    )
    left, middle, right = scores.axes
    assert len(left.collections) == len(OPTIONS.levels)
    assert len(middle.lines) == 3
    np.testing.assert_allclose(right.lines[0].get_ydata(), 0.5)
