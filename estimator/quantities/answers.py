"""An answer: the one number of a set that is compared, and its draws."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from estimator.errors import ConfigError, nearest
from estimator.quantities.derived import FLOWS, UNITS
from estimator.quantity import TOTAL

SUMMED = (*FLOWS, "replacement_gap", "net_change", "other_side_losses", "losses_per_km")
"""Quantities that have a total over the window; so has killed_share, that of the sums."""

LAST = "last"
"""Period of an answer in options: the last month, of several sets the last that all have."""

_BASIS = ("losses", "killed_share", "recruits")
_FOLLOW = ("killed", "wounded", "replacement_gap")  # from these three
_QUANTITIES = (*UNITS, "assumption_value")
_PLAIN = re.compile(r"(?P<quantity>\w+)\[(?P<period>[^\[\]]+)\]")
_PROBABILITY = re.compile(r"P\(\s*(?P<inner>[^()]+?)\s*<\s*0\s*\)")


def with_last_month(text: str, month: str) -> str:
    """Put a month in the place of ``[last]`` in an answer or an event.

    Examples
    --------
    >>> with_last_month("P(net_change[last] < 0)", "2026-01")
    'P(net_change[2026-01] < 0)'
    """
    return text.replace(f"[{LAST}]", f"[{month}]")


@dataclass(frozen=True)
class Answer:
    """A quantity of a month, of the whole window or of a named part, or P(quantity < 0).

    Attributes
    ----------
    quantity
        As in `estimator.quantities.derived.UNITS`, or ``assumption_value``.
    period
        A month (``2026-01``), ``total``, or the name of an assumption, a source or a claim.
    below_zero
        Whether the answer is the probability that the quantity is below 0.
    """

    quantity: str
    period: str
    below_zero: bool = False

    @classmethod
    def parse(cls, text: str) -> Answer:
        """Read ``losses[2026-01]`` or ``P(net_change[2026-01] < 0)``.

        Raises
        ------
        ConfigError
            If it is neither, or names an unknown quantity.
        """
        probability = _PROBABILITY.fullmatch(text.strip())
        plain = _PLAIN.fullmatch(probability["inner"] if probability else text.strip())
        if plain is None:
            raise ConfigError(
                f"answer {text!r}: must be quantity[period], e.g. losses[2026-01], killed[total], "
                "or P(net_change[2026-01] < 0)"
            )
        if plain["quantity"] not in _QUANTITIES:
            raise ConfigError(
                f"answer {text!r}: unknown quantity {plain['quantity']!r}; "
                f"{nearest(plain['quantity'], _QUANTITIES)}"
            )
        return cls(plain["quantity"], plain["period"], probability is not None)

    def __str__(self) -> str:
        """Write as `parse` reads it."""
        plain = f"{self.quantity}[{self.period}]"
        return f"P({plain} < 0)" if self.below_zero else plain

    @property
    def entry(self) -> tuple[str, str]:
        """Variable and label in the dataset of a sweep."""
        return (f"total_{self.quantity}" if self.period == TOTAL else self.quantity), self.period

    @property
    def unit(self) -> str:
        """Unit of the answer; that of an assumption or bias is in the data."""
        if self.below_zero:
            return "probability"
        unit = UNITS.get(self.quantity, "see assumption")
        return unit.replace("persons/month", "persons") if self.period == TOTAL else unit


def variables_of(answers: Sequence[Answer], stored: Collection[str]) -> list[str]:
    """Names of the stored variables from which `answer_draws` can give answers."""
    names: list[str] = []
    for answer in answers:
        whole = answer.quantity == "killed_share" and answer.period == TOTAL
        follows = answer.quantity in _FOLLOW and answer.quantity not in stored
        names += _BASIS if whole or follows else (answer.quantity,)
    return [name for name in dict.fromkeys(names) if name in stored]


def answer_draws(draws: xr.Dataset, answers: Sequence[Answer]) -> np.ndarray:
    """Draws of answers from those of the quantities.

    Parameters
    ----------
    draws
        Dims chain, draw and month or the quantity's own; killed, wounded and replacement gap may be
        missing: they follow from losses, killed share and recruits.
    answers
        Of a probability the draws are 1 where the quantity is below 0, else 0.

    Returns
    -------
    (answer, chain, draw); NaN where the draws hold no such quantity or period
    """
    shape = (len(answers), draws.sizes["chain"], draws.sizes["draw"])
    found = np.full(shape, np.nan)
    for row, answer in enumerate(answers):
        values = _values(draws, answer)
        if values is not None:
            plain = values.transpose("chain", "draw").values
            found[row] = (
                np.where(np.isnan(plain), np.nan, plain < 0) if answer.below_zero else plain
            )
    return found


def _values(draws: xr.Dataset, answer: Answer) -> xr.DataArray | None:
    if answer.quantity == "killed_share" and answer.period == TOTAL:
        killed = _series(draws, "killed")
        return None if killed is None else killed.sum("month") / draws["losses"].sum("month")
    series = _series(draws, answer.quantity)
    if series is None:
        return None
    if answer.period == TOTAL:
        return series.sum("month") if answer.quantity in SUMMED else None
    (dim,) = (dim for dim in series.dims if dim not in ("chain", "draw"))
    if answer.period not in series[dim].values:
        return None
    return series.sel({dim: answer.period})


def _series(draws: xr.Dataset, quantity: str) -> xr.DataArray | None:
    if quantity in draws:
        return draws[quantity]
    if quantity not in _FOLLOW or not set(_BASIS) <= set(draws):
        return None
    match quantity:
        case "killed":
            return draws["losses"] * draws["killed_share"]
        case "wounded":
            return draws["losses"] * (1.0 - draws["killed_share"])
        case "replacement_gap":
            return draws["recruits"] - draws["losses"]
    return None
