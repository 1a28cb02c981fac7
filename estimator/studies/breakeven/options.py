"""Options of the search, typed and checked (group `breakeven` of ``conf/``)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from estimator.assumptions.sections import Options


class BreakEvenOptions(Options):
    """How a crossing is searched (see ``conf/breakeven/default.yaml`` for each)."""

    group: ClassVar[str] = "breakeven"

    points: int = Field(ge=3, le=1000)
    contour_points: int = Field(ge=3, le=100)
    cover_mass: float = Field(gt=0.0, lt=1.0)
    cover_draws: int = Field(ge=50, le=100_000)
    contour_draws: int = Field(ge=50, le=100_000)
    kernel_width: float = Field(gt=0.0, le=0.5)
    contour_kernel_width: float = Field(gt=0.0, le=0.5)
    max_k_hat: float = Field(gt=0.0, le=1.0)
    min_ess: float = Field(ge=10.0)
    bridges: int = Field(ge=0, le=100)
    refits: int = Field(ge=0, le=1000)
    refit_draws: int = Field(ge=50, le=100_000)
    tolerance: float = Field(gt=0.0, lt=1.0)
    bracket: float = Field(gt=0.0, le=2.0)
    scan: int = Field(ge=2, le=1000)
    check: int = Field(ge=0, le=1000)
    interval: float = Field(gt=0.5, lt=1.0)
