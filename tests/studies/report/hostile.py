"""A report whose every text was written by somebody who means harm."""

from __future__ import annotations

import dataclasses
import json

import xarray as xr

from estimator.studies.report import ReportData, ReportOptions
from estimator.studies.report.options import SetWords
from tests.studies.report.conftest import (
    claims_table,
    make_tree,
    options,
    report_data,
    specification,
    tables,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://example.org","x")',
    "</title></style><base href=http://example.org>",
    "$x_1$ & 'y' \u202ereversed\u0007",
    "w" * 300,
)
ALL = " ".join(HOSTILE)
LABEL = f"set {ALL}"


def hostile_tree() -> xr.DataTree:
    tree = make_tree("central", 7, failed=True)
    configuration = json.loads(tree.attrs["configuration"])
    configuration["returns"]["rate"]["source"] = ALL
    configuration["evidence"]["drop"] = [ALL]
    tree.attrs |= {
        "assumption_set": LABEL,
        "configuration": json.dumps(configuration),
        "diagnostics_failures": ALL,
        "versions": json.dumps({ALL: ALL}),
        "data_hash": ALL,
    }
    return tree


def hostile_options() -> ReportOptions:
    return options().model_copy(
        update={
            "title": ALL,
            "subject": ALL,
            "question": (ALL,),
            "limits": (ALL,),
            "sets": {LABEL: SetWords(name=LABEL, dispute=ALL, believes=ALL)},
            "origins": {"article": ALL},
            "scenarios": dict.fromkeys(options().scenarios, ALL),
            "evidence_groups": {ALL: ALL},
        }
    )


def hostile_tables() -> dict[str, object]:
    trees = {LABEL: make_tree("central", 7), "other": make_tree("registry", 8)}
    found = tables(trees)
    for name, columns in {
        "comparison": ("failures",),
        "pooled": ("weights", "refused"),
        "drivers": ("level_low", "level_high", "note", "assumption"),
    }.items():
        found[name] = found[name].assign(**dict.fromkeys(columns, ALL))
    whole = found["audit"]
    found["audit"] = dataclasses.replace(
        whole,
        **{
            name: getattr(whole, name).assign(**dict.fromkeys(columns, ALL))
            for name, columns in {
                "claims": ("figure", "origin", "reason"),
                "groups": ("evidence_group", "claims", "failures"),
                "statements": ("claims", "says", "about", "note"),
                "conflicts": ("claims", "says", "resolution"),
                "balance": ("note",),
            }.items()
        },
    )
    found["specifications"] = [specification(ALL)]
    found["breakeven"] = [
        dataclasses.replace(
            item,
            sentence=ALL,
            words=ALL,
            assumption_set=LABEL,
            axes=tuple(dataclasses.replace(axis, description=ALL) for axis in item.axes),
        )
        for item in found["breakeven"]
    ]
    return found


def hostile_data() -> ReportData:
    """A report in which every text is hostile."""
    columns = ("citation", "locator", "note", "origin", "reason", "status", "hedge", "quantity")
    claims = claims_table()
    claims.loc[claims["id"].isin(["P04", "P99"]), list(columns)] = ALL
    return dataclasses.replace(
        report_data(),
        output=f"outputs/{ALL}",
        command=ALL,
        options=hostile_options(),
        trees={LABEL: hostile_tree()},
        claims_table=claims,
        **hostile_tables(),
    )
