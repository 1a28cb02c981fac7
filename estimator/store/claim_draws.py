"""Draws of single claims: how many of them a result keeps, and how they are read back.

Where a claim's report would lie, its log likelihood and what its origin would report are numbers by
draw and claim. All else that a result holds does not grow with the table of claims; these do, and
of thousands of claims they are nearly all of a file. Of such a table every n-th draw is kept.
"""

from __future__ import annotations

import json
import math
from typing import ClassVar

import numpy as np
import xarray as xr
from pydantic import Field

from estimator.assumptions.sections import Options

GROUP = "claim_draws"
"""Group of `claim_location`, where not all draws of it are kept, and root attribute that says so.

Where all are kept, `claim_location` is in the group `posterior`.
"""
LOCATION = "claim_location"


class KeepOptions(Options):
    """How many draws of single claims a result keeps (group ``keep`` of ``conf/config.yaml``).

    Attributes
    ----------
    claim_numbers
        Up to so many claims times draws, all draws are kept.
    claim_draws
        Otherwise about so many, of all chains together, but never fewer.
    """

    group: ClassVar[str] = "keep"

    claim_numbers: int = Field(ge=1)
    claim_draws: int = Field(ge=100)

    def every(self, n_claims: int, n_draws: int) -> int:
        """Return n where every n-th draw is kept; 1 for all of them."""
        if n_claims * n_draws <= self.claim_numbers:
            return 1
        return max(n_draws // self.claim_draws, 1)


def thinned(dataset: xr.Dataset, every: int) -> xr.Dataset:
    """Keep every n-th draw of each chain."""
    return dataset.isel(draw=slice(None, None, every))


def single(dataset: xr.Dataset, every: int) -> xr.Dataset:
    """Go down to single precision where not all draws are kept: 7 digits are enough.

    What is too large for it, as some draws of wide priors are, becomes infinite.
    """
    if every == 1:
        return dataset
    with np.errstate(over="ignore"):
        return dataset.astype(np.float32)


def said(every: int, n_draws: int) -> str:
    """Write what is kept as JSON: ``every`` n-th draw of each chain, ``of`` so many draws."""
    return json.dumps({"every": every, "of": n_draws})


def note(tree: xr.DataTree) -> str:
    """Say that not all draws of single claims were kept; empty if they were."""
    if GROUP not in tree.children:
        return ""
    kept, posterior = (_draws(tree[name].to_dataset()) for name in (GROUP, "posterior"))
    return f"{kept:,} of {posterior:,} draws of each claim are kept (keep.claim_draws)"


def _draws(dataset: xr.Dataset) -> int:
    return math.prod(dataset.sizes[dim] for dim in ("chain", "draw"))


def with_locations(tree: xr.DataTree) -> xr.Dataset:
    """Posterior with `claim_location`, at the draws of which that is kept.

    Parameters
    ----------
    tree
        A whole result.

    Returns
    -------
    xarray.Dataset
        Dims chain, draw and others.
    """
    posterior = tree["posterior"].to_dataset()
    if GROUP not in tree.children:
        return posterior
    return at_draws_of(posterior, tree[GROUP].to_dataset()).assign(tree[GROUP].to_dataset())


def at_draws_of(posterior: xr.Dataset, kept: xr.Dataset) -> xr.Dataset:
    """Pick the draws that another group has, by their numbers."""
    if posterior.sizes["draw"] == kept.sizes["draw"]:
        return posterior
    return posterior.sel(draw=kept["draw"].values)
