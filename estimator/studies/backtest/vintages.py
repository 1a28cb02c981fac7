"""Back-test of vintages: what a set says of later figures on months that had passed.

As of some days a set is fitted to what was known, and what the same origins said later of the
killed of months before is predicted, by month and by year of death. Figures of a triangle have the
errors that they share with the earlier ones (`estimator.model.registries`); of every other claim
errors are independent.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.errors import EvidenceError
from estimator.evidence import Evidence, read_claims
from estimator.evidence.vintages import figures_of_months
from estimator.fitting.diagnostics import Diagnostics, diagnose
from estimator.fitting.inference import learn_whitening
from estimator.fitting.ladder import Ladder, Seeds
from estimator.fitting.pilot import Pilot
from estimator.model.figures import THOUSAND
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.model.registries import FIGURE, Errors
from estimator.quantities.scores import score_draws
from estimator.show.number import hundredths
from estimator.show.progress import Progress
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import evidence_as_of

KINDS = ("month", "year")
"""What is predicted: the figure of a month of death, and the sum of those of a calendar year."""
_STREAM = 6  # of a set's seed


@dataclass(frozen=True)
class VintageBacktest:
    """Predictions of later vintages and what came.

    Attributes
    ----------
    cases
        One row a set, day, origin, vintage and period: assumption_set, as_of, origin, published,
        kind (`KINDS`), period, observed, q5, q50, q95 in persons; on the log scale pit, crps, and
        for each level interval_score_… and covered_…; failures (of the fit).
    killed
        Killed by year as a set said as of each day: assumption_set, as_of, year, q5, q50, q95.
    """

    cases: pd.DataFrame
    killed: pd.DataFrame

    @property
    def failures(self) -> list[str]:
        """Fits that missed a bound of their diagnostics, one sentence each."""
        missed = self.killed.loc[
            self.killed["failures"] != "", ["assumption_set", "as_of", "failures"]
        ]
        rows = missed.drop_duplicates().itertuples(index=False, name=None)
        return [f"{label}, as of {day}: {text}" for label, day, text in rows]


def backtest_vintages(
    sets: Sequence[AssumptionSet],
    options: BacktestOptions,
    *,
    claims: pd.DataFrame | None = None,
    cores: int = 2,
    progress: Progress | None = None,
) -> VintageBacktest:
    """Predict later vintages as of `options.vintages_as_of`.

    Raises
    ------
    EvidenceError
        If no figure that was known on such a day has a later vintage.
    """
    cases, killed = [], []
    total = len(sets) * len(options.vintages_as_of)
    for number, assumptions in enumerate(sets):
        table = read_claims(assumptions.evidence.files) if claims is None else claims
        for place, day in enumerate(options.vintages_as_of):
            if progress is not None:
                done = number * len(options.vintages_as_of) + place
                progress(f"{assumptions.label}, as of {day}", done, total)
            then, evidence = evidence_as_of(assumptions, table, day)
            targets = _targets(table, evidence, day)
            if targets.empty:
                continue
            fitted = _fitted(then, evidence, options, cores)
            facts = {
                "assumption_set": assumptions.label,
                "as_of": f"{day}",
                "failures": str(fitted.attrs["failures"]),
            }
            rng = np.random.default_rng([assumptions.seed, _STREAM, place])
            draws = _predicted(fitted, then, evidence, targets, rng)
            cases.append(_scored(targets, draws, options).assign(**facts))
            killed.append(_killed_by_year(fitted, day).assign(**facts))
    if not cases:
        days = ", ".join(f"{day}" for day in options.vintages_as_of)
        raise EvidenceError(
            f"backtest.vintages_as_of: as of none of {days} was a figure on the killed of a month "
            "known of which a later vintage is in the claims"
        )
    return VintageBacktest(
        pd.concat(cases, ignore_index=True), pd.concat(killed, ignore_index=True)
    )


def _targets(claims: pd.DataFrame, then: Evidence, day: dt.date) -> pd.DataFrame:
    """Later figures on months that had passed, of origins that had spoken by the day."""
    data = then.dataset
    spoke = {
        name
        for kind in ("", "registry_")
        for name, quantity, used in zip(
            *(data[f"{kind}{column}"].values for column in ("origin", "quantity", "used")),
            strict=True,
        )
        if used and quantity == "killed"
    }
    rows = claims[figures_of_months(claims) & claims["origin"].isin(spoke)]
    there = [*data["claim"].values.tolist(), *data[FIGURE].values.tolist()]
    as_of = pd.Timestamp(day)
    return rows[
        (rows["published"] > as_of) & (rows["period_end"] <= as_of) & rows["id"].isin(there)
    ]


def _fitted(
    assumptions: AssumptionSet, evidence: Evidence, options: BacktestOptions, cores: int
) -> xr.Dataset:
    """Fit a set; its draws are of the killed and of where every figure lies (chain, draw, ...)."""
    inputs = model_inputs(evidence, assumptions)
    sampler = assumptions.sampler
    seed = [assumptions.seed, _STREAM, zlib.crc32(f"{assumptions.evidence.as_of}".encode())]

    def judge(variables: xr.Dataset, stats: xr.Dataset) -> tuple[xr.Dataset, Diagnostics]:
        names = [n for n in ("claim_location", "registry_figure_location") if n in variables]
        kept = variables[names].assign(killed=variables["losses"] * variables["killed_share"])
        return kept, diagnose(kept[["killed"]], stats, sampler)

    whitening = learn_whitening(inputs, sampler, np.random.SeedSequence([*seed, 0]), cores)
    fitted = Ladder.of(options.fit, sampler, cores).fit(
        inputs,
        Pilot.of(whitening, inputs),
        Seeds(
            lambda attempt: np.random.SeedSequence([*seed, 1, attempt]),
            np.random.SeedSequence([*seed, 2]),
        ),
        judge,
    )
    draws, _ = fitted.draws()
    return draws.assign_attrs(failures=fitted.failures)


def _predicted(
    fitted: xr.Dataset,
    assumptions: AssumptionSet,
    evidence: Evidence,
    targets: pd.DataFrame,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the figures that came, given those that were known. (target, draw), log thousands."""
    inputs = model_inputs(evidence, assumptions)
    data = evidence.dataset
    found = np.empty((len(targets), fitted.sizes["chain"] * fitted.sizes["draw"]))
    ids = targets["id"].to_numpy(dtype=str)
    in_claims = np.isin(ids, data["claim"].values)
    if in_claims.any():
        rows = [data["claim"].values.tolist().index(name) for name in ids[in_claims]]
        location = _flat(fitted["claim_location"].isel(claim=rows))
        noise = inputs.figure("noise")[rows]
        found[in_claims] = location + noise[:, None] * rng.standard_normal(location.shape)
    if not in_claims.all():
        rows = [data[FIGURE].values.tolist().index(name) for name in ids[~in_claims]]
        found[~in_claims] = _given_earlier(fitted, assumptions, inputs, data, rows, rng)
    return found


