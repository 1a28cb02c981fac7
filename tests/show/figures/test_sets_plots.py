"""Plots of several sets, from tables and draws and without results."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from estimator.show import figures as plots
from estimator.show.figures import _style as style

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
                    "reference": "central",
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


def fans(**more):
    return plots.plot_fans(
        bands(), unit="persons/month", failures={"poor": "R-hat 1.08"}, reference="central", **more
    )


def test_ranges_stand_in_thousands_at_their_sets():
    figure = plots.plot_comparison(table())
    losses, chance = figure.axes
    assert [t.get_text() for t in losses.get_yticklabels()] == NAMES
    assert losses.get_xlabel() == "thousand persons per month"
    assert losses.get_title() == "losses, 2026-01"
    points = [c.get_offsets()[0, 0] for c in losses.collections]
    assert points == pytest.approx([30.0, 31.0, 32.0])
    ends = sorted(
        tuple(line.get_xdata()) for line in losses.lines if len(set(line.get_xdata())) == 2
    )
    assert (28.0, 32.0) in ends
    assert (29.0, 31.0) in ends
    assert chance.get_xlim()[0] < 0 < 1 < chance.get_xlim()[1]
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "figure", [lambda: plots.plot_comparison(table()), lambda: plots.plot_ridge(draws(), table())]
)
def test_failed_sets_are_red_and_the_reference_is_bold(figure):
    figure = figure()
    labels = {t.get_text(): t for t in figure.axes[0].get_yticklabels()}
    assert to_hex(labels["poor"].get_color()).upper() == style.NOTE_RED
    assert to_hex(labels["low"].get_color()).upper() != style.NOTE_RED
    assert labels["central"].get_fontweight() == "bold"
    assert "diagnostics failed: poor: R-hat 1.08" in words(figure)


def test_of_many_failures_some_are_named():
    names = [f"set {n}" for n in range(12)]
    many = table(names).assign(failures="R-hat", reference="set 0")
    assert "and 8 more" in words(plots.plot_comparison(many, selection="12 of 90 sets."))


def test_the_median_of_the_reference_is_marked_in_every_panel():
    for figure in (plots.plot_comparison(table()), plots.plot_ridge(draws(), table())):
        for ax in figure.axes:
            dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
            assert len(dashed) == 1
    [dashed] = [
        x for x in plots.plot_comparison(table()).axes[0].lines if x.get_linestyle() == "--"
    ]
    assert dashed.get_xdata()[0] == pytest.approx(30.0)


def test_all_densities_have_one_height_above_their_rows():
    figure = plots.plot_ridge(draws(), table())
    [ax] = figure.axes
    rows = ax.get_yticks()
    edges = [line for line in ax.lines if len(line.get_xdata()) > 50]
    heights = [np.nanmax(line.get_ydata()) - y for line, y in zip(edges, rows, strict=True)]
    assert len(heights) == 3
    assert heights == pytest.approx([heights[0]] * 3)
    ticks = [t.get_text() for t in ax.get_xticklabels()]
    figure.draw_without_rendering()
    ticks = [t.get_text() for t in ax.get_xticklabels() if t.get_text()]
    assert "30" in ticks  # thousands, and not the scale on which ArviZ draws


def test_fans_share_their_scale_and_name_their_sets():
    figure = fans()
    assert [ax.get_title() for ax in figure.axes] == ["central", "low", "poor (failed)"]
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    assert figure.axes[0].get_ylabel() == "thousand persons per month"
    assert "2022-02 has only 5 days in the window." in words(figure)
    assert "diagnostics failed: poor" in words(figure)


def test_fans_mark_confirmed_figures_where_they_are_known(shared_result):
    figure = fans(floors={"central": shared_result})
    assert "confirmed figures" in words(figure)
    marked = [
        {round(float(line[0][1]), 1) for c in ax.collections if isinstance(c, LineCollection)
         for line in c.get_segments()}
        for ax in figure.axes
    ]  # fmt: skip
    assert marked == [{25.0, 30.0, 30.6}, set(), set()]
    assert "confirmed figures" not in words(fans())


def test_fans_that_fall_below_zero_show_zero():
    low = bands(low=-20_000.0)
    figure = plots.plot_fans(low, unit="persons/month", failures={}, reference="central")
    assert figure.axes[0].get_ylim()[0] < 0
    assert any(np.all(np.asarray(x.get_ydata()) == 0) for x in figure.axes[0].lines)


def test_a_month_that_a_set_lacks_leaves_a_gap():
    some = bands().copy()
    some[1, :10] = np.nan
    figure = plots.plot_fans(some, unit="persons/month", failures={}, reference="central")
    assert np.isnan(figure.axes[1].lines[0].get_ydata()[:10]).all()


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        plots.plot_comparison(table().iloc[:0])
    with pytest.raises(ValueError, match="at least one answer"):
        plots.plot_ridge(xr.Dataset(), table())
    with pytest.raises(ValueError, match="at least one set"):
        plots.plot_fans(bands([]), unit="share", failures={}, reference="x")
