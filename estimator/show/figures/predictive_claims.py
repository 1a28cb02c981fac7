"""What the model would have expected to be claimed, against what was claimed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from estimator.quantity import SHARES, SIGNED
from estimator.show.figures import _axes as axes
from estimator.show.figures import _claims as claims
from estimator.show.figures import _look as style
from estimator.show.figures._months import Months

DENSE = 12  # a source with more claims on single months than this is drawn as a line
ROWS_MAXIMUM = 120  # more single claims than this: summed up by origin, and those farthest out
FARTHEST = 40  # how many of these are shown
ORIGIN_ROWS = 60  # rows by origin at most: those with most claims
BANDS = ("low", "lower", "mid", "upper", "high")
_EXPECTED = [f"pp_{band}" for band in BANDS]
_ROW_HEIGHT, _ORIGIN_HEIGHT = 0.155, 0.19  # inches
_APART = 0.17  # of a row by origin, by which its two ranges stand above and below its middle
_CLOSE, _WIDE = 2.0, 100.0  # a log axis over less has more ticks, over more fewer
# Of each kind of claims: titles one by one and by origin, labels of the axes one by one and by
# origin. Only differences and shares have a unit.
_TEXTS = {
    "ratios": (
        "Predictive ranges over the claim",
        "By origin: claims over what was expected of each",
        "predictive / claim (1 = as claimed)",
        "over the predictive median (1 = as expected)",
    ),
    "differences": (
        "Differences, with the claim in red",
        "By origin: claims less what was expected of each",
        "thousand persons (per month, or over the period, as claimed)",
        "less the predictive median, thousand persons",
    ),
    "shares": (
        "Shares, with the claim in red",
        "By origin: shares less what was expected of each",
        "share, %",
        "less the predictive median, percentage points",
    ),
}
_UNITS = {"differences": axes.PERSONS, "shares": "share"}


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
    rows = table[~dense]
    sums: dict[str, pd.DataFrame] = {}
    if len(rows) > ROWS_MAXIMUM:
        sums = {kind: sums_by_origin(part, kind, agrees) for kind, part in _by_kind(rows).items()}
        rows = _farthest_out(rows)
    parts = _by_kind(rows)
    heights = {"series": 2.4} if dense.any() else {}
    heights |= {f"{k} by origin": _ORIGIN_HEIGHT * (len(p) + 1) + 0.75 for k, p in sums.items()}
    heights |= {kind: _ROW_HEIGHT * (len(part) + 1) + 0.75 for kind, part in parts.items()}
    figure = style.new_figure(sum(heights.values(), 1.0))
    if not heights:
        figure.subplots().set_axis_off()
        return style.frame_result(figure, result, "No claim entered the likelihood")
    panels = figure.subplot_mosaic([[name] for name in heights], height_ratios=[*heights.values()])
    if dense.any():
        _draw_series(panels["series"], table[dense], months)
    for kind, summed in sums.items():
        _draw_sums(panels[f"{kind} by origin"], summed, kind)
    for kind, part in parts.items():
        _draw_rows(panels[kind], part, kind)
    return style.frame_result(
        figure,
        result,
        f"{int(agrees.sum())} of {len(table)} claims agree with their 90 % predictive range",
        notes=[
            *_notes_of_many(int((~dense).sum()) - len(rows), sums),
            "Grey boxes: low to high of the claim. Triangles: the claim is a bound, with which a "
            "range agrees that reaches the side they point to. Confirmed sums: what "
            "is left of them after their confirmed months.",
        ],
    )


def _notes_of_many(left_out: int, sums: dict[str, pd.DataFrame]) -> list[str]:
    if not left_out:
        return []
    unseen = left_out + FARTHEST - sum(int(part["claims"].sum()) for part in sums.values())
    few = f", but for {unseen:,} of origins with few" if unseen else ""
    return [
        f"One by one: the {FARTHEST} claims that lie farthest from what was expected. By origin: "
        f"all {left_out + FARTHEST:,}{few}. Expected: the typical predictive range of a claim; "
        "claimed: the range in which the figures lie (without bounds). Where the latter is the "
        "shorter, figures scatter less than is assumed of their origin."
    ]


# ---- tables ---------------------------------------------------------------------------------


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
        expected = axes.quantiles(draws.sel({dim: list(table.index)})).transpose(dim, "quantile")
        table[_EXPECTED] = expected.values
        kind = ("confirmed " if prefix else "") + table["quantity"].map(claims.words)
        parts.append(table.assign(group=kind))
    if not parts:
        columns = [*claims.COLUMNS, *claims.DATES, "central", "group", *_EXPECTED]
        return pd.DataFrame(columns=columns)
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


def sums_by_origin(table: pd.DataFrame, kind: str, agrees: pd.Series) -> pd.DataFrame:
    """Sum up claims by quantity and origin.

    Parameters
    ----------
    table
        As `predictive_table` gives it.
    kind
        ratios: figures are over the predictive median; differences, shares: less the predictive
        median.
    agrees
        Whether each claim meets its 90 % predictive range.

    Returns
    -------
    pandas.DataFrame
        One row a quantity and origin: `group`, `origin`, `claims`, `agree` (share of them); for
        each of `BANDS` `expected_` (median over the claims of their predictive quantiles) and
        `claimed_` (quantiles of the figures; bounds are left out).
    """
    placed = table[[*_EXPECTED, "central"]]
    middle = table["pp_mid"]
    placed = placed.div(middle, axis=0) if kind == "ratios" else placed.sub(middle, axis=0)
    placed["central"] = placed["central"].mask(table["hedge"].isin(claims.BOUNDS))
    placed = placed.assign(group=table["group"], origin=table["origin"], agree=agrees)
    grouped = placed.groupby(["group", "origin"], sort=True)
    sums = grouped[_EXPECTED].median().set_axis([f"expected_{band}" for band in BANDS], axis=1)
    claimed = grouped["central"].quantile(np.array(axes.LEVELS)).unstack()
    sums[[f"claimed_{band}" for band in BANDS]] = claimed.to_numpy()
    sums["claims"], sums["agree"] = grouped.size(), grouped["agree"].mean()
    kept = sums["claims"].sort_values(ascending=False, kind="stable").index[:ORIGIN_ROWS]
    return sums[sums.index.isin(kept)].reset_index()


def _by_kind(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Claims whose axes differ; kinds of which there is none are left out."""
    parts = {
        "ratios": table[~table["quantity"].isin(SIGNED + SHARES)],
        "differences": table[table["quantity"].isin(SIGNED)],
        "shares": table[table["quantity"].isin(SHARES)],
    }
    return {kind: part for kind, part in parts.items() if len(part)}


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


