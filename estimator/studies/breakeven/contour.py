"""Two keys: the lines on which a probability has the level, and real fits on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from contourpy import contour_generator

from estimator.show.break_even import CONTOUR_COLUMNS
from estimator.studies.breakeven.crossing import multiple
from estimator.studies.breakeven.curve import Curve, probit
from estimator.studies.breakeven.ranges import KeyRange

_NEAR = 1.0  # probits from the level
_CLEAR = 0.9  # share of the steps that go one way
LEVEL, LOWER, UPPER = "level", "lower", "upper"


def contour_grid(axes: Sequence[KeyRange], points: int) -> np.ndarray:
    """All pairs of values, on the model's scale, the second key inner. (point, key)."""
    first, second = (axis.grid(points) for axis in axes)
    return np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)


def contour_table(
    curve: Curve, axes: Sequence[KeyRange], level: float, interval: float
) -> pd.DataFrame:
    """Lines of the level, and of the edges of the curve's band.

    Parameters
    ----------
    curve
        At the points of `contour_grid`; those that are not used are left out.

    Returns
    -------
    pandas.DataFrame
        `CONTOUR_COLUMNS`: edge (level, lower or upper edge of the band), number of the line, and
        its points in the units of the keys. Between lower and upper lies the level's region.
    """
    size = round(len(curve.x) ** 0.5)
    x, y = curve.x[:, 0].reshape(size, size), curve.x[:, 1].reshape(size, size)
    wide = multiple(interval)
    rows: list[tuple[str, int, float, float]] = []
    for edge, shift in ((LEVEL, 0.0), (LOWER, -wide), (UPPER, wide)):
        z = probit(curve.probability + shift * curve.error) - probit(level)
        masked = np.ma.masked_array(z.reshape(size, size), ~curve.used.reshape(size, size))
        for number, line in enumerate(contour_generator(x, y, masked).lines(0.0)):
            points = np.asarray(line)
            values = [axis.spec.value(points[:, n]) for n, axis in enumerate(axes)]
            rows += [(edge, number, float(a), float(b)) for a, b in zip(*values, strict=True)]
    return pd.DataFrame(rows, columns=list(CONTOUR_COLUMNS))


def level_lines(table: pd.DataFrame) -> list[np.ndarray]:
    """Lines of the level, the longest first. Each (point, key), in the units of the keys."""
    own = table[table["edge"] == LEVEL]
    lines = [part[["value", "value_2"]].to_numpy() for _, part in own.groupby("line")]
    return sorted(lines, key=len, reverse=True)


def directions(curve: Curve, level: float) -> list[int]:
    """Whether the probability rises (1) or falls (-1) with each key near the level; 0: both.

    Parameters
    ----------
    curve
        At the points of `contour_grid`.
    """
    size = round(len(curve.x) ** 0.5)
    z = np.where(curve.used, probit(curve.probability), np.nan).reshape(size, size)
    near = np.abs(z - probit(level)) < _NEAR
    found = []
    for axis in (0, 1):
        step = np.diff(z, axis=axis)
        both = near & np.roll(near, -1, axis=axis)
        steps = step[np.take(both, range(size - 1), axis=axis)]
        rising, falling = int((steps > 0).sum()), int((steps < 0).sum())
        clear = max(rising, falling) >= _CLEAR * max(rising + falling, 1)
        found.append((1 if rising > falling else -1) if clear and rising + falling else 0)
    return found


def spread_along(lines: Sequence[np.ndarray], axes: Sequence[KeyRange], count: int) -> np.ndarray:
    """Places evenly spread along lines, on the model's scale. (place, key)."""
    if not lines or count < 1:
        return np.empty((0, len(axes)))
    width = np.array([axis.width for axis in axes])
    paths = [
        np.stack([axis.spec.link(line[:, n]) for n, axis in enumerate(axes)], axis=1)
        for line in lines
    ]
    steps = [np.linalg.norm(np.diff(path / width, axis=0), axis=1) for path in paths]
    lengths = np.array([step.sum() for step in steps])
    wanted = (np.arange(count) + 0.5) / count * lengths.sum()
    places = []
    begins = np.concatenate([[0.0], np.cumsum(lengths)])
    for at in wanted:
        number = min(int(np.searchsorted(begins, at, side="right")) - 1, len(paths) - 1)
        along = np.concatenate([[0.0], np.cumsum(steps[number])])
        places.append(
            [np.interp(at - begins[number], along, paths[number][:, n]) for n in range(len(axes))]
        )
    return np.array(places)
