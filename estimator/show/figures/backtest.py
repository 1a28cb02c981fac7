"""Forecasts from the past against what was reported, and how good they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from estimator.show.figures import _style as style

_HORIZONS = (1, 3, 6)
_COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY, style.VERMILION,
           style.GREY, style.BLACK)  # fmt: skip
_FORECAST, _MODEL = "forecast", "model"


def plot_forecasts(cases: pd.DataFrame, shown: str) -> Figure:
    """Plot what was forecast for each month, one, three and six months before, and what came.

    Parameters
    ----------
    cases
        Of one set, as `estimator.studies.backtest.backtest.Backtest` has them.
    shown
        The dynamics that are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        One axes a horizon: 90 % and 50 % ranges by the month that was forecast, dots for what was
        reported, filled where they lie outside the 90 % range.
    """
    own = _shown(cases, shown)
    horizons = _told(own)
    figure = style.new_figure(2.3 * len(horizons) + 0.9)
    axes = np.atleast_1d(figure.subplots(len(horizons), 1, sharex=True, sharey=True))
    missed = 0
    for ax, horizon in zip(axes, horizons, strict=True):
        part = own[own["horizon"] == horizon].sort_values("month")
        x = pd.PeriodIndex(part["month"], freq="M").to_timestamp()
        q = {name: part[name].to_numpy() / style.THOUSAND
             for name in ("q5", "q25", "q50", "q75", "q95", "observed")}  # fmt: skip
        ax.fill_between(x, q["q5"], q["q95"], color=style.BLUE, alpha=0.18, linewidth=0,
                        label="90 % range")  # fmt: skip
        ax.fill_between(x, q["q25"], q["q75"], color=style.BLUE, alpha=0.32, linewidth=0,
                        label="50 % range")  # fmt: skip
        ax.plot(x, q["q50"], color=style.BLUE, linewidth=1.3, label="median")
        outside = (q["observed"] < q["q5"]) | (q["observed"] > q["q95"])
        missed += int(outside.sum())
        for where, face, label in (
            (~outside, "white", "reported"),
            (outside, style.VERMILION, "reported, outside 90 %"),
        ):
            ax.plot(np.asarray(x)[where], q["observed"][where], "o", markersize=4.5,
                    markerfacecolor=face, markeredgecolor=style.BLACK, markeredgewidth=0.8,
                    label=label)  # fmt: skip
        ahead = "1 month" if horizon == 1 else f"{horizon} months"
        ax.set_title(f"{ahead} ahead: {int(outside.sum())} of {len(part)} outside the 90 % range",
                     loc="left", fontsize=style.TEXT_SIZE)  # fmt: skip
        ax.set_ylabel(style.PER_MONTH, fontsize=style.TEXT_SIZE)
        style.tidy(ax)
    style.legend_outside(axes[0])
    label = str(own["assumption_set"].iloc[0])
    return style.frame(
        figure,
        f"{own['source'].iloc[0]}: forecast before and reported later",
        _failure(own),
        [f"{label} · dynamics {shown} · each month as it was forecast when only earlier claims "
         "were known; the priors were set in hindsight"],
    )  # fmt: skip


def plot_scores(
    cases: pd.DataFrame,
    table: pd.DataFrame,
    *,
    shown: str,
    baseline: str,
    levels: Sequence[float],
    interval: float,
) -> Figure:
    """Plot coverage by horizon, ranks of what came, and scores over those of a naive forecast.

    Parameters
    ----------
    cases
        Of one set, as `estimator.studies.backtest.backtest.Backtest` has them.
    table
        Of the same set, as `estimator.studies.backtest.summary.summary` gives it.
    shown, baseline
        Dynamics and naive forecast.
    levels
        Masses of the ranges.
    interval
        Mass of the intervals in the table.

    Returns
    -------
    matplotlib.figure.Figure
        Three axes: coverage with intervals against what it should be; the distribution of the PIT
        less the uniform one, by horizon; ratios of mean CRPS by dynamics.
    """
    own = _shown(cases, shown)
    source, factor = own["source"].iloc[0], own["noise_factor"].iloc[0]
    told = table[(table["source"] == source) & (table["noise_factor"].isin([factor, 1.0]))]
    model = told[(told["by"] == _MODEL) & (told["noise_factor"] == factor)]
    figure = style.new_figure(4.6, 14.0)
    left, middle, right = figure.subplots(1, 3)
    _coverage(left, model[model["dynamics"] == shown], levels)
    _ranks(middle, own, interval)
    _ratios(right, model, told[told["by"] != _MODEL], baseline)
    share = f"{100 * interval:.10g} %"
    return style.frame(
        figure,
        f"{own['assumption_set'].iloc[0]}: are forecasts of {source} as sure as they may be?",
        _failure(own),
        [
            f"Dynamics {shown} (left, middle). Bars and bands: {share}, as if only forecasts that "
            f"do not overlap counted. Right: mean CRPS (log scale) over that of {baseline}, below "
            "1 is better; dots: naive forecasts."
        ],
    )


def _shown(cases: pd.DataFrame, shown: str) -> pd.DataFrame:
    """Forecasts of the first source by one dynamics, with the first factor of its noise."""
    own = cases[(cases["kind"] == _FORECAST) & (cases["by"] == _MODEL)]
    own = own[(own["dynamics"] == shown) & (own["source"] == own["source"].iloc[0])]
    return pd.DataFrame(own[own["noise_factor"] == own["noise_factor"].iloc[0]])


def _told(own: pd.DataFrame) -> list[int]:
    """Pick the horizons that are drawn: 1, 3 and 6, or the nearest if none of them is there."""
    there = sorted({int(horizon) for horizon in own["horizon"]})
    return [horizon for horizon in _HORIZONS if horizon in there] or there[: len(_HORIZONS)]


def _failure(own: pd.DataFrame) -> str:
    failed = sorted(set(own.loc[own["failures"] != "", "origin"]))
    return f"diagnostics failed as of {', '.join(failed)}" if failed else ""


def _coverage(ax: Axes, table: pd.DataFrame, levels: Sequence[float]) -> None:
    for number, level in enumerate(levels):
        name, color = f"coverage_{100.0 * level:.10g}", _COLORS[number % len(_COLORS)]
        x = table["horizon"].to_numpy(float) + 0.14 * (number - (len(levels) - 1) / 2.0)
        value, low, high = (100 * table[f"{name}{end}"].to_numpy() for end in ("", "_low", "_high"))
        ax.axhline(100 * level, color=color, linewidth=0.8, linestyle="--")
        ax.vlines(x, low, high, color=color, linewidth=1.4)
        ax.plot(x, value, "o", color=color, markersize=4.5, label=f"{100 * level:.10g} %")
    ax.set_ylim(0, 103)
    ax.set_xlabel("months ahead", fontsize=style.TEXT_SIZE)
    ax.set_title("Share of figures inside the range, %", loc="left", fontsize=style.TEXT_SIZE)
    style.tidy(ax)
    ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="lower left", ncols=2,
              title="should hold", title_fontsize=style.SMALL_SIZE)  # fmt: skip


def _ranks(ax: Axes, own: pd.DataFrame, interval: float) -> None:
    horizons = _told(own)
    for number, horizon in enumerate(horizons):
        pit = np.sort(own.loc[own["horizon"] == horizon, "pit"].to_numpy())
        grid = np.linspace(0.0, 1.0, 201)
        share = np.searchsorted(pit, grid, side="right") / len(pit)
        color = _COLORS[number]
        apart = max(round(len(pit) / horizon), 1)
        tail = (1.0 - interval) / 2.0
        low, high = (binom(apart, grid).ppf(p) / apart - grid for p in (tail, 1.0 - tail))
        if number == 0:
            ax.fill_between(grid, low, high, color=style.GREY, alpha=0.18, linewidth=0, step="mid",
                            label=f"by chance, {horizon} ahead")  # fmt: skip
        label = f"{horizon} ahead"
        ax.step(grid, share - grid, where="post", color=color, linewidth=1.3, label=label)
    ax.axhline(0.0, color=style.BLACK, linewidth=0.8)
    ax.set_xlabel("PIT: share of the draws below what came", fontsize=style.TEXT_SIZE)
    ax.set_ylim(-0.36, 0.36)
    ax.set_title("Distribution of the PIT less uniform", loc="left", fontsize=style.TEXT_SIZE)
    style.tidy(ax)
    ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="upper left")


def _ratios(ax: Axes, model: pd.DataFrame, naive: pd.DataFrame, baseline: str) -> None:
    for number, (dynamics, part) in enumerate(model.groupby("dynamics", sort=False)):
        at = part.sort_values("horizon")
        color = _COLORS[number % len(_COLORS)]
        ax.plot(at["horizon"], at["crps_ratio"], "-", color=color, linewidth=1.4, label=dynamics)
    for number, (name, part) in enumerate(naive.groupby("dynamics", sort=False)):
        if name != baseline:
            at = part.sort_values("horizon")
            ax.plot(at["horizon"], at["crps_ratio"], ":", color=_COLORS[-1 - number],
                    linewidth=1.4, label=f"naive {name}")  # fmt: skip
    ax.axhline(1.0, color=style.BLACK, linewidth=0.8)
    ax.set_xlabel("months ahead", fontsize=style.TEXT_SIZE)
    ax.set_title("Mean CRPS over the naive one", loc="left", fontsize=style.TEXT_SIZE)
    style.tidy(ax)
    style.legend_outside(ax)
