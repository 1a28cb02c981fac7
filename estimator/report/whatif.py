"""What if: break-even values, and how it might go on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from estimator.report import charts, words
from estimator.report._svg import Chart
from estimator.report._table import Cell, Table, amount, long
from estimator.report.answers import Answers

_PROBABILITIES = (0.05, 0.5, 0.95)


def breakeven_charts(found: Answers) -> list[Chart]:
    """Draw the curve of each break-even value."""
    return [
        charts.breakeven(item, item.assumption_set in found.failures, f"chart-breakeven-{at}")
        for at, item in enumerate(found.data.breakeven or (), start=1)
    ]


def breakeven_table(found: Answers) -> Table | None:
    """Tabulate each break-even value with its range."""
    if not found.data.breakeven:
        return None
    rows = []
    for item in found.data.breakeven:
        at = "; ".join(
            f"{words.number(value, item.unit)} ({words.span(low, high, item.unit)})"
            for value, low, high in item.crossings
        )
        looked = words.span(item.low, item.high, item.unit)
        rows.append(
            (
                Cell(item.event, "long", found.marked(item.assumption_set)),
                Cell(words.assumption(item.key), "long", item.key),
                amount(words.number(item.level, "probability")),
                amount(at or "nowhere", f"looked from {looked}"),
            )
        )
    head = ("event", "assumption", "chance asked for", "reached at")
    return Table.of("Break-even values", head, rows)


def scenarios_table(found: Answers) -> Table | None:
    """How the force would stand at the end of each scenario, over all sets that have it."""
    sets = {
        label: tree["scenarios"].to_dataset()
        for label, tree in found.data.trees.items()
        if "scenarios" in tree.children
    }
    if not sets:
        return None
    names = dict.fromkeys(str(name) for data in sets.values() for name in data["scenario"].values)
    end = max(str(data["projected_month"].values[-1]) for data in sets.values())
    rows = [row for name in names if (row := _scenario_row(name, sets)) is not None]
    head = ("scenario", "what is assumed", "force grows or shrinks by", "chance that it shrinks")
    caption = (
        f"Scenarios to {words.month(end)}: change of the force since "
        f"{words.month(found.months[-1])}, persons; middle values of the sets, and below them the "
        "widest reach of their ranges"
    )
    return Table.of(caption, head, rows)


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
    reach = words.span(float(quantiles[:, 0].min()), float(quantiles[:, 2].max()), sign=True)
    same = words.number(min(below), "probability") == words.number(max(below), "probability")
    return (
        Cell(words.plain(name)),
        long(description),
        amount(words.span(*middle, sign=True), reach),
        amount(
            words.number(max(below), "probability")
            if same
            else words.span(min(below), max(below), "probability")
        ),
    )
