from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from estimator.studies.about import counted_populations, options_about

RUSSIAN = "russian_forces"


def _claims(populations: list[str], used: list[bool]) -> xr.Dataset:
    empty = {
        f"{prefix}{name}": (f"{prefix}row", np.array([], dtype=kind))
        for prefix in ("confirmed_", "registry_")
        for name, kind in (("used", bool), ("population", str))
    }
    return xr.Dataset({"used": ("row", used), "population": ("row", populations), **empty})


def test_only_populations_that_count_are_named() -> None:
    claims = [_claims(["ours", RUSSIAN], [True, False]), _claims(["theirs"], [True])]
    assert counted_populations(claims) == {"ours", "theirs"}


@pytest.mark.parametrize(
    ("counted", "overrides", "expected"),
    [
        ({"ours"}, [], ["report=plain", "audit=claims_only"]),
        ({""}, ["audit.refit=none"], ["report=plain", "audit=claims_only", "audit.refit=none"]),
        ({"ours", RUSSIAN}, ["report.moved=0.3"], ["report.moved=0.3"]),
        (set(), [], []),
        ({"ours"}, ["audit=article"], ["report=plain", "audit=article"]),
        ({"ours"}, ["report=default", "audit=base"], ["report=default", "audit=base"]),
    ],
)
def test_a_table_on_other_forces_is_asked_nothing_of_the_article(
    counted: set[str], overrides: list[str], expected: list[str]
) -> None:
    assert options_about(counted, overrides, ("report", "audit")) == expected
