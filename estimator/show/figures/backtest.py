"""Forecasts from the past against what was reported, and how good they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import binom

from estimator.quantity import PER_MONTH
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style

_HORIZONS = (1, 3, 6)
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
    forecasts = _shown(cases, shown)
    horizons = _drawn_horizons(forecasts)
    figure = style.new_figure(2.3 * len(horizons) + 0.9)
    panels = figure.subplots(len(horizons), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for ax, horizon in zip(panels, horizons, strict=True):
        part = forecasts[forecasts["horizon"] == horizon].sort_values("month")
        x = pd.PeriodIndex(part["month"], freq="M").to_timestamp().to_numpy()
        bands = part[["q5", "q25", "q50", "q75", "q95"]].to_numpy(dtype=float).T
        axes.draw_band(ax, x, bands, label=f"median, {axes.RANGES_TEXT}")
        observed = part["observed"].to_numpy(dtype=float)
        outside = (observed < bands[0]) | (observed > bands[-1])
        for where, face, label in (
            (~outside, "white", "reported"),
            (outside, style.VERMILION, "reported, outside 90 %"),
        ):
            ax.plot(
                x[where], observed[where], "o", markersize=4.5, markerfacecolor=face,
                markeredgecolor=style.BLACK, markeredgewidth=0.8, label=label,
            )  # fmt: skip
        ahead = "1 month" if horizon == 1 else f"{horizon} months"
        ax.set_title(
            f"{ahead} ahead: {int(outside.sum())} of {len(part)} outside the 90 % range",
            loc="left", fontsize=style.TEXT_SIZE,
        )  # fmt: skip
        axes.tidy(ax)
        axes.show_unit(ax, "y", PER_MONTH)
    axes.legend(panels[0])
    return style.frame(
        figure,
        f"{forecasts['source'].iloc[0]}: forecast before and reported later",
        failure=_failure(forecasts),
        notes=[
            f"{forecasts['assumption_set'].iloc[0]} · dynamics {shown} · each month as it was "
            "forecast when only earlier claims were known; the priors were set in hindsight"
        ],
    )


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
    forecasts = _shown(cases, shown)
    source, factor = forecasts["source"].iloc[0], forecasts["noise_factor"].iloc[0]
    scores = table[(table["source"] == source) & (table["noise_factor"].isin([factor, 1.0]))]
    model = scores[(scores["by"] == _MODEL) & (scores["noise_factor"] == factor)]
    figure = style.new_figure(4.6, width=14.0)
    left, middle, right = figure.subplots(1, 3)
    _coverage(left, model[model["dynamics"] == shown], levels)
    _ranks(middle, forecasts, interval)
    _ratios(right, model, scores[scores["by"] != _MODEL], baseline)
    share = f"{100 * interval:.10g} %"
    return style.frame(
        figure,
        f"{forecasts['assumption_set'].iloc[0]}: are forecasts of {source} as sure as they may be?",
        failure=_failure(forecasts),
        notes=[
            f"Dynamics {shown} (left, middle). Bars and bands: {share}, as if only forecasts that "
            f"do not overlap counted. Right: mean CRPS over that of {baseline}, below 1 is "
            "better; dotted: naive forecasts."
        ],
    )


def _shown(cases: pd.DataFrame, shown: str) -> pd.DataFrame:
    """Forecasts of the first source by one dynamics, with the first factor of its noise."""
    rows = cases[(cases["kind"] == _FORECAST) & (cases["by"] == _MODEL)]
    rows = rows[(rows["dynamics"] == shown) & (rows["source"] == rows["source"].iloc[0])]
    return pd.DataFrame(rows[rows["noise_factor"] == rows["noise_factor"].iloc[0]])


def _drawn_horizons(forecasts: pd.DataFrame) -> list[int]:
    """Pick the horizons that are drawn: 1, 3 and 6, or the nearest if none of them is there."""
    known = sorted({int(horizon) for horizon in forecasts["horizon"]})
    return [horizon for horizon in _HORIZONS if horizon in known] or known[: len(_HORIZONS)]


def _failure(forecasts: pd.DataFrame) -> str:
    failed = sorted(set(forecasts.loc[forecasts["failures"] != "", "origin"]))
    return f"as of {', '.join(failed)}" if failed else ""


def _coverage(ax: Axes, table: pd.DataFrame, levels: Sequence[float]) -> None:
    for number, level in enumerate(levels):
        name, color = f"coverage_{100.0 * level:.10g}", style.color_of(number)
        x = table["horizon"].to_numpy(float) + 0.14 * (number - (len(levels) - 1) / 2.0)
        value, low, high = (100 * table[f"{name}{end}"].to_numpy() for end in ("", "_low", "_high"))
        ax.axhline(100 * level, color=color, linewidth=0.8, linestyle="--")
        ax.vlines(x, low, high, color=color, linewidth=1.4)
        ax.plot(x, value, "o", color=color, markersize=4.5, label=f"{100 * level:.10g} %")
    ax.set_ylim(0, 103)
    ax.set_xlabel("months ahead", fontsize=style.TEXT_SIZE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Share of figures inside the range, %", loc="left", fontsize=style.TEXT_SIZE)
    axes.tidy(ax)
    ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="lower left", ncols=2,
              title="should hold", title_fontsize=style.SMALL_SIZE)  # fmt: skip


def _ranks(ax: Axes, forecasts: pd.DataFrame, interval: float) -> None:
    horizons = _drawn_horizons(forecasts)
    for number, horizon in enumerate(horizons):
        pit = np.sort(forecasts.loc[forecasts["horizon"] == horizon, "pit"].to_numpy())
        grid = np.linspace(0.0, 1.0, 201)
        share = np.searchsorted(pit, grid, side="right") / len(pit)
        color = style.color_of(number)
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
    axes.tidy(ax)
    ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="upper left")


def _ratios(ax: Axes, model: pd.DataFrame, naive: pd.DataFrame, baseline: str) -> None:
    for number, (dynamics, part) in enumerate(model.groupby("dynamics", sort=False)):
        at = part.sort_values("horizon")
        color = style.color_of(number)
        ax.plot(at["horizon"], at["crps_ratio"], "-", color=color, linewidth=1.4, label=dynamics)
    for number, (name, part) in enumerate(naive.groupby("dynamics", sort=False)):
        if name != baseline:
            at = part.sort_values("horizon")
            ax.plot(at["horizon"], at["crps_ratio"], ":", color=style.COLORS[-1 - number],
                    linewidth=1.4, label=f"naive {name}")  # fmt: skip
    ax.axhline(1.0, color=style.BLACK, linewidth=0.8)
    ax.set_xlabel("months ahead", fontsize=style.TEXT_SIZE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Mean CRPS over the naive one", loc="left", fontsize=style.TEXT_SIZE)
    axes.tidy(ax)
    axes.legend(ax)
