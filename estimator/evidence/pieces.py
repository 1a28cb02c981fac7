"""How many pieces of evidence claims are: those of one evidence group are one."""

from __future__ import annotations

import numpy as np
import xarray as xr


def pieces(data: xr.Dataset) -> tuple[int, int]:
    """Count figures that count, and the pieces of evidence that they are.

    Parameters
    ----------
    data
        As `estimator.evidence.Evidence.dataset`, or the group constant_data of a result.
    """
    used = np.asarray(data["used"].values, dtype=bool)
    floors = np.asarray(data["confirmed_used"].values, dtype=bool)
    groups = [
        *data["evidence_group"].values[used].tolist(),
        *data["confirmed_evidence_group"].values[floors].tolist(),
    ]
    return len(groups), len(set(groups) - {""}) + groups.count("")