# ---- axes -----------------------------------------------------------------------------------


def _draw_series(ax: Axes, table: pd.DataFrame, months: Months) -> None:
    """Draw predictive / claim by month, a band and a line for each dense series."""
    for i, ((quantity, origin), part) in enumerate(table.groupby(["group", "origin"])):
        x = np.array([months.position(d) + 0.5 for d in part["period_start"]])
        ratios = part[_EXPECTED].div(part["central"], axis=0).to_numpy().T
        label = f"{claims.words(str(origin))}: {quantity}, {len(part)} months"
        axes.draw_band(ax, x, ratios, color=style.color_of(i), label=label)
    ax.axhline(1, color=style.BLACK, linewidth=1.0)
    axes.tidy(ax)
    months.write_ticks(ax)
    ax.set_ylabel("predictive / claim", fontsize=style.TEXT_SIZE)
    ax.set_title("Monthly series", fontsize=style.TEXT_SIZE)
    ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="upper right")


def _draw_sums(ax: Axes, rows: pd.DataFrame, kind: str) -> None:
    """Draw a row a quantity and origin: what was expected above, what was claimed below."""
    y = np.arange(len(rows), dtype=float)[::-1]
    handles = []
    for name, color, side in (
        ("expected", style.BLUE, _APART),
        ("claimed", style.VERMILION, -_APART),
    ):
        ranges = rows[[f"{name}_{band}" for band in BANDS]].to_numpy()
        axes.draw_ranges(ax, y + side, ranges, color=color, size=3.5)
        handles.append(Line2D([], [], color=color, linewidth=3.2, label=name))
    texts = [
        f"{claims.words(str(origin))}: {count:,} claims, {100 * agree:.0f} % agree"
        for origin, count, agree in zip(rows["origin"], rows["claims"], rows["agree"], strict=True)
    ]
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.0, 0.0), fontsize=style.SMALL_SIZE,
        frameon=False,
    )  # fmt: skip
    _finish(ax, y, texts, rows["group"], kind, by_origin=True)


