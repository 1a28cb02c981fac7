"""What each set assumes: every prior with its source, every other setting; alike ones folded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.priors import Prior
from estimator.show.assumed import LEFT_OUT, as_written, became, priors, settings, source_of
from estimator.show.grid import Cell, Grid, column
from estimator.studies.report import words
from estimator.studies.report.data import ReportData

_REPORTING = "reporting."
_OF_ORIGIN = "reporting.origins."
_PRIOR_HEAD = (
    column("assumption", "long"),
    column("as written", "text"),
    column("what it became", "text"),
    column("source", "long"),
    column("sets", "long"),
)
_SETTING_HEAD = ("setting", column("value", "long"), column("sets", "long"))


def configuration(tree: xr.DataTree) -> dict[str, Any]:
    """Read what a set was made with; empty where a result does not say."""
    written: dict[str, Any] = json.loads(tree.attrs.get("configuration", "{}"))
    return written


def prior_tables(data: ReportData) -> tuple[Grid, Grid]:
    """Make tables of the priors of single assumptions, and of how origins report."""
    rows = list(_of_table(data, priors))

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
        for key, value, labels in _of_table(data, settings)
    )
    return Grid.of("All other settings of the sets", _SETTING_HEAD, rows)


def differences(tree: xr.DataTree, other: xr.DataTree) -> list[str]:
    """Keys of the groups in which two sets differ."""
    mine, theirs = configuration(tree), configuration(other)
    keys = []
    for group in mine:
        if group not in LEFT_OUT and mine[group] != theirs.get(group):
            inner, outer = mine[group], theirs.get(group)
            if isinstance(inner, dict) and isinstance(outer, dict):
                keys += [f"{group}.{k}" for k in inner if inner[k] != outer.get(k)]
            else:
                keys.append(group)
    return keys


def _of_table(data: ReportData, read: Any) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Fold what is set of all but origins that the table does not have."""
    known = tuple(f"{_OF_ORIGIN}{origin}." for origin in data.claims_table["origin"].unique())
    for row in _folded(data.trees, read):
        if not row[0].startswith(_OF_ORIGIN) or row[0].startswith(known):
            yield row


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


def _prior_row(
    data: ReportData, key: str, prior: Prior, labels: tuple[str, ...]
) -> list[Cell | str]:
    return [
        Cell(words.capital(words.assumption(key, data.options.origins)), words.code(key)),
        Cell(as_written(prior), prior.unit or "", "figure"),
        Cell(became(prior), style="figure"),
        words.linked(source_of(prior)),
        data.which(labels),
    ]
