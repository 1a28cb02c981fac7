"""The typed assumption set: one fully resolved configuration, checked, with an identity.

`AssumptionSet.from_config` collects every problem of a configuration and raises them at once, each
with its key, what was found, and what is allowed. `ASSUMPTIONS` lists the scalar assumptions that
the model samples (or holds fixed), with unit and support.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estimator.assumptions.assumption_set import AssumptionSet
    from estimator.assumptions.groups import ASSUMPTIONS

__all__ = ["ASSUMPTIONS", "AssumptionSet"]

_HOME = {"ASSUMPTIONS": "groups", "AssumptionSet": "assumption_set"}


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: composing overrides needs no SciPy."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
