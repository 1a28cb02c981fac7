"""What the evidence did to each assumption: prior against posterior."""

from __future__ import annotations

from collections.abc import Iterator

import arviz as az
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _arviz
from estimator.show.figures import _style as style

COLUMNS = 4
_COLORS = {"prior": style.GREY, "posterior": style.BLUE}


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
        One axes a free assumption, with its unit; fixed ones are listed under them. One empty
        axes if none is free.
    """
    values = style.group(result, "posterior")["assumption_value"]
    fixed = style.group(result, "constant_data")["assumption_fixed"].values.astype(bool)
    names = [str(n) for n in values["assumption"].values]
    free = [n for n, is_fixed in zip(names, fixed, strict=True) if not is_fixed]
    units = dict(zip(names, values["unit"].values.astype(str), strict=True))
    held = [f"{n} = {t}" for n, t in _fixed_values(values.isel(assumption=fixed), units)]
    rows = max(1, -(-len(free) // COLUMNS))
    if free:
        figure, axes = _densities(result, free, rows)
    else:
        figure = style.new_figure(2.0)
        figure.subplots().set_axis_off()
        axes = []
    moved: dict[str, float] = {}
    for name, ax in zip(free, axes, strict=True):
        draws = {
            g: style.group(result, g)["assumption_value"].sel(assumption=name) for g in _COLORS
        }
        moved[name] = _narrowing(draws["prior"], draws["posterior"])
        _finish_axes(ax, name, units[name], draws)
    most = max(moved, key=lambda n: moved[n], default=None)
    said = f"; {most} is narrowed most" if most else ""
    return style.finish(
        figure,
        result,
        f"Prior (grey) and posterior (blue) of {len(free)} assumptions{said}",
        notes=[f"Held fixed: {', '.join(held) or 'none'}."],
        ranges=f"{style.RANGES_TEXT} under each density",
    )


def _fixed_values(values: xr.DataArray, units: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in values["assumption"].values.astype(str):
        value = float(values.sel(assumption=name).median())
        yield name, f"{value:,.4g} {units[name]}".strip()


def _densities(result: xr.DataTree, free: list[str], rows: int) -> tuple[Figure, list[Axes]]:
    """Let ArviZ draw the densities, one axes an assumption."""
    groups = {
        group: xr.Dataset(
            {
                n: style.group(result, group)["assumption_value"].sel(assumption=n, drop=True)
                for n in free
            }
        ).drop_vars("unit", errors="ignore")
        for group in _COLORS
    }
    collection = az.plot_prior_posterior(
        xr.DataTree.from_dict(groups),
        kind="kde",
        backend=_arviz.BACKEND,
        visuals={"title": False, "dist": {"width": 1.6}},
        color=list(_COLORS.values()),
        col_wrap=COLUMNS,
        figure_kwargs={"figsize": (style.WIDTH, 1.75 * rows + 0.9), "figsize_units": "inches"},
    )
    figure = _arviz.detach(collection)
    for legend in figure.legends:  # visuals={"legend": False} is documented and refused (1.3.2)
        legend.remove()
    axes = _arviz.axes_of(collection, free)
    _arviz.place(figure, axes, rows, COLUMNS)
    return figure, axes


def _narrowing(prior: xr.DataArray, posterior: xr.DataArray) -> float:
    """Width of the prior's 90 % range over the posterior's."""
    widths = [float(q[-1] - q[0]) for q in (style.quantiles(prior), style.quantiles(posterior))]
    return widths[0] / max(widths[1], 1e-12)


def _finish_axes(ax: Axes, name: str, unit: str, draws: dict[str, xr.DataArray]) -> None:
    """Set limits that the long tail of a prior cannot stretch; draw the ranges at the foot."""
    top = ax.get_ylim()[1]
    limits = []
    for group, row in (("prior", 0.13), ("posterior", 0.06)):
        low, lower, _, upper, high = style.quantiles(draws[group]).values
        limits += [low, high]
        for width, span in ((1.2, (low, high)), (3.2, (lower, upper))):
            ax.plot(span, [-row * top] * 2, color=_COLORS[group], linewidth=width)
    low, high = min(limits), max(limits)
    edge = 0.25 * (high - low)
    positive = all(float(d.min()) >= 0 for d in draws.values())
    left = max(low - edge, 0.0) if positive else low - edge
    right = min(high + edge, 1.0) if unit == "share" else high + edge
    if np.isfinite([left, right]).all() and right > left:
        ax.set_xlim(left, right)
    ax.set_ylim(-0.2 * top, 1.05 * top)
    ax.set_yticks([])
    ax.spines[["left", "top", "right"]].set_visible(False)
    ax.locator_params(axis="x", nbins=4)
    style.thousands(ax, "x")
    ax.tick_params(labelsize=style.SMALL_SIZE)
    ax.set_title(name, fontsize=style.TEXT_SIZE)
    ax.set_xlabel(unit, fontsize=style.SMALL_SIZE)
