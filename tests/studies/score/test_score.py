"""Scores of estimates: by hand on small numbers, and against those of a back-test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scoringrules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estimator.cli import main
from estimator.errors import ScoreError
from estimator.show.figures.score import plot_score
from estimator.show.part import publish
from estimator.store.model_out import LATER_COLUMNS, read_tables
from estimator.studies.backtest.cases import scored
from estimator.studies.backtest.exported import exported
from estimator.studies.backtest.origin_fits import forecast_inputs
from estimator.studies.backtest.summary import summary
from estimator.studies.score.parts import parts
from estimator.studies.score.scores import (
    KNOWN,
    NO_QUANTILE,
    NOTHING_CAME,
    SCORED,
    held_against,
    scores,
)
from tests.studies.backtest import made as backtest_made
from tests.studies.score.made import LATER, STAFF, by_model, quantiles, tables, write


def test_scores_are_those_of_the_definitions(tmp_path: Path) -> None:
    row = by_model(scores(held_against(tables(tmp_path, quantiles())))).loc["a-b"]
    # 12 came: above the 50 % range 8 to 11, within the 90 % range 5 to 15, 2 from the median.
    assert (row["coverage_50"], row["coverage_90"]) == (0.0, 1.0)
    assert row["interval_score_50"] == pytest.approx(3 + 4 * 1)
    assert row["interval_score_90"] == pytest.approx(10)
    assert row["wis"] == pytest.approx((0.5 * 2 + 0.25 * 7 + 0.05 * 10) / 2.5)
    assert row["median_error"] == pytest.approx(2)
    assert row["levels"] == "0.05 0.25 0.5 0.75 0.95"


@given(st.lists(st.floats(1, 1e6), min_size=5, max_size=5), st.floats(1, 1e6))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_wis_is_that_of_scoringrules_and_the_crps_from_quantiles(
    tmp_path: Path, values: list[float], came: float
) -> None:
    values = sorted(values)
    later = f"target,target_end_date,observation\nlosses,2026-01-31,{came}\n"
    row = by_model(scores(held_against(tables(tmp_path, quantiles(tuple(values)), later)))).iloc[0]
    q = np.array([values])
    wis = scoringrules.weighted_interval_score(
        np.array([came]), q[:, 2], q[:, [0, 1]], q[:, [4, 3]], np.array([0.1, 0.5]), backend="numba"
    )
    assert row["wis"] == pytest.approx(float(wis[0]), abs=1e-6)
    assert row["crps"] == pytest.approx(row["wis"], abs=1e-6)


@given(st.permutations(range(20)), st.integers(1, 19))
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_order_of_rows_and_files_changes_no_score(
    tmp_path: Path, order: list[int], cut: int
) -> None:
    rows = [
        row
        for model in ("x", "y")
        for n, end in enumerate(("2026-01-31", "2026-02-28"))
        for row in quantiles((5, 8, 10 + n, 11 + n, 15 + len(model)), model=model, end=end)
    ]
    before = scores(held_against(tables(tmp_path, rows)))
    mixed = [rows[n] for n in order]
    files = [
        write(tmp_path / f"{n}.csv", *part) for n, part in enumerate((mixed[:cut], mixed[cut:]))
    ]
    for paths in (files, files[::-1]):
        found = scores(held_against(read_tables(paths, tmp_path / "later.csv")))
        pd.testing.assert_frame_equal(found, before)


def test_models_are_compared_on_the_tasks_and_levels_that_all_have(tmp_path: Path) -> None:
    rows = quantiles(model="x") + quantiles(model="x", end="2026-02-28")
    rows += quantiles((9, 10, 14), model="y", levels=(0.25, 0.5, 0.75))
    table = scores(held_against(tables(tmp_path, rows)))
    own, shared = by_model(table), by_model(table, "shared")
    assert own["estimates"].to_dict() == {"x": 2, "y": 1}
    assert shared["estimates"].to_dict() == {"x": 1, "y": 1}
    assert set(shared["levels"]) == {"0.25 0.5 0.75"}
    assert shared["coverage_90"].isna().all()
    assert list(shared.index) == ["y", "x"]  # the lowest WIS first
    assert shared["wis_ratio"].tolist() == pytest.approx([1.0, 2.75 / 2.25])


def test_models_without_a_task_in_common_are_not_set_side_by_side(tmp_path: Path) -> None:
    rows = quantiles(model="x") + quantiles(model="y", end="2026-02-28")
    cases = held_against(tables(tmp_path, rows))
    table = scores(cases)
    assert set(table["scope"]) == {"own"}
    text = "\n".join(line for part in parts(cases, table) for line in part.markdown())
    assert "No month is there that all of them estimated" in text


def test_a_model_of_medians_alone_has_an_error_and_no_wis(tmp_path: Path) -> None:
    rows = quantiles(model="x") + quantiles((10.5,), model="y", levels=(0.5,))
    cases = held_against(tables(tmp_path, rows))
    table = scores(cases)
    shared = by_model(table, "shared")
    assert shared["wis"].isna().all()
    assert shared["median_error"].to_dict() == pytest.approx({"x": 2.0, "y": 1.5})
    publish(parts(cases, table), tmp_path / "out", document="score", heading="x", formats=["png"])
    assert (tmp_path / "out/score-losses.png").exists()


def test_what_could_be_known_is_no_forecast_and_what_has_not_come_is_not_scored(
    tmp_path: Path,
) -> None:
    later = (
        "target,target_end_date,as_of,observation\n"
        "losses,2026-01-31,,12\nlosses,2026-02-28,2026-04-01,10\n"
    )
    days = {
        "nowcast": ("2026-01-31", "2026-01-31"),
        "too late": ("2026-02-01", "2026-01-31"),
        "late but unknown": ("2026-03-20", "2026-02-28"),
        "known": ("2026-04-01", "2026-02-28"),
        "to come": ("2026-04-01", "2026-04-30"),
    }
    rows = [
        row
        for model, (day, end) in days.items()
        for row in quantiles(model=model, day=day, end=end)
    ]
    rows.append("mean,2026-01-01,losses,2026-01-31,mean,NA,3")
    cases = held_against(tables(tmp_path, rows, later)).set_index("model_id")
    assert cases["status"].to_dict() == {
        "nowcast": SCORED,
        "too late": KNOWN,
        "late but unknown": SCORED,
        "known": KNOWN,
        "to come": NOTHING_CAME,
        "mean": NO_QUANTILE,
    }
    horizons = cases["horizon"]
    assert horizons[["nowcast", "late but unknown", "to come", "mean"]].tolist() == [0, 0, 1, 1]


def test_where_nothing_can_be_scored_it_is_said_why(tmp_path: Path) -> None:
    rows = quantiles(end="2025-01-31") + quantiles(target="killed")
    with pytest.raises(ScoreError) as caught:
        scores(held_against(tables(tmp_path, rows)))
    assert "losses, 2025-01-31 to 2025-01-31: 1 nothing came" in str(caught.value)


def test_logarithms_are_of_what_is_above_0(tmp_path: Path) -> None:
    cases = held_against(tables(tmp_path, quantiles((0, 8, 10, 11, 15))))
    with pytest.raises(ScoreError, match="a-b, losses, 2026-01-31, as of 2026-01-10"):
        scores(cases, log=True)


@pytest.mark.slow
def test_coverage_and_interval_scores_of_an_exported_back_test_are_its_own(tmp_path: Path) -> None:
    months = ("2025-01", "2025-02")
    rng = np.random.default_rng(5)
    forecasts = []
    for month in months:
        origin = backtest_made.origin(month)
        _, evidence = backtest_made.known(month)
        targets = [one for one in origin.targets if one.kind == "forecast"]
        assumptions = backtest_made.the_set()
        inputs = forecast_inputs(evidence, assumptions, (STAFF,), 1.0)
        draws = np.log(35.0) + 0.2 * rng.standard_normal((len(targets), 4000))
        table = scored(targets, draws, inputs, [0.5, 0.9])
        forecasts.append(table.assign(origin=month, as_of=f"{origin.as_of}"))
    cases = pd.concat(forecasts, ignore_index=True).assign(
        assumption_set="central", by="model", dynamics="model", noise_factor=1.0, failures=""
    )
    for name, table in exported(cases).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False, float_format="%.6g")
    found = held_against(read_tables([tmp_path / "estimates.csv"], tmp_path / "later.csv"))
    assert (found["status"] == SCORED).all()
    mine = scores(found, log=True)
    theirs = summary(cases, backtest_made.options(levels=[0.5, 0.9])).set_index("horizon")
    assert len(theirs) == 6
    for horizon, row in theirs.iterrows():
        (own,) = mine[mine["horizon"] == str(horizon)].to_dict("records")
        assert own["model_id"] == "estimator-central_model"
        assert own["estimates"] == row["cases"]
        for mass in (50, 90):
            assert own[f"coverage_{mass}"] == row[f"coverage_{mass}"]
            name = f"interval_score_{mass}"
            assert own[name] == pytest.approx(row[name], rel=2e-3)


def test_exported_models_are_named_by_set_dynamics_and_noise() -> None:
    cases = backtest_made.cases(2, 1)
    louder = cases[cases["by"] == "model"].assign(noise_factor=2.0)
    tables = exported(pd.concat([cases, louder, cases.assign(kind="in hand")]))
    assert list(dict.fromkeys(tables["estimates"]["model_id"])) == [
        "estimator-central_model",
        "naive-central_walk_12",
        "estimator-central_model_noise_2",
    ]
    assert set(tables["estimates"]["target"]) == {STAFF}
    later = tables["later"]
    assert tuple(later) == LATER_COLUMNS
    assert later["target_end_date"].tolist() == ["2023-07-31", "2023-08-31"]


def test_hostile_names_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["[red]x[/red]", "<script>alert(1)</script>", "a|b", "$x_$", "=1+1", "\x1b[31mred"]
    rows = [row for name in names for row in quantiles(model=name)]
    came = tmp_path / "later.csv"
    came.write_text(LATER, encoding="utf-8")
    mine = write(tmp_path / "mine.csv", *rows)
    assert main(["score", str(mine), "--against", str(came)]) == 0
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "\x1b" not in out
    text = (tmp_path / "score/score.md").read_text(encoding="utf-8")
    assert "<script>" not in text.replace(r"\<script>", "")
    assert r"a\|b" in text
    assert "\n'=1+1," in (tmp_path / "score/cases.csv").read_text(encoding="utf-8")
    assert (tmp_path / "score/score-losses.svg").exists()


def test_the_command_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = quantiles(model="x") + quantiles(model="y", end="2026-02-28") + quantiles(model="y")
    mine = write(tmp_path / "mine.csv", *rows)
    came = tmp_path / "later.csv"
    came.write_text(LATER, encoding="utf-8")
    words = ["score", str(mine), "--against", str(came), "--no-plots", "--output"]
    assert main([*words, str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "losses: scores on the 1 estimate of 1 month that all 2 models made" in out
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"score.md", "scores.csv", "cases.csv"}
    table = pd.read_csv(tmp_path / "out/scores.csv")
    assert set(table["horizon"]) == {"all", "1", "2"}


def test_bad_input_ends_with_status_2_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = write(tmp_path / "mine.csv", *quantiles((5, 8, 10, 9, 15)))
    came = tmp_path / "later.csv"
    came.write_text(LATER, encoding="utf-8")
    assert main(["score", str(mine), "--against", str(came)]) == 2
    assert capsys.readouterr().err.count("estimator:") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv", "later.csv"}


def test_the_picture_has_a_row_a_model_and_a_mark_a_mass(tmp_path: Path) -> None:
    rows = quantiles(model="x") + quantiles((9, 10, 12, 13, 15), model="y")
    table = scores(held_against(tables(tmp_path, rows)))
    shown = table[table["scope"] == "shared"]
    figure = plot_score(shown, [0.5, 0.9], target="losses", unit="persons/month")
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["y", "x"]
    assert len(left.collections) == 2
    assert [bar.get_width() for bar in right.patches] == pytest.approx(shown["wis"].tolist())
