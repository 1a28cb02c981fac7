"""What a configuration assumes, as text: its priors, and every other setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from estimator.assumptions.catalogue import leaves
from estimator.assumptions.priors import Prior
from estimator.show import number

LEFT_OUT = ("label", "seed", "sampler")
"""Parts of a set that are no beliefs about the world, or shown elsewhere."""


def priors(config: Mapping[str, Any]) -> Iterator[tuple[str, Prior]]:
    """Key and prior of all that is written as one, in the order of a configuration."""
    for key, node in leaves(config):
        if _is_prior(node):
            yield key, Prior.model_validate(node)


def settings(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and text of all that is set and is no prior; a scenario's empty parts are left out."""
    for key, node in leaves({k: v for k, v in config.items() if k not in LEFT_OUT}):
        if not _is_prior(node) and not (key.startswith("scenario.") and node is None):
            yield key, value_text(node)


def value_text(node: Any) -> str:
    """Write a setting on one line."""
    if node is None:
        return "not set"
    if isinstance(node, list):
        return "; ".join(value_text(item) for item in node) or "none"
    if isinstance(node, dict):
        return ", ".join(f"{key} {value_text(value)}" for key, value in node.items()) or "none"
    return str(node)


def as_written(prior: Prior) -> str:
    """Write a prior as its author gave it: a range, a fixed value, or parameters.

    Examples
    --------
    >>> as_written(Prior(family="Fixed", value=3.0, unit="months"))
    '3'
    """
    unit = "persons" if prior.unit != "share" else "share"
    if prior.is_fixed:
        return _number(prior.value or 0.0, unit)
    if not prior.is_range:
        return prior.describe()
    mass = f"({number.rounded(prior.mass, 'probability')} of it)".replace(" ", "\N{NO-BREAK SPACE}")
    if prior.low is None:
        return f"up to {_number(prior.high or 0.0, unit)} {mass}"
    return f"{_number(prior.low, unit)} to {_number(prior.high or 0.0, unit)} {mass}"


def became(prior: Prior) -> str:
    """Say what a prior became: a distribution, or a number that is held."""
    return "held fixed" if prior.is_fixed else prior.describe()


def source_of(prior: Prior) -> str:
    """Say where a prior's values come from."""
    return prior.source or "no source given"


def _is_prior(node: Any) -> bool:
    return isinstance(node, Mapping) and "family" in node


def _number(value: float, unit: str) -> str:
    if unit == "share":
        return number.rounded(value, "share")
    return number.significant(value, 6)
