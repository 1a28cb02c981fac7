"""Claims against what was expected of them, summed up by origin and quantity: for thousands."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from estimator.show.figures import _claims as claims
from estimator.show.figures import _style as style

ROWS = 60  # an axes' most rows: those with most claims
ROW_HEIGHT = 0.19  # inches
BANDS = ("low", "lower", "mid", "upper", "high")
_APART = 0.17  # of a row, by which its two ranges stand above and below its middle


def sums(table: pd.DataFrame, kind: str, agrees: pd.Series) -> pd.DataFrame:
    """Sum up claims by quantity and origin.

    Parameters
    ----------
    table
        As `predictive_table` gives it.
    kind
        ratios: figures are over the predictive median; differences, shares: less the predictive
        median (differences in thousands).
    agrees
        Whether each claim meets its 90 % predictive range.

    Returns
    -------
    pandas.DataFrame
        One row a quantity and origin: `group`, `origin`, `claims`, `agree` (share of them); for
        each of `BANDS` `expected_` (median over the claims of their predictive quantiles) and
        `claimed_` (quantiles of the figures; bounds are left out).
    """
    middle = table["pp_mid"]
    columns = {f"pp_{band}": f"expected_{band}" for band in BANDS} | {"central": "figure"}
    if kind == "ratios":
        placed = table[list(columns)].div(middle, axis=0)
    else:
        scale = style.THOUSAND if kind == "differences" else 1.0
        placed = table[list(columns)].sub(middle, axis=0) / scale
    placed = placed.rename(columns=columns)
    placed["figure"] = placed["figure"].mask(table["hedge"].isin(claims.UPWARD + claims.DOWNWARD))
    placed = placed.assign(group=table["group"], origin=table["origin"], agree=agrees)
    grouped = placed.groupby(["group", "origin"], sort=True)
    found = grouped[[f"expected_{band}" for band in BANDS]].median()
    quantiles = grouped["figure"].quantile(np.array(style.LEVELS)).unstack()
    found[[f"claimed_{band}" for band in BANDS]] = quantiles.to_numpy()
    found["claims"], found["agree"] = grouped.size(), grouped["agree"].mean()
    kept = found["claims"].sort_values(ascending=False, kind="stable").index[:ROWS]
    return found[found.index.isin(kept)].reset_index()


def draw_sums(ax: Axes, rows: pd.DataFrame, kind: str) -> None:
    """Draw a row a quantity and origin: what was expected above, what was claimed below."""
    y = np.arange(len(rows), dtype=float)[::-1]
    for name, color, side in (
        ("expected", style.BLUE, _APART),
        ("claimed", style.VERMILION, -_APART),
    ):
        low, lower, mid, upper, high = (rows[f"{name}_{band}"] for band in BANDS)
        ax.hlines(y + side, low, high, color=color, linewidth=1.1)
        ax.hlines(y + side, lower, upper, color=color, linewidth=3.2)
        ax.plot(mid, y + side, "o", color=color, markersize=3.5)
    texts = [
        f"{claims.words(str(origin))}: {count:,} claims, {100 * agree:.0f} % agree"
        for origin, count, agree in zip(rows["origin"], rows["claims"], rows["agree"], strict=True)
    ]
    ax.set_yticks(y, texts)
    ax.set_ylim(-0.8, len(rows) - 0.2)
    shade_groups(ax, pd.Series(y, rows.index), rows["group"])
    style.tidy(ax)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color="#DDDDDD", linewidth=0.6)
    ax.tick_params(axis="y", labelsize=style.SMALL_SIZE, length=0)
    handles = [
        Line2D([], [], color=style.BLUE, linewidth=3.2, label="expected"),
        Line2D([], [], color=style.VERMILION, linewidth=3.2, label="claimed"),
    ]
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.0, 0.0), fontsize=style.SMALL_SIZE,
        frameon=False,
    )  # fmt: skip
    title, axis = {
        "ratios": (
            "By origin: claims over what was expected of each",
            "over the predictive median (1 = as expected)",
        ),
        "differences": (
            "By origin: claims less what was expected of each",
            f"less the predictive median, {style.PERSONS}",
        ),
        "shares": (
            "By origin: shares less what was expected of each",
            "less the predictive median (share)",
        ),
    }[kind]
    ax.set_title(title, fontsize=style.TEXT_SIZE)
    ax.set_xlabel(axis, fontsize=style.TEXT_SIZE)
    ax.axvline(1.0 if kind == "ratios" else 0.0, color=style.BLACK, linewidth=0.9, zorder=0)


def shade_groups(ax: Axes, y: pd.Series, groups: pd.Series) -> None:
    """Shade every other group of rows, and name each beside its uppermost row."""
    for i, (group, rows) in enumerate(y.groupby(groups)):
        if i % 2 == 0:
            ax.axhspan(rows.min() - 0.5, rows.max() + 0.5, color="#F4F4F4", zorder=0)
        ax.annotate(
            str(group), (1.005, float(rows.max())), xycoords=("axes fraction", "data"),
            fontsize=style.SMALL_SIZE, va="center", fontweight="bold",
        )  # fmt: skip
