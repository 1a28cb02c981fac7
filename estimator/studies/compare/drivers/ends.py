"""Where an answer lies at both ends of each assumption, averaged over all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimator.studies.compare.drivers.levels import Levels


@dataclass(frozen=True)
class Ends:
    """Both ends of an assumption: what it is there, and the answer."""

    texts: tuple[str, str]
    values: tuple[float, float]


def ends_of(levels: Levels, effects: Sequence[np.ndarray]) -> list[Ends]:
    """Find the ends of each assumption.

    Parameters
    ----------
    levels
        Of the sets.
    effects
        For each assumption the answer at each level that the sets have. (level,) each.

    Returns
    -------
    list of Ends
        Of numbers the lowest and the highest level; of options, which have no order, those where
        the answer is lowest and highest.
    """
    found = []
    for assumption, (codes, means) in enumerate(zip(levels.codes.T, effects, strict=True)):
        present, last = np.unique(codes), len(means) - 1
        low, high = (0, last) if levels.ordered[assumption] or np.ptp(means) == 0 else (
            int(means.argmin()), int(means.argmax())
        )  # fmt: skip
        texts = levels.texts[assumption]
        found.append(
            Ends(
                (texts[present[low]], texts[present[high]]), (float(means[low]), float(means[high]))
            )
        )
    return found


def level_means(levels: Levels, values: np.ndarray) -> list[np.ndarray]:
    """Return the mean answer of the sets at each level of each assumption.

    Parameters
    ----------
    levels
        Of the sets.
    values
        Without NaN. (set,).
    """
    means = []
    for codes in levels.codes.T:
        _, place = np.unique(codes, return_inverse=True)
        means.append(np.bincount(place, weights=values) / np.bincount(place))
    return means
