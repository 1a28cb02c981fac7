"""What if: break-even values, and how it might go on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from estimator.show import number
from estimator.show.break_even import BreakEven
from estimator.show.grid import Cell, Grid, column
from estimator.studies.report import pictures, words
from estimator.studies.report.data import ReportData

_PROBABILITIES = (0.05, 0.5, 0.95)


def draw_breakevens(data: ReportData) -> list[pictures.Picture]:
    """Draw the curve of each break-even value."""
    return [
        pictures.breakeven(item, f"chart-breakeven-{at}", failed=failed(data, item))
        for at, item in enumerate(data.breakeven, start=1)
    ]


def failed(data: ReportData, item: BreakEven) -> bool:
    """Whether the set of a break-even, or the fits that it rests on, failed."""
    return item.assumption_set in data.failures or bool(item.failures)


def breakeven_table(data: ReportData) -> Grid | None:
    """Tabulate each break-even value with its range."""
    if not data.breakeven:
        return None
    rows = []
    for item in data.breakeven:
        at = pictures.crossings_text(item)
        if len(item.axes) > 1:
            at = "along a line" if len(item.contour) else ""
        looked = " × ".join(number.span(axis.low, axis.high, axis.unit) for axis in item.axes)
        mark = " – FAILED its checks" if failed(data, item) else ""
        rows.append(
            (
                Cell(words.event(item.words), f"{item.assumption_set}{mark}"),
                Cell(
                    " and ".join(axis.description for axis in item.axes),
                    ", ".join(axis.key for axis in item.axes),
                ),
                Cell(number.rounded(item.level, "probability")),
                Cell(at or "nowhere", f"looked from {looked}"),
            )
        )
    texts = (column("event", "long"), column("assumption", "long"))
    head = (*texts, "chance asked for", "reached at")
    return Grid.of("Break-even values", head, rows)


def scenarios_table(data: ReportData) -> Grid | None:
    """How the force would stand at the end of each scenario, over all sound sets that have it."""
    sound = set(data.trees) - set(data.failures)
    sets = {
        label: tree["scenarios"].to_dataset()
        for label, tree in data.trees.items()
        if "scenarios" in tree.children and (label not in data.failures or not sound)
    }
    if not sets:
        return None
    names = dict.fromkeys(str(name) for data in sets.values() for name in data["scenario"].values)
    end = max(str(data["projected_month"].values[-1]) for data in sets.values())
    rows = [row for name in names if (row := _scenario_row(name, sets)) is not None]
    numbers = ("force grows or shrinks by", "chance that it shrinks")
    head = ("scenario", column("what is assumed", "long"), *numbers)
    caption = (
        f"Scenarios to {number.month(end)}: change of the force since "
        f"{number.month(data.months[-1])}, persons; middle values of the sets, and below them "
        "the widest reach of their ranges"
        + ("; sets that failed their checks are left out" if data.failures and sound else "")
    )
    return Grid.of(caption, head, rows)


def _scenario_row(name: str, sets: Mapping[str, xr.Dataset]) -> tuple[Cell, ...] | None:
    changes, description = [], ""
    for data in sets.values():
        if name in data["scenario"].values and "net_change" in data:
            one = data.sel(scenario=name)
            changes.append(one["net_change"].sum("projected_month").values.ravel())
            if "description" in one.coords:
                description = str(one["description"].item())
    if not changes:
        return None
    quantiles = np.array([np.quantile(draws, _PROBABILITIES) for draws in changes])
    below = [float((draws < 0).mean()) for draws in changes]
    middle = (float(quantiles[:, 1].min()), float(quantiles[:, 1].max()))
    reach = number.span(float(quantiles[:, 0].min()), float(quantiles[:, 2].max()), sign=True)
    same = number.rounded(min(below), "probability") == number.rounded(max(below), "probability")
    return (
        Cell(words.plain(name)),
        Cell(description),
        Cell(number.span(*middle, sign=True), reach),
        Cell(
            number.rounded(max(below), "probability")
            if same
            else number.span(min(below), max(below), "probability")
        ),
    )
