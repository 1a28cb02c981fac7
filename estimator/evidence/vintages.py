"""Vintages: figures of one period that an origin gave again and again as it learnt more.

An origin of `registries.triangles` keeps all its vintages: they tell how late it learns. Of every
other origin only the last figure of a period counts (`estimator.evidence.select`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from estimator.assumptions.registries import Triangle
from estimator.evidence.schema import POINTS

_LONGEST = pd.Timedelta(days=31)  # periods over which the killed, and what is known, hardly change
NOT_BELIEVED = "origin not in killed_share.origins"
"""Reason of figures on the killed that a set does not believe: of counts, a floor is left."""


def in_triangle(claims: pd.DataFrame, triangles: Mapping[str, Triangle]) -> pd.Series:
    """Whether each claim is a figure of a triangle."""
    return figures_of_months(claims) & claims["origin"].isin(list(triangles))


def figures_of_months(claims: pd.DataFrame) -> pd.Series:
    """Whether each claim is a point on the killed of a month or less. (claim,)."""
    return (
        (claims["quantity"] == "killed")
        & (claims["unit"] == "persons")
        & (claims["status"] != "confirmed")
        & claims["hedge"].isin(POINTS)
        & (claims["period_end"] - claims["period_start"] < _LONGEST)
        & (claims["published"] >= claims["period_start"])
    )


def mark_totals(claims: pd.DataFrame, reason: pd.Series, triangle: pd.Series) -> None:
    """Leave out other figures on the killed of an origin whose triangle counts: they repeat it."""
    counts = set(claims.loc[triangle & (reason == ""), "origin"])
    others = claims["origin"].isin(counts) & (claims["quantity"] == "killed") & ~triangle
    for origin in counts:
        reason[others & (reason == "") & (claims["origin"] == origin)] = (
            f"repeats the months of {origin}, whose vintages are kept"
        )


def floors(rows: pd.DataFrame, triangles: Mapping[str, Triangle]) -> np.ndarray:
    """Which figures of triangles are floors under the killed, whoever is believed. (row,), bool.

    Of a count of verified dead the last vintage of each period.
    """
    counted = [triangles[name].floor_noise is not None for name in rows["origin"]]
    open_ = rows[(rows["used"] | (rows["reason"] == NOT_BELIEVED)) & np.array(counted, dtype=bool)]
    last = open_.sort_values("published", kind="stable").drop_duplicates(
        ["origin", "population", "period_start", "period_end"], keep="last"
    )
    return np.asarray(rows["id"].isin(last["id"]))
