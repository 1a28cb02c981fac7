"""What all charts of a report share: colours, sizes, ranges, axes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from estimator.show import number
from estimator.studies.report._svg import INK, clean

# Of Okabe and Ito's palette those with a contrast of 3 or more on the page's white and its black.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
COLORS = (BLUE, VERMILION, GREEN)

WIDTH = 4.6  # inches; 331 units, so that letters of 10 units can be read on a phone of 360 pixels
ROW = 0.27
_LABEL = 22  # characters of a set's name beside an axis
_THOUSAND = 1000.0


def new_figure(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Make a figure of a size in inches, outside pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=0.02, h_pad=0.03)  # type: ignore[call-arg]  # of the constrained layout
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes


def faint_grid(ax: Axes, axis: str) -> None:
    """Draw a grid that stands back on light and dark."""
    ax.grid(visible=True, axis="x" if axis == "x" else "y", color=INK, alpha=0.16, linewidth=0.6)


def size_of(unit: str) -> tuple[float, str]:
    """Divisor of the numbers on an axis, and the axis's label."""
    match unit:
        case "share" | "probability":
            return 0.01, "%"
        case "persons":
            return _THOUSAND, "thousand persons"
        case "persons/month":
            return _THOUSAND, "thousand persons a month"
    return 1.0, unit


def scale(ax: Axes, unit: str, axis: str = "x", *, ticks: int = 5) -> None:
    """Write ticks in the size of their unit, and the unit beside the axis."""
    size, label = size_of(unit)
    target = ax.xaxis if axis == "x" else ax.yaxis
    target.set_major_locator(MaxNLocator(ticks))
    target.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / size:,.6g}".replace("-", "−"))
    )
    target.set_label_text(label)


def draw_range(
    ax: Axes,
    y: float,
    values: Sequence[float],
    *,
    color: str,
    marker: str = "o",
    hollow: bool = False,
) -> None:
    """Draw 90 % and 50 % ranges and the median: values are q05, q25, q50, q75, q95."""
    low, lower, middle, upper, high = values
    dashes = (0, (3, 2)) if hollow else "solid"
    ax.plot([low, high], [y, y], color=color, linewidth=1.3, linestyle=dashes)
    if np.isfinite([lower, upper]).all():
        ax.plot([lower, upper], [y, y], color=color, linewidth=4.2, solid_capstyle="butt")
    face = "none" if hollow else INK
    ax.plot([middle], [y], marker=marker, color=face, markeredgecolor=INK, markersize=5.5)


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Write names beside the rows 0, 1, … from top to bottom."""
    ax.set_yticks(range(len(names)), [short(name) for name in names])
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def short(name: str, most: int = _LABEL) -> str:
    """Cut a name that is too long for an axis."""
    text = clean(name)
    if len(text) <= most:
        return text
    tail = (most - 1) // 2  # what tells long names of a sweep apart is at their end
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"


def wrapped(text: str, width: int = 52) -> str:
    """Break a line that is too long for a chart."""
    return "\n".join(textwrap.wrap(clean(text), width))


def range_text(values: Sequence[float], unit: str, *, sign: bool = False) -> str:
    """Write q05, …, q50, …, q95 as median and range."""
    middle = number.rounded(values[2], unit, sign=sign)
    return f"{middle} ({number.span(values[0], values[-1], unit, sign=sign)})"
