"""Confirmed figures that count in each set, for pictures."""

from __future__ import annotations

import xarray as xr

from estimator.store.sets import Sets
from estimator.store.sweep_files import ASSUMED


def floors_of(sets: Sets) -> dict[str, xr.DataTree]:
    """Find the claims of sets.

    Parameters
    ----------
    sets
        Those that were written whole hold their claims. A planned sweep does not: its sets have
        the shipped claims if they were made from the same data and no `evidence` was varied.

    Returns
    -------
    dict
        By label, a tree with the group `constant_data`; sets of which it is not known are left out.
    """
    found: dict[str, xr.DataTree] = {}
    for label in sets.whole:
        tree = sets.tree(label, ("constant_data",))
        if tree is not None and "constant_data" in tree.children:
            found[label] = tree
    whole = set(sets.whole)
    planned = [label for label in sets.labels if label not in whole]
    varied = any(str(column).startswith(f"{ASSUMED}evidence") for column in sets.facts)
    if planned and not varied:
        shipped, data_hash = _shipped()
        facts = sets.facts.loc[planned]
        found |= dict.fromkeys(facts.index[facts["data_hash"] == data_hash], shipped)
    return found


def _shipped() -> tuple[xr.DataTree, str]:
    from estimator.assumptions.compose import assumption_set
    from estimator.evidence import load_evidence

    evidence = load_evidence(assumption_set())
    return xr.DataTree.from_dict({"/constant_data": evidence.dataset}), evidence.data_hash
