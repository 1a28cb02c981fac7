"""A probability as an assumption moves, the level, and where it is crossed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter
from scipy.special import ndtri

from estimator.show.break_even import Axis, BreakEven
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.number import fixed, hundredths, significant, with_error

_WIDE_RANGE = 8.0  # a range whose ends differ by more than this factor gets a log axis
_MARGIN = 0.015  # share of the range beside it, so that points at its ends are whole
_UNREACHED = "#E4E4E4"
_ASSUMED = "what the set assumes"
_NAME = 110  # characters of a key's description
_LINE = {"x": 38, "y": 22}  # characters of a line beside an axis inside a page


def plot_break_even(results: Sequence[BreakEven], *, look: style.Look = style.PAPER) -> Figure:
    """Draw a probability along one key (of one set or several scenarios), or over two keys.

    Parameters
    ----------
    results
        With one key each, of the same key: curves with bands, the level, crossings with their
        intervals, real fits. A single one with two keys: filled contours (on paper), the level's
        line with the edges of its band, real fits.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure
        One axes, and on paper a colour bar with two keys.
    """
    first = results[0]
    if len(first.axes) == 1:
        figure = style.new_figure(5.8 if look.framed else 2.5, look)
        ax = figure.subplots()
        _curves(ax, results, look)
    else:
        figure = style.new_figure(6.8 if look.framed else 3.1, look)
        ax = figure.subplots()
        _map(figure, ax, first, look)
    failures = dict.fromkeys(text for result in results for text in result.failures)
    mass = hundredths(first.interval)
    return style.frame(
        figure,
        _title(results),
        failure="; ".join(failures),
        notes=[
            *([first.sentence] if len(results) == 1 else []),
            f"{first.assumption_set} · bands and intervals: {mass} %, of the Monte-Carlo error "
            "alone",
        ],
        look=look,
    )


def _title(results: Sequence[BreakEven]) -> str:
    first = results[0]
    key = first.axes[0].key
    if len(results) > 1:
        values = [crossing.value for result in results for crossing in result.crossings]
        if not values:
            return f"{key}: no scenario reaches probability {first.level:g}"
        return (
            f"{key}: {min(values):.2f} to {max(values):.2f} reach probability {first.level:g}, "
            "by scenario"
        )
    if len(first.axes) == 2:
        return f"P({first.words}) over {key} and {first.axes[1].key}"
    if not first.crossings:
        return f"P({first.words}) does not cross {first.level:g} as {key} moves"
    texts = [significant(crossing.value, 3) for crossing in first.crossings]
    return f"P({first.words}) crosses {first.level:g} at {key} {' and '.join(texts)}"


def _axis_label(axis: Axis, which: axes.Axis, look: style.Look) -> str:
    """Name a key as the configuration has it; a page uses words and the unit of readers."""
    if look.framed:
        return f"{axis.key} ({axis.unit})"
    name = axes.shorten(axis.description, _NAME)
    return axes.wrapped(f"{name} ({axes.in_unit(axis.unit)[1]})", _LINE[which])


def _level_text(result: BreakEven, look: style.Look) -> str:
    level = f"{result.level:g}" if look.framed else f"{hundredths(result.level)} %"
    return f"level {level}"


# ---- one key ------------------------------------------------------------------------------------


def _curves(ax: Axes, results: Sequence[BreakEven], look: style.Look) -> None:
    first = results[0]
    axis = first.axes[0]
    wide = float(ndtri(0.5 + first.interval / 2.0))
    ax.axhline(first.level, color=style.BLACK, linewidth=1.0)
    if len(results) == 1:
        _draw_assumed(ax, axis)
        _draw_curve(ax, first, wide, 0, "reweighted draws")
        _draw_crossings(ax, first, style.VERMILION, "crossing, with interval")
        _draw_fits(ax, first, wide)
    else:
        for number, (label, result) in enumerate(_different_curves(results).items()):
            _draw_curve(ax, result, wide, number, label)
            _draw_crossings(ax, result, style.color_of(number), None)
    _scale(ax, "x", axis, look)
    low = min(result.axes[0].low for result in results)
    high = max(result.axes[0].high for result in results)
    if ax.get_xscale() == "linear":
        margin = _MARGIN * (high - low)
        ax.set_xlim(low - margin, high + margin)
    else:
        ax.set_xlim(low * (low / high) ** _MARGIN, high * (high / low) ** _MARGIN)
    axes.tidy(ax)
    event = first.words if len(results) == 1 else first.words.partition(" under ")[0]
    label = f"P({event})" if look.framed else "chance, %"
    axes.show_unit(ax, "y", "" if look.framed else "probability", label=label)
    ax.set_ylim(-0.02, 1.02)
    ax.annotate(
        _level_text(first, look), (1.0, first.level),
        xycoords=("axes fraction", "data"), xytext=(-3, 3), textcoords="offset points", ha="right",
        fontsize=style.SMALL_SIZE,
    )  # fmt: skip
    axes.legend(ax, look, title=None if len(results) == 1 else "scenario")


def _different_curves(results: Sequence[BreakEven]) -> dict[str, BreakEven]:
    """One of each curve, by the names of all scenarios that have it."""
    groups: dict[bytes, list[BreakEven]] = {}
    for result in results:
        numbers = result.curve[["value", "probability"]].to_numpy(float).round(6)
        groups.setdefault(numbers.tobytes(), []).append(result)
    return {
        ",\n".join(result.event.partition(":")[0] for result in equal): equal[0]
        for equal in groups.values()
    }


def _draw_assumed(ax: Axes, axis: Axis) -> None:
    """Shade what the set itself assumes."""
    if axis.assumed_high > axis.assumed_low:
        ax.axvspan(axis.assumed_low, axis.assumed_high, color=style.GREY, alpha=0.12, zorder=0,
                   linewidth=0, label=_ASSUMED)  # fmt: skip
    elif axis.low <= axis.assumed_low <= axis.high:
        ax.axvline(axis.assumed_low, color=style.GREY, linewidth=1.0, label=_ASSUMED)


def _draw_curve(ax: Axes, result: BreakEven, wide: float, number: int, label: str) -> None:
    """Draw a curve with its band; points that are not used leave a gap."""
    used = result.curve["used"].to_numpy(dtype=bool)
    if not used.any():
        return
    x, p, e = (result.curve[name].to_numpy(float) for name in ("value", "probability", "error"))
    p, e = np.where(used, p, np.nan), np.where(used, e, np.nan)
    low, high = np.clip(p - wide * e, 0, 1), np.clip(p + wide * e, 0, 1)
    color = style.color_of(number)
    ax.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
    ax.plot(x, p, color=color, linewidth=1.6, linestyle=style.dash_of(number), label=label)


def _draw_crossings(ax: Axes, result: BreakEven, color: str, label: str | None) -> None:
    for number, crossing in enumerate(result.crossings):
        ends = [crossing.low, crossing.high]
        ax.plot(ends, [result.level] * 2, color=color, linewidth=6, alpha=0.5, zorder=4,
                solid_capstyle="butt")  # fmt: skip
        ax.plot(crossing.value, result.level, "D", color=color, markersize=6, zorder=6,
                linestyle="none", label=None if number else label)  # fmt: skip
        ax.axvline(crossing.value, color=color, linewidth=0.8, linestyle=":")


def _draw_fits(ax: Axes, result: BreakEven, wide: float) -> None:
    """Draw real fits along one key; those that failed are crosses."""
    failed, checks = result.refits["failures"] != "", result.refits["kind"] == "check"
    for rows, marker, color, face, label in (
        (~failed & ~checks, "o", style.GREEN, style.GREEN, "real fits"),
        (~failed & checks, "s", style.GREEN, "none", "real fits, to check"),
        (failed, "x", style.VERMILION, "none", "failed fits, not used"),
    ):
        part = result.refits[rows].dropna(subset=["probability"])
        if len(part):
            ax.errorbar(
                part["value"], part["probability"], yerr=wide * part["error"], fmt=marker,
                color=color, markerfacecolor=face, markersize=5, linewidth=1.0, capsize=2,
                label=label, zorder=5,
            )  # fmt: skip


# ---- two keys -----------------------------------------------------------------------------------


def _map(figure: Figure, ax: Axes, result: BreakEven, look: style.Look) -> None:
    """Draw the probability over two keys."""
    handles: list[Artist] = [*_draw_lines(ax, result, look), *_draw_points(ax, result.refits, look)]
    handles += _draw_box(ax, result.axes)
    if look.framed:  # a filled map would be a bright spot on a dark page
        handles += _fill(figure, ax, result)
    axes.tidy(ax)
    ax.grid(visible=False)
    directions: tuple[axes.Axis, axes.Axis] = ("x", "y")
    for which, axis in zip(directions, result.axes, strict=True):
        _scale(ax, which, axis, look)
        getattr(ax, f"set_{which}lim")(axis.low, axis.high)
    if look.framed:
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3,
                  fontsize=style.SMALL_SIZE, frameon=False)  # fmt: skip
    else:
        axes.legend(ax, look, handles=handles)


def _fill(figure: Figure, ax: Axes, result: BreakEven) -> list[Artist]:
    """Fill the map by probability; return the legend of places without draws, if any."""
    curve = result.curve
    x, y = np.unique(curve["value"]), np.unique(curve["value_2"])
    used = curve["used"].to_numpy(dtype=bool)
    values = np.where(used, curve["probability"].to_numpy(float), np.nan)
    grid = np.ma.masked_invalid(values.reshape(len(x), len(y)).T)
    steps = np.linspace(0.0, 1.0, 21)
    ax.set_facecolor(_UNREACHED)
    filled = ax.contourf(
        x, y, grid, levels=steps, cmap="RdBu_r", norm=TwoSlopeNorm(result.level, 0.0, 1.0)
    )
    bar = figure.colorbar(filled, ax=ax, pad=0.01)
    bar.ax.tick_params(labelsize=style.TEXT_SIZE - 1)
    axes.show_unit(bar.ax, "y", "", label=f"P({result.words})")
    return [] if used.all() else [Patch(color=_UNREACHED, label="not reached by the draws")]


def _chance_text(value: float, error: float, look: style.Look) -> str:
    if look.framed:
        return with_error(value, error)
    return f"{with_error(100 * value, 100 * error, fixed)} %"


def _draw_box(ax: Axes, keys: Sequence[Axis]) -> list[Artist]:
    """Draw what the set itself assumes of both keys, where it holds neither fixed."""
    first, second = keys
    width, height = (key.assumed_high - key.assumed_low for key in keys)
    if not (width > 0 and height > 0):
        return []
    corner = (first.assumed_low, second.assumed_low)
    box = Rectangle(corner, width, height, fill=False, linestyle=":", linewidth=1.4,
                    edgecolor=style.BLACK, label=_ASSUMED, zorder=4)  # fmt: skip
    ax.add_patch(box)
    return [box]


def _draw_lines(ax: Axes, result: BreakEven, look: style.Look) -> list[Artist]:
    """Draw the level's lines and the edges of their band; return one of each."""
    drawn: dict[str, Artist] = {}
    for (edge, _), line in result.contour.groupby(["edge", "line"]):
        main = edge == "level"
        label = _level_text(result, look) if main else "edges of its band"
        (drawn[label],) = ax.plot(
            line["value"], line["value_2"], color=style.BLACK, linewidth=2.0 if main else 0.9,
            linestyle="-" if main else "--", label=label,
        )  # fmt: skip
    return [drawn[label] for label in sorted(drawn, reverse=True)]


