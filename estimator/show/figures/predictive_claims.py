"""What the model would have expected to be claimed, against what was claimed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from estimator.quantity import SHARES, SIGNED
from estimator.show.figures import _by_origin
from estimator.show.figures import _claims as claims
from estimator.show.figures import _style as style
from estimator.show.figures._by_origin import BANDS as _BANDS
from estimator.show.figures._months import Months

DENSE = 12  # a source with more claims on single months than this is drawn as a line
ROWS_MAXIMUM = 120  # more single claims than this: summed up by origin, and those farthest out
FARTHEST = 40  # how many of these are shown
ROW_HEIGHT = 0.155  # inches
_WIDE = 100.0  # a log axis over more than this has fewer ticks


def plot_predictive_claims(result: xr.DataTree) -> Figure:
    """Plot predictive ranges of every used claim over the claim itself.

    Ratios stand on a log scale around 1. Differences (thousand persons) and shares have panels of
    their own, in their own units. An origin's dense monthly series becomes a line panel. Of more
    than `ROWS_MAXIMUM` other claims only those that lie farthest out are shown one by one, below a
    row for each origin and quantity that sums up all.

    Parameters
    ----------
    result
        Uses `posterior_predictive.reported` (claim), `confirmed_figure` (confirmed_claim), in the
        claims' units, and `constant_data`.

    Returns
    -------
    matplotlib.figure.Figure
        Axes labelled ``series``, ``ratios``, ``differences`` and ``shares``, as far as there are
        such claims; with many claims also ``ratios by origin`` and so on.
    """
    months = Months.of(result)
    table = predictive_table(result)
    dense = _dense(table, months)
    agrees = met(table)
    sums: dict[str, pd.DataFrame] = {}
    rows = table[~dense]
    if len(rows) > ROWS_MAXIMUM:
        sums = {name: _by_origin.sums(part, name, agrees) for name, part in _by_kind(rows).items()}
        rows = _farthest_out(rows)
    left_out = int((~dense).sum()) - len(rows)
    parts = _by_kind(rows)
    heights = {
        f"{name} by origin": _by_origin.ROW_HEIGHT * (len(part) + 1) + 0.75
        for name, part in sums.items()
    }
    heights |= {name: ROW_HEIGHT * (len(part) + 1) + 0.75 for name, part in parts.items()}
    if dense.any():
        heights = {"series": 2.4, **heights}
    fig = style.new_figure(sum(heights.values(), 1.0))
    if not heights:
        fig.subplots().set_axis_off()
        return style.finish(fig, result, "No claim entered the likelihood")
    axes = fig.subplot_mosaic([[n] for n in heights], height_ratios=list(heights.values()))
    if dense.any():
        _draw_series(axes["series"], table[dense], months)
    for name, summed in sums.items():
        _by_origin.draw_sums(axes[f"{name} by origin"], summed, name)
        if name == "ratios":
            _log_axis(axes[f"{name} by origin"])
    for name, part in parts.items():
        _draw_rows(axes[name], part, name)
    return style.finish(
        fig,
        result,
        f"{int(agrees.sum())} of {len(table)} claims agree with their 90 % predictive range",
        notes=[
            *_notes_of_many(left_out, sum(int(part["claims"].sum()) for part in sums.values())),
            "Grey boxes: low to high of the claim. Triangles: the claim is a bound, with which a "
            "range agrees that reaches the side they point to. Confirmed sums: what "
            "is left of them after their confirmed months.",
        ],
    )


def _by_kind(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Claims whose axes differ; kinds of which there is none are left out."""
    parts = {
        "ratios": table[~table["quantity"].isin(SIGNED + SHARES)],
        "differences": table[table["quantity"].isin(SIGNED)],
        "shares": table[table["quantity"].isin(SHARES)],
    }
    return {name: part for name, part in parts.items() if len(part)}


