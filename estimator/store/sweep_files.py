"""What is in a sweep's folder: names, and how the draws of several fits are joined.

Apart from what makes a sweep, so that reading one does not import a sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from estimator.evidence.periods import last_whole

DATASET = "sweep.nc"
TABLE = "summary.parquet"
ASSUMED = "assumed."
"""What the names of varied keys begin with in dataset and table."""
_POOL = 60_000  # draws of a mixture: more are thinned


def thinning(sizes: Sequence[int]) -> int:
    """Of how many draws of each fit a pool takes one, by the numbers of draws of its fits."""
    return -(-sum(sizes) // _POOL)


def last_month(data: xr.Dataset) -> str:
    """Last month that every set of a sweep's dataset has whole."""
    windows = data["set_window"].values.astype(str).ravel() if "set_window" in data else ()
    return last_whole(data["month"].values.astype(str).tolist(), dict.fromkeys(windows))
