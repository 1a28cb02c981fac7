"""What pictures ask of a sweep: which level of each varied key each set has."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Levels(Protocol):
    """Levels of the assumptions that a sweep varied."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the assumptions."""

    @property
    def codes(self) -> np.ndarray:
        """Number of the level. (set, assumption)."""

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Levels of each assumption in words."""

    @property
    def ordered(self) -> np.ndarray:
        """Whether the levels are numbers in rising order. (assumption,)."""
