"""Sweeps of known structure: written as a sweep writes them, with answers that a formula gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTITIES
from estimator.store.netcdf import write_netcdf
from estimator.store.sets import Sets
from estimator.sweep.design import design_overrides
from estimator.sweep.options import Design

NET = Answer.parse("net_change[2026-01]")
CHANCE = Answer.parse("P(net_change[2026-01] < 0)")
NUMBERS = {f"assumption_{n}": 0.5 for n in range(12)}
G = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])


def write_sweep(
    folder: Path,
    keys: Mapping[str, Sequence[Any]],
    values: Mapping[Answer, np.ndarray],
    *,
    error: float | np.ndarray = 0.0,
    failed: Sequence[int] = (),
) -> Sets:
    """Write ``sweep.nc`` and open it.

    Parameters
    ----------
    keys
        Varied keys.
    values
        Of each answer, by set.
    error
        Monte-Carlo error of the medians.
    failed
        Rows of sets without numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = len(next(iter(values.values())))
    data = xr.Dataset(
        coords={
            "assumption_set": [f"set {n}" for n in range(count)],
            "month": ["2026-01"],
            "statistic": list(STATISTICS),
        }
    )
    lost = np.isin(np.arange(count), failed)
    tables: dict[str, np.ndarray] = {}
    for answer, own in values.items():
        table = tables.setdefault(answer.quantity, np.zeros((count, 1, len(STATISTICS))))
        place = STATISTICS.index("below_zero" if answer.below_zero else "q50")
        table[:, 0, place] = np.where(lost, np.nan, own)
        table[:, 0, STATISTICS.index("mcse_q50")] = np.where(lost, np.nan, error)
    for quantity, table in tables.items():
        data[quantity] = (("assumption_set", "month", "statistic"), table.astype(np.float32),
                          {"units": QUANTITIES[quantity].unit})  # fmt: skip
    facts: dict[str, Any] = {
        "set_id": [f"id{n}" for n in range(count)],
        "obtained": np.where(lost, "failed", "fitted").astype(object),
        "failures": np.where(lost, "gave up", "").astype(object),
        "fits": [""] * count,
        "k_hat": np.full(count, np.nan),
        "ess": np.full(count, 1000.0),
        "max_rhat": np.ones(count),
        "divergences": np.zeros(count, int),
    }
    facts |= {f"assumed.{key}": list(column) for key, column in keys.items()}
    data = data.assign_coords({n: ("assumption_set", np.array(v)) for n, v in facts.items()})
    write_netcdf(data, folder / "sweep.nc")
    return Sets.open([folder])


def designed(axes: int, **design: Any) -> dict[str, np.ndarray]:
    """Varied keys of a design over numbers from 0 to 1, as the sweep itself makes them."""
    vary = {key: {"low": 0.0, "high": 1.0} for key in list(NUMBERS)[:axes]}
    found = Design.model_validate({"vary": vary, **design})
    plain = {"unconfirmed": dict(NUMBERS)}
    named = {f"unconfirmed.{key}": axis for key, axis in found.vary.items()}
    overrides = design_overrides(found.model_copy(update={"vary": named}), plain)
    rows = [dict(text.split("=") for text in texts) for texts in overrides]
    return {str(k): v.astype(float).to_numpy() for k, v in pd.DataFrame(rows).items()}


def points(keys: Mapping[str, np.ndarray]) -> np.ndarray:
    """Places of the sets in the unit cube. (set, assumption)."""
    return np.column_stack(list(keys.values()))


def ishigami(u: np.ndarray) -> np.ndarray:
    """Ishigami and Homma (1990), a = 7, b = 0.1; three inputs, the third only in combination."""
    x = np.pi * (2.0 * u - 1.0)
    return np.asarray(
        np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )


def ishigami_indices() -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices in closed form."""
    a, b, pi4 = 7.0, 0.1, np.pi**4
    first = np.array([0.5 * (1.0 + b * pi4 / 5.0) ** 2, a**2 / 8.0, 0.0])
    both = b**2 * pi4**2 * (1.0 / 18.0 - 1.0 / 50.0)
    whole = first.sum() + both
    return first / whole, (first + np.array([both, 0.0, both])) / whole


def g_function(u: np.ndarray) -> np.ndarray:
    """Sobol's g-function with the coefficients `G`."""
    return np.asarray(np.prod((np.abs(4.0 * u - 2.0) + G) / (1.0 + G), axis=1))


def g_indices() -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices in closed form."""
    own = 1.0 / 3.0 / (1.0 + G) ** 2
    whole = np.prod(1.0 + own) - 1.0
    total = own * np.prod(1.0 + own) / (1.0 + own)
    return own / whole, total / whole
