"""Confirmed figures, which losses do not fall below."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from estimator.show.figures import _claims as claims
from estimator.show.figures import _style as style
from estimator.show.figures._months import Months

FLOOR_ONE = "confirmed floor, one month"
FLOOR_MANY = "confirmed floor, several months (mean)"


def draw_floors(ax: Axes, table: pd.DataFrame, months: Months) -> None:
    """Draw confirmed figures: bold steps for single months, bars at the mean for longer ones."""
    for _, claim in table.iterrows():
        single = claims.one_month(claim, months)
        height = claims.monthly(claim, months)[1] / style.THOUSAND
        if not np.isfinite(height):
            continue
        ax.hlines(
            height,
            months.position(claim["period_start"]),
            months.position(claim["period_end"], end_of_day=True),
            color=style.BLACK,
            linewidth=3.5 if single else 1.6,
            zorder=5,
            label=FLOOR_ONE if single else FLOOR_MANY,
        )
    _drop_repeated_labels(ax)


def _drop_repeated_labels(ax: Axes) -> None:
    """Leave one legend entry a kind."""
    handles, labels = ax.get_legend_handles_labels()
    seen: set[str] = set()
    for handle, label in zip(handles, labels, strict=True):
        if label in seen and hasattr(handle, "set_label"):
            handle.set_label("_again")
        seen.add(label)
