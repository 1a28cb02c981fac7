"""How many pieces of evidence claims are: those of one evidence group are one."""

from __future__ import annotations

import numpy as np
import xarray as xr

KINDS = {"": "claim", "confirmed_": "confirmed_claim", "registry_": "registry_figure"}
"""Prefixes of the variables of claims, of floors and of figures of triangles, and their dims."""


def group_members(data: xr.Dataset) -> dict[str, tuple[np.ndarray, ...]]:
    """Which figures that count are of each evidence group.

    Parameters
    ----------
    data
        As `estimator.evidence.Evidence.dataset`, or the group constant_data of a result.

    Returns
    -------
    dict
        For each group of which a figure counts a mask of each of `KINDS`: (claim,),
        (confirmed_claim,), (registry_figure,), bool.
    """
    groups = [np.where(_used(data, kind), data[f"{kind}evidence_group"].values, "")
              for kind in KINDS]  # fmt: skip
    names = sorted({name for of_kind in groups for name in of_kind.tolist()} - {""})
    return {name: tuple(of_kind == name for of_kind in groups) for name in names}


def pieces(data: xr.Dataset) -> tuple[int, int]:
    """Count the figures that count, and the pieces of evidence that they are.

    Parameters
    ----------
    data
        As for `group_members`.
    """
    figures = sum(int(_used(data, kind).sum()) for kind in KINDS)
    members = group_members(data).values()
    in_groups = sum(int(mask.sum()) for masks in members for mask in masks)
    return figures, len(members) + figures - in_groups


def _used(data: xr.Dataset, kind: str) -> np.ndarray:
    return np.asarray(data[f"{kind}used"].values, dtype=bool)
