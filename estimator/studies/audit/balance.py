"""Stock and flow: whether recruits, losses and returns add up to the published force sizes."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr

from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.quantity import OTHER_EXITS, QUANTITIES, STOCKS, combine
from estimator.show.number import fixed, interval
from estimator.studies.audit.bases import RANGE, AuditedSet

COLUMNS = (
    "assumption_set",
    "period_start",
    "period_end",
    "claims",
    "published_start",
    "published_end",
    "published_change",
    "flows_q05",
    "flows_q50",
    "flows_q95",
    "gap_q05",
    "gap_q50",
    "gap_q95",
    "assumed_exits_q05",
    "assumed_exits_q50",
    "assumed_exits_q95",
    "share_of_recruits_q50",
    "probability_of_surplus",
    "note",
)
_FLOWS = {
    name: factor for name, factor in QUANTITIES["net_change"].parts.items() if name != OTHER_EXITS
}


def balance(audited: AuditedSet) -> pd.DataFrame:
    """Hold the flows between two published sizes of the force against the change of size.

    Sizes are taken at face value, whoever gave them and whether the set counts them or not.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row for each two sizes in turn. `flows`: recruits + foreign recruits +
        returned - losses between the two days (persons). `gap`: flows less the published change, in
        persons/month: what must have left the force beside the losses (or never come). Beside it
        the set's own `assumed_exits` (persons/month). Empty with fewer than two published sizes.
    """
    data, posterior = audited.data, audited.posterior
    sizes = np.flatnonzero(np.isin(data["quantity"].values, STOCKS))
    sizes = sizes[np.argsort(data["period_end"].values[sizes].astype(str), kind="stable")]
    net = combine(_FLOWS, posterior)
    rows = []
    for first, second in pairwise(sizes):
        start, end = (str(data["period_end"].values[at]) for at in (first, second))
        months = (pd.Timestamp(end) - pd.Timestamp(start)).days / DAYS_PER_MONTH
        if months <= 0:
            continue
        weight = xr.DataArray(
            data["weight"].values[second] - data["weight"].values[first],
            dims="month",
            coords={"month": data["month"].values},
        )
        figures = [_figure(data, int(at)) for at in (first, second)]
        change = figures[1] - figures[0]
        flows = xr.dot(net, weight, dim="month")
        gap = (flows - change) / months
        exits = xr.dot(posterior[OTHER_EXITS], weight, dim="month") / months
        recruited = xr.dot(posterior["recruits"], weight, dim="month") / months
        surplus = float((gap > 0).mean())
        rows.append(
            (
                audited.label,
                start,
                end,
                ", ".join(str(data["claim"].values[at]) for at in (first, second)),
                *figures,
                change,
                *_range(flows),
                *_range(gap),
                *_range(exits),
                float((gap / recruited).median()),
                surplus,
                _note(gap, exits),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _figure(data: xr.Dataset, at: int) -> float:
    value = float(data["value"].values[at])
    if np.isnan(value):
        value = float(data["low"].values[at] + data["high"].values[at]) / 2.0
    return value


def _range(draws: xr.DataArray) -> tuple[float, ...]:
    return tuple(float(q) for q in draws.quantile(list(RANGE)).values)


def _note(gap: xr.DataArray, exits: xr.DataArray) -> str:
    """Say what must give."""
    low, middle, high = (q / 1000.0 for q in _range(gap))
    write = partial(fixed, digits=1)
    if low > 0:
        text = f"{write(middle)} thousand a month {interval(low, high, write)}"
        says = f"more come in than the sizes show: {text} must leave beside the losses"
    elif high < 0:
        text = f"{write(-middle)} thousand a month {interval(-high, -low, write)}"
        says = f"fewer come in than the sizes show: {text} are missing"
    else:
        write = partial(fixed, digits=1, sign=True)
        text = f"{write(middle)} thousand a month {interval(low, high, write)}"
        says = f"they add up within the range (surplus {text})"
    beyond = float((gap > exits).mean())
    if low > 0 and beyond > 0.95:
        says += "; more than the set assumes to leave"
    return says


def balances(audited: list[AuditedSet]) -> pd.DataFrame:
    """Join `balance` of several sets."""
    return pd.DataFrame(pd.concat([balance(one) for one in audited], ignore_index=True))
