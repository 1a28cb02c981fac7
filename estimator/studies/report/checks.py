"""Whether the draws can be trusted, and what is needed to make them again."""

from __future__ import annotations

import json
from typing import Any

import xarray as xr

from estimator.show import number
from estimator.show.grid import FAILED, Cell, Grid, column
from estimator.studies.report.beliefs import configuration
from estimator.studies.report.data import ReportData
from estimator.studies.report.sets import set_cell


def diagnostics_table(data: ReportData) -> Grid:
    """Diagnostics of each set, with the bounds that it is held to."""
    rows = []
    for label in data.shown:
        tree = data.trees.get(label)
        result = (
            Cell(f"FAILED: {data.failures[label]}", style=f"{FAILED} long")
            if label in data.failures
            else Cell("passed")
        )
        rows.append((set_cell(data, label), result, *_numbers(tree)))
    numbers = ("R-hat", "ESS, bulk", "ESS, tail", "divergences", "draws")
    head = ("set", column("result", "text"), *numbers)
    return Grid.of("Checks of the computation: the worst of all reported numbers", head, rows)


def _numbers(tree: xr.DataTree | None) -> list[Cell]:
    if tree is None or "diagnostics" not in tree.attrs:
        return [Cell(number.NOTHING)] * 5
    values = json.loads(tree.attrs["diagnostics"])
    bounds = configuration(tree).get("sampler", {})
    posterior = tree["posterior"]
    draws = int(posterior.sizes["chain"] * posterior.sizes["draw"])
    return [
        _bounded(values["max_rhat"], 3, "at most", bounds.get("max_rhat")),
        _bounded(values["min_ess_bulk"], 0, "at least", bounds.get("min_ess")),
        _bounded(values["min_ess_tail"], 0, "at least", bounds.get("min_ess")),
        _bounded(values["divergences"], 0, "at most", bounds.get("max_divergences")),
        Cell(f"{draws:,}"),
    ]


def _bounded(value: float | None, digits: int, which: str, bound: float | None) -> Cell:
    text = number.NOTHING if value is None else number.fixed(value, digits)
    return Cell(text, "" if bound is None else f"{which} {bound:g}")


def identity_table(data: ReportData) -> Grid:
    """Hashes and seed of each set."""
    rows = [
        (
            set_cell(data, label),
            *(
                Cell(str(tree.attrs.get(name, number.NOTHING)), style="hash")
                for name in ("assumption_set_id", "data_hash", "structure", "seed")
            ),
        )
        for label, tree in data.trees.items()
    ]
    texts = ("id of its assumptions and data", "hash of the claims", "model structure", "seed")
    head = [column("set", "name"), *(column(text, "text") for text in texts)]
    return Grid.of("Which assumptions, which data, which seed", head, rows)


def versions_table(data: ReportData) -> Grid:
    """Versions of all that the numbers hang on, with the sets that were made with each."""
    sets: dict[str, dict[str, list[str]]] = {}
    for label, tree in data.trees.items():
        versions: dict[str, Any] = json.loads(tree.attrs.get("versions", "{}"))
        for name, version in versions.items():
            sets.setdefault(name, {}).setdefault(str(version), []).append(label)
    rows = [
        (name, Cell(version, style="hash"), data.which(labels))
        for name, by_version in sets.items()
        for version, labels in by_version.items()
    ]
    return Grid.of("Versions", ("package", column("version", "text"), column("sets", "long")), rows)
