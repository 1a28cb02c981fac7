"""Options of scenario discovery, typed and checked (group `discover` of ``conf/``)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from estimator.assumptions.sections import Options


class DiscoverOptions(Options):
    """How boxes are found (see ``conf/discover/default.yaml`` for each)."""

    group: ClassVar[str] = "discover"

    level: float = Field(gt=0.0, lt=1.0)
    density: float = Field(gt=0.0, le=1.0)
    conditions: int = Field(ge=1, le=10)
    least_sets: float = Field(gt=0.0, le=0.5)
    fewest_sets: int = Field(ge=1)
