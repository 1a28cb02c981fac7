"""Where an answer lies at both ends of each assumption, averaged over all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimator.compare.drivers.levels import Levels
from estimator.compare.drivers.regression import FEW_LEVELS, functions_of

_CURVE = 2  # degree of the curve of an assumption with many levels


@dataclass(frozen=True)
class Ends:
    """One end of each assumption: what it is there, and the answer. (assumption,) each."""

    texts: list[str]
    values: list[float]


def level_ends(levels: Levels, values: np.ndarray) -> tuple[Ends, Ends]:
    """Find the answer at the lowest and highest level of each assumption.

    All assumptions are fitted at once without interactions, those with few levels level by level,
    those with many by a parabola. The ends of options, which have no order, are those where the
    answer is lowest and highest.

    Parameters
    ----------
    levels
        Of the sets.
    values
        Without NaN. (set,).
    """
    parts = []
    for assumption in range(len(levels.names)):
        functions, _ = functions_of(levels, assumption)
        many = levels.ordered[assumption] and functions.shape[1] >= FEW_LEVELS
        parts.append(functions[:, :_CURVE] if many else functions)
    design = np.column_stack([np.ones(len(levels)), *parts])
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    own = np.split(coefficients[1:], np.cumsum([part.shape[1] for part in parts])[:-1])
    low, high = Ends([], []), Ends([], [])
    for assumption, (part, slopes) in enumerate(zip(parts, own, strict=True)):
        present, rows = np.unique(levels.codes[:, assumption], return_index=True)
        means = coefficients[0] + part[rows] @ slopes
        first, last = 0, len(means) - 1
        if not levels.ordered[assumption]:
            first, last = int(means.argmin()), int(means.argmax())
        for end, at in ((low, first), (high, last)):
            end.texts.append(levels.texts[assumption][present[at]])
            end.values.append(float(means[at]))
    return low, high
