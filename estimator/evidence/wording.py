"""A claim's figure in words, as it was published."""

from __future__ import annotations

import math

_WORDS = {
    "exact": "",
    "about": "about ",
    "nearly": "nearly ",
    "more_than": "more than ",
    "at_least": "at least ",
    "under": "under ",
    "up_to": "up to ",
}


def number_text(number: float) -> str:
    """Write a number with thousands separators and no more digits than it has."""
    return f"{number:,.10g}".replace("-", "−")


def figure_text(hedge: str, low: float, value: float, high: float, unit: str) -> str:
    """Say a figure with its wording and unit.

    Parameters
    ----------
    hedge
        As in `data/README.md`; empty for a figure without one.
    low, value, high
        NaN where the claim has none.
    unit
        Of the figure.

    Examples
    --------
    >>> figure_text("about", math.nan, 30000.0, math.nan, "persons")
    'about 30,000 persons'
    >>> figure_text("range", 30000.0, math.nan, 40000.0, "persons/month")
    '30,000 to 40,000 persons/month'
    >>> figure_text("more_than", math.nan, 0.65, math.nan, "share")
    'more than 65 %'
    """
    if unit == "share":
        low, value, high, unit = 100 * low, 100 * value, 100 * high, "%"
    ends = ""
    if not (math.isnan(low) or math.isnan(high)):
        ends = f"{number_text(low)} to {number_text(high)}"
    figure = ends or "no figure"
    if not math.isnan(value):
        middle = number_text(value)
        figure = f"{middle} ({ends})" if ends and value not in (low, high) else ends or middle
    return f"{_WORDS.get(hedge, '')}{figure} {unit}".strip()
