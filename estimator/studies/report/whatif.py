"""What if: from where on an answer turns, and how it might go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np
import xarray as xr
from markupsafe import Markup

from estimator.show import number
from estimator.show.break_even import Axis, BreakEven
from estimator.show.grid import Cell, Grid, column
from estimator.studies.report import words
from estimator.studies.report.data import ReportData

_PROBABILITIES = (0.05, 0.5, 0.95)
_TOLD = 3  # what-ifs of the short page


def what_ifs(data: ReportData) -> list[Markup]:
    """Say where answers turn, one value for each assumption, then how it might go on."""
    first = {item.keys: (at, item) for at, item in reversed(list(enumerate(data.breakeven, 1)))}
    turns = (
        Markup("{} ({})").format(
            sentence(data, item), words.link(f"details.html#breakeven-{at}", "the curve")
        )
        for at, item in sorted(first.values(), key=lambda pair: pair[0])
    )
    return [*islice((*turns, *_scenario_sentences(data)), _TOLD)]


def sentence(data: ReportData, item: BreakEven) -> Markup:
    """Say where the answer turns as a newspaper would."""
    first, level = item.axes[0], number.rounded(item.level, "probability")
    name = f"“{data.options.set_name(item.assumption_set)}”"
    scenario, apart, _ = item.event.partition(": force holds")
    if apart:
        return _plan_sentence(data, item, scenario)
    what = event(data, item)
    likely = "more likely than not" if item.level == 0.5 else f"with a chance of {level}"
    if len(item.axes) > 1:
        both = " and the ".join(axis.description for axis in item.axes)
        text = Markup("Under {}, whether {} {} depends on the {} together.").format(
            name, what, likely, both
        )
    elif item.crossings:
        where = [
            f"{'above' if one.rising else 'below'} {number.rounded(one.value, first.unit)} "
            f"({number.span(one.low, one.high, first.unit)})"
            for one in item.crossings
        ]
        assumed = number.span(first.assumed_low, first.assumed_high, first.unit)
        own = "" if assumed == number.NOTHING else f" The set itself assumes {assumed}."
        text = Markup("Under {}, {} {} if the {} is {}.{}").format(
            name, what, likely, _described(first), number.listed(where), own
        )
    else:
        text = Markup("Under {}, no {} from {} decides whether {} {}.").format(
            name, _described(first), number.span(first.low, first.high, first.unit), what, likely
        )
    return text + _failed_mark(data, item)


def _plan_sentence(data: ReportData, item: BreakEven, scenario: str) -> Markup:
    """Say how many recruits hold the force, as a share of the plan."""
    _, _, plan = item.axes[0].description.partition("as a share of ")
    until = words.event(item.words.partition(" until ")[2].partition(" under ")[0])
    share = number.listed(number.rounded(one.value, "share") for one in item.crossings)
    text = Markup(
        "Under “{}”, recruits at {} of {} hold the force at its level until {} with a chance of "
        "{}, with {}."
    ).format(
        data.options.set_name(item.assumption_set),
        share or "no share",
        plan,
        until,
        number.rounded(item.level, "probability"),
        data.options.scenario(scenario),
    )
    return text + _failed_mark(data, item)


def _failed_mark(data: ReportData, item: BreakEven) -> Markup:
    if not failed(data, item):
        return Markup("")
    return Markup(' <span class="failed">(FAILED its checks.)</span>')


def event(data: ReportData, item: BreakEven) -> str:
    """Name an event; that of a share of the plan with its scenario."""
    scenario, apart, _ = item.event.partition(": force holds")
    if apart:
        return f"with {data.options.scenario(scenario)} the force holds its level"
    return words.event(item.event)


def _described(axis: Axis) -> str:
    """Describe an assumption, months by name."""
    return words.event(axis.description)


def _scenario_sentences(data: ReportData) -> Iterator[Markup]:
    """Say of each scenario how likely the force is to shrink."""
    sets = _projections(data)
    start = number.month(data.months[-1])
    for name in _names(sets):
        below, end = {}, ""
        for label, tree in sets.items():
            if name in tree["scenario"].values and "net_change" in tree:
                change = tree["net_change"].sel(scenario=name).sum("projected_month")
                below[label] = float((change < 0).mean())
                end = number.month(str(tree["projected_month"].values[-1]))
        if not below:
            continue
        reference, *others = below
        chances = [below[label] for label in others]
        scenario = words.link("details.html#scenarios", data.options.scenario(name))
        text = Markup(
            "With {}, the force is smaller at the end of {} than at the end of {} in {} draws{}."
        )
        rest = ""
        if others:
            rest = f" of “{data.options.set_name(reference)}”, and in "
            rest += f"{number.chances(min(chances), max(chances))} of the other sets"
        yield text.format(scenario, end, start, number.chances(below[reference]), rest)


def _names(sets: Mapping[str, xr.Dataset]) -> list[str]:
    """Names of the scenarios of any set, in their order."""
    return list(
        dict.fromkeys(str(one) for tree in sets.values() for one in tree["scenario"].values)
    )


def _projections(data: ReportData) -> dict[str, xr.Dataset]:
    """Projected months of all sound sets that have them; of all if none is sound."""
    sound = set(data.trees) - set(data.failures)
    return {
        label: tree["scenarios"].to_dataset()
        for label, tree in data.trees.items()
        if "scenarios" in tree.children and (label in sound or not sound)
    }


def failed(data: ReportData, item: BreakEven) -> bool:
    """Whether the set of a break-even, or the fits that it rests on, failed."""
    return item.assumption_set in data.failures or bool(item.failures)


def crossings_text(result: BreakEven) -> str:
    """Write the crossings of a break-even along one key with their intervals."""
    axis: Axis = result.axes[0]
    return "; ".join(
        words.range_text(crossing.low, crossing.value, crossing.high, axis.unit)
        for crossing in result.crossings
    )


def breakeven_table(data: ReportData) -> Grid | None:
    """Tabulate each break-even value with its range."""
    if not data.breakeven:
        return None
    rows = []
    for n, item in enumerate(data.breakeven, start=1):
        at = crossings_text(item)
        if len(item.axes) > 1:
            at = "along a line" if len(item.contour) else ""
        looked = " × ".join(number.span(axis.low, axis.high, axis.unit) for axis in item.axes)
        mark = " – FAILED its checks" if failed(data, item) else ""
        rows.append(
            (
                Cell(
                    words.anchor(f"breakeven-{n}", words.capital(event(data, item))),
                    f"{data.options.set_name(item.assumption_set)}{mark}",
                ),
                Cell(
                    " and ".join(_described(axis) for axis in item.axes),
                    words.code(", ".join(axis.key for axis in item.axes)),
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
    sets = _projections(data)
    if not sets:
        return None
    end = max(str(tree["projected_month"].values[-1]) for tree in sets.values())
    rows = [row for name in _names(sets) if (row := _scenario_row(data, name, sets)) is not None]
    numbers = ("force grows or shrinks by", "chance that it shrinks")
    head = ("scenario", column("what is assumed", "long"), *numbers)
    caption = (
        f"Scenarios to {number.month(end)}: change of the force since "
        f"{number.month(data.months[-1])}, persons; middle values of the sets, and below them "
        "the widest reach of their ranges"
        + ("; sets that failed their checks are left out" if len(sets) < len(data.trees) else "")
    )
    return Grid.of(caption, head, rows)


def _scenario_row(
    data: ReportData, name: str, sets: Mapping[str, xr.Dataset]
) -> tuple[Cell, ...] | None:
    changes, description = [], ""
    for tree in sets.values():
        if name in tree["scenario"].values and "net_change" in tree:
            one = tree.sel(scenario=name)
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
        Cell(words.capital(data.options.scenario(name)), words.code(name)),
        Cell(description),
        Cell(number.span(*middle, sign=True), reach),
        Cell(
            number.rounded(max(below), "probability")
            if same
            else number.span(min(below), max(below), "probability")
        ),
    )