def _given_earlier(
    fitted: xr.Dataset,
    assumptions: AssumptionSet,
    inputs: ModelInputs,
    data: xr.Dataset,
    rows: Sequence[int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw figures of triangles given those that were known. (row, draw)."""
    known = data["registry_used"].values
    both = known.copy()
    both[list(rows)] = True
    together = data.assign(registry_used=(FIGURE, both))
    covariance = Errors.of(together, assumptions).covariance
    location = _flat(fitted["registry_figure_location"])
    errors = inputs.data["registry_value"][known, None] - location[known]
    gain = np.linalg.solve(
        covariance[np.ix_(known, known)], covariance[np.ix_(known, list(rows))]
    ).T
    left = covariance[np.ix_(list(rows), list(rows))] - gain @ covariance[np.ix_(known, list(rows))]
    tiny = 1e-10 * np.eye(len(rows))  # keeps the root real where rounding makes a variance negative
    noise = np.linalg.cholesky(left + tiny) @ rng.standard_normal((len(rows), location.shape[1]))
    return np.asarray(location[list(rows)] + gain @ errors + noise)


def _flat(variable: xr.DataArray) -> np.ndarray:
    """(..., draw)."""
    values = variable.transpose(..., "chain", "draw").values
    return np.asarray(values.reshape(*values.shape[:-2], -1), dtype=float)


def _scored(targets: pd.DataFrame, draws: np.ndarray, options: BacktestOptions) -> pd.DataFrame:
    """Score months and years of death, by origin and vintage."""
    targets = targets.reset_index(drop=True)
    tables = []
    for kind, form in zip(KINDS, ("%Y-%m", "%Y"), strict=True):
        period = targets["period_start"].dt.strftime(form).rename("period")
        groups: dict[Any, Any] = targets.groupby(["origin", "published", period]).indices
        sums = np.log([np.exp(draws[rows]).sum(axis=0) for rows in groups.values()])
        observed = np.array([targets["value"].to_numpy()[rows].sum() for rows in groups.values()])
        scores = score_draws(sums, np.log(observed / THOUSAND), options.levels, units="log ratio")
        table = pd.DataFrame(
            [(name, f"{day:%Y-%m-%d}", when) for name, day, when in groups],
            columns=["origin", "published", "period"],
        ).assign(kind=kind, observed=observed)
        for mass in (0.05, 0.5, 0.95):
            table[f"q{hundredths(mass)}"] = np.exp(np.quantile(sums, mass, axis=1)) * THOUSAND
        for name in ("pit", "crps"):
            table[name] = scores[name].values
        for name in ("interval_score", "covered"):
            for at, level in enumerate(options.levels):
                table[f"{name}_{hundredths(level)}"] = scores[name].values[:, at]
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _killed_by_year(fitted: xr.Dataset, day: dt.date) -> pd.DataFrame:
    """Killed of each year by the end of the day's month, persons."""
    months = fitted["month"].values.tolist()
    killed = _flat(fitted["killed"].transpose("month", "chain", "draw")) * THOUSAND
    rows = []
    for year in dict.fromkeys(month[:4] for month in months if month <= f"{day:%Y-%m}"):
        inside = [month[:4] == year and month <= f"{day:%Y-%m}" for month in months]
        rows.append((year, *np.quantile(killed[inside].sum(axis=0), [0.05, 0.5, 0.95])))
    return pd.DataFrame(rows, columns=["year", "q5", "q50", "q95"])


def vintage_scores(cases: pd.DataFrame, level: float) -> pd.DataFrame:
    """Coverage and mean scores by set and kind, over all days, origins and vintages."""
    mass = hundredths(level)
    grouped = cases.groupby(["assumption_set", "kind"], sort=False)
    return grouped.agg(
        cases=("observed", "size"),
        coverage=(f"covered_{mass}", "mean"),
        interval_score=(f"interval_score_{mass}", "mean"),
        crps=("crps", "mean"),
    ).reset_index()