def _notes_of_many(left_out: int, in_rows: int) -> list[str]:
    if not left_out:
        return []
    unseen = left_out + FARTHEST - in_rows
    few = f", but for {unseen:,} of origins with few" if unseen else ""
    return [
        f"One by one: the {FARTHEST} claims that lie farthest from what was expected. By origin: "
        f"all {left_out + FARTHEST:,}{few}. Expected: the typical predictive range of a claim; "
        "claimed: the range in which the figures lie (without bounds). Where the latter is the "
        "shorter, figures scatter less than is assumed of their origin."
    ]


def predictive_table(result: xr.DataTree) -> pd.DataFrame:
    """Table the used claims with quantiles of their predictive draws, `pp_low` to `pp_high`."""
    parts = []
    for prefix, name in (("confirmed_", "confirmed_figure"), ("", "reported")):
        table = claims.used_claims(result, prefix=prefix)
        if table.empty:
            continue
        dim = f"{prefix}claim"
        if prefix and "observed_data" in result.children:
            table = _as_read(result, table)
        draws = style.group(result, "posterior_predictive")[name]
        draws = draws.assign_coords({dim: draws[dim].values.astype(str)})
        found = style.quantiles(draws.sel({dim: list(table.index)})).transpose(dim, "quantile")
        for i, band in enumerate(_BANDS):
            table[f"pp_{band}"] = found.values[:, i]
        group = ("confirmed " if prefix else "") + table["quantity"].map(claims.words)
        parts.append(table.assign(group=group))
    if not parts:
        empty = [f"pp_{band}" for band in _BANDS]
        return pd.DataFrame(columns=[*claims.COLUMNS, *claims.DATES, "central", "group", *empty])
    table = pd.concat(parts)
    return table.sort_values(["group", "period_end", "origin"], kind="stable")


def _as_read(result: xr.DataTree, table: pd.DataFrame) -> pd.DataFrame:
    """Put in the confirmed figures as the model reads them: sums less their confirmed months."""
    read = style.group(result, "observed_data")["confirmed_figure"]
    read = read.assign_coords(confirmed_claim=read["confirmed_claim"].values.astype(str))
    figures = read.sel(confirmed_claim=list(table.index)).values
    return table.assign(low=np.nan, value=figures, high=np.nan, central=figures)


def met(table: pd.DataFrame) -> pd.Series:
    """Whether each claim's 90 % predictive range meets its low to high, or its side of a bound."""
    low, high = table["low"].fillna(table["central"]), table["high"].fillna(table["central"])
    reaches_down = (table["pp_low"] <= high) | table["hedge"].isin(claims.UPWARD)
    reaches_up = (table["pp_high"] >= low) | table["hedge"].isin(claims.DOWNWARD)
    return reaches_down & reaches_up


