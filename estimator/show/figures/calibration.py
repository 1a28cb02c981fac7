"""Ranks of simulated truths, coverage, and the error of reweighting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from estimator.quantity import HEADLINES
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style

_COLUMNS = 5
_POOLED = (
    *HEADLINES,
    *("reporting_bias", "reporting_drift", "shared_mean", "shared_spread", "bias_step"),
    "registration",
)
_METHOD_COLORS = {"model": style.BLUE, "face value": style.VERMILION, "trend": style.ORANGE}

Band = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Where, lower and upper end of the simultaneous band of an ECDF."""


_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


def plot_ranks(shares: pd.DataFrame, band: Band, name: str, level: float) -> Figure:
    """Plot ECDF differences of the ranks of one structure, with their simultaneous band.

    Parameters
    ----------
    shares
        Ranks as shares: one row a simulated world, one column an entry (``losses[2026-01]``).
    band
        For that number of worlds.
    name
        Of the structure.
    level
        Of the band.

    Returns
    -------
    matplotlib.figure.Figure
        One axes an assumption and a single number; biases, and the months of a quantity, share one.
        Lines that leave the band are red.
    """
    panels = _panels([str(column) for column in shares.columns])
    rows = -(-len(panels) // _COLUMNS)
    figure = style.new_figure(1.55 * rows + 1.0)
    grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    outside = 0
    for ax, (title, entries) in zip(grid, panels.items(), strict=False):
        outside += _draw_ranks(ax, shares[entries], band)
        ax.set_title(title, fontsize=style.SMALL_SIZE)
    for n, ax in enumerate(grid):
        ax.set_visible(n < len(panels))
        ax.tick_params(labelbottom=n + _COLUMNS >= len(panels))  # nothing stands below
    at, lower, upper = band
    widest = 1.6 * float(max((upper - at).max(), (at - lower).max()))
    grid[0].set_ylim(-widest, widest)
    return style.frame(
        figure,
        f"{name}: ranks of the truth in {len(shares)} simulated worlds",
        notes=[
            "Across: rank of the truth, as a share. Up: ECDF of the ranks less that share. "
            f"Grey: simultaneous {100 * level:g} % band of uniform ranks. Of {shares.shape[1]} "
            f"quantities {outside} leave it (red); by chance about "
            f"{(1 - level) * shares.shape[1]:.0f} would. A line above 0 on the left and below on "
            "the right: ranges too narrow; the other way round: too wide; all above: truths lie "
            "low."
        ],
    )


def _panels(columns: list[str]) -> dict[str, list[str]]:
    """Entries of each axes, by its title."""
    panels: dict[str, list[str]] = {}
    for column in columns:
        quantity, _, rest = column.partition("[")
        label = rest.rstrip("]")
        pooled = quantity in _POOLED and label != "total"
        title = column
        if pooled:
            what = "months" if quantity in HEADLINES else "sources"
            what = "strata, delays" if quantity == "registration" else what
            title = f"{quantity} ({what})"
        panels.setdefault(title, []).append(column)
    return panels


def _draw_ranks(ax: Axes, shares: pd.DataFrame, band: Band) -> int:
    """Draw the lines of one axes; return how many leave the band."""
    at, lower, upper = band
    ax.fill_between(at, lower - at, upper - at, color=style.GREY, alpha=0.25, linewidth=0)
    outside = 0
    for values in shares.to_numpy().T:
        difference = np.searchsorted(np.sort(values), at, side="right") / len(values) - at
        out = bool(((difference > upper - at + 1e-12) | (difference < lower - at - 1e-12)).any())
        outside += out
        color = style.VERMILION if out else style.BLUE
        ax.plot(at, difference, color=color, linewidth=0.7, alpha=1.0 if out else 0.5)
    ax.axhline(0.0, color=style.GREY, linewidth=0.5)
    axes.tidy(ax)
    ax.tick_params(labelsize=style.SMALL_SIZE)
    return outside


def plot_coverage(table: pd.DataFrame, name: str) -> Figure:
    """Plot coverage against the mass of the range, one axes a quantity and period.

    Parameters
    ----------
    table
        As `estimator.studies.calibrate.coverage.coverage_table` gives it.
    name
        Of the structure.

    Returns
    -------
    matplotlib.figure.Figure
        Columns are quantities, rows periods; one line a method, with two standard errors.
    """
    quantities, periods = (list(dict.fromkeys(table[key])) for key in ("quantity", "period"))
    figure = style.new_figure(2.1 * len(periods) + 0.9)
    grid = figure.subplots(len(periods), len(quantities), sharex=True, sharey=True, squeeze=False)
    for row, period in enumerate(periods):
        for column, quantity in enumerate(quantities):
            ax = grid[row, column]
            ax.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.7)
            of = (table["quantity"] == quantity) & (table["period"] == period)
            for method, rows in table[of & (table["cases"] > 0)].groupby("method", sort=False):
                ax.errorbar(
                    rows["level"],
                    rows["coverage"],
                    yerr=2.0 * rows["coverage_se"],
                    color=_METHOD_COLORS.get(str(method), style.BLACK),
                    marker="o",
                    markersize=3,
                    linewidth=1,
                    label=str(method),
                )
            ax.set_title(f"{str(quantity).replace('_', ' ')}, {period}", fontsize=style.SMALL_SIZE)
            axes.tidy(ax)
    grid[0, 0].set_xlim(0.45, 1.0)
    grid[0, 0].set_ylim(0.0, 1.02)
    handles = max((ax.get_legend_handles_labels()[0] for ax in grid.ravel()), key=len)
    axes.legend(grid[0, -1], handles=handles)
    notes = [
        "Across: mass of the range. Up: share of the truths inside. "
        f"{int(table['worlds'].max())} worlds. A line on the diagonal: the ranges mean what they "
        "say. Below it: too narrow. Bars: two standard errors (the months of a world count as one)."
    ]
    return style.frame(figure, f"{name}: coverage of the truth in simulated worlds", notes=notes)


