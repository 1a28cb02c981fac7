"""Numbers as text, with as many digits as they are known to."""

from __future__ import annotations

import numpy as np

from estimator.store.break_even import Crossing


def interval_text(one: Crossing) -> str:
    """Interval of a crossing, e.g. ``[0.39, 0.43]``; an end that only the range sets has a mark."""
    width = one.high - one.low
    low = ("< " if one.open_low else "") + figure(one.low, width)
    high = ("> " if one.open_high else "") + figure(one.high, width)
    return f"[{low}, {high}]"


def figure(value: float, resolution: float) -> str:
    """Write a number to the first digit of a resolution: 0.4137 to 0.03 as ``0.41``."""
    if not resolution > 0:
        return plain(value)
    digits = min(-int(np.floor(np.log10(resolution))), 6)
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def plain(value: float) -> str:
    """Write a number to four digits, without an exponent, e.g. ``15,000``."""
    return f"{float(f'{value:.4g}'):,.10g}"


def probability_text(probability: float, error: float) -> str:
    """Write a probability and its standard error to one digit of it, e.g. ``0.154 ± 0.004``."""
    digits = min(max(2, -int(np.floor(np.log10(error)))), 5)
    return f"{probability:.{digits}f} ± {error:.{digits}f}"
