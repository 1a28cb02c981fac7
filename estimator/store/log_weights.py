"""Log weights of reweighted sets as they are stored: two bytes a draw."""

from __future__ import annotations

import numpy as np

STEP = 0.001
"""Resolution of stored log weights."""
_FLOOR = 30.0  # weights below exp(-30) of the largest are stored as none
_NONE = np.int16(-32_768)
DESCRIPTION = f"log weight less the largest, in steps of {STEP}; {_NONE}: no weight"


def packed(log_weights: np.ndarray) -> np.ndarray:
    """Log weights, relative to the largest, in steps of `STEP`. int16, (draw,)."""
    below = np.asarray(log_weights) - np.max(log_weights)
    steps = np.round(below / STEP)
    return np.where(below > -_FLOOR, steps, _NONE).astype(np.int16)


def unpacked(steps: np.ndarray) -> np.ndarray:
    """Weights of packed log weights. float32, (..., draw); rows sum to 1."""
    weights = np.exp(steps.astype(np.float32) * np.float32(STEP))
    weights[steps == _NONE] = 0.0
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
