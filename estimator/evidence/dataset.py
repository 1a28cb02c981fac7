"""Claims as linear functionals of the monthly series: an `xarray.Dataset` with design matrices."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import HedgingOptions
from estimator.assumptions.reporting import ReportingOptions
from estimator.errors import EvidenceError
from estimator.evidence.floors import ADDED_UP, add_up_to_months, difference_floors
from estimator.evidence.load import read_claims
from estimator.evidence.periods import Window
from estimator.evidence.schema import LIKELIHOOD_STATUSES
from estimator.evidence.select import nothing_counts, select_claims
from estimator.evidence.vintages import floors as vintage_floors
from estimator.evidence.vintages import in_triangle
from estimator.quantity import MODELLED, SHARES, STOCKS

log = logging.getLogger(__name__)

_KNOWABLE = 0.01  # less of a figure's period than this known by its publication: it says nothing
_TEXT = (
    *("quantity", "unit", "hedge", "status", "origin", "speaker", "population"),
    *("evidence_group", "citation", "locator"),
)


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of the claims.

    Attributes
    ----------
    claims
        The whole table, with `used` and `reason`, and the sums of confirmed weeks and days.
    dataset
        What the model takes: dims `claim` (figures of all kinds but these), `confirmed_claim`
        (floors), `registry_figure` (figures of triangles, see `estimator.evidence.vintages`),
        `month`. Variables: `weight` (claim, month), `low`, `value`, `high` (claim) in
        the claim's unit, `used` (claim), texts, `source` (claim; ``origin:quantity``), the same
        for floors with the prefix `confirmed_`, `confirmed_floor` (sums less confirmed months),
        `confirmed_rounding` (confirmed_claim, rounded_claim; see `estimator.evidence.floors`),
        for figures of triangles with the prefix `registry_`, `registry_is_floor`, `registry_group`
        (whose errors go together),
        `month_days` (month) and `years_to_end` (month).
        Claims that do not count under the options stay in it with `used` False: sets that choose
        other claims of one table then share one compiled model.
    data_hash
        SHA-256 of the claims files.
    """

    claims: pd.DataFrame
    dataset: xr.Dataset
    data_hash: str

    @property
    def not_used(self) -> pd.Series:
        """Number of claims by the reason why they do not count."""
        return self.claims.loc[~self.claims["used"], "reason"].value_counts()


def load_evidence(assumptions: AssumptionSet, claims: pd.DataFrame | None = None) -> Evidence:
    """Read the claims that an assumption set names and build the design matrices.

    Parameters
    ----------
    assumptions
        Groups `evidence`, `killed_share` and `window` are used.
    claims
        A table as `read_claims` returns it, in place of the files that the set names.

    Raises
    ------
    EvidenceError
        If the table has bad rows, its confirmed figures contradict each other, or no claim counts.
    """
    if claims is None:
        claims = read_claims(assumptions.evidence.files)
    window = Window.of(assumptions.window)
    selected = select_claims(
        claims,
        assumptions.evidence,
        assumptions.killed_share.origins,
        window,
        assumptions.registries.triangles,
    )
    outside = int((selected["reason"] == "outside the window").sum())
    if outside:
        log.warning("%d claims lie outside the window and do not count", outside)
    selected = _drop_unknowable(selected, window, assumptions)
    selected = add_up_to_months(selected, window)
    dataset = _dataset(selected, window, assumptions)
    floors = dataset["confirmed_used"].to_series()
    implied = selected["used"] & selected["id"].isin(floors.index[~floors])
    selected["used"] &= ~implied
    selected.loc[implied, "reason"] = "a confirmed sum that says less than another"
    return Evidence(selected, dataset, str(claims.attrs.get("data_hash", "")))


def _drop_unknowable(
    selected: pd.DataFrame, window: Window, assumptions: AssumptionSet
) -> pd.DataFrame:
    """Leave out what was published so early that its origin's delay let nothing be known."""
    reporting = assumptions.reporting
    if not reporting.delays():
        return selected
    selected = selected.copy()
    late = selected["used"] & (selected["status"] != "confirmed")
    late &= ~in_triangle(selected, assumptions.registries.triangles)
    number, distinct = _distinct(selected[late], reporting)
    unknown = np.array([_known_weights(row, window, reporting) is None for row in distinct], bool)
    unknown = selected.index[late][unknown[number]]
    selected.loc[unknown, "used"] = False
    selected.loc[unknown, "reason"] = "published before its delay lets anything be known"
    if not selected["used"].any():
        raise EvidenceError(nothing_counts(selected))
    return selected


