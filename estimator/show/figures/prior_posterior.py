"""What the evidence did to each assumption: prior against posterior."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.number import significant

COLUMNS = 4
_COLORS = {"prior": style.GREY, "posterior": style.BLUE}
_WHEN = {"prior": "before the claims", "posterior": "after"}
_POINTS = 200  # of a density
_FEET = {"prior": -0.13, "posterior": -0.06}  # heights of the ranges below the densities


def plot_prior_posterior(result: xr.DataTree) -> Figure:
    """Plot the densities of every free assumption before and after the evidence.

    Parameters
    ----------
    result
        Uses `assumption_value` (assumption) of `prior` and `posterior`, and
        `constant_data.assumption_fixed`.

    Returns
    -------
    matplotlib.figure.Figure
        One axes a free assumption, with its unit; fixed ones are listed under them.
    """
    values = style.group(result, "posterior")["assumption_value"]
    fixed = style.group(result, "constant_data")["assumption_fixed"].values.astype(bool)
    units = dict(zip(values["assumption"].values.astype(str), values["unit"].values, strict=True))
    free = [str(name) for name in values["assumption"].values[~fixed]]
    figure, panels = axes.panels(len(free), 1.75, style.PAPER, columns=COLUMNS)
    narrowed: dict[str, float] = {}
    for name, ax in zip(free, panels, strict=True):
        draws = {
            which: style.group(result, which)["assumption_value"].sel(assumption=name)
            for which in _COLORS
        }
        widths = {which: np.ptp(axes.quantiles(sample).values) for which, sample in draws.items()}
        narrowed[name] = widths["prior"] / max(widths["posterior"], 1e-12)
        _draw_densities(ax, draws, str(units[name]))
        ax.set_title(name, fontsize=style.TEXT_SIZE)
    most = max(narrowed, key=lambda name: narrowed[name], default=None)
    held = ", ".join(_fixed_values(values.isel(assumption=fixed), units))
    return style.frame_result(
        figure,
        result,
        f"Prior (grey) and posterior (blue) of {len(free)} assumptions"
        + (f"; {most} is narrowed most" if most else ""),
        notes=[f"Held fixed: {held or 'none'}."],
        ranges=f"{axes.RANGES_TEXT} under each density",
    )


def plot_prior_ranges(table: pd.DataFrame, *, look: style.Look = style.PAPER) -> Figure:
    """Plot the range of one parameter before and after the claims, sets below each other.

    Parameters
    ----------
    table
        Rows of the table `prior_or_data` of one parameter: `assumption_set`, `parameter`, `unit`,
        `prior_q05` to `prior_q95` and `posterior_q05` to `posterior_q95`.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure
        One axes with 90 % ranges and medians.
    """
    names = [str(name) for name in table["assumption_set"]]
    y = np.arange(len(names), dtype=float)
    figure = style.new_figure(0.3 * len(names) + (1.7 if look.framed else 0.85), look)
    ax = figure.subplots()
    for which, off, color, marker in (
        ("prior", -0.16, style.GREY, "s"),
        ("posterior", 0.16, style.BLUE, "o"),
    ):
        low, middle, high = (table[f"{which}_{q}"].to_numpy(float) for q in ("q05", "q50", "q95"))
        ax.hlines(y + off, low, high, color=color, linewidth=1.4)
        ax.plot(middle, y + off, marker, color=color, markersize=4, label=_WHEN[which])
    ax.set_ylim(len(names) - 0.45, -0.55)
    axes.tidy(ax, "x")
    axes.show_unit(ax, "x", str(table["unit"].iloc[0]))
    axes.name_rows(ax, y, names, look=look)
    axes.legend(ax, look)
    parameter = str(table["parameter"].iloc[0])
    title = f"{parameter} before and after the claims under {len(names)} assumption sets"
    return style.frame(figure, title, notes=["90 % ranges and medians."], look=look)


def _fixed_values(values: xr.DataArray, units: dict[str, str]) -> Iterator[str]:
    for name in values["assumption"].values.astype(str):
        value = float(values.sel(assumption=name).median())
        yield f"{name} = {significant(value, 4)} {units[name]}".strip()


def _draw_densities(ax: Axes, draws: dict[str, xr.DataArray], unit: str) -> None:
    """Draw densities with their ranges at the foot, within limits that no long tail stretches."""
    densities = {}
    for which, sample in draws.items():
        values = sample.values.ravel()
        if np.ptp(values) > 0:
            densities[which] = array_stats.kde(values, grid_len=_POINTS)[:2]
    top = max((float(density.max()) for _, density in densities.values()), default=1.0)
    for which, (x, density) in densities.items():
        ax.plot(x, density, color=_COLORS[which], linewidth=1.6)
    ends = []
    for which, sample in draws.items():
        low, lower, _, upper, high = axes.quantiles(sample).values
        ends += [low, high]
        for width, span in ((1.2, (low, high)), (3.2, (lower, upper))):
            ax.plot(span, [_FEET[which] * top] * 2, color=_COLORS[which], linewidth=width)
    low, high = min(ends), max(ends)
    edge = 0.25 * (high - low)
    positive = all(float(sample.min()) >= 0 for sample in draws.values())
    left = max(low - edge, 0.0) if positive else low - edge
    right = min(high + edge, 1.0) if unit == "share" else high + edge
    if np.isfinite([left, right]).all() and right > left:
        ax.set_xlim(left, right)
    axes.tidy(ax, "x")
    ax.set_ylim(-0.2 * top, 1.05 * top)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    axes.show_unit(ax, "x", "", label=unit, ticks=4)  # as the configuration has it
    ax.tick_params(labelsize=style.SMALL_SIZE)
    ax.xaxis.label.set_fontsize(style.SMALL_SIZE)
