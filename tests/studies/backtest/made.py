"""Options, fits and cases that need no sampler."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set, plain_config
from estimator.assumptions.fit_options import FitOptions
from estimator.evidence import Evidence, load_evidence, quiet_evidence
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import Origin, evidence_as_of, origins_of

GENERAL_STAFF = "general_staff_ukraine:losses"


@functools.cache
def _plain() -> dict[str, Any]:
    return dict(plain_config()["backtest"])


def options(**changes: Any) -> BacktestOptions:
    return BacktestOptions.from_config(_plain() | changes)


def fit_options(**changes: Any) -> FitOptions:
    return options().fit.model_copy(update=changes)


@functools.cache
def the_set(name: str = "central") -> AssumptionSet:
    return assumption_set([f"assumptions={name}"])


@functools.cache
def everything(name: str = "central") -> Evidence:
    with quiet_evidence():
        return load_evidence(the_set(name))


@functools.cache
def origin(month: str, name: str = "central") -> Origin:
    (one,) = origins_of(the_set(name), everything(name), options(first=month, last=month))
    return one


@functools.cache
def known(month: str) -> tuple[AssumptionSet, Evidence]:
    return evidence_as_of(the_set(), None, origin(month).as_of)


def fitted(rate: np.ndarray, step: np.ndarray, bias: np.ndarray, targets: list[str]) -> xr.Dataset:
    """Draws as a fit would give them. rate (draw, month), step and bias (draw,)."""
    n_draws = len(rate)
    dims = ("chain", "draw")
    return xr.Dataset(
        {
            "rate": (("series", *dims, "month"), rate[None, None]),
            "level": (("series", *dims), np.full((1, 1, n_draws), 3.0)),
            "step": (("series", *dims), step[None, None]),
            "shift": (("target", *dims), np.tile(bias, (len(targets), 1, 1))),
            "location": (("claim", *dims), np.zeros((0, 1, n_draws))),
        },
        coords={"series": ["losses"], "target": targets},
    )


def cases(n_origins: int = 12, horizons: int = 3, **changes: Any) -> pd.DataFrame:
    """Cases of one set: the model covers nine of ten, and scores half of the naive forecast."""
    rows = []
    months = pd.period_range("2023-06", periods=n_origins + horizons, freq="M")
    for by, name, score in (("model", "model", 0.05), ("naive", "walk_12", 0.10)):
        for at in range(n_origins):
            for horizon in range(1, horizons + 1):
                inside = at % 10 != 0
                rows.append(
                    {
                        "kind": "forecast",
                        "source": GENERAL_STAFF,
                        "claim": f"GS-{months[at + horizon]}",
                        "month": str(months[at + horizon]),
                        "horizon": horizon,
                        "published": f"{months[at + horizon] + 1}-01",
                        "observed": 30_000.0 if inside else 60_000.0,
                        **{
                            f"q{q:.10g}": 30_000.0 * (0.5 + q / 100)
                            for q in (2.5, 5, 10, 25, 50, 75, 90, 95, 97.5)
                        },
                        "pit": 0.5 if inside else 1.0,
                        "crps": score * horizon,
                        "crps_persons": score * 30_000.0,
                        **{f"interval_score_{m}": score for m in (50, 80, 90, 95)},
                        **{f"width_{m}": m / 100 for m in (50, 80, 90, 95)},
                        **{f"covered_{m}": inside for m in (50, 80, 90, 95)},
                        "dynamics": name,
                        "by": by,
                        "assumption_set": "central",
                        "assumption_set_id": "0123456789abcdef",
                        "origin": str(months[at]),
                        "as_of": f"{months[at] + 1}-01",
                        "noise_factor": 1.0,
                        "failures": "",
                        **changes,
                    }
                )
    return pd.DataFrame(rows)
