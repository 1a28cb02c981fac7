"""The claims of a world, as the page shows them: who said what of which days."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from estimator.evidence.pieces import KINDS

_TEXTS = ("quantity", "unit", "hedge", "origin", "citation", "evidence_group")
_NUMBERS = ("low", "value", "high")


def claims_of(data: xr.Dataset) -> list[dict[str, Any]]:
    """Claims that count, plain.

    Parameters
    ----------
    data
        As `estimator.evidence.Evidence.dataset`, or the group constant_data of a result.

    Returns
    -------
    list of dict
        id, quantity, unit, hedge, low, value, high (None where there is none), first and last day,
        origin, citation, evidence_group, confirmed. Figures of triangles are not among them: they
        speak of what was known when, and not of a month.
    """
    found = []
    for prefix, dim in list(KINDS.items())[:2]:
        ids = data[dim].values.astype(str)
        for at in np.flatnonzero(data[f"{prefix}used"].values).tolist():
            claim: dict[str, Any] = {"id": str(ids[at]), "confirmed": bool(prefix)}
            claim |= {name: str(data[f"{prefix}{name}"].values[at]) for name in _TEXTS}
            for name in _NUMBERS:
                value = float(data[f"{prefix}{name}"].values[at])
                claim[name] = None if math.isnan(value) else value
            for name, column in (("first", "period_start"), ("last", "period_end")):
                claim[name] = str(np.datetime64(data[f"{prefix}{column}"].values[at], "D"))
            found.append(claim)
    return found
