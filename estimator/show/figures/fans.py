"""Monthly ranges of several assumption sets side by side, on one scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _panels
from estimator.show.figures import _style as style
from estimator.show.figures._claims import used_claims, words
from estimator.show.figures._floors import draw_floors
from estimator.show.figures._months import Months

COLUMNS = 4
_QUANTILES = ("q05", "q25", "q50", "q75", "q95")


def plot_fans(
    bands: xr.DataArray,
    *,
    unit: str,
    failures: Mapping[str, str],
    reference: str,
    floors: Mapping[str, xr.DataTree] | None = None,
    notes: tuple[str, ...] = (),
) -> Figure:
    """Plot a quantity by month, a panel a set, all on one scale.

    Parameters
    ----------
    bands
        Dims set, month and quantile (q05, q25, q50, q75, q95); its name is the quantity's. Labels
        of `set` are the names shown; months that a set lacks are NaN. The coordinate `month_days`
        (month) says how many days of each month are meant.
    unit
        Of the bands; persons become thousands.
    failures
        What failed, by the set's name.
    reference
        Name of the set whose median is drawn in all panels.
    floors
        By the set's name, a tree with `constant_data` whose confirmed figures are marked.
    notes
        Further lines below.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no set.
    """
    names = [str(name) for name in bands["set"].values]
    if not names:
        raise ValueError("plot_fans needs at least one set. Got none.")
    labels = tuple(str(month) for month in bands["month"].values)
    months = Months(labels, bands["month_days"].values)
    factor, shown = _panels.scale_of(unit)
    rows = -(-len(names) // COLUMNS)
    columns = min(len(names), COLUMNS)
    figure = style.new_figure(2.2 * rows + 1.3)
    axes = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel()
    scaled = bands / factor
    for name, ax in zip(names, axes[: len(names)], strict=True):
        _draw_set(ax, months, scaled.sel(set=name))
        if reference in names and name != reference:
            middle = scaled.sel(set=reference, quantile="q50").values
            ax.plot(months.x, middle, color=style.ORANGE, linewidth=0.9, linestyle="--")
        if floors is not None and name in floors:
            draw_floors(ax, used_claims(floors[name], prefix="confirmed_"), months)
        style.tidy(ax)
        style.thousands(ax)
        mark = " (failed)" if name in failures else ""
        color = style.NOTE_RED if mark else style.BLACK
        weight = "bold" if name == reference else "normal"
        ax.set_title(name + mark, fontsize=style.SMALL_SIZE + 0.5, color=color, fontweight=weight)
    for ax in axes[len(names) :]:
        ax.remove()
    for n, ax in enumerate(axes[: len(names)]):
        months.write_ticks(ax)
        every = ax.get_xticks()
        ax.set_xticks(every[:: max(1, len(every) // 4)])
        ax.set_xticklabels([months.labels[int(at)] for at in ax.get_xticks()])
        ax.tick_params(labelsize=style.SMALL_SIZE, labelbottom=n + columns >= len(names))
        if n % columns == 0:
            ax.set_ylabel(shown, fontsize=style.SMALL_SIZE)
    if float(scaled.min()) < 0 < float(scaled.max()):
        for ax in axes[: len(names)]:
            ax.axhline(0, color=style.GREY, linewidth=0.8)
    else:
        axes[0].set_ylim(bottom=0)
    texts = [f"Dashed: median of {reference}."] if reference in names else []
    if floors:
        texts.append("Black: confirmed figures, bold for one month, thin for the mean of several.")
    return style.frame(
        figure,
        f"{words(str(bands.name)).capitalize()} by month under {len(names)} assumption sets",
        _panels.failure_note(dict(failures)),
        [*notes, " ".join([*texts, f"{style.RANGES_TEXT}.", *months.notes])],
    )


def _draw_set(ax: Axes, months: Months, bands: xr.DataArray) -> None:
    low, lower, middle, upper, high = (bands.sel(quantile=name).values for name in _QUANTILES)
    ax.fill_between(months.x, low, high, color=style.BLUE, alpha=0.18, linewidth=0)
    ax.fill_between(months.x, lower, upper, color=style.BLUE, alpha=0.32, linewidth=0)
    ax.plot(months.x, middle, color=style.BLUE, linewidth=1.4)
