"""What every source of sets gives: facts, statistics, and draws with weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from estimator.fitting.convergence import convergence
from estimator.quantities.answers import Answer


@dataclass(frozen=True)
class Chunk:
    """Draws of some answers that several sets share, with each set's weights.

    Attributes
    ----------
    labels
        Of the sets.
    values
        (answer, draw).
    weights
        Rows sum to 1. (set, draw).
    places
        Which draw of which fit each is: equal numbers are the same draw, also of other chunks.
        (draw,).
    parts
        The draws of each fit, chain by chain. Each (answer, chain, draw).
    """

    labels: tuple[str, ...]
    values: np.ndarray
    weights: np.ndarray
    places: np.ndarray
    parts: tuple[np.ndarray, ...]

    @cached_property
    def relative_ess(self) -> np.ndarray:
        """The smallest effective sample size of any fit over its draws, unweighted. (answer,)."""
        return np.asarray(np.min([relative_ess(part) for part in self.parts], axis=0))


class Source(Protocol):
    """One folder's sets, or one set."""

    facts: pd.DataFrame

    @property
    def months(self) -> list[str]:
        """Months that its sets have."""

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """(set, answer, statistic)."""

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        """Draws of the sets that are wanted."""

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer."""


def places_of(fit: str, n_draws: int) -> np.ndarray:
    """Numbers that tell the draws of a fit from those of any other. (draw,)."""
    name = int.from_bytes(hashlib.blake2b(fit.encode(), digest_size=8).digest())
    return np.uint64(name & ~0xFF_FFFF) + np.arange(n_draws, dtype=np.uint64)


def relative_ess(draws: np.ndarray) -> np.ndarray:
    """Smaller one of bulk and tail ESS of each row over the number of draws. (answer,)."""
    relative = np.ones(len(draws))
    moving = np.flatnonzero(np.ptp(draws.reshape(len(draws), -1), axis=1) > 0)
    if len(moving):
        with np.errstate(invalid="ignore", divide="ignore"):  # R-hat of draws that are 0 or 1
            found = convergence(draws[moving])
        smaller = np.minimum(found.ess_bulk, found.ess_tail)
        relative[moving] = np.minimum(smaller / draws[0].size, 1.0)
    return relative