def _farthest_out(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the claims that lie farthest from their predictive median, in widths of the range.

    Ratios are measured in logs: else none could lie far below what was expected.
    """
    numbers = table[["central", "pp_mid", "pp_low", "pp_high"]].to_numpy(dtype=float).T
    signed = table["quantity"].isin(SIGNED + SHARES).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        central, middle, low, high = np.where(signed, numbers, np.log(numbers))
        distance = pd.Series(np.abs(central - middle) / (high - low), table.index).fillna(np.inf)
    kept = distance.nlargest(FARTHEST).index
    return table[table.index.isin(kept)]


def _dense(table: pd.DataFrame, months: Months) -> pd.Series:
    """Which claims belong to a long monthly series of one origin and quantity."""
    single = pd.Series(
        [claims.one_month(c, months) for _, c in table.iterrows()], table.index, bool
    )
    count = single.groupby([table["group"], table["origin"]]).transform("sum")
    return single & (count > DENSE)


def _draw_series(ax: Axes, table: pd.DataFrame, months: Months) -> None:
    """Draw predictive / claim by month, a band and a line for each dense series."""
    colors = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE)
    for i, ((group, origin), part) in enumerate(table.groupby(["group", "origin"])):
        x = np.array([months.position(d) + 0.5 for d in part["period_start"]])
        ratio = {b: (part[f"pp_{b}"] / part["central"]).to_numpy() for b in _BANDS}
        color = colors[i % len(colors)]
        ax.fill_between(x, ratio["low"], ratio["high"], color=color, alpha=0.18, linewidth=0)
        ax.fill_between(x, ratio["lower"], ratio["upper"], color=color, alpha=0.32, linewidth=0)
        label = f"{claims.words(str(origin))}: {group}, {len(part)} months"
        ax.plot(x, ratio["mid"], color=color, linewidth=1.4, label=label)
    ax.axhline(1, color=style.BLACK, linewidth=1.0)
    style.tidy(ax)
    months.write_ticks(ax)
    ax.set_ylabel("predictive / claim", fontsize=style.TEXT_SIZE)
    ax.set_title("Monthly series", fontsize=style.TEXT_SIZE)
    ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="upper right")


def _draw_rows(ax: Axes, table: pd.DataFrame, kind: str) -> None:
    """Draw one row a claim, the first at the top; groups are shaded in turn and named."""
    base = table["central"] if kind == "ratios" else pd.Series(1.0, table.index)
    scale = style.THOUSAND if kind == "differences" else 1.0
    y = np.arange(len(table), dtype=float)[::-1]
    part = {
        c: (table[c] / base / scale).to_numpy(dtype=float)
        for c in (*(f"pp_{b}" for b in _BANDS), "low", "central", "high")
    }
    ax.hlines(y, part["pp_low"], part["pp_high"], color=style.BLUE, linewidth=1.1)
    ax.hlines(y, part["pp_lower"], part["pp_upper"], color=style.BLUE, linewidth=3.2)
    ax.plot(part["pp_mid"], y, "o", color=style.BLUE, markersize=3.5)
    ax.hlines(y, part["low"], part["high"], color=style.GREY, linewidth=6.5, alpha=0.4)
    hedges = table["hedge"].to_numpy()
    for wanted, marker in ((claims.UPWARD, ">"), (claims.DOWNWARD, "<"), (None, "|")):
        bounds = np.isin(hedges, claims.UPWARD + claims.DOWNWARD)
        rows = ~bounds if wanted is None else np.isin(hedges, wanted)
        ax.plot(part["central"][rows], y[rows], marker, color=style.VERMILION, markersize=5)
    ax.set_yticks(y, [_label(str(i), c) for i, c in table.iterrows()])
    style.tidy(ax)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color="#DDDDDD", linewidth=0.6)
    ax.tick_params(axis="y", labelsize=style.SMALL_SIZE - 0.5, length=0)
    ax.set_ylim(-0.8, len(table) - 0.2)
    _by_origin.shade_groups(ax, pd.Series(y, table.index), table["group"])
    _label_axis(ax, kind)


def _label(name: str, claim: pd.Series) -> str:
    return f"{name}  {claims.words(str(claim['origin']))}, to {str(claim['period_end'])[:7]}"


def _label_axis(ax: Axes, kind: str) -> None:
    texts = {
        "ratios": ("Predictive ranges over the claim", "predictive / claim (1 = as claimed)"),
        "differences": (
            "Differences, with the claim in red",
            f"{style.PERSONS} (per month, or over the period, as claimed)",
        ),
        "shares": ("Shares, with the claim in red", "share"),
    }
    ax.set_title(texts[kind][0], fontsize=style.TEXT_SIZE)
    ax.set_xlabel(texts[kind][1], fontsize=style.TEXT_SIZE)
    if kind == "ratios":
        _log_axis(ax)
        ax.axvline(1, color=style.BLACK, linewidth=0.9)
    elif kind == "differences":
        ax.axvline(0, color=style.BLACK, linewidth=0.9)


def _log_axis(ax: Axes) -> None:
    """Make x logarithmic, with ticks that read as ratios."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ticks: tuple[float, ...] = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10)
    if high / low > _WIDE:
        ticks = (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100)
    ax.set_xticks([t for t in ticks if low <= t <= high], minor=False)
    ax.xaxis.set_minor_locator(NullLocator())
    style.thousands(ax, "x")
