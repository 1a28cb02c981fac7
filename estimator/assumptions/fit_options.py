"""Draws of a fit, and the bounds that they must satisfy."""

from __future__ import annotations

from pydantic import Field

from estimator.assumptions.sections import Section

_DEEPEST = 12


class Bounds(Section):
    """What the diagnostics of draws must satisfy."""

    max_rhat: float = Field(gt=1.0)
    min_ess: float = Field(ge=1.0)
    max_divergences: int = Field(ge=0)


class FitOptions(Section):
    """How a posterior is sampled in whitened coordinates, and how often it is tried.

    Attributes
    ----------
    draws, tune
        Kept draws and warm-up of each chain.
    max_depth
        Depth of NUTS's trees.
    target_accept
        Aimed-at acceptance rate.
    attempts
        Attempts at most (see `estimator.fitting.ladder`).
    """

    draws: int = Field(ge=50, le=100_000)
    tune: int = Field(ge=10, le=100_000)
    max_depth: int = Field(ge=1, le=_DEEPEST)
    target_accept: float = Field(gt=0.5, lt=1.0)
    attempts: int = Field(ge=1, le=20)

    @property
    def with_smaller_steps(self) -> FitOptions:
        """The same with a third of the rejections."""
        return self.model_copy(update={"target_accept": 1.0 - (1.0 - self.target_accept) / 3.0})

    @property
    def longer_and_deeper(self) -> FitOptions:
        """The same with twice the warm-up and draws, and trees of four times as many steps."""
        longer = {"tune": 2 * self.tune, "draws": 2 * self.draws}
        return self.model_copy(update=longer | {"max_depth": min(self.max_depth + 2, _DEEPEST)})
