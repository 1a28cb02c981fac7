"""What all plots share: colours, sizes, bands, and the lines of text around the axes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter

# Okabe and Ito's palette, which colour-blind readers can tell apart. Yellow is too pale for lines.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#6E6E6E"
NOTE_RED = "#B00020"

DPI = 110
WIDTH = 11.0  # inches
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 12.0, 9.0, 7.5
THOUSAND = 1000.0
INNER, OUTER = 0.5, 0.9
LEVELS = ((1 - OUTER) / 2, (1 - INNER) / 2, 0.5, (1 + INNER) / 2, (1 + OUTER) / 2)
RANGES_TEXT = "90 % and 50 % ranges"
PER_MONTH = "thousand persons per month"
PERSONS = "thousand persons"


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Make a figure of a size in inches, outside pyplot's global state."""
    return Figure(figsize=(width, height), layout="constrained")


def group(result: xr.DataTree, name: str) -> xr.Dataset:
    """Read a group of a result as a dataset."""
    return result[name].to_dataset()


def quantiles(samples: xr.DataArray) -> xr.DataArray:
    """Quantiles over the draws: 90 % range, 50 % range and median. (quantile, ...)."""
    return samples.quantile(list(LEVELS), dim=["chain", "draw"])


def range_text(samples: xr.DataArray, *, digits: int = 1) -> str:
    """Median and 90 % range of a scalar quantity, e.g. ``33.4 (90 %: 31.0 to 36.2)``."""
    low, _, mid, _, high = (f"{q:,.{digits}f}".replace("-", "−") for q in quantiles(samples).values)
    return f"{mid} (90 %: {low} to {high})"


def draw_band(
    ax: Axes, x: np.ndarray, samples: xr.DataArray, *, color: str, label: str, inner: bool = True
) -> None:
    """Draw the 90 % band, the 50 % band and the median of (chain, draw, time) samples."""
    low, lower, mid, upper, high = quantiles(samples).values
    ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
    if inner:
        ax.fill_between(x, lower, upper, color=color, alpha=0.32, linewidth=0)
    ax.plot(x, mid, color=color, linewidth=1.6, label=label)


def thousands(ax: Axes, axis: str = "y") -> None:
    """Write tick labels with thousands separators and a true minus sign."""
    target = ax.yaxis if axis == "y" else ax.xaxis
    target.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}".replace("-", "−")))


def tidy(ax: Axes) -> None:
    """Take away the frame's upper and right sides, add a faint grid and set the text sizes."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(visible=True, axis="y", color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=TEXT_SIZE - 1)


def legend_outside(
    ax: Axes,
    *,
    title: str | None = None,
    handles: Sequence[Artist] = (),
    labels: Sequence[str] = (),
) -> None:
    """Put the legend right of the axes, where it hides nothing; by default of what they show."""
    own, named = (handles, labels) if handles else ax.get_legend_handles_labels()
    if own:
        legend = ax.legend(
            own,
            named,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            fontsize=SMALL_SIZE,
            frameon=False,
            title=title,
            alignment="left",
        )
        legend.get_title().set_fontsize(SMALL_SIZE)


def failure_text(results: Mapping[str, xr.DataTree]) -> str:
    """Say whose diagnostics failed and how; empty if all passed.

    A result that does not say whether its diagnostics passed counts as failed.
    """
    failed = {n: t for n, t in results.items() if str(t.attrs.get("diagnostics_ok")) != "true"}
    if not failed:
        return ""
    texts = {n: str(t.attrs.get("diagnostics_failures", "not recorded")) for n, t in failed.items()}
    if len(results) == 1:
        return f"diagnostics failed: {next(iter(texts.values()))}"
    return "diagnostics failed: " + "; ".join(f"{name}: {text}" for name, text in texts.items())


def finish(
    fig: Figure,
    results: xr.DataTree | Mapping[str, xr.DataTree],
    title: str,
    *,
    notes: Sequence[str] = (),
    ranges: str = RANGES_TEXT,
) -> Figure:
    """Write title, failure note and footer in margins that the axes cannot reach.

    Parameters
    ----------
    results
        The result drawn, or several by name.
    title
        What is seen.
    notes
        Further lines above the footer.
    ranges
        What the footer says after the label of the assumption set.
    """
    if isinstance(results, xr.DataTree):
        label = str(results.attrs.get("assumption_set", "unnamed set"))
        results = {label: results}
    else:
        label = f"{len(results)} assumption sets" if results else ""
    footer = " · ".join(part for part in (label, ranges) if part)
    return frame(fig, title, failure_text(results), [*notes, footer])


def frame(fig: Figure, title: str, failure: str, notes: Sequence[str]) -> Figure:
    """Write a title, a failure note and footer lines in margins that the axes cannot reach."""
    width, height = fig.get_size_inches()
    top = _write_top(fig, title, failure, width, height)
    lines = [w for n in notes for w in textwrap.wrap(n, int(width * 15))]
    fig.text(
        0.1 / width,
        0.06 / height,
        "\n".join(lines),
        fontsize=SMALL_SIZE,
        color=GREY,
        va="bottom",
    )
    bottom = 0.16 + 0.135 * len(lines)
    rect = (0.003, bottom / height, 0.994, (height - top - bottom) / height)
    fig.set_layout_engine(ConstrainedLayoutEngine(rect=rect, hspace=0.06, wspace=0.04))
    return fig


def _write_top(fig: Figure, title: str, failure: str, width: float, height: float) -> float:
    """Write title and failure note; return the inches they take."""
    top = 0.1
    for text, size, color, per_inch in (
        (title, TITLE_SIZE, BLACK, 8.2),
        (failure, TEXT_SIZE, NOTE_RED, 11.0),
    ):
        if text:
            lines = textwrap.wrap(text, int(width * per_inch))
            fig.text(
                0.1 / width,
                1 - top / height,
                "\n".join(lines),
                fontsize=size,
                color=color,
                va="top",
                fontweight="bold",
            )
            top += len(lines) * size * 1.35 / 72 + 0.05
    return top
