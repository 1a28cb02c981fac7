"""An answer: the one number of a set that is compared, and its draws."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from estimator.errors import ConfigError, nearest
from estimator.quantities.derived import share_of_sums, with_what_follows
from estimator.quantity import ESTIMATED, FOLLOWING, QUANTITIES, SHARES, SUMMED, TOTAL

LAST = "last"
"""Period of an answer in options: the last month, of several sets the last that all have."""

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
        As in `estimator.quantity.ESTIMATED`.
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
        if plain["quantity"] not in ESTIMATED:
            raise ConfigError(
                f"answer {text!r}: unknown quantity {plain['quantity']!r}; "
                f"{nearest(plain['quantity'], ESTIMATED)}"
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
        quantity = QUANTITIES[self.quantity]
        return quantity.unit_of_total if self.period == TOTAL else quantity.unit


def variables_of(answers: Sequence[Answer], stored: Collection[str]) -> list[str]:
    """Names of the stored variables from which `answer_draws` can give answers."""
    names: list[str] = []
    for answer in answers:
        of_sums = answer.quantity in SHARES and answer.period == TOTAL
        follows = answer.quantity in FOLLOWING and answer.quantity not in stored
        quantity = QUANTITIES[answer.quantity]
        names += quantity.series_behind if of_sums or follows else (answer.quantity,)
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
    quantities = with_what_follows(draws)
    shape = (len(answers), draws.sizes["chain"], draws.sizes["draw"])
    found = np.full(shape, np.nan)
    for row, answer in enumerate(answers):
        values = _values(quantities, answer)
        if values is not None:
            plain = values.transpose("chain", "draw").values
            found[row] = (
                np.where(np.isnan(plain), np.nan, plain < 0) if answer.below_zero else plain
            )
    return found


def _values(quantities: xr.Dataset, answer: Answer) -> xr.DataArray | None:
    if answer.quantity in SHARES and answer.period == TOTAL:
        share = QUANTITIES[answer.quantity]
        known = {*share.parts, *share.whole} <= set(quantities)
        return share_of_sums(answer.quantity, quantities) if known else None
    if answer.quantity not in quantities:
        return None
    series = quantities[answer.quantity]
    if answer.period == TOTAL:
        return series.sum("month") if answer.quantity in SUMMED else None
    (dim,) = (dim for dim in series.dims if dim not in ("chain", "draw"))
    if answer.period not in series[dim].values:
        return None
    return series.sel({dim: answer.period})
