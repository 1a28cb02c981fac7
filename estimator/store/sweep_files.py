"""What is in a sweep's folder: names, and how the draws of several fits are joined.

Apart from what makes a sweep, so that reading one does not import a sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

DATASET = "sweep.nc"
TABLE = "summary.parquet"
ASSUMED = "assumed."
"""What the names of varied keys begin with in dataset and table."""
_POOL = 60_000  # draws of a mixture: more are thinned


def thinning(sizes: Sequence[int]) -> int:
    """Of how many draws of each fit a pool takes one, by the numbers of draws of its fits."""
    return -(-sum(sizes) // _POOL)
