"""Sets written to disk without a sampler: results of single sets, and sweeps of any size."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.fitting.entries import STATISTICS, flatten, statistics
from estimator.fitting.reweighting import pooled_entries
from estimator.store.log_weights import packed
from estimator.store.netcdf import write_netcdf
from estimator.store.sweep_files import ASSUMED, DATASET

MONTHS = ("2025-11", "2025-12", "2026-01")
WINDOW = "2022-02-24 to 2026-01-31"
DIMS = ("chain", "draw")
_UNITS = {"killed_share": "share"}


def posterior(
    rng: np.random.Generator,
    draws: int = 250,
    months: Sequence[str] = MONTHS,
    low: float = 30_000.0,
) -> xr.Dataset:
    """Draws of four series, the assumptions and a bias; losses hang on returns.rate."""
    shape = (4, draws)
    z = rng.standard_normal(shape)
    values = np.exp(0.1 * rng.standard_normal((*shape, len(ASSUMPTIONS))))
    values[..., list(ASSUMPTIONS).index("returns.rate")] = 1.0 / (1.0 + np.exp(-0.5 * z))
    noise = 0.01 * rng.standard_normal((*shape, len(months)))
    losses = low * np.exp(0.05 * z[..., None] + noise)
    monthly = {
        "losses": losses,
        "irrecoverable": 0.6 * losses,
        "killed_share": 0.3 * np.exp(noise),
        "recruits": 30_000.0 * np.exp(0.05 * rng.standard_normal((*shape, 1)) + noise),
    }
    monthly["net_change"] = monthly["recruits"] + 3_000.0 - losses
    data = {name: ((*DIMS, "month"), values) for name, values in monthly.items()}
    data["assumption_value"] = ((*DIMS, "assumption"), values)
    for name, size in (("reporting_bias", 0.1), ("reporting_drift", 0.01)):
        data[name] = ((*DIMS, "source"), size * rng.standard_normal((*shape, 1)))
    dataset = xr.Dataset(
        data,
        coords={
            "chain": range(4),
            "draw": range(draws),
            "month": list(months),
            "assumption": list(ASSUMPTIONS),
            "source": ["nato:losses"],
            "unit": ("assumption", [spec.unit for spec in ASSUMPTIONS.values()]),
        },
    )
    for name in dataset.data_vars:
        dataset[name].attrs["units"] = _UNITS.get(str(name), "persons/month")
    return dataset


def write_whole(
    folder: Path,
    label: str,
    assumptions: AssumptionSet,
    draws: xr.Dataset,
    *,
    groups: Mapping[str, xr.Dataset] | None = None,
    failures: str = "",
) -> Path:
    """Write ``<folder>/<label>/result.nc`` as `estimator run` does, with fewer groups."""
    claims = xr.Dataset({"source": ("claim", ["nato:losses"]), "used": ("claim", [True])})
    location = np.zeros((draws.sizes["chain"], draws.sizes["draw"], 1), np.float32)
    found = {"constant_data": claims, **(groups or {})}
    tree = xr.DataTree.from_dict(
        {
            "/posterior": draws.assign(claim_location=((*DIMS, "located_claim"), location)),
            **{f"/{name}": group for name, group in found.items()},
        }
    )
    diagnostics = {"min_ess_bulk": 900.0, "min_ess_tail": 800.0, "max_rhat": 1.0, "divergences": 0}
    tree.attrs = {
        "assumption_set": label,
        "assumption_set_id": f"id of {label}",
        "configuration": json.dumps(assumptions.model_dump(mode="json")),
        "data_hash": "0123",
        "diagnostics": json.dumps(diagnostics),
        "diagnostics_ok": str(not failures).lower(),
        "diagnostics_failures": failures,
    }
    target = folder / "".join(c if c.isalnum() else "_" for c in label)
    target.mkdir(parents=True)
    write_netcdf(tree, target / "result.nc")
    return target


def write_sweep(
    folder: Path,
    size: int,
    *,
    draws: int = 250,
    fitted: int = 2,
    failed: int = 0,
    keep_draws: bool = True,
    labels: Sequence[str] | None = None,
    months: Sequence[str] = MONTHS,
) -> Path:
    """Write ``sweep.nc`` and ``fits/`` of a sweep of returns.rate, as `estimator collect` does.

    Of `size` sets the first `fitted` have draws of their own, the last `failed` have no numbers,
    and the others are reweighted from one fit. The reweighted have weights ``exp(t z)`` with t from
    -0.3 to 0.3, and z the standardised log odds of returns.rate.
    """
    rng = np.random.default_rng(0)
    names = [f"central #{n + 1}" for n in range(size)] if labels is None else list(labels)
    pool = _float32(posterior(rng, draws, months))
    (folder / "fits").mkdir(parents=True)
    layout, numbers = flatten(_with_derived(pool))
    relative = np.full(len(numbers), 0.8)
    entries = pooled_entries([(layout, numbers, relative)])
    rate = pool["assumption_value"].sel(assumption="returns.rate").values.ravel()
    z = np.log(rate / (1.0 - rate)) / 0.5
    tilts = np.linspace(-0.3, 0.3, size)
    table = np.full((size, len(layout.names), len(STATISTICS)), np.nan, np.float32)
    steps, how, fits = [], [], []
    for n in range(size):
        if n < fitted:
            own = _float32(posterior(rng, draws, months))
            own_entries = pooled_entries([(*flatten(_with_derived(own)), relative)])
            table[n] = statistics(own_entries)
            how.append("fitted")
            fits.append(f"single-{n}")
            if keep_draws:
                _write_fit(folder, fits[-1], own)
        elif n >= size - failed:
            how.append("failed")
            fits.append("")
        else:
            log_weights = tilts[n] * z
            table[n] = statistics(entries, np.exp(log_weights))
            steps.append(packed(log_weights))
            how.append("reweighted")
            fits.append("cover")
    if keep_draws:
        _write_fit(folder, "cover", pool)
    _write_dataset(folder, names, table, layout, tilts, how, fits, steps if keep_draws else [])
    return folder


def _float32(dataset: xr.Dataset) -> xr.Dataset:
    found = dataset.astype(np.float32)
    for name in found.data_vars:
        found[name].attrs = dataset[name].attrs
    return found


def _with_derived(draws: xr.Dataset) -> xr.Dataset:
    killed = draws["losses"] * draws["killed_share"]
    gap = draws["recruits"] - draws["losses"]
    summed = draws["losses"].sum("month")
    killed_total = killed.sum("month")
    found = draws.drop_vars(["reporting_bias", "reporting_drift"]).assign(
        killed=killed.assign_attrs(units="persons/month"),
        replacement_gap=gap.assign_attrs(units="persons/month"),
    )
    for name, values, unit in (
        ("losses", summed, "persons"),
        ("killed", killed_total, "persons"),
        ("killed_share", killed_total / summed, "share"),
    ):
        total = values.expand_dims(total=["total"], axis=-1)
        found[f"total_{name}"] = total.assign_attrs(units=unit)
    return found


def _write_fit(folder: Path, name: str, draws: xr.Dataset) -> None:
    tree = xr.DataTree.from_dict({"/posterior": draws})
    write_netcdf(tree, folder / "fits" / f"{name}.nc")


def _write_dataset(
    folder: Path,
    names: Sequence[str],
    table: np.ndarray,
    layout: Any,
    tilts: np.ndarray,
    how: Sequence[str],
    fits: Sequence[str],
    steps: Sequence[np.ndarray],
) -> None:
    data: dict[str, Any] = {}
    coords: dict[str, Any] = {"assumption_set": list(names), "statistic": list(STATISTICS)}
    for variable in layout.variables:
        dims = ("assumption_set", variable.dim, "statistic")
        attrs = {"units": variable.units[0]}
        data[variable.name] = (dims, table[:, layout.slices[variable.name]], attrs)
        coords[variable.dim] = list(variable.labels)
        if variable.name == "assumption_value":
            coords["unit"] = (variable.dim, list(variable.units))
    columns = {
        "set_id": [f"id {n}" for n in range(len(names))],
        "obtained": how,
        "k_hat": [np.nan if h == "fitted" else 0.2 for h in how],
        "ess": [800.0 if h != "failed" else np.nan for h in how],
        "max_rhat": [1.0] * len(names),
        "divergences": [0] * len(names),
        "failures": ["gave up" if h == "failed" else "" for h in how],
        "set_window": [WINDOW] * len(names),
        "set_counts": ["losses"] * len(names),
        "fits": fits,
        f"{ASSUMED}returns.rate": tilts,
    }
    coords |= {name: ("assumption_set", cells) for name, cells in columns.items()}
    groups: dict[str, xr.Dataset] = {
        "/": xr.Dataset(data, coords=coords, attrs={"data_hash": "0123"})
    }
    if steps:
        reweighted = [name for name, h in zip(names, how, strict=True) if h == "reweighted"]
        groups["/weights/0"] = xr.Dataset(
            {"log_weight": (("reweighted_set", "pooled_draw"), np.stack(steps), {"step": 0.001})},
            coords={"reweighted_set": reweighted},
            attrs={"fits": "cover"},
        )
    tree = xr.DataTree.from_dict(groups)
    write_netcdf(tree, folder / DATASET)
