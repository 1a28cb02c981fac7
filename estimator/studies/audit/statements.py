"""Statements in words, as probabilities under a set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.errors import nearest
from estimator.evidence.periods import last_whole
from estimator.fitting.convergence import convergence
from estimator.quantities.derived import derived_quantities, share_of_sums
from estimator.quantity import QUANTITIES, SHARES
from estimator.show.number import significant
from estimator.streams import Stream, stream
from estimator.studies.audit.bases import RANGE, AuditedSet
from estimator.studies.audit.options import Statement

COLUMNS = (
    "assumption_set",
    "statement",
    "claims",
    "says",
    "about",
    "period",
    "probability",
    "mcse",
    "value_q05",
    "value_q50",
    "value_q95",
    "unit",
    "note",
)
MONTHS = "months"
"""Unit of a statement whose answer is how many months it needs."""
_CHAIN_DRAW = ("chain", "draw")


def judge_statements(audited: AuditedSet, statements: dict[str, Statement]) -> pd.DataFrame:
    """Probability of each statement, with the quantity that it speaks of.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. A statement over several months has a row for each and one for all together.
        One that speaks of a month, quantity or scenario that the set does not have has no
        probability, and a note that says why.
    """
    asked = _Asked(audited)
    rows: list[tuple[Any, ...]] = []
    for name, statement in statements.items():
        try:
            rows += asked.rows(name, statement)
        except LookupError as error:
            nothing = ("", "", *(np.nan,) * (2 + len(RANGE)), "")
            claims, note = ", ".join(statement.claims), f"cannot be answered: {error.args[0]}"
            rows.append((audited.label, name, claims, statement.says, *nothing, note))
    return pd.DataFrame(rows, columns=list(COLUMNS))


class _Asked:
    """One set, asked for statements."""

    def __init__(self, audited: AuditedSet) -> None:
        self.audited = audited
        posterior = audited.posterior
        rng = np.random.default_rng(stream(audited.assumptions.seed, Stream.DERIVED))
        derived = derived_quantities(posterior, audited.assumptions, rng)
        self.posterior = posterior.merge(derived)

    def rows(self, name: str, statement: Statement) -> Iterator[tuple[Any, ...]]:
        series = self._series(statement)
        months = self._months(statement, series)
        chosen = series.sel(month=months)
        if statement.over == "window":
            yield self._row(name, statement, *self._window(statement, chosen))
            return
        if statement.over == "each":
            holds = [self._holds(statement, chosen.sel(month=month)) for month in months]
            for month, held in zip(months, holds, strict=True):
                yield self._row(name, statement, month, held, chosen.sel(month=month))
            if len(months) > 1:
                together = np.logical_and.reduce([held.values for held in holds])
                period = f"each month from {months[0]} to {months[-1]}"
                yield self._row(name, statement, period, holds[0].copy(data=together), None)
            return
        period = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
        if statement.over == "any":
            value = chosen.max("month")
            period = f"the highest month of {period}"
        elif statement.quantity in SHARES and statement.scenario is None:
            value = share_of_sums(statement.quantity, self.posterior.sel(month=months))
        else:
            value = chosen.sum("month")
            period = f"the sum of {period}"
        yield self._row(name, statement, period, self._holds(statement, value), value)

    def _series(self, statement: Statement) -> xr.DataArray:
        """Draws of what a statement speaks of. Dims chain, draw, month."""
        if statement.scenario is None:
            return self._pick(self.posterior, statement.quantity)
        if "scenarios" not in self.audited.tree.children:
            raise LookupError("the set has no scenarios")
        scenarios = self.audited.tree["scenarios"].to_dataset()
        values = self._pick(scenarios, statement.quantity)
        known = [str(name) for name in scenarios["scenario"].values]
        for name in (statement.scenario, statement.against):
            if name is not None and name not in known:
                raise LookupError(f"no scenario {name!r}; {nearest(name, known)}")
        series = values.sel(scenario=statement.scenario, drop=True)
        if statement.against is not None:
            series = series - values.sel(scenario=statement.against, drop=True)
        return series.rename(projected_month="month")

    @staticmethod
    def _pick(draws: xr.Dataset, quantity: str) -> xr.DataArray:
        if quantity not in draws:
            known = [str(name) for name in draws if draws[name].ndim > 2]
            raise LookupError(f"no quantity {quantity!r} here; {nearest(quantity, known)}")
        return draws[quantity]

    def _months(self, statement: Statement, series: xr.DataArray) -> list[str]:
        known = [str(month) for month in series["month"].values]
        if statement.months is None:
            window = self.audited.assumptions.window
            last = last_whole(
                known, [f"{window.start} to {window.end}"] if not statement.scenario else []
            )
            return [last] if statement.over == "each" else known
        first, last = statement.months
        for month in (first, last):
            if month not in known:
                raise LookupError(f"no month {month!r}; it has {known[0]} to {known[-1]}")
        return [month for month in known if first <= month <= last]

    @staticmethod
    def _holds(statement: Statement, value: xr.DataArray) -> xr.DataArray:
        held = xr.ones_like(value, dtype=bool)
        if statement.above is not None:
            held = held & (value > statement.above)
        if statement.below is not None:
            held = held & (value < statement.below)
        return held

    @staticmethod
    def _window(
        statement: Statement, series: xr.DataArray
    ) -> tuple[str, xr.DataArray, xr.DataArray]:
        """How many months back from the last one the sum needs to exceed `above`.

        The statement holds over all months together, if it does over any window that ends with the
        last month. A draw in which it does not counts one month more than there are.
        """
        limit = float(statement.above or 0.0)
        backwards = series.isel(month=slice(None, None, -1)).cumsum("month")
        short = (backwards <= limit).sum("month")
        held = short < series.sizes["month"]
        period = f"the last months to {series['month'].values[-1]}"
        return period, held, (short + 1).astype(float)

    @staticmethod
    def _about(statement: Statement, period: str) -> str:
        ends = []
        if statement.above is not None:
            ends.append(f"above {significant(statement.above, 10)}")
        if statement.below is not None:
            ends.append(f"below {significant(statement.below, 10)}")
        given = ""
        if statement.scenario is not None:
            given = f" | {statement.scenario}"
            given += f" less {statement.against}" if statement.against is not None else ""
        if statement.over == "window":
            period = f"the sum of how many of {period}"
        return f"{statement.quantity}{given}: {' and '.join(ends)} in {period}"

    def _row(
        self,
        name: str,
        statement: Statement,
        period: str,
        held: xr.DataArray,
        value: xr.DataArray | None,
    ) -> tuple[Any, ...]:
        indicator = held.transpose(*_CHAIN_DRAW).values.astype(float)
        probability = float(indicator.mean())
        ranges = (
            (np.nan,) * len(RANGE)
            if value is None
            else tuple(float(q) for q in value.quantile(list(RANGE)).values)
        )
        unit = QUANTITIES[statement.quantity].unit
        if statement.over == "sum":
            unit = unit.replace("persons/month", "persons")
        if statement.over == "window":
            unit = MONTHS
        return (
            self.audited.label,
            name,
            ", ".join(statement.claims),
            statement.says,
            self._about(statement, period),
            period,
            probability,
            _error(indicator),
            *ranges,
            unit,
            self.audited.tree.attrs["diagnostics_failures"],
        )


def _error(indicator: np.ndarray) -> float:
    """Monte-Carlo standard error of a probability; at 0 or 1 that of one draw. (chain, draw)."""
    p = float(indicator.mean())
    if 0.0 < p < 1.0:
        ess = float(convergence(indicator[None]).ess_bulk[0])
        return float(np.sqrt(p * (1.0 - p) / max(ess, 1.0)))
    return 1.0 / indicator.size