def _draw_points(ax: Axes, refits: pd.DataFrame, look: style.Look) -> list[Artist]:
    """Draw real fits over two keys with their probabilities; return one that is used, one not."""
    drawn: dict[str, Artist] = {}
    for _, fit in refits.iterrows():
        failed = str(fit["failures"]) != ""
        label = "failed fits, not used" if failed else "real fits ± standard error"
        (drawn[label],) = ax.plot(
            fit["value"], fit["value_2"], "X" if failed else "o",
            color=style.VERMILION if failed else style.GREEN, markeredgecolor=style.BLACK,
            markersize=7, linestyle="none", zorder=5, label=label,
        )  # fmt: skip
        if not failed:
            box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}
            ax.annotate(
                _chance_text(fit["probability"], fit["error"], look),
                (fit["value"], fit["value_2"]), xytext=(8, -10), textcoords="offset points",
                fontsize=style.SMALL_SIZE, bbox=box if look.framed else None,
            )  # fmt: skip
    return list(drawn.values())


def _scale(ax: Axes, which: axes.Axis, axis: Axis, look: style.Look) -> None:
    """Name an axis; a range of more than a factor gets a log scale with plain numbers."""
    label, unit = _axis_label(axis, which, look), "" if look.framed else axis.unit
    if axis.unit == "share" or axis.low <= 0 or axis.high / axis.low <= _WIDE_RANGE:
        axes.show_unit(ax, which, unit, label=label)
        return
    getattr(ax, f"set_{which}scale")("log")
    size, _ = axes.in_unit(unit)
    target = ax.xaxis if which == "x" else ax.yaxis
    target.set_major_formatter(FuncFormatter(lambda v, _: significant(v / size, 4)))
    target.set_minor_formatter(
        FuncFormatter(lambda v, _: significant(v / size, 4) if f"{v:e}"[0] in "25" else "")
    )
    target.set_label_text(label, fontsize=style.TEXT_SIZE)
    ax.tick_params(which="minor", labelsize=style.TEXT_SIZE - 1)
