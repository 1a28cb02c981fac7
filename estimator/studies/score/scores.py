"""Scores of dated estimates: each model's own, and all models' on the same tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from estimator.errors import ScoreError, problems_text
from estimator.quantities.scores import share_range
from estimator.show.number import hundredths
from estimator.store.model_out import KEYS, MONTHS_OF, MOST_PROBLEMS, Tables

SCORED = "scored"
NOTHING_CAME, KNOWN, NO_QUANTILE = "nothing came", "known before", "no quantile"
"""Why an estimate is not scored: it has no observation, or was made when there was one or when its
month had ended, or gives a mean alone."""

OWN, SHARED = "own", "shared"
"""Scores of a model on all its estimates, or on those months and days that all models have."""
ALL = "all"
"""Stands for all horizons together."""

INTERVAL = 0.9
"""Mass of the range of a coverage."""

_DAY = pd.Timedelta(days=1)
_DIGITS = 6


def level_columns(cases: pd.DataFrame) -> dict[str, float]:
    """Level of each column of quantiles, e.g. ``{"q5": 0.05}``; rising."""
    return {str(name): float(str(name)[1:]) / 100 for name in cases if str(name)[1:2].isdigit()}


def held_against(tables: Tables) -> pd.DataFrame:
    """Put each estimate beside what came.

    Parameters
    ----------
    tables
        As `estimator.store.model_out.read_tables` gives them.

    Returns
    -------
    pandas.DataFrame
        One row an estimate, in the order of `estimator.store.model_out.KEYS`: these, horizon
        (months that were not over on the reference date, up to the one that is estimated; below 1
        of months that were), observation, known_since, status (`SCORED` or why not), and a column
        for each level, missing where it is not given.

    Notes
    -----
    Without an as_of nobody can say when an observation was known, and an estimate counts if its
    month had not ended before its reference date. With one it counts if nobody had the observation.
    """
    quantiles = tables.estimates.dropna(subset="level")
    wide = quantiles.pivot(index=list(KEYS), columns="level", values="value")
    names = [f"q{hundredths(float(level))}" for level in wide.columns.to_numpy(dtype=float)]
    wide.columns = pd.Index(names)
    each = tables.estimates[list(KEYS)].drop_duplicates().sort_values(list(KEYS))
    cases = each.merge(tables.later, how="left", on=list(MONTHS_OF))
    cases = cases.merge(wide, how="left", left_on=list(KEYS), right_index=True)
    reference, end = cases["reference_date"], cases["target_end_date"]
    ended = end < reference
    known = ended.where(cases["known_since"].isna(), cases["known_since"] <= reference)
    first = reference + _DAY
    horizon = 12 * (end.dt.year - first.dt.year) + end.dt.month - first.dt.month + 1
    status = np.select(
        [cases[names].isna().all(axis=1), cases["observation"].isna(), known],
        [NO_QUANTILE, NOTHING_CAME, KNOWN],
        SCORED,
    )
    cases = cases.assign(horizon=horizon, status=status)
    return cases[[*KEYS, "horizon", "observation", "known_since", "status", *names]]


def scores(cases: pd.DataFrame, *, log: bool = False) -> pd.DataFrame:
    """Score what can be scored.

    Parameters
    ----------
    cases
        As `held_against` gives them.
    log
        Score logarithms, so that errors are ratios.

    Returns
    -------
    pandas.DataFrame
        One row a target, scope (`OWN`, and of several models `SHARED`), horizon (`ALL`, and each if
        there are several) and model, the lowest WIS first: estimates (their number), months (that
        they are of), levels (that all of them give), coverage_… of each central interval with its
        Jeffreys range for as many cases as there are months, interval_score_…, wis (weighted
        interval score; missing without the median and an interval), wis_ratio (over the lowest of
        the rows beside it, in the scope `SHARED`), crps (from quantiles: twice their mean quantile
        score) and median_error (mean absolute error of the median). In the unit of the target, or
        log ratios; lower is better.

    Raises
    ------
    ScoreError
        If nothing can be scored, or logarithms are asked for of what is not above 0.

    Notes
    -----
    Scores of different months, days or levels cannot be compared: some months are harder. In the
    scope `SHARED` all models have the same, at the price of those that one of them lacks. WIS
    (Bracher and others, 2021, PLOS Comput. Biol. 17) is the CRPS from the median and those
    quantiles that make central intervals.
    """
    scored = cases[cases["status"] == SCORED]
    if scored.empty:
        raise ScoreError(_nothing(cases))
    if log:
        _check_positive(scored)
    tables = []
    for target, rows in scored.groupby("target"):
        scopes = {OWN: rows}
        if rows["model_id"].nunique() > 1:
            scopes[SHARED] = shared_tasks(rows)
        for scope, of_scope in scopes.items():
            for horizon, part in _by_horizon(of_scope):
                table = pd.DataFrame(list(_models(part, scope, log)))
                table = table.assign(target=target, scope=scope, horizon=horizon)
                table = table.sort_values(["wis", "crps", "model_id"], ignore_index=True)
                if scope == SHARED:
                    table["wis_ratio"] = table["wis"] / table["wis"].min()
                tables.append(table)
    found = pd.concat(tables, ignore_index=True)
    first = ["target", "scope", "horizon", "model_id", "estimates", "months", "levels"]
    return found[[*first, *found.columns.difference(first, sort=False)]]


def shared_tasks(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the months and days of which every model has an estimate."""
    models = rows.groupby(["reference_date", "target_end_date"])["model_id"].transform("nunique")
    return rows[models == rows["model_id"].nunique()]


