"""A probability as an assumption moves, the level, and where it is crossed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter
from scipy.special import ndtri

from estimator.show.figures import _style as style
from estimator.show.figures._break_even import Drawn, Key

_COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY, style.VERMILION,
           style.GREY, style.BLACK)  # fmt: skip
_DASHES = ("-", "--", ":", "-.")
_WIDE_RANGE = 8.0  # a range whose ends differ by more than this factor gets a log axis
_MARGIN = 0.015  # share of the range beside it, so that points at its ends are whole
_UNREACHED = "#E4E4E4"
_PALE = "#F1F1F1"


def plot_break_even(results: Sequence[Drawn]) -> Figure:
    """Draw a probability along one key (of one set or several scenarios), or over two keys.

    Parameters
    ----------
    results
        With one key each, of the same key: curves with bands, the level, crossings with their
        intervals, real fits. A single one with two keys: filled contours, the level's line with the
        edges of its band, real fits.

    Returns
    -------
    matplotlib.figure.Figure
        One axes, and a colour bar with two keys.
    """
    first = results[0]
    fig = style.new_figure(5.8 if len(first.axes) == 1 else 6.8)
    ax = fig.subplots()
    style.tidy(ax)
    if len(first.axes) == 1:
        _curves(ax, results)
    else:
        _map(fig, ax, first)
    share = f"{first.interval:.0%}".replace("%", " %")
    return style.finish(
        fig,
        _provenance(results),
        _title(results),
        notes=[] if len(results) > 1 else [first.sentence],
        ranges=f"bands and intervals: {share}, of the Monte-Carlo error alone",
    )


def _provenance(results: Sequence[Drawn]) -> xr.DataTree:
    """Say of whom the picture is, as the footer and the failure note read it."""
    failures = list(dict.fromkeys(text for one in results for text in one.failures))
    attrs = {
        "assumption_set": results[0].assumption_set,
        "diagnostics_ok": str(not failures).lower(),
        "diagnostics_failures": "; ".join(failures),
    }
    return xr.DataTree(xr.Dataset(attrs=attrs))


def _title(results: Sequence[Drawn]) -> str:
    first = results[0]
    key = first.axes[0].key
    if len(results) > 1:
        values = [one.value for result in results for one in result.crossings]
        return (
            f"{key}: {min(values):.2f} to {max(values):.2f} reach probability {first.level:g}, "
            "by scenario"
        )
    if len(first.axes) == 2:
        return f"P({first.words}) over {key} and {first.axes[1].key}"
    if not first.crossings:
        return f"P({first.words}) does not cross {first.level:g} as {key} moves"
    found = " and ".join(_plain(one.value, 3) for one in first.crossings)
    return f"P({first.words}) crosses {first.level:g} at {key} {found}"


def _plain(value: float, digits: int) -> str:
    """Write a number to so many digits, without an exponent."""
    return f"{float(f'{value:.{digits}g}'):,.10g}"


# ---- one key ------------------------------------------------------------------------------------


def _curves(ax: Axes, results: Sequence[Drawn]) -> None:
    first = results[0]
    wide = float(ndtri(0.5 + first.interval / 2.0))
    ax.axhline(first.level, color=style.BLACK, linewidth=1.0)
    if len(results) == 1:
        _assumed(ax, first.axes[0])
        _curve(ax, first, wide, style.BLUE, "-", "reweighted draws")
        _crossings(ax, first, style.BLUE, "crossing, with interval")
        _fits(ax, first, wide)
        ax.set_ylabel(f"P({first.words})", fontsize=style.TEXT_SIZE)
    else:
        for number, (label, one) in enumerate(_told_apart(results).items()):
            color = _COLORS[number % len(_COLORS)]
            _curve(ax, one, wide, color, _DASHES[number // len(_COLORS) % len(_DASHES)], label)
            _crossings(ax, one, color, None)
        ax.set_ylabel(f"P({first.words.partition(' under ')[0]})", fontsize=style.TEXT_SIZE)
    axis = first.axes[0]
    _scale(ax, "x", axis)
    low, high = min(one.axes[0].low for one in results), max(one.axes[0].high for one in results)
    if ax.get_xscale() == "linear":
        margin = _MARGIN * (high - low)
        ax.set_xlim(low - margin, high + margin)
    else:
        ax.set_xlim(low * (low / high) ** _MARGIN, high * (high / low) ** _MARGIN)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel(f"{axis.key} ({axis.unit})", fontsize=style.TEXT_SIZE)
    ax.annotate(
        f"level {first.level:g}",
        (1.0, first.level),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 3),
        textcoords="offset points",
        ha="right",
        fontsize=style.SMALL_SIZE,
    )
    style.legend_outside(ax, title=None if len(results) == 1 else "scenario")


def _told_apart(results: Sequence[Drawn]) -> dict[str, Drawn]:
    """One of each curve, by the names of all scenarios that have it."""
    groups: dict[bytes, list[Drawn]] = {}
    for one in results:
        numbers = one.curve[["value", "probability"]].to_numpy(float).round(6)
        groups.setdefault(numbers.tobytes(), []).append(one)
    return {",\n".join(one.event.partition(":")[0] for one in g): g[0] for g in groups.values()}


def _assumed(ax: Axes, axis: Key) -> None:
    """Shade what the set itself assumes."""
    if axis.assumed_high > axis.assumed_low:
        ax.axvspan(axis.assumed_low, axis.assumed_high, color=_PALE, zorder=0, linewidth=0,
                   label="what the set assumes")  # fmt: skip
    elif axis.low <= axis.assumed_low <= axis.high:
        ax.axvline(axis.assumed_low, color=style.GREY, linewidth=1.0, label="what the set assumes")


def _curve(ax: Axes, one: Drawn, wide: float, color: str, dash: str, label: str) -> None:
    """Draw a curve with its band; points that are not used leave a gap."""
    used = one.curve["used"].to_numpy(dtype=bool)
    if not used.any():
        return
    x, p, e = (one.curve[name].to_numpy(float) for name in ("value", "probability", "error"))
    p, e = np.where(used, p, np.nan), np.where(used, e, np.nan)
    low, high = np.clip(p - wide * e, 0, 1), np.clip(p + wide * e, 0, 1)
    ax.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
    ax.plot(x, p, color=color, linewidth=1.6, linestyle=dash, label=label)


def _crossings(ax: Axes, one: Drawn, color: str, label: str | None) -> None:
    for number, crossing in enumerate(one.crossings):
        ends = [crossing.low, crossing.high]
        ax.plot(ends, [one.level] * 2, color=color, linewidth=6, alpha=0.5, zorder=4,
                solid_capstyle="butt")  # fmt: skip
        ax.plot(crossing.value, one.level, "D", color=color, markersize=6, zorder=6,
                linestyle="none", label=None if number else label)  # fmt: skip
        ax.axvline(crossing.value, color=color, linewidth=0.8, linestyle=":")


def _fits(ax: Axes, one: Drawn, wide: float) -> None:
    """Draw real fits along one key; those that failed are crosses."""
    failed, checks = one.refits["failures"] != "", one.refits["kind"] == "check"
    for rows, marker, face, label in (
        (~failed & ~checks, "o", style.VERMILION, "real fits"),
        (~failed & checks, "s", "none", "real fits, to check"),
        (failed, "x", style.NOTE_RED, "failed fits, not used"),
    ):
        part = one.refits[rows].dropna(subset=["probability"])
        if len(part):
            ax.errorbar(
                part["value"],
                part["probability"],
                yerr=wide * part["error"],
                fmt=marker,
                color=style.NOTE_RED if marker == "x" else style.VERMILION,
                markerfacecolor=face,
                markersize=5,
                linewidth=1.0,
                capsize=2,
                label=label,
                zorder=5,
            )


# ---- two keys -----------------------------------------------------------------------------------


def _map(fig: Figure, ax: Axes, one: Drawn) -> None:
    """Draw the probability over two keys."""
    curve = one.curve
    x, y = np.unique(curve["value"]), np.unique(curve["value_2"])
    used = curve["used"].to_numpy(dtype=bool)
    wanted = np.where(used, curve["probability"].to_numpy(float), np.nan)
    grid = np.ma.masked_invalid(wanted.reshape(len(x), len(y)).T)
    steps = np.linspace(0.0, 1.0, 21)
    ax.set_facecolor(_UNREACHED)
    filled = ax.contourf(
        x, y, grid, levels=steps, cmap="RdBu_r", norm=TwoSlopeNorm(one.level, 0.0, 1.0)
    )
    bar = fig.colorbar(filled, ax=ax, pad=0.01, ticks=steps[::4])
    bar.ax.tick_params(labelsize=style.TEXT_SIZE - 1)
    bar.set_label(f"P({one.words})", fontsize=style.TEXT_SIZE)
    handles = [*_lines(ax, one), *_points(ax, one.refits), *_box(ax, one.axes)]
    if not used.all():
        handles.append(Patch(color=_UNREACHED, label="not reached by the draws"))
    for which, axis in zip("xy", one.axes, strict=True):
        _scale(ax, which, axis)
        getattr(ax, f"set_{which}lim")(axis.low, axis.high)
        getattr(ax, f"set_{which}label")(f"{axis.key} ({axis.unit})", fontsize=style.TEXT_SIZE)
    ax.grid(visible=False)
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(handles) or 1,
              fontsize=style.SMALL_SIZE, frameon=False)  # fmt: skip


def _box(ax: Axes, axes: Sequence[Key]) -> list[object]:
    """Draw what the set itself assumes of both keys, where it holds neither fixed."""
    first, second = axes
    width, height = (axis.assumed_high - axis.assumed_low for axis in axes)
    if not (width > 0 and height > 0):
        return []
    corner = (first.assumed_low, second.assumed_low)
    box = Rectangle(corner, width, height, fill=False, linestyle=":", linewidth=1.4,
                    edgecolor=style.BLACK, label="what the set assumes", zorder=4)  # fmt: skip
    ax.add_patch(box)
    return [box]


def _lines(ax: Axes, one: Drawn) -> list[object]:
    """Draw the level's lines and the edges of their band; return one of each."""
    drawn: dict[str, object] = {}
    for (edge, _), line in one.contour.groupby(["edge", "line"]):
        main = edge == "level"
        label = f"level {one.level:g}" if main else "edges of its band"
        (drawn[label],) = ax.plot(
            line["value"],
            line["value_2"],
            color=style.BLACK,
            linewidth=2.0 if main else 0.9,
            linestyle="-" if main else "--",
            label=label,
        )
    return [drawn[label] for label in sorted(drawn, reverse=True)]


