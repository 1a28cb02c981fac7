"""Recruits as a share of the plan that hold the force level, by scenario: no fit is needed.

A result holds the needed share in each draw of each scenario (`scenario.break_even_plan_shares`),
so the probability that a share is enough is their distribution function.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from estimator.errors import ConfigError, nearest
from estimator.show.break_even import (
    CONTOUR_COLUMNS,
    CURVE_COLUMNS,
    REFIT_COLUMNS,
    Axis,
    BreakEven,
    Crossing,
)
from estimator.show.number import fixed
from estimator.studies.breakeven import sentences
from estimator.studies.breakeven.crossing import Place, find_places
from estimator.studies.breakeven.curve import standard_error
from estimator.studies.breakeven.key_fits import effective
from estimator.studies.breakeven.options import BreakEvenOptions

KEY = "scenario.plan_share"
_TAIL = 0.002  # share of the draws beyond either end of the curve


def plan_shares(
    tree: xr.DataTree,
    level: float,
    options: BreakEvenOptions,
    scenarios: Sequence[str] = (),
) -> list[BreakEven]:
    """Find the share of the plan with which the force holds its level with a probability.

    Parameters
    ----------
    tree
        Result of a set (see `estimator.store.result_tree.result_tree`).
    level
        The probability.
    options
        Points of the curve and mass of the intervals.
    scenarios
        Names; empty for all.

    Returns
    -------
    list of BreakEven
        One a scenario. Scenarios that set recruits alone need the same, and say so.

    Raises
    ------
    ConfigError
        If the result has no scenarios, or not one of those named.
    """
    begin = time.perf_counter()
    if "scenarios" not in tree.children:
        raise ConfigError(f"{KEY}: the result projects nothing; choose a scenario and a horizon")
    projected = tree["scenarios"].to_dataset()
    known = [str(name) for name in projected["scenario"].values]
    unknown = [name for name in scenarios if name not in known]
    if unknown:
        hints = "; ".join(f"{name}: {nearest(name, known)}" for name in unknown)
        raise ConfigError(f"no such scenario in the result: {hints}")
    share = projected["break_even_plan_share"].isel(projected_month=0)
    last = str(projected["projected_month"].values[-1])
    plan = json.loads(tree.attrs["configuration"])["derived"]["plan_persons_per_year"]
    groups: dict[bytes, list[str]] = {}
    for name in known:
        rounded = share.sel(scenario=name).values.round(6)  # sums in another order
        groups.setdefault(rounded.tobytes(), []).append(name)
    same = {name: group for group in groups.values() for name in group}
    draws = {name: share.sel(scenario=same[name][0]) for name in known}
    return [
        _one(tree, name, draws[name], same[name], last, plan, level, options, begin)
        for name in scenarios or known
    ]


def _one(
    tree: xr.DataTree,
    scenario: str,
    needed: xr.DataArray,
    same: list[str],
    last: str,
    plan: dict[str, float],
    level: float,
    options: BreakEvenOptions,
    begin: float,
) -> BreakEven:
    draws = needed.transpose("chain", "draw").values.astype(float)
    low, q05, middle, q95, high = np.quantile(draws, (_TAIL, 0.05, level, 0.95, 1.0 - _TAIL))
    values = np.unique(np.append(np.linspace(low, high, options.points), middle))
    probability = np.array([(draws <= value).mean() for value in values])
    ess = np.array([effective(draws <= value) for value in values])
    error = np.array([standard_error(p, n) for p, n in zip(probability, ess, strict=True)])
    used = np.ones(len(values), bool)
    places = find_places(values, probability, error, used, level, options.interval)
    # A quantile at the edge of the draws has no band around it.
    place = places[0] if places else Place(middle, low, high, True, True, True)
    crossing = Crossing(
        middle, place.low, place.high, True, 0, True, place.open_low, place.open_high
    )
    curve = pd.DataFrame(
        {"value": values, "value_2": np.nan, "probability": probability, "error": error,
         "ess": ess, "k_hat": np.nan, "used": used},
        columns=list(CURVE_COLUMNS),
    )  # fmt: skip
    label = str(tree.attrs["assumption_set"])
    axis = Axis(
        KEY,
        "share",
        f"recruits until {last} as a share of the plan of {fixed(plan['low'])} to "
        f"{fixed(plan['high'])} a year",
        float(low),
        float(high),
        "the draws",
        "",
        np.nan,
        np.nan,
    )
    failures = str(tree.attrs["diagnostics_failures"])
    return BreakEven(
        axes=(axis,),
        event=f"{scenario}: force holds its level",
        words=f"the force holds its level until {last} under scenario {scenario}",
        level=level,
        interval=options.interval,
        crossings=(crossing,),
        curve=curve,
        refits=pd.DataFrame(columns=list(REFIT_COLUMNS)),
        contour=pd.DataFrame(columns=list(CONTOUR_COLUMNS)),
        as_it_is=float("nan"),
        as_it_is_error=float("nan"),
        sentence=sentences.plan_share_sentence(label, scenario, level, crossing, (q05, q95)),
        notes=(f"The same for {', '.join(same)}: what they set changes nothing of it.",)
        if len(same) > 1
        else (),
        failures=(failures,) if failures else (),
        assumption_set=label,
        assumption_set_id=str(tree.attrs["assumption_set_id"]),
        data_hash=str(tree.attrs["data_hash"]),
        versions=json.loads(tree.attrs["versions"]),
        seed=int(tree.attrs["seed"]),
        seconds=time.perf_counter() - begin,
    )
