"""What the shipped assumption sets say: ranges that a change of code must not move unnoticed.

After a change that shall move them: ``make estimate``, then ``python -m tests.golden``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

GOLDEN_FOLDER = Path(__file__).parent
_SHIPPED = pd.read_csv(GOLDEN_FOLDER / "shipped.csv")
_KEYS = ["quantity", "month", "unit"]
_MOVED = 0.2
_NARROWER, _WIDER = 0.6, 1.6


def golden_sets() -> list[str]:
    """Sets that the table has."""
    return sorted(_SHIPPED["assumption_set"].unique())


def golden_differences(name: str, summary: pd.DataFrame) -> list[str]:
    """Say in which rows a set's median, or the width of its range, is not what it was.

    Wide enough for few draws: the median of 600 with an effective size of 100 errs by 0.125
    standard deviations, a 90 % range is 3.3 of them; 0.2 of the range is five standard errors.
    """
    golden = _SHIPPED[_SHIPPED["assumption_set"] == name].set_index(_KEYS)
    found = summary[summary["scenario"] == ""].set_index(_KEYS).loc[golden.index]
    width = golden["q95"] - golden["q05"]
    moved = (found["q50"] - golden["q50"]).abs() / width
    scale = (found["q95"] - found["q05"]) / width
    bad = ~((moved < _MOVED) & (scale > _NARROWER) & (scale < _WIDER))
    assert len(golden)
    return [
        f"{name}, {' '.join(row)}: median moved by {moved[row]:.2f} of the range, "
        f"range {scale[row]:.2f} times as wide"
        for row in golden.index[bad]
    ]
