"""Sets in the plane of two assumptions, those with an event told apart, and boxes around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from estimator.show.figures import _look as style
from estimator.show.figures._levels import Levels

_TICKS = 6
_JITTER = 0.16


def plot_boxes(
    levels: Levels,
    chance: np.ndarray,
    level: float,
    boxes: Sequence[Mapping[str, np.ndarray]],
    event: str,
) -> Figure:
    """Plot every set by the two assumptions that the boxes bound first.

    Parameters
    ----------
    levels
        What each assumption was in each set.
    chance
        Probability of the event. (set,).
    level
        From which on a set has the event.
    boxes
        Levels that each allows of the keys that it bounds.
    event
        In words.
    """
    keys = list(dict.fromkeys([*(key for box in boxes for key in box), *levels.names]))[:2]
    places = [levels.names.index(key) for key in keys]
    figure = style.new_figure(5.2, width=7.5)
    ax = figure.subplots()
    rng = np.random.default_rng(0)  # moves points apart that would hide each other
    spots = [levels.codes[:, at] + rng.uniform(-_JITTER, _JITTER, len(chance)) for at in places]
    x, y = spots[0], spots[1] if len(spots) > 1 else chance
    holds = chance >= level
    for which, color, marker, text in (
        (~holds, style.BLUE, "o", f"below {level:g}"),
        (holds, style.VERMILION, "^", f"{level:g} or more"),
    ):
        ax.scatter(x[which], y[which], s=16, color=color, marker=marker, alpha=0.7, label=text,
                   linewidths=0)  # fmt: skip
    for box in boxes:
        if set(box) <= set(keys):
            _outline(ax, box, keys, levels)
    _name(ax, "x", keys[0], levels.texts[places[0]])
    if len(places) > 1:
        _name(ax, "y", keys[1], levels.texts[places[1]])
    else:
        ax.set_ylabel("probability", fontsize=style.TEXT_SIZE)
    ax.legend(title="probability", fontsize=style.SMALL_SIZE, title_fontsize=style.SMALL_SIZE,
              frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))  # fmt: skip
    note = "Each mark is a set of the sweep. Outlined: boxes that these two assumptions bound."
    return style.frame(figure, f"Where {event}", notes=[note])


def _outline(ax: Axes, box: Mapping[str, np.ndarray], keys: list[str], levels: Levels) -> None:
    ends = []
    for key in keys:
        count = len(levels.texts[levels.names.index(key)])
        inside = np.flatnonzero(box.get(key, np.ones(count, bool)))
        if len(inside) != inside[-1] - inside[0] + 1:
            return  # options that do not lie beside each other
        ends.append((inside[0] - 0.4, inside[-1] + 0.4))
    if len(ends) == 1:
        ends.append((0.0, 1.0))
    (left, right), (bottom, top) = ends
    ax.add_patch(
        Rectangle((left, bottom), right - left, top - bottom, fill=False, linewidth=1.4,
                  edgecolor=style.BLACK)
    )  # fmt: skip


def _name(ax: Axes, axis: str, key: str, texts: Sequence[str]) -> None:
    step = max(1, -(-len(texts) // _TICKS))
    ticks = list(range(0, len(texts), step))
    target = ax.xaxis if axis == "x" else ax.yaxis
    shown = [texts[n].replace(" to ", " to\n") if axis == "x" else texts[n] for n in ticks]
    target.set_ticks(ticks, shown, fontsize=style.SMALL_SIZE)
    target.set_label_text(key, fontsize=style.TEXT_SIZE)
