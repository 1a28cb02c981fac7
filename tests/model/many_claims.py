"""A made-up war with many claims: ten origins on both sides and beside, four quantities, a year."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

FIRST, LAST = pd.Timestamp("2031-01-01"), pd.Timestamp("2031-12-31")
SPEAKERS = {"enemy": 0.35, "own": -0.5, "third_party": 0.0}
"""Mean log ratio of reported to true by who speaks."""

_ORIGINS = tuple(
    (f"Origin {n}", speaker, days)
    for n, (speaker, days) in enumerate(
        [("enemy", 1), ("enemy", 3), ("enemy", 3), ("own", 3), ("own", 3)]
        + [("third_party", 7)] * 5
    )
)
_KILLED_SHARE, _NOISE, _BIAS_SPREAD = 0.28, 0.10, 0.12

MAPPING = """\
columns:
  period_start: {column: from}
  period_end: {column: to}
  value: {column: persons}
  quantity: what
  origin: who
  speaker: side
  unit: {constant: persons}
  population: {constant: made_forces}
  status: {constant: claimed}
  citation: {constant: made up}
figures: period
"""


def truth() -> dict[str, np.ndarray]:
    """True persons a day of each quantity. (day,)."""
    days = (LAST - FIRST).days + 1
    rng = np.random.default_rng(7)
    losses = 300.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, days)))
    return {
        "losses": losses,
        "killed": _KILLED_SHARE * losses,
        "wounded": (1.0 - _KILLED_SHARE) * losses,
        "recruits": np.full(days, 280.0),
    }


def write_table(path: Path, *, every: int = 1) -> int:
    """Write the table as somebody would publish it; return its number of rows.

    Parameters
    ----------
    path
        CSV with columns from, to, who, side, what, persons.
    every
        Makes all periods so many times as long, for a smaller table.
    """
    rng = np.random.default_rng(8)
    days = len(truth()["losses"])
    rows = []
    for who, side, own_days in _ORIGINS:
        length = own_days * every
        for what, daily in truth().items():
            bias = rng.normal(SPEAKERS[side], _BIAS_SPREAD)
            for begin in range(0, days, length):
                end = min(begin + length, days)
                noise = _NOISE * max(30.4 / (end - begin), 1.0) ** 0.5
                reported = daily[begin:end].sum() * np.exp(bias + noise * rng.normal())
                first, last = (FIRST + pd.Timedelta(days=n) for n in (begin, end - 1))
                rows.append(
                    (f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}", who, side, what, round(reported))
                )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("from", "to", "who", "side", "what", "persons"))
        writer.writerows(rows)
    return len(rows)