def _by_horizon(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    if rows.empty:
        return
    yield ALL, rows
    if rows["horizon"].nunique() > 1:
        yield from ((str(horizon), part) for horizon, part in rows.groupby("horizon"))


def _models(rows: pd.DataFrame, scope: str, log: bool) -> Iterator[dict[str, Any]]:
    common = _levels_of(rows)
    for name, part in rows.groupby("model_id"):
        levels = common if scope == SHARED else _levels_of(part)
        yield {"model_id": name, **_mean_scores(part, levels, log)}


def _levels_of(rows: pd.DataFrame) -> dict[str, float]:
    """Levels that every row gives."""
    return {name: level for name, level in level_columns(rows).items() if rows[name].notna().all()}


def _mean_scores(part: pd.DataFrame, columns: dict[str, float], log: bool) -> dict[str, Any]:
    """Mean scores of estimates that all give some levels."""
    import scoringrules  # seconds

    observed = part["observation"].to_numpy(dtype=float)
    values = part[list(columns)].to_numpy(dtype=float)
    if log:
        observed, values = np.log(observed), np.log(values)
    levels = np.array(list(columns.values()))
    at = {round(level, _DIGITS): n for n, level in enumerate(levels)}
    lower = [level for level in at if level < 0.5 and round(1.0 - level, _DIGITS) in at]
    months = part["target_end_date"].nunique()
    row: dict[str, Any] = {
        "estimates": len(part),
        "months": months,
        "levels": " ".join(f"{level:g}" for level in levels),
    }
    low, high = (
        values[:, [at[round(end, _DIGITS)] for end in ends]]
        for ends in (lower, [1.0 - level for level in lower])
    )
    alpha = 2.0 * np.array(lower)
    for n, mass in enumerate(hundredths(round(1.0 - one, _DIGITS)) for one in alpha):
        inside = (low[:, n] <= observed) & (observed <= high[:, n])
        row[f"coverage_{mass}"] = float(inside.mean())
        ends = share_range(float(inside.mean()) * months, months, INTERVAL)
        row |= dict(zip((f"coverage_{mass}_low", f"coverage_{mass}_high"), ends, strict=True))
        row[f"interval_score_{mass}"] = _mean(
            scoringrules.interval_score(observed, low[:, n], high[:, n], alpha[n], backend="numpy")
        )
    row |= dict.fromkeys(("wis", "wis_ratio", "crps", "median_error"), np.nan)
    if len(levels):
        row["crps"] = _mean(scoringrules.crps_quantile(observed, values, levels, backend="numpy"))
    if 0.5 in at:
        median = values[:, at[0.5]]
        row["median_error"] = _mean(np.abs(observed - median))
        if lower:
            # The same number as scoringrules' weighted_interval_score, which without numba takes
            # the median for its error (0.11.0).
            used = np.isin(
                levels.round(_DIGITS), [*lower, 0.5, *(1.0 - np.array(lower)).round(_DIGITS)]
            )
            row["wis"] = _mean(
                scoringrules.crps_quantile(observed, values[:, used], levels[used], backend="numpy")
            )
    return row


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values))


def _nothing(cases: pd.DataFrame) -> str:
    found = [
        f"{target}, {rows['target_end_date'].min():%Y-%m-%d} to "
        f"{rows['target_end_date'].max():%Y-%m-%d}: "
        + ", ".join(f"{n} {status}" for status, n in rows["status"].value_counts().items())
        for target, rows in cases.groupby("target")
    ]
    return problems_text(
        "No estimate can be scored: there must be an observation of its target and target_end_date "
        "that nobody could have had on its reference_date. There are estimates of",
        found,
        MOST_PROBLEMS,
    )


def _check_positive(scored: pd.DataFrame) -> None:
    numbers = scored[["observation", *level_columns(scored)]]
    bad = scored[(numbers <= 0.0).any(axis=1)]
    if len(bad):
        found = [
            f"{row.model_id}, {row.target}, {row.target_end_date:%Y-%m-%d}, as of "
            f"{row.reference_date:%Y-%m-%d}"
            for row in bad.itertuples()
        ]
        heading = "--log: numbers and observations must be above 0. There are others in"
        raise ScoreError(problems_text(heading, found, MOST_PROBLEMS))
