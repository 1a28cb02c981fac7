"""Forecasts of a month of which the first part is known.

The draws of the fit as of the month before, carried on by a month, are weighted by how well each
says the known part, as the model reads a figure of so many days. That is the posterior of a fit
with this one figure more, but for what else was published in those days. What is left of the month
walks on from its first part: where the means of months change by a step, two adjacent parts of one
month differ by the step over the root of two, wherever the month is cut. Naive forecasts carry the
known part's daily figure on, with the spread that the rest of the month had about it before.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import t as student

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import Projection
from estimator.evidence import Evidence
from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.evidence.schema import POINTS
from estimator.model.figures import THOUSAND
from estimator.model.inputs import ModelInputs
from estimator.quantity import COUNTS, SHARES
from estimator.studies.backtest.cases import MODEL, NAIVE, scored
from estimator.studies.backtest.forecasts import carried_reports
from estimator.studies.backtest.naive import POINTS as N_POINTS
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import FORECAST, IN_HAND, Origin, Target, monthly_rows


@dataclass(frozen=True)
class FirstPart:
    """Figure of the first days of a month.

    Attributes
    ----------
    persons
        In those days.
    days, of_days
        How many they are, and the month has.
    published
        When it was known.
    """

    persons: float
    days: int
    of_days: int
    published: dt.date

    @property
    def share(self) -> float:
        """Of the month's days."""
        return self.days / self.of_days


Parts = Mapping[tuple[str, str], FirstPart]
"""By source, as origin:quantity, and month."""


def first_parts(claims: pd.DataFrame) -> Parts:
    """Pick the figures that begin with a month and end before it does; the longest of each."""
    start, end = claims["period_start"], claims["period_end"]
    begun = (start.dt.day == 1) & (start.dt.to_period("M") == end.dt.to_period("M"))
    fits = begun & ~end.dt.is_month_end & (claims["unit"] == "persons")
    fits &= claims["quantity"].isin(COUNTS)
    rows = claims[fits & claims["hedge"].isin(POINTS)].sort_values("period_end", kind="stable")
    return {
        (f"{row['origin']}:{row['quantity']}", f"{row['period_start']:%Y-%m}"): FirstPart(
            persons=float(row["value"]),
            days=int(row["period_end"].day),
            of_days=int(row["period_end"].days_in_month),
            published=row["published"].date(),
        )
        for _, row in rows.iterrows()
    }


def in_hand_cases(
    fitted: xr.Dataset,
    origin: Origin,
    parts: Parts,
    evidence: Evidence,
    inputs: ModelInputs,
    assumptions: AssumptionSet,
    options: BacktestOptions,
) -> pd.DataFrame:
    """Forecast the month after the origin's once its first part is known, and score what came.

    Parameters
    ----------
    fitted
        As `estimator.studies.backtest.origin_fits.cut` gives it, as of the origin's day.
    origin
        Whose next month is forecast.
    parts
        As `first_parts` gives them.
    evidence, inputs, assumptions, options
        As for `estimator.studies.backtest.cases`.

    Returns
    -------
    pandas.DataFrame
        As `estimator.studies.backtest.cases.scored`, of kind `IN_HAND`, with by, dynamics and
        effective (draws that the weights of the known part leave; NaN of naive forecasts); empty
        where no first part was published before its month.
    """
    tables = []
    months = inputs.structure.coords["month"]
    for one in origin.targets:
        part = parts.get((one.source, months[one.month]))
        if one.kind != FORECAST or one.horizon != 1 or part is None:
            continue
        if evidence.dataset["unit"].values[one.row] != "persons":
            continue  # a rate a day is no sum of its parts
        if not origin.as_of < part.published < one.published:
            continue
        target = replace(one, kind=IN_HAND)
        known = monthly_rows(evidence, one.source)
        figures = {months[at]: _persons(inputs, row) for at, row in known.items()}
        past = changes_within(figures, parts, one.source, months[origin.position])
        for name, naive in options.naive.items():
            changes = past if naive.months is None else past[-naive.months :]
            if naive.by == "root" and len(changes) >= options.naive_changes:
                draws = np.log(_with_rest(part, _naive_rest(part, changes)))
                table = scored([target], draws[None], inputs, options.levels)
                tables.append(table.assign(by=NAIVE, dynamics=name, effective=np.nan))
        for name, dynamics in options.dynamics.items():
            total, shift = carried_reports(fitted, origin, one, inputs, assumptions, dynamics)
            change = _change_within(fitted, one, assumptions, dynamics)
            draws, effective = _given_part(part, total, shift, change, target, inputs, assumptions)
            table = scored([target], draws[None], inputs, options.levels)
            tables.append(table.assign(by=MODEL, dynamics=name, effective=effective))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _persons(inputs: ModelInputs, row: int) -> float:
    return float(np.exp(inputs.data["claim_value"][row]) * THOUSAND)