def _dataset(selected: pd.DataFrame, window: Window, assumptions: AssumptionSet) -> xr.Dataset:
    eligible = selected[
        selected["status"].isin(LIKELIHOOD_STATUSES)
        & selected["quantity"].isin(MODELLED)
        & ~selected["reason"].isin(("outside the window", ADDED_UP))
        & selected["period_start"].notna()
    ]
    eligible = eligible[window.covering(eligible["period_start"], eligible["period_end"])]
    floors = eligible[eligible["status"] == "confirmed"]
    triangles = assumptions.registries.triangles
    triangle = in_triangle(eligible, triangles)
    vintages = eligible[triangle].sort_values("origin", kind="stable")
    others = eligible[(eligible["status"] != "confirmed") & ~triangle]
    order = others["quantity"].map(MODELLED.index).sort_values(kind="stable").index
    months = window.months
    floor_columns = _columns(floors, window, None, "confirmed_claim", "confirmed_")
    rounded = floors["hedge"].to_numpy(dtype=str) == "about"
    half_width = floors["value"].abs() * assumptions.hedging.confirmed_about
    weight, figure, used, rounding = difference_floors(
        floors,
        np.asarray(floor_columns["confirmed_weight"][1]),
        _floor_figures(floors, assumptions.hedging),
        np.where(rounded, half_width, 0.0),
    )
    floor_columns |= {
        "confirmed_weight": (("confirmed_claim", "month"), weight),
        "confirmed_floor": ("confirmed_claim", figure, {"units": "persons"}),
        "confirmed_used": ("confirmed_claim", used),
        "confirmed_rounding": (
            ("confirmed_claim", "rounded_claim"),
            rounding[:, rounded],
            {"units": "persons"},
        ),
    }
    return xr.Dataset(
        {
            **_columns(others.loc[order], window, assumptions.reporting, "claim", ""),
            **floor_columns,
            **_columns(vintages, window, None, "registry_figure", "registry_"),
            "registry_is_floor": ("registry_figure", vintage_floors(vintages, triangles)),
            "registry_group": (
                "registry_figure",
                (vintages["origin"] + ":" + vintages["population"]).to_numpy(dtype=str),
            ),
            "month_days": ("month", window.days, {"units": "days"}),
            "years_to_end": ("month", window.years_to_end(), {"units": "years"}),
        },
        coords={
            "month": months,
            "claim": others.loc[order, "id"].to_numpy(dtype=str),
            "confirmed_claim": floors["id"].to_numpy(dtype=str),
            "rounded_claim": floors["id"].to_numpy(dtype=str)[rounded],
            "registry_figure": vintages["id"].to_numpy(dtype=str),
        },
        attrs={"window_start": f"{window.start:%Y-%m-%d}", "window_end": f"{window.end:%Y-%m-%d}"},
    )


def _columns(
    rows: pd.DataFrame, window: Window, reporting: ReportingOptions | None, dim: str, prefix: str
) -> dict[str, tuple[object, ...]]:
    """Columns of one kind of figure, with the prefix of their names.

    `reporting` has the fixed delays. None: there are none. What is not confirmed yet is part of the
    unconfirmed ratio, and what a triangle has not learnt yet is estimated.
    """
    columns: dict[str, tuple[object, ...]] = {
        f"{prefix}weight": ((dim, "month"), _matrix(rows, window, reporting)),
        f"{prefix}used": (dim, rows["used"].to_numpy(dtype=bool)),
        f"{prefix}source": (dim, (rows["origin"] + ":" + rows["quantity"]).to_numpy(dtype=str)),
    }
    for name in ("low", "value", "high", "sd", "level"):
        columns[f"{prefix}{name}"] = (dim, rows[name].to_numpy(dtype=float))
    for name in _TEXT:
        columns[f"{prefix}{name}"] = (dim, rows[name].to_numpy(dtype=str))
    columns[f"{prefix}published_in"] = (dim, rows["source"].to_numpy(dtype=str))
    for name in ("period_start", "period_end", "published"):
        columns[f"{prefix}{name}"] = (dim, rows[name].dt.strftime("%Y-%m-%d").to_numpy(dtype=str))
    return columns


def _floor_figures(floors: pd.DataFrame, hedging: HedgingOptions) -> np.ndarray:
    """Figure of each floor, or the lower edge of its wording. (confirmed_claim,), persons."""
    figure = floors["value"].where(floors["hedge"] != "range", floors["low"])
    return np.asarray(figure.where(floors["hedge"] != "nearly", figure * (1.0 - hedging.nearly)))


def _matrix(rows: pd.DataFrame, window: Window, reporting: ReportingOptions | None) -> np.ndarray:
    """Weights of each row, worked out once for rows that have the same. (row, month)."""
    number, distinct = _distinct(rows, reporting)
    weights = [_weights(row, window, reporting) for row in distinct]
    matrix = np.array(weights, dtype=float).reshape(len(distinct), len(window.months))
    return np.asarray(matrix[number])


def _distinct(
    rows: pd.DataFrame, reporting: ReportingOptions | None
) -> tuple[np.ndarray, list[Any]]:
    """Which of the rows that differ in their weights each row is like (row,), and those rows."""
    same = ["quantity", "unit", "period_start", "period_end"]
    if reporting is not None and reporting.delays():
        same += ["origin", "published"]
    number = rows.groupby(same, sort=False, dropna=False).ngroup().to_numpy()
    return number, list(rows.drop_duplicates(same).itertuples())  # in the order of their numbers


def _weights(row: Any, window: Window, reporting: ReportingOptions | None) -> np.ndarray:
    known = None if reporting is None else _known_weights(row, window, reporting)
    # What nothing could be known of does not count (`_drop_unknowable`), but needs some weights.
    return _full_weights(row, window) if known is None else known


def _known_weights(row: Any, window: Window, reporting: ReportingOptions) -> np.ndarray | None:
    """Weights of what the origin could know; None where that is nothing."""
    weights = _full_weights(row, window)
    delay = reporting.of(row.origin, row.quantity).delay
    if delay is None:
        return weights
    known = weights * window.known_share(row.period_start, row.period_end, row.published, delay)
    return known if known.sum() >= _KNOWABLE * weights.sum() else None


def _full_weights(row: Any, window: Window) -> np.ndarray:
    if row.quantity in STOCKS:
        return window.stock_weights(row.period_end)
    unit = "persons" if row.quantity in SHARES else row.unit
    return window.flow_weights(row.period_start, row.period_end, unit)