def _points(ax: Axes, refits: pd.DataFrame) -> list[object]:
    """Draw real fits over two keys with their probabilities; return one that is used, one not."""
    drawn: dict[str, object] = {}
    for _, fit in refits.iterrows():
        failed = str(fit["failures"]) != ""
        label = "failed fits, not used" if failed else "real fits ± standard error"
        (drawn[label],) = ax.plot(
            fit["value"],
            fit["value_2"],
            "X" if failed else "o",
            color=style.NOTE_RED if failed else style.ORANGE,
            markeredgecolor=style.BLACK,
            markersize=7,
            linestyle="none",
            zorder=5,
            label=label,
        )
        if not failed:
            ax.annotate(
                f"{fit['probability']:.2f} ± {fit['error']:.2f}",
                (fit["value"], fit["value_2"]),
                xytext=(8, -10),
                textcoords="offset points",
                fontsize=style.SMALL_SIZE,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
            )
    return list(drawn.values())


def _scale(ax: Axes, which: str, axis: Key) -> None:
    """Use a log scale for a range of more than a factor, and write plain numbers."""
    if axis.unit == "share" or axis.high / axis.low <= _WIDE_RANGE:
        style.thousands(ax, which)
        return
    getattr(ax, f"set_{which}scale")("log")
    target = getattr(ax, f"{which}axis")
    target.set_major_formatter(FuncFormatter(lambda v, _: _plain(v, 4)))
    target.set_minor_formatter(
        FuncFormatter(lambda v, _: _plain(v, 4) if f"{v:e}"[0] in "25" else "")
    )
    ax.tick_params(which="minor", labelsize=style.TEXT_SIZE - 1)