def changes_within(
    figures: Mapping[str, float], parts: Parts, source: str, last: str
) -> np.ndarray:
    """Log of the daily figure of the rest of each month over that of its first part, in time.

    Parameters
    ----------
    figures
        Of whole months, persons.
    parts, source
        First parts, and whose are taken.
    last
        Month after which none is read.
    """
    found = []
    for month in sorted(figures):
        part = parts.get((source, month))
        if part is None or month > last or figures[month] <= part.persons:
            continue
        rest = (figures[month] - part.persons) / (part.of_days - part.days)
        found.append(np.log(rest / (part.persons / part.days)))
    return np.array(found)


def _naive_rest(part: FirstPart, changes: np.ndarray) -> np.ndarray:
    """Persons in the rest of the month: Student's t about no change of the daily figure."""
    spread = float(np.sqrt(np.mean(np.square(changes))))
    probabilities = (np.arange(N_POINTS) + 0.5) / N_POINTS
    change = spread * student(df=len(changes)).ppf(probabilities)
    daily = part.persons / part.days * np.exp(change)
    return np.asarray(daily * (part.of_days - part.days))


def _with_rest(part: FirstPart, rest: np.ndarray) -> np.ndarray:
    """Thousands in the whole month."""
    return np.asarray((part.persons + rest) / THOUSAND)


def _change_within(
    fitted: xr.Dataset, target: Target, assumptions: AssumptionSet, dynamics: Projection
) -> np.ndarray:
    """Draw the log of the rest of the month over its first part, a day, true figures. (draw,)."""
    flows = [name for name in fitted["series"].values.tolist() if name not in SHARES]
    step = fitted["step"].sel(series=flows[0]).transpose("chain", "draw").values.ravel()
    rng = np.random.default_rng([assumptions.seed, 9, zlib.crc32(target.claim.encode())])
    moves = dynamics.dynamics == "walk"
    return np.asarray(moves * step / np.sqrt(2.0) * rng.standard_normal(step.size))


def _given_part(
    part: FirstPart,
    total: np.ndarray,
    shift: np.ndarray,
    change: np.ndarray,
    target: Target,
    inputs: ModelInputs,
    assumptions: AssumptionSet,
) -> tuple[np.ndarray, float]:
    """Draw the figure of the month given its first part.

    Parameters
    ----------
    total, shift, change
        Thousands of the month at the pace of its first part, log reported over true, and log of
        the rest's pace over the first part's. (draw,) each.

    Returns
    -------
    draws, effective
        Log thousands (draw,), and how many of them the weights leave.
    """
    monthly = float(inputs.figure("noise")[target.row])
    growth = assumptions.reporting.noise_growth
    noise, noise_of_rest = (
        monthly * (DAYS_PER_MONTH / days) ** growth
        for days in (part.days, part.of_days - part.days)
    )
    location = np.log(part.share * total) + shift
    log_weights = -0.5 * ((np.log(part.persons / THOUSAND) - location) / noise) ** 2
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    rng = np.random.default_rng([assumptions.seed, 8, zlib.crc32(target.claim.encode())])
    places = (np.arange(total.size) + rng.uniform()) / total.size
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), places), total.size - 1)
    error = noise_of_rest * rng.standard_normal(total.size)
    log_change = shift[chosen] + change[chosen] + error
    rest = (1.0 - part.share) * total[chosen] * np.exp(log_change) * THOUSAND
    return np.log(_with_rest(part, rest)), float(1.0 / np.square(weights).sum())
