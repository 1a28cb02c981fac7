"""Whose losses the words of a page, the statements of an audit and the sliders are about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import xarray as xr

from estimator.assumptions.compose import plain_config
from estimator.store.sets import Sets

_OF_ANYBODY = {"report": "plain", "audit": "claims_only", "explore": "plain"}
"""For each group the option that is about no force in particular."""


def counted_populations(claims: Iterable[xr.Dataset]) -> set[str]:
    """List the populations whose figures count.

    Parameters
    ----------
    claims
        As `estimator.evidence.Evidence.dataset`, or the group `constant_data` of a result.
    """
    counted: set[str] = set()
    for data in claims:
        for prefix in ("", "confirmed_", "registry_"):
            used = data[f"{prefix}used"].values.astype(bool)
            counted |= {str(name) for name in data[f"{prefix}population"].values[used]}
    return counted


def options_of_sets(
    sets: Sets,
    overrides: Sequence[str],
    groups: Sequence[str],
    config_dir: str | Path | None = None,
) -> list[str]:
    """Choose as `options_about` does, by what the sets count that were written whole."""
    trees = (sets.tree(label, ("constant_data",)) for label in sets.whole)
    claims = (tree["constant_data"].to_dataset() for tree in trees if tree is not None)
    return options_about(counted_populations(claims), overrides, groups, config_dir)


def options_about(
    counted: Collection[str],
    overrides: Sequence[str],
    groups: Sequence[str],
    config_dir: str | Path | None = None,
) -> list[str]:
    """Choose words and statements about anybody where a table counts other forces.

    Parameters
    ----------
    counted
        Populations whose figures count.
    overrides
        What was asked for. An option that is named there is taken.
    groups
        Of ``conf/`` whose options are about somebody (their key ``about``).
    config_dir
        A user's own options.

    Returns
    -------
    list of str
        The overrides, behind ``report=plain`` and the like where these are needed.
    """
    config = plain_config(list(overrides), config_dir)
    more = []
    for group in groups:
        about = config[group].get("about") or ()
        named = any(word.startswith(f"{group}=") for word in overrides)
        if about and counted and not named and set(about).isdisjoint(counted):
            more.append(f"{group}={_OF_ANYBODY[group]}")
    return [*more, *overrides]
