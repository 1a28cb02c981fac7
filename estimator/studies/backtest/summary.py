"""Coverage and scores of a back-test by set, forecast and horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from estimator.quantities.scores import block_means, share_range
from estimator.show.number import hundredths
from estimator.studies.backtest.cases import NAIVE
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import FORECAST, VINTAGE

_KEYS = ["assumption_set", "source", "by", "dynamics", "noise_factor", "horizon"]
_SEED = 8


def summary(cases: pd.DataFrame, options: BacktestOptions, kind: str = FORECAST) -> pd.DataFrame:
    """Summarise the forecasts of months that were still to come, or of those in hand.

    Parameters
    ----------
    cases
        As `estimator.studies.backtest.backtest.Backtest.cases`.
    options
        Levels, baseline, interval.
    kind
        `FORECAST` or `IN_HAND`.

    Returns
    -------
    pandas.DataFrame
        One row a set, source, forecast (`by`, `dynamics`, `noise_factor`) and horizon: cases;
        `apart`, the number of forecasts that do not overlap (cases / horizon); failed (cases of
        fits that failed); for each level coverage_… with its Jeffreys range for as many cases as
        are apart; mean scores and widths on the log scale, crps_persons; error, the mean log of
        reported over predicted median; and crps_ratio and interval_score_ratio: mean scores over
        those of the baseline for the same cases, with ranges from a block bootstrap.

    Notes
    -----
    The range of coverage treats forecasts of h months as if only every h-th counted, which errs on
    the wide side: overlapping forecasts are alike, but not the same.
    """
    told = cases[cases["kind"] == kind]
    keys = ["assumption_set", "source", "horizon"]
    is_base = (told["by"] == NAIVE) & (told["dynamics"] == options.baseline)
    bases = dict(list(told[is_base].groupby(keys)))
    rows = []
    for values, group in told.groupby(_KEYS, sort=False):
        facts = dict(zip(_KEYS, values, strict=True))
        base = bases.get(tuple(facts[key] for key in keys))
        rows.append({**facts, **_one(group, base, options)})
    return pd.DataFrame(rows)


def _one(
    group: pd.DataFrame, base: pd.DataFrame | None, options: BacktestOptions
) -> dict[str, Any]:
    horizon = int(group["horizon"].iloc[0])
    apart = max(len(group) / horizon, 1.0)
    row: dict[str, Any] = {
        "cases": len(group),
        "apart": apart,
        "failed": int((group["failures"] != "").sum()),
        "error": float(np.log(group["observed"] / group["q50"]).mean()),
    }
    for level in options.levels:
        name = hundredths(level)
        share = float(group[f"covered_{name}"].mean())
        low, high = share_range(share * apart, apart, options.interval)
        row |= {f"coverage_{name}": share, f"coverage_{name}_low": low}
        row |= {f"coverage_{name}_high": high}
        row |= {f"{kind}_{name}": float(group[f"{kind}_{name}"].mean()) for kind in
                ("interval_score", "width")}  # fmt: skip
    row |= {name: float(group[name].mean()) for name in ("crps", "crps_persons")}
    scores = {"crps": "crps", "interval_score": f"interval_score_{hundredths(options.main_level)}"}
    for name, column in scores.items():
        ratio = _ratio(group, base, column, horizon, options)
        row |= dict(zip((f"{name}_ratio", f"{name}_ratio_low", f"{name}_ratio_high"), ratio,
                        strict=True))  # fmt: skip
    return row


def _ratio(
    group: pd.DataFrame,
    base: pd.DataFrame | None,
    column: str,
    horizon: int,
    options: BacktestOptions,
) -> tuple[float, float, float]:
    """Mean score over the baseline's for the same cases, and its range; NaN without any."""
    nothing = (np.nan, np.nan, np.nan)
    if base is None:
        return nothing
    both = group.merge(base, on=["origin", "claim"], suffixes=("", "_base")).sort_values("origin")
    if both.empty:
        return nothing
    pairs = both[[column, f"{column}_base"]].to_numpy(float)
    rng = np.random.default_rng(_SEED)
    means = block_means(pairs, horizon, rng, options.resamples)
    tail = (1.0 - options.interval) / 2.0
    low, high = np.quantile(means[:, 0] / means[:, 1], [tail, 1.0 - tail])
    return float(pairs[:, 0].mean() / pairs[:, 1].mean()), float(low), float(high)


def vintage_summary(cases: pd.DataFrame) -> pd.DataFrame:
    """Keep of each later claim the first and the last day as of which it was predicted.

    One claim that is predicted from thirty days is one test and not thirty.

    Returns
    -------
    pandas.DataFrame
        Rows of the cases, in the order of set, claim and day.
    """
    later = cases[cases["kind"] == VINTAGE].sort_values("as_of", kind="stable")
    keys = ["assumption_set", "noise_factor", "claim"]
    ends = pd.concat([later.groupby(keys).head(1), later.groupby(keys).tail(1)])
    return ends.drop_duplicates([*keys, "as_of"]).sort_values([*keys, "as_of"], kind="stable")
