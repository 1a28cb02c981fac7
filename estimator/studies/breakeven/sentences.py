"""The answer in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from estimator.assumptions.priors import Prior
from estimator.show.break_even import Axis, Crossing
from estimator.show.number import fixed, probability, resolved, significant, with_error


def assumed_text(low: float, high: float, unit: str) -> str:
    """Say what a set assumes of a key, e.g. ``0.3 to 0.65 share`` or ``0 share (held fixed)``."""
    if high > low:
        return f"{significant(low)} to {significant(high)} {unit}"
    return f"{significant(low)} {unit} (held fixed)"


def assumed_ends(prior: Prior) -> tuple[float, float]:
    """Return a prior's range; its 5 % and 95 % quantiles where it was given by parameters."""
    if prior.is_fixed:
        return float(prior.value or 0.0), float(prior.value or 0.0)
    if prior.low is not None and prior.high is not None:
        return prior.low, prior.high
    return prior.quantile(0.05), prior.quantile(0.95)


def level_text(level: float) -> str:
    """Write a probability: two digits, or as many as it was given with."""
    return f"{level:.2f}" if round(level, 2) == level else f"{level:g}"


def as_it_is_text(value: float, error: float) -> str:
    """Probability under the set itself, as the end of a sentence."""
    if np.isnan(value):
        return ""
    return f"; with that the probability is {with_error(value, error)}"


def crossing_sentence(
    label: str,
    words: str,
    level: float,
    axis: Axis,
    crossings: Sequence[Crossing],
    as_it_is: tuple[float, float],
) -> str:
    """Answer for one key that is crossed, e.g. "falls under 0.50 once … passes 0.41"."""
    steps = [
        f"{'rises over' if one.rising else 'falls under'} {level_text(level)} once "
        f"{axis.key if number == 0 else 'it'} passes {one} {axis.unit}"
        for number, one in enumerate(crossings)
    ]
    return (
        f"Under `{label}`, P({words}) {', and '.join(steps)}. {axis.key} is the "
        f"{axis.description}; the set itself assumes {axis.assumed}"
        f"{as_it_is_text(*as_it_is)}."
    )


def no_crossing_sentence(
    label: str, words: str, level: float, axis: Axis, known: pd.DataFrame, wide: float
) -> str:
    """Answer for one key that is never crossed: how near the probability comes, and where.

    Parameters
    ----------
    known
        What is known at the values of the range: columns value (rising), probability, error and
        fitted. Of real fits, if there are any, comes the one that is nearest to the level.
    wide
        Standard errors within which a probability cannot be told from the level.
    """
    if not len(known):
        return (
            f"Under `{label}`, P({words}) could not be worked out for any {axis.key} between "
            f"{significant(axis.low)} and {significant(axis.high)} {axis.unit}."
        )
    under = bool(known["probability"].median() < level)
    trusted = known[known["fitted"]] if known["fitted"].any() else known
    found = trusted["probability"].to_numpy()
    nearest = trusted.iloc[int(np.argmax(found) if under else np.argmin(found))]
    first, last = known.iloc[0], known.iloc[-1]
    close = abs(float(nearest["probability"]) - level) <= wide * float(nearest["error"])
    doubt = ", where it cannot be told from the level" if close else ""
    value, start, end = (significant(row["value"]) for row in (nearest, first, last))
    side, extreme = ("under", "most") if under else ("over", "least")
    return (
        f"Under `{label}`, P({words}) stays {side} {level_text(level)} for {axis.key} from {start} "
        f"to {end} {axis.unit}: at {extreme} {_probability(nearest)}, at {value}{doubt}; "
        f"{_probability(first)} at {start} and {_probability(last)} at {end}. {axis.key} is the "
        f"{axis.description}; the set itself assumes {axis.assumed}."
    )


def _probability(row: pd.Series) -> str:
    return with_error(float(row["probability"]), float(row["error"]))


def contour_sentence(
    label: str,
    words: str,
    level: float,
    axes: Sequence[Axis],
    lines: Sequence[np.ndarray],
    reached: tuple[float, float],
    directions: Sequence[int],
    checks: tuple[int, int],
    as_it_is: tuple[float, float],
) -> str:
    """Answer for two keys.

    Parameters
    ----------
    lines
        Points of each contour line, in the units of the keys. Each (point, key).
    reached
        Smallest and largest probability on the grid.
    directions
        Whether the probability rises (1) or falls (-1) with each key; 0 where it does both.
    checks
        How many real fits on the line agree with the level, and of how many.
    as_it_is
        Probability under the set itself, and its error.
    """
    names = " and ".join(axis.key for axis in axes)
    assumed = " and ".join(axis.assumed for axis in axes)
    if not lines:
        side = "under" if reached[1] < level else "over"
        lowest, highest = map(probability, reached)
        return (
            f"Under `{label}`, P({words}) stays {side} {level_text(level)} for all values of "
            f"{names} in their ranges: from {lowest} to {highest}. The set itself "
            f"assumes {assumed}{as_it_is_text(*as_it_is)}."
        )
    ends = " and ".join(
        f"from ({_pair(line[0], axes)}) to ({_pair(line[-1], axes)})" for line in lines
    )
    agreed = ""
    if checks[1]:
        agreed = f" {checks[0]} of {checks[1]} real fits on it agree within two standard errors."
    return (
        f"Under `{label}`, P({words}) is {level_text(level)} on a line in {names} {ends}; "
        f"it {_turns(axes, directions)}.{agreed} The set itself assumes {assumed}"
        f"{as_it_is_text(*as_it_is)}."
    )


def _turns(axes: Sequence[Axis], directions: Sequence[int]) -> str:
    words = {1: "rises with", -1: "falls with", 0: "rises and falls with"}
    return " and ".join(
        f"{words[direction]} {axis.key}" for axis, direction in zip(axes, directions, strict=True)
    )


def _pair(point: np.ndarray, axes: Sequence[Axis]) -> str:
    return ", ".join(
        resolved(value, (axis.high - axis.low) / 30.0)
        for value, axis in zip(point, axes, strict=True)
    )


def plan_share_sentence(
    label: str, scenario: str, level: float, crossing: Crossing, outer: tuple[float, float]
) -> str:
    """Answer for recruits as a share of the plan under one scenario."""
    return (
        f"Under `{label}` and scenario `{scenario}`, the force holds its level with probability "
        f"{level_text(level)} once recruits pass {crossing} of the plan; 90 % of the draws need "
        f"{fixed(outer[0], 2)} to {fixed(outer[1], 2)} of it."
    )