def plot_broken(table: pd.DataFrame, level: float) -> Figure:
    """Plot error, coverage and alarms of each break.

    Parameters
    ----------
    table
        As `estimator.studies.calibrate.broken.broken_table` gives it.
    level
        Mass of the range whose coverage is told.

    Returns
    -------
    matplotlib.figure.Figure
        Three axes: errors in posterior standard deviations and coverage, one mark an answer; and
        shares of worlds with an alarm.
    """
    names = list(dict.fromkeys(table["break"]))
    answers = list(dict.fromkeys(table["entry"]))
    figure = style.new_figure(0.55 * len(names) + 1.6)
    errors, coverage, alarms = figure.subplots(1, 3, sharey=True)
    for n, answer in enumerate(answers):
        rows = table[table["entry"] == answer].set_index("break").loc[names]
        up = np.arange(len(names)) + (n - (len(answers) - 1) / 2) * 0.12
        mark = {"marker": "o", "markersize": 4, "linestyle": "none"}
        color = style.color_of(n)
        errors.plot(rows["error_sd"], up, color=color, label=answer, **mark)
        spread = 2.0 * rows["coverage_se"]
        inside = np.minimum(
            spread, [rows["coverage"], 1.0 - rows["coverage"]]
        )  # 0 to 1, no further
        coverage.errorbar(rows["coverage"], up, xerr=inside, color=color, linewidth=0.8, **mark)
    first = table.drop_duplicates("break").set_index("break").loc[names]
    for n, (column, label) in enumerate(
        (("predictive_alarm", "predictive check"), ("audit_alarm", "audit"))
    ):
        height = np.arange(len(names)) + (n - 0.5) * 0.3
        alarms.barh(height, first[column], height=0.28, color=style.color_of(n), label=label)
    errors.set_xscale("symlog", linthresh=4.0)
    errors.set_yticks(range(len(names)), names, fontsize=style.TEXT_SIZE)
    errors.invert_yaxis()
    errors.axvline(0.0, color=style.GREY, linewidth=0.7)
    coverage.axvline(level, color=style.GREY, linewidth=0.7)
    alarms.set_xlim(0.0, 1.0)
    coverage.set_xlim(0.0, 1.05)
    for ax, title in (
        (errors, "error of the median, posterior sd"),
        (coverage, f"coverage of {100 * level:g} % ranges"),
        (alarms, "share of worlds with an alarm"),
    ):
        ax.set_title(title, fontsize=style.TEXT_SIZE)
        axes.tidy(ax)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.08), "frameon": False}
    errors.legend(fontsize=style.SMALL_SIZE, ncols=2, **below)
    alarms.legend(fontsize=style.SMALL_SIZE, ncols=2, **below)
    errors.xaxis.set_major_formatter(_PLAIN)
    meanings = dict(zip(table["break"], table["says"], strict=True))
    notes = [f"{int(table['worlds'].max())} worlds each. Bars of coverage: two standard errors."]
    notes += [f"{name}: {text}." for name, text in meanings.items()]
    return style.frame(figure, "Worlds that break what the set believes", notes=notes)


def plot_reweighting(table: pd.DataFrame, max_k_hat: float) -> Figure:
    """Plot the error of reweighted sets against their k-hat.

    Parameters
    ----------
    table
        As `estimator.studies.calibrate.reweighted.compare_moves` gives it.
    max_k_hat
        Limit of sweeps, drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, in Monte-Carlo standard errors and in posterior standard deviations: root mean
        squares of medians (dots) and of 5 % and 95 % quantiles (triangles), one mark a set.
    """
    figure = style.new_figure(3.6)
    both = figure.subplots(1, 2)
    compared = table[table["compared"].notna()]
    for ax, unit, title in zip(
        both,
        ("errors", "sd"),
        ("Monte-Carlo standard errors", "posterior standard deviations"),
        strict=True,
    ):
        for n, (name, rows) in enumerate(compared.groupby("move", sort=False)):
            color = style.color_of(n)
            ax.plot(rows["k_hat"], rows[f"median_rms_{unit}"], "o", color=color, label=str(name))
            ax.plot(rows["k_hat"], rows[f"tail_rms_{unit}"], "^", color=color, alpha=0.5)
        ax.axvline(max_k_hat, color=style.GREY, linewidth=0.8, linestyle="--")
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(_PLAIN)
        ax.set_xlabel("k-hat", fontsize=style.TEXT_SIZE)
        ax.set_title(f"root mean square difference, {title}", fontsize=style.TEXT_SIZE)
        axes.tidy(ax)
    both[0].legend(fontsize=style.SMALL_SIZE, frameon=False)
    notes = [
        "Dots: medians; triangles: 5 % and 95 % quantiles; of monthly losses, killed and net "
        f"change. One mark a set. Colours: what was moved, the `moves` of conf/calibrate. Dashed: "
        f"the limit of sweeps, {max_k_hat:g}."
    ]
    return style.frame(figure, "Reweighted sets against real fits of them", notes=notes)
