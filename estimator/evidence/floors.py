"""Confirmed sums less the months that are confirmed on their own.

One count is additive: 90,000 confirmed for a quarter, 25,000 of them in its first month and 35,000
in its last, are 30,000 confirmed in the month between. Reading the sum as that remainder keeps the
ratios of different months independent, counts no figure twice, and implies the same floor under the
sum.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_SAME_COUNT = ["origin", "quantity", "population"]


def difference_floors(
    floors: pd.DataFrame, weight: np.ndarray, figure: np.ndarray, half_width: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Take from each confirmed sum the confirmed figures of its single months.

    Parameters
    ----------
    floors
        Confirmed claims with `used` and the columns that name one count.
    weight
        Weights of their periods on the months. (floor, month).
    figure
        Floors in persons. (floor,).
    half_width
        How far each figure may lie from its count, having been rounded; persons. (floor,).

    Returns
    -------
    weight, figure, used
        Of the remainders; a sum stays whole where its rounding and that of its months might leave
        nothing. Of several floors of one count with the same weights, the highest is used.
    rounding
        By how much each remainder moves if a figure was rounded down by all of its half width:
        a remainder carries the rounding of its sum and of all months that were taken from it.
        (floor, floor).
    """
    weight, figure = weight.copy(), figure.copy()
    rounding = np.diag(half_width.astype(float))
    used = floors["used"].to_numpy(dtype=bool).copy()
    count = floors.groupby(_SAME_COUNT, sort=False).ngroup().to_numpy()
    whole = np.isclose(weight, 1.0)
    single = (weight > 0).sum(axis=1) == 1
    single &= whole.sum(axis=1) == 1
    for row in np.flatnonzero(~single):
        for month in np.flatnonzero(whole[row]):
            parts = single & whole[:, month] & (count == count[row])
            parts &= used if used[row] else True
            if not parts.any() or (weight[row] > 0).sum() < 2:
                continue
            part = int(np.flatnonzero(parts)[np.argmax(figure[parts])])
            carried = rounding[row] - rounding[part]
            if figure[row] - figure[part] > np.abs(carried).sum():
                figure[row] -= figure[part]
                rounding[row] = carried
                weight[row, month] = 0.0
    for row in np.flatnonzero(used):
        same = used & (count == count[row]) & np.isclose(weight, weight[row]).all(axis=1)
        higher = same & (
            (figure > figure[row]) | ((figure == figure[row]) & (np.arange(len(used)) < row))
        )
        used[row] = not higher.any()
    return weight, figure, used, rounding