def _draw_rows(ax: Axes, table: pd.DataFrame, kind: str) -> None:
    """Draw one row a claim, the first at the top; groups are shaded in turn and named."""
    columns = [*_EXPECTED, "low", "central", "high"]
    base = table["central"] if kind == "ratios" else pd.Series(1.0, table.index)
    placed = table[columns].astype(float).div(base.astype(float), axis=0)
    y = np.arange(len(table), dtype=float)[::-1]
    axes.draw_ranges(ax, y, placed[_EXPECTED].to_numpy(), size=3.5)
    ax.hlines(y, placed["low"], placed["high"], color=style.GREY, linewidth=6.5, alpha=0.4)
    bound = table["hedge"].isin(claims.BOUNDS)
    for rows, marker in (
        (table["hedge"].isin(claims.UPWARD), ">"),
        (table["hedge"].isin(claims.DOWNWARD), "<"),
        (~bound, "|"),
    ):
        ax.plot(
            placed["central"][rows], y[rows], marker, color=style.VERMILION, markersize=5,
            markeredgewidth=1.6 if marker == "|" else 0.0,
        )  # fmt: skip
    texts = [
        f"{name}  {claims.words(str(claim['origin']))}, to {str(claim['period_end'])[:7]}"
        for name, claim in table.iterrows()
    ]
    _finish(ax, y, texts, table["group"], kind, by_origin=False)


def _finish(
    ax: Axes, y: np.ndarray, names: list[str], groups: pd.Series, kind: str, *, by_origin: bool
) -> None:
    """Name the rows and their groups, and write the axis of a kind of claims."""
    ax.set_yticks(y, names)
    axes.tidy(ax, "x")
    ax.tick_params(axis="y", labelsize=style.SMALL_SIZE - (not by_origin) * 0.5, length=0)
    ax.set_ylim(-0.8, len(y) - 0.2)
    axes.shade_groups(ax, pd.Series(y, groups.index), groups)
    title, label = _TEXTS[kind][by_origin], _TEXTS[kind][2 + by_origin]
    ax.set_title(title, fontsize=style.TEXT_SIZE)
    if kind in _UNITS:
        axes.show_unit(ax, "x", _UNITS[kind], label=label, ticks=8)
    else:
        ax.set_xlabel(label, fontsize=style.TEXT_SIZE)
        _log_axis(ax)
    if kind != "shares" or by_origin:
        as_expected = 1.0 if kind == "ratios" else 0.0
        ax.axvline(as_expected, color=style.BLACK, linewidth=0.9, zorder=0)


def _log_axis(ax: Axes) -> None:
    """Make x logarithmic, with ticks that read as ratios."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ticks: tuple[float, ...] = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10)
    if high / low < _CLOSE:
        ticks = (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 2)
    elif high / low > _WIDE:
        ticks = (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100)
    ax.set_xticks([t for t in ticks if low <= t <= high], minor=False)
    ax.xaxis.set_minor_locator(NullLocator())
    axes.plain_ticks(ax, "x")
