"""The months of a result as positions on an axis, and the confirmed figures as marks on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from estimator.evidence.periods import DAYS_PER_MONTH, Window
from estimator.show.figures._look import BLACK, TEXT_SIZE, group
from estimator.show.number import cut_months

FLOOR_ONE = "confirmed floor, one month"
FLOOR_MANY = "confirmed floor, several months (mean)"
_NARROW = 5.0  # inches of an axis, below which months are too many to be named
_TWO_YEARS = 24


@dataclass(frozen=True)
class Months:
    """Months of a window at 0, 1, 2, …; month i reaches from i - 0.5 to i + 0.5.

    Attributes
    ----------
    window
        First and last day.
    """

    window: Window

    @classmethod
    def of(cls, result: xr.DataTree) -> Months:
        """Read the months of a result."""
        return cls(Window.from_days(group(result, "constant_data")["month_days"]))

    @property
    def labels(self) -> list[str]:
        """Months as ``2026-01``."""
        return self.window.months

    @property
    def x(self) -> np.ndarray:
        """Positions of the months' middles. (month,)."""
        return np.arange(len(self.labels), dtype=float)

    @property
    def last(self) -> str:
        """The last whole month's label: what titles speak of."""
        return self.window.last_whole_month

    @property
    def notes(self) -> list[str]:
        """What a reader must know about the first and the last month: they may be parts of one."""
        text = cut_months(self.window.cut_months)
        return [text] if text else []

    def position(self, date: str, *, end_of_day: bool = False) -> float:
        """Position of a day's beginning or end; days beyond the window go on at the same pace."""
        day = float((pd.Timestamp(date) - self.window.start).days) + float(end_of_day)
        edges = self.window.edges
        beyond = (day - edges[-1]) / DAYS_PER_MONTH if day > edges[-1] else 0.0
        inside = float(np.interp(day, edges, np.arange(len(edges)))) - 0.5
        return inside + beyond

    def weights(self, first: str, last: str) -> np.ndarray:
        """Share of each month that a period covers; days beyond the end go to the last month."""
        days = self.window.overlap_days(pd.Timestamp(first), pd.Timestamp(last))
        return np.asarray(days / self.window.days)

    def write_ticks(self, ax: Axes, further: Sequence[str] = (), reach: float = 0.0) -> None:
        """Label months on a wide axis, each January with its year on a narrow one; set the limits.

        Parameters
        ----------
        further
            Months after the last one.
        reach
            The rightmost position that must be seen.
        """
        labels = [*self.labels, *further]
        every = range(len(labels))
        if ax.get_window_extent().width / ax.figure.dpi > _NARROW:
            step = 1 if len(labels) <= 16 else 3 if len(labels) <= 64 else 6
            shown = [i for i in every if (int(labels[i][5:7]) - 1) % step == 0]
            ax.set_xticks(shown, [labels[i] for i in shown], rotation=45, ha="right")
        elif len(labels) < _TWO_YEARS:
            shown = list(every[:: max(len(labels) // 4, 1)])
            ax.set_xticks(shown, [labels[i] for i in shown])
        else:
            shown = [i for i in every if labels[i].endswith("-01")]
            ax.set_xticks(shown, [labels[i][:4] for i in shown])
        ax.tick_params(axis="x", labelsize=TEXT_SIZE - 1)
        ax.set_xlim(-0.7, max(len(labels) - 0.3, reach + 0.4))


def draw_floors(ax: Axes, floors: pd.DataFrame) -> None:
    """Draw confirmed figures, which losses do not fall below, as bars over their period.

    Parameters
    ----------
    floors
        As `estimator.show.figures._claims.floors_of` gives them.
    """
    for single, label in ((True, FLOOR_ONE), (False, FLOOR_MANY)):
        rows = floors[floors["single"] == single]
        if len(rows):
            ax.hlines(
                rows["mean"], rows["begin"], rows["end"], color=BLACK,
                linewidth=3.5 if single else 1.6, zorder=5, label=label,
            )  # fmt: skip
