"""What the evidence did to each assumption: prior against posterior."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.assumptions import ASSUMPTIONS
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
    units = {key: spec.unit for key, spec in ASSUMPTIONS.items()}
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
