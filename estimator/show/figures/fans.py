"""Monthly ranges of several assumption sets side by side, on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.evidence.periods import Window
from estimator.quantity import QUANTILES
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.figures._claims import floors_of, words
from estimator.show.figures._months import Months, draw_floors

COLUMNS = 4
_ROOM = 1.15  # height of the axes over that of the highest range
_NOT_CUT = 0.98  # share of a set's months whose range is within the axes


def plot_fans(
    bands: xr.DataArray,
    *,
    unit: str,
    failures: Mapping[str, str],
    reference: str = "",
    floors: Mapping[str, xr.DataTree] | None = None,
    only: Sequence[str] | None = None,
    notes: Sequence[str] = (),
    look: style.Look = style.PAPER,
) -> Figure:
    """Plot a quantity by month, a panel a set, all on one scale.

    Parameters
    ----------
    bands
        Dims set, month and quantile (q05, q25, q50, q75, q95); its name is the quantity's. Labels
        of `set` are the names shown; months that a set lacks are NaN. The coordinate `month_days`
        (month) says how many days of each month are meant.
    unit
        Of the bands.
    failures
        What failed, by the set's name.
    reference
        Name of the set whose median is drawn in all panels.
    floors
        By the set's name, a tree with `constant_data` whose confirmed figures are marked.
    only
        Sets that are drawn, on the scale of all; None for all.
    notes
        Further lines below.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no set.
    """
    names = [str(name) for name in (bands["set"].values if only is None else only)]
    if not names:
        raise ValueError("plot_fans needs at least one set. Got none.")
    months = Months(Window.from_days(bands["month_days"]))
    bands = bands.reindex(month=months.labels)
    figure, panels = axes.panels(
        len(names), 2.2 if look.framed else 1.7, look, columns=COLUMNS, margin=1.3
    )
    bars = {name: floors_of(tree, months) for name, tree in (floors or {}).items()}
    low, high = _limits(bands, bars)
    for n, (name, ax) in enumerate(zip(names, panels, strict=True)):
        ranges = bands.sel(set=name).transpose("quantile", "month")
        dashes = "--" if name in failures else "-"
        axes.draw_band(ax, months.x, ranges.sel(quantile=list(QUANTILES)).values, linestyle=dashes)
        if reference in bands["set"].values and name != reference:
            middle = bands.sel(set=reference, quantile="q50").values
            ax.plot(months.x, middle, color=style.ORANGE, linewidth=0.9, linestyle="--")
        if name in bars:
            draw_floors(ax, bars[name])
        ax.set_ylim(low, high)
        axes.tidy(ax)
        beside = n % COLUMNS == 0 and look.framed  # a page names the unit above all pictures
        axes.show_unit(ax, "y", unit, label=None if beside else "", ticks=4)
        axes.mark_zero(ax, "y")
        months.write_ticks(ax)
        if look.framed:
            ax.tick_params(labelbottom=n + COLUMNS >= len(names), labelleft=n % COLUMNS == 0)
            _write_name(ax, name, failed=name in failures, bold=name == reference)
    texts = [f"Dashed: median of {reference}." if reference else ""]
    if floors:
        texts.append("Black: confirmed figures, bold for one month, thin for the mean of several.")
    return style.frame(
        figure,
        f"{words(str(bands.name)).capitalize()} by month under {len(names)} assumption sets",
        failure=axes.failure_text(failures),
        notes=[*notes, " ".join([*texts, f"{axes.RANGES_TEXT}.", *months.notes]).strip()],
        look=look,
    )


def monthly_bands(trees: Mapping[str, xr.DataTree], quantity: str) -> xr.DataArray:
    """Ranges of a quantity by month of several results, as `plot_fans` takes them.

    Months are those of any result; those that a result lacks are NaN.
    """
    series = [style.group(tree, "posterior")[quantity] for tree in trees.values()]
    days = [style.group(tree, "constant_data")["month_days"] for tree in trees.values()]
    bands = [axes.quantiles(one).assign_coords(quantile=list(QUANTILES)) for one in series]
    every = pd.Index(sorted({str(month) for one in days for month in one["month"].values}))
    most = xr.concat([one.reindex(month=every) for one in days], "set").max("set")
    return (
        xr.concat([one.reindex(month=every) for one in bands], pd.Index(list(trees), name="set"))
        .rename(quantity)
        .assign_coords(month_days=("month", most.values))
    )


def _limits(bands: xr.DataArray, floors: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Both ends of the axis: single uncertain months must not flatten all others."""
    top = float(bands.sel(quantile="q95").quantile(_NOT_CUT, "month").max())
    tops = [top, *(float(rows["mean"].max()) for rows in floors.values() if len(rows))]
    bottom = float(bands.sel(quantile="q05").quantile(1 - _NOT_CUT, "month").min())
    low, high = _ROOM * min(bottom, 0.0), _ROOM * max(*tops, 0.0)
    return low, high if high > low else low + 1.0


def _write_name(ax: Axes, name: str, *, failed: bool, bold: bool) -> None:
    ax.set_title(
        f"✗ {name} (failed)" if failed else name,
        fontsize=style.SMALL_SIZE + 0.5,
        color=style.NOTE_RED if failed else style.BLACK,
        fontweight="bold" if bold else "normal",
    )
