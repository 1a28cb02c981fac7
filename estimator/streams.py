"""Streams of randomness by name: what one of them draws moves nothing that another draws."""

from __future__ import annotations

from enum import Enum

import numpy as np


class Stream(Enum):
    """What a set's randomness is for. The number belongs to the name for good."""

    SAMPLER = 0
    SCENARIO = 1
    DERIVED = 2
    PLAN = 3


def stream(seed: int, name: Stream) -> np.random.SeedSequence:
    """Return the stream of a name.

    Parameters
    ----------
    seed
        Seed of the assumption set.
    name
        What the stream is for.
    """
    return np.random.SeedSequence(seed, spawn_key=(name.value,))
