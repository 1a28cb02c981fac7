"""What each set assumes: every prior with its source, every other setting; alike ones folded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.priors import Prior
from estimator.show import number
from estimator.show.grid import Cell, Grid, column
from estimator.studies.report import words
from estimator.studies.report.data import ReportData

_REPORTING = "reporting."
_PRIOR_HEAD = (
    column("assumption", "long"),
    column("as written", "text"),
    column("what it became", "text"),
    column("source", "long"),
    column("sets", "long"),
)
_SETTING_HEAD = ("setting", column("value", "long"), column("sets", "long"))
# No beliefs about the world, or shown elsewhere.
_LEFT_OUT = ("label", "seed", "sampler")


def configuration(tree: xr.DataTree) -> dict[str, Any]:
    """Read what a set was made with; empty where a result does not say."""
    written: dict[str, Any] = json.loads(tree.attrs.get("configuration", "{}"))
    return written


def prior_tables(data: ReportData) -> tuple[Grid, Grid]:
    """Make tables of the priors of single assumptions, and of how origins report."""
    rows = list(_folded(data.trees, _priors))

    def table(caption: str, reporting: bool) -> Grid:
        chosen = [row for row in rows if row[0].startswith(_REPORTING) == reporting]
        return Grid.of(caption, _PRIOR_HEAD, (_prior_row(data, *row) for row in chosen))

    return (
        table("What is assumed of each number before the claims are seen", reporting=False),
        table("What is assumed of how each origin reports", reporting=True),
    )


def settings_table(data: ReportData) -> Grid:
    """Make a table of all that is set and is no prior: widths, noise, periods, scenarios."""
    rows = (
        (Cell(words.code(key)), str(value), data.which(labels))
        for key, value, labels in _folded(data.trees, _settings)
    )
    return Grid.of("All other settings of the sets", _SETTING_HEAD, rows)


def differences(tree: xr.DataTree, other: xr.DataTree) -> list[str]:
    """Keys of the groups in which two sets differ."""
    mine, theirs = configuration(tree), configuration(other)
    keys = []
    for group in mine:
        if group not in _LEFT_OUT and mine[group] != theirs.get(group):
            inner, outer = mine[group], theirs.get(group)
            if isinstance(inner, dict) and isinstance(outer, dict):
                keys += [f"{group}.{k}" for k in inner if inner[k] != outer.get(k)]
            else:
                keys.append(group)
    return keys


def _folded(
    trees: Mapping[str, xr.DataTree], read: Any
) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Key, value and sets, the sets of one value together; keys in the order of the first set."""
    sets_of: dict[str, dict[Any, list[str]]] = {}
    for label, tree in trees.items():
        for key, value in read(configuration(tree)):
            sets_of.setdefault(key, {}).setdefault(value, []).append(label)
    order = {key: at for at, key in enumerate(ASSUMPTIONS)}
    for key in sorted(sets_of, key=lambda k: order.get(k, len(order))):
        for value, labels in sets_of[key].items():
            yield key, value, tuple(labels)


def _leaves(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Walk a configuration; what is written as a prior is one leaf."""
    if isinstance(node, dict) and "family" not in node and node:
        for key, value in node.items():
            yield from _leaves(value, f"{place}.{key}" if place else str(key))
    else:
        yield place, node


def _is_prior(node: Any) -> bool:
    return isinstance(node, dict) and "family" in node


def _priors(config: dict[str, Any]) -> Iterator[tuple[str, Prior]]:
    for key, node in _leaves(config):
        if _is_prior(node):
            yield key, Prior.model_validate(node)


def _settings(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, node in _leaves({k: v for k, v in config.items() if k not in _LEFT_OUT}):
        if not _is_prior(node) and not (key.startswith("scenario.") and node is None):
            yield key, _value(node)


def _value(node: Any) -> str:
    if node is None:
        return "not set"
    if isinstance(node, list):
        return "; ".join(_value(item) for item in node) or "none"
    if isinstance(node, dict):
        return ", ".join(f"{key} {_value(value)}" for key, value in node.items()) or "none"
    return str(node)


def _prior_row(
    data: ReportData, key: str, prior: Prior, labels: tuple[str, ...]
) -> list[Cell | str]:
    return [
        Cell(words.capital(words.assumption(key, data.options.origins)), words.code(key)),
        Cell(_as_written(prior), prior.unit or "", "figure"),
        Cell("held fixed" if prior.is_fixed else prior.describe(), style="figure"),
        words.linked(prior.source or "no source given"),
        data.which(labels),
    ]


def _as_written(prior: Prior) -> str:
    unit = "persons" if prior.unit != "share" else "share"
    if prior.is_fixed:
        return _number(prior.value or 0.0, unit)
    if not prior.is_range:
        return prior.describe()
    mass = f"({number.rounded(prior.mass, 'probability')} of it)".replace(" ", "\N{NO-BREAK SPACE}")
    if prior.low is None:
        return f"up to {_number(prior.high or 0.0, unit)} {mass}"
    return f"{_number(prior.low, unit)} to {_number(prior.high or 0.0, unit)} {mass}"


def _number(value: float, unit: str) -> str:
    if unit == "share":
        return number.rounded(value, "share")
    return number.significant(value, 6)
