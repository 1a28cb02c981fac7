"""Plots of several sets, from tables and draws and without results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from estimator.show.figures import _look as style
from estimator.show.figures import plot_forest
from estimator.show.figures.fans import monthly_bands, plot_fans
from estimator.show.figures.ridge import plot_ridge

QUANTILES = ("q05", "q25", "q50", "q75", "q95")
NAMES = ["central", "low", "poor"]


def table(names=NAMES, answers=("losses[2026-01]", "P(net_change[2026-01] < 0)")) -> pd.DataFrame:
    rows = []
    for answer in answers:
        probability = answer.startswith("P(")
        for n, name in enumerate(names):
            middle = 0.1 * n if probability else 30_000.0 + 1_000.0 * n
            ends = dict.fromkeys(("q05", "q25", "q75", "q95"), np.nan)
            if not probability:
                ends = {q: middle + s for q, s in zip(ends, (-2e3, -1e3, 1e3, 2e3), strict=True)}
            rows.append(
                {
                    "assumption_set": name,
                    "answer": answer,
                    "unit": "probability" if probability else "persons/month",
                    "q50": middle,
                    **ends,
                    "failures": "R-hat 1.08" if name == "poor" else "",
                }
            )
    return pd.DataFrame(rows)


def draws(names=NAMES) -> xr.Dataset:
    rng = np.random.default_rng(0)
    losses = (
        30_000.0
        + 500.0 * rng.standard_normal((len(names), 200)) * (1 + np.arange(len(names)))[:, None]
    )
    return xr.Dataset({"losses[2026-01]": (("set", "draw"), losses)}, coords={"set": names})


def bands(names=NAMES, low: float = 0.0) -> xr.DataArray:
    months = [str(m) for m in pd.period_range("2022-02", "2026-01", freq="M")]
    days = [5.0, *(float(pd.Period(m).days_in_month) for m in months[1:])]
    base = np.linspace(low, 30_000.0, len(months))[None, :, None]
    shape = (len(names), len(months), 5)
    values = np.broadcast_to(base + 1_000.0 * np.arange(-2, 3), shape)
    return xr.DataArray(
        values,
        dims=("set", "month", "quantile"),
        coords={
            "set": names,
            "month": months,
            "quantile": list(QUANTILES),
            "month_days": ("month", days),
        },
        name="losses",
    )


def words(figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def fans(drawn: xr.DataArray | None = None, **more) -> Figure:
    failures = {"poor": "R-hat 1.08"}
    given = {"unit": "persons/month", "failures": failures, "reference": "central", **more}
    return plot_fans(bands() if drawn is None else drawn, **given)


def forest(rows: pd.DataFrame, **more) -> Figure:
    return plot_forest(rows, reference="central", **more)


def ridge() -> Figure:
    return plot_ridge(draws(), table(), reference="central")


def medians(ax: Axes) -> list[float]:
    return [x for line in ax.lines if line.get_marker() in "oD" for x in line.get_xdata()]


def test_ranges_stand_in_thousands_at_their_sets() -> None:
    losses, chance = forest(table()).axes
    assert [t.get_text() for t in losses.get_yticklabels()] == ["central", "low", "✗ poor"]
    assert losses.get_xlabel() == "thousand persons per month"
    assert losses.xaxis.get_major_formatter()(30_000.0, 0) == "30"
    assert losses.get_title() == "losses, 2026-01"
    assert medians(losses) == pytest.approx([30_000.0, 31_000.0, 32_000.0])
    lines = [c for c in losses.collections if isinstance(c, LineCollection)]
    ends = {tuple(segment[:, 0]) for line in lines for segment in line.get_segments()}
    assert {(28_000.0, 32_000.0), (29_000.0, 31_000.0)} <= ends
    assert chance.get_xlim()[0] < 0 < 1 < chance.get_xlim()[1]


@pytest.mark.parametrize("draw", [lambda: forest(table()), ridge])
def test_failed_sets_are_crossed_and_red_and_the_reference_is_bold_and_marked(draw) -> None:
    figure = draw()
    labels = {t.get_text(): t for t in figure.axes[0].get_yticklabels()}
    assert to_hex(labels["✗ poor"].get_color()).upper() == style.NOTE_RED
    assert to_hex(labels["low"].get_color()).upper() != style.NOTE_RED
    assert labels["central"].get_fontweight() == "bold"
    assert "diagnostics failed: poor: R-hat 1.08" in words(figure)
    for ax in figure.axes:
        [dashed] = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert dashed.get_color() == style.ORANGE
    [dashed] = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert dashed.get_xdata()[0] == pytest.approx(30_000.0, rel=0.01)


def test_of_many_failures_some_are_named() -> None:
    names = [f"set {n}" for n in range(12)]
    many = table(names).assign(failures="R-hat")
    assert "and 8 more" in words(forest(many, selection="12 of 90 sets."))


def test_inside_a_page_failed_and_pooled_sets_are_told_apart_without_colour() -> None:
    rows = table(answers=("losses[2026-01]",))
    figure = plot_forest(rows, pooled="low", look=style.PAGE)
    [ax] = figure.axes
    marks = {
        (line.get_marker(), line.get_markerfacecolor() == "none"): list(line.get_ydata())
        for line in ax.lines if len(line.get_xdata())
    }  # fmt: skip
    assert marks == {("o", False): [0], ("o", True): [2], ("D", False): [1]}
    assert words(figure) == ""  # the page says it


def test_all_densities_have_one_height_above_their_rows_and_stand_in_thousands() -> None:
    figure = ridge()
    [ax] = figure.axes
    edges = [line for line in ax.lines if len(line.get_xdata()) > 50]
    heights = [y - np.min(line.get_ydata()) for line, y in zip(edges, ax.get_yticks(), strict=True)]
    assert len(heights) == 3
    assert heights == pytest.approx([heights[0]] * 3)
    figure.draw_without_rendering()
    assert "30" in [t.get_text() for t in ax.get_xticklabels()]


def test_fans_share_their_scale_and_name_their_sets() -> None:
    figure = fans()
    assert [ax.get_title() for ax in figure.axes] == ["central", "low", "✗ poor (failed)"]
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    assert figure.axes[0].get_ylabel() == "thousand persons per month"
    assert "2022-02 has only 5 days in the window." in words(figure)
    assert "diagnostics failed: poor" in words(figure)
    assert "confirmed figures" not in words(figure)
    few = fans(only=["low"], look=style.PAGE)
    assert [ax.get_ylim() for ax in few.axes] == [figure.axes[0].get_ylim()]


def test_fans_mark_confirmed_figures_where_they_are_known(shared_result) -> None:
    figure = fans(floors={"central": shared_result})
    assert "confirmed figures" in words(figure)
    marked = [
        {round(float(line[0][1]) / 1000, 1) for c in ax.collections
         if isinstance(c, LineCollection) for line in c.get_segments()}
        for ax in figure.axes
    ]  # fmt: skip
    assert marked == [{25.0, 30.0, 30.6}, set(), set()]


def test_fans_that_fall_below_zero_show_zero() -> None:
    figure = fans(bands(low=-20_000.0))
    assert figure.axes[0].get_ylim()[0] < 0
    assert any(np.all(np.asarray(x.get_ydata()) == 0) for x in figure.axes[0].lines)


def test_a_month_that_a_set_lacks_leaves_a_gap() -> None:
    some = bands().copy()
    some[1, :10] = np.nan
    assert np.isnan(fans(some).axes[1].lines[0].get_ydata()[:10]).all()


def test_bands_of_results_have_the_months_of_all(shared_result, result) -> None:
    result["posterior"] = xr.DataTree(result["posterior"].to_dataset().isel(month=slice(5, None)))
    made = monthly_bands({"long": shared_result, "short": result}, "losses")
    assert np.isnan(made.sel(set="short").isel(month=slice(0, 5))).all()
    expected = shared_result["posterior"]["losses"].median(["chain", "draw"])
    np.testing.assert_allclose(made.sel(set="long", quantile="q50"), expected)
    np.testing.assert_array_equal(made["month_days"], shared_result["constant_data"]["month_days"])


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one set"):
        forest(table().iloc[:0])
    with pytest.raises(ValueError, match="at least one answer"):
        plot_ridge(xr.Dataset(), table())
    with pytest.raises(ValueError, match="at least one set"):
        fans(bands([]))
