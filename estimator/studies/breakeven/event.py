"""The event whose probability is asked for: a quantity of a period below or above a number."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.errors import ConfigError, nearest, problems_text
from estimator.quantities.answers import Answer, answer_draws
from estimator.quantities.derived import with_what_follows
from estimator.quantities.scenario import PROJECTED, project
from estimator.quantity import MONTHLY, SHARES, SUMMED, TOTAL
from estimator.show.number import significant
from estimator.streams import Stream, stream

NUMBER = r"[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
"""Pattern of a number in an event."""

_EVENT = re.compile(
    r"(?:scenario\.(?P<scenario>\w+)\.)?(?P<quantity>\w+)\[(?P<period>[^\[\]]+)\]\s*"
    rf"(?P<sign>[<>])\s*(?P<number>{NUMBER})"
)
_AS_PROBABILITY = re.compile(r"P\((?P<inner>[^()]*)\)")
_EXAMPLES = (
    "net_change[2026-01] < 0, killed[total] > 300000, scenario.status_quo.force_size[2026-08] < 7e5"
)


@dataclass(frozen=True)
class Event:
    """A quantity below or above a number.

    Attributes
    ----------
    quantity, period
        As in an answer: ``losses`` in ``2026-01``, ``killed`` in ``total``.
    below
        Whether the event is that the quantity is below the number, or above it.
    threshold
        The number, in the unit of the quantity (persons, shares).
    scenario
        The scenario that carries the quantity beyond the window; None for what is estimated.
    """

    quantity: str
    period: str
    below: bool
    threshold: float
    scenario: str | None = None

    @classmethod
    def parse(cls, text: str) -> Event:
        """Read ``net_change[2026-01] < 0`` or ``scenario.status_quo.net_change[2026-08] < 0``.

        Raises
        ------
        ConfigError
            If it is neither, with what is allowed.
        """
        plain = text.strip()
        whole = _AS_PROBABILITY.fullmatch(plain)
        found = _EVENT.fullmatch(whole["inner"].strip() if whole else plain)
        if found is None:
            raise ConfigError(
                f"event {text!r}: must be quantity[period] < number, or > number; scenario.NAME. "
                f"in front for what is projected. Examples: {_EXAMPLES}"
            )
        try:
            threshold = float(found["number"])
        except ValueError as error:  # underscores in places where Python has none
            raise ConfigError(f"event {text!r}: {found['number']!r} is no number") from error
        if not np.isfinite(threshold):
            raise ConfigError(f"event {text!r}: the number must be finite")
        quantity, period = found["quantity"], found["period"].strip()
        return cls(quantity, period, found["sign"] == "<", threshold, found["scenario"])

    def __str__(self) -> str:
        """Write as `parse` reads it."""
        where = f"scenario.{self.scenario}." if self.scenario is not None else ""
        sign = "<" if self.below else ">"
        return f"{where}{self.quantity}[{self.period}] {sign} {self.threshold!r}".removesuffix(".0")

    @property
    def words(self) -> str:
        """Say it in words, e.g. ``net change in 2026-01 < 0``."""
        period = "in total" if self.period == TOTAL else f"in {self.period}"
        under = f" under scenario {self.scenario}" if self.scenario is not None else ""
        number = significant(self.threshold, 10)
        sign = "<" if self.below else ">"
        return f"{self.quantity.replace('_', ' ')} {period}{under} {sign} {number}"

    @property
    def slug(self) -> str:
        """Name for a folder, e.g. ``net_change-2026-01-below-0``."""
        side = "below" if self.below else "above"
        parts = [self.scenario, self.quantity, self.period, side, f"{self.threshold:.10g}"]
        return "-".join(part for part in parts if part)

    def check(self, assumptions: AssumptionSet, months: list[str], ahead: list[str]) -> None:
        """Refuse an event that a set does not know.

        Parameters
        ----------
        assumptions
            The set.
        months, ahead
            Months of the window, and of the horizon of the scenarios.

        Raises
        ------
        ConfigError
            With every problem: quantity, period and scenario, each with the nearest valid name.
        """
        problems = []
        known = MONTHLY if self.scenario is None else PROJECTED
        if self.quantity not in known:
            problems.append(f"unknown quantity {self.quantity!r}; {nearest(self.quantity, known)}")
        if self.scenario is not None and self.scenario not in assumptions.scenario:
            hint = nearest(self.scenario, assumptions.scenario) if assumptions.scenario else "none"
            problems.append(f"unknown scenario {self.scenario!r}; {hint}")
        periods = months if self.scenario is None else ahead
        if self.period == TOTAL:
            if self.quantity in known and self.quantity not in (*SUMMED, *SHARES):
                problems.append(f"{self.quantity} has no total: give a month, e.g. {periods[-1]}")
        elif self.period not in periods:
            span = f"{periods[0]} to {periods[-1]}" if periods else "none"
            hint = nearest(self.period, [*periods, TOTAL])
            hint = f"; {hint}" if hint.startswith("did you mean") else ""
            problems.append(f"no month {self.period!r}; allowed: {TOTAL}, or {span}{hint}")
        if problems:
            raise ConfigError(problems_text(f"event {str(self)!r} has problems:", problems))

    def happens(self, core: xr.Dataset, assumptions: AssumptionSet) -> np.ndarray:
        """Whether it happens in each draw.

        Parameters
        ----------
        core
            Draws as `estimator.sweep.set_fit.fit` keeps them.
        assumptions
            Of the set; a scenario is projected with its seed, horizon and dynamics.

        Returns
        -------
        (chain, draw), bool
        """
        draws = core if self.scenario is None else self._projected(core, assumptions)
        (values,) = answer_draws(draws, [Answer(self.quantity, self.period)])
        if np.isnan(values).any():
            raise ValueError(f"{self}: the draws do not hold it")
        found = values < self.threshold if self.below else values > self.threshold
        return np.asarray(found)

    def _projected(self, core: xr.Dataset, assumptions: AssumptionSet) -> xr.Dataset:
        one = {str(self.scenario): assumptions.scenario[str(self.scenario)]}
        quantities = with_what_follows(core.astype(float, keep_attrs=True))
        seed = stream(assumptions.seed, Stream.SCENARIO)
        projected = project(quantities, assumptions.model_copy(update={"scenario": one}), seed)
        if projected is None:
            raise ValueError(f"{self}: the set projects nothing")
        return projected.isel(scenario=0, drop=True).rename(projected_month="month")
