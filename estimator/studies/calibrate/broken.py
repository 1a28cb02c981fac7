"""What a set says of worlds that break what it believes, and whether anything notices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from estimator.fitting.smoothing import smoothed
from estimator.model.claim_density import log_densities
from estimator.model.figures import FIGURES, USED
from estimator.model.inputs import ModelInputs
from estimator.quantities.answers import with_last_month
from estimator.show.progress import Progress
from estimator.studies.audit.bases import tail_probability
from estimator.studies.calibrate.breaks import broken_figures, broken_truth, touched
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import BrokenOptions, CalibrateOptions
from estimator.studies.calibrate.ranked import Ranked
from estimator.studies.calibrate.sbc import Result, facts_of, identity, simulate_missing
from estimator.studies.calibrate.simulate import totals_of_confirmed
from estimator.studies.calibrate.worlds import Prepared, Worlds, believed

PART = "broken"
NUMBERS = ("truth", "median", "sd", "low", "high")
_TINY = 1e-12


def simulate_broken(
    name: str,
    worlds: Worlds,
    spec: BrokenOptions,
    options: CalibrateOptions,
    journal: CalibrationJournal,
    progress: Progress,
) -> None:
    """Simulate and fit the worlds of one break that are not in the journal yet.

    Parameters
    ----------
    name, spec
        Of the break.
    worlds
        Of kind ``replicate``: worlds of one number have the same truth under every break of worlds
        that one set makes.
    options, journal, progress
        As in `estimator.studies.calibrate.sbc.simulate_structure`.
    """
    maker = worlds.maker or worlds
    made_of: list[object] = [spec.model_dump(mode="json", exclude={"says", "sims"})]
    made_of += [maker.assumptions.identity(maker.evidence.data_hash)]
    made_of += [options.noticing.model_dump(mode="json"), worlds.kept_truths(spec.sims)]
    journal.begin(PART, name, identity(worlds, options, made_of))
    journal.keep_layout(PART, name, entries(options, worlds.last_month))
    simulate = partial(_world, worlds=worlds, spec=spec, options=options)
    simulate_missing(PART, name, spec.sims, worlds, simulate, options, journal, progress)


def _world(
    number: int, prepared: Prepared, worlds: Worlds, spec: BrokenOptions, options: CalibrateOptions
) -> Result:
    maker = worlds.maker or worlds
    truth = broken_truth(maker.published, worlds.truth(number, prepared), spec)
    evidence = maker.evidence.dataset
    rng = np.random.default_rng(worlds.report_seed(number))
    made = broken_figures(maker.published, evidence, truth, spec, rng)
    world = made if maker is worlds else believed(worlds.published, made)
    fitted = worlds.fit(number, world, prepared)
    facts = facts_of(fitted)
    if fitted.kept is None:
        return number, facts, None
    variables, picked = fitted.kept
    facts |= noticed(variables, world, touched(evidence, spec), options.noticing.outside)
    names = entries(options, worlds.last_month)
    numbers = _numbers(picked, maker.true_values(truth), names, options.noticing.level)
    return number, facts, numbers


def entries(options: CalibrateOptions, last_month: str) -> list[str]:
    """Entries of which the errors are reported."""
    return [with_last_month(name, last_month) for name in options.noticing.quantities]


def _numbers(picked: Ranked, truth: Ranked, names: list[str], level: float) -> np.ndarray:
    """`NUMBERS` of some entries. (entry, number)."""
    rows = []
    for name in names:
        draws = picked.draws[picked.names.index(name)].ravel()
        true = truth.draws[truth.names.index(name)].item()
        low, middle, high = np.quantile(draws, [(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0])
        rows.append([true, middle, draws.std(), low, high])
    return np.array(rows)


def noticed(
    variables: xr.Dataset, world: ModelInputs, about: np.ndarray, outside: float
) -> dict[str, Any]:
    """Ask whether the draws themselves say that something is wrong.

    Parameters
    ----------
    variables
        Draws of the fit of a world.
    world
        Its figures.
    about
        Which claims the break is about. (claim,), bool.
    outside
        Tail probability under which a claim is in conflict.

    Returns
    -------
    dict
        predictive_p: posterior predictive p value of the sum of the squared standardised residuals
        of points, confirmed figures and figures of triangles. conflicts: claims whose leave-one-out
        tail probability (PSIS) is under `outside`. touched_conflicts: how many of those the break
        is about; claims, touched: how many there are. smallest: the smallest tail probability times
        the number of claims.
    """
    n_claims = len(about)
    location = variables["claim_location"].transpose("chain", "draw", "claim").values
    location = np.ascontiguousarray(location.reshape(-1, n_claims))
    value, figures = world.data["claim_value"], world.data["claim_figures"]
    used = figures[FIGURES.index("used")] > 0
    tails = np.full(n_claims, np.nan)
    densities = figures[USED] * log_densities(value, figures, location)
    for claim in np.flatnonzero(used):
        weights = np.exp(smoothed(-densities[:, claim]).log_weights)
        lower, upper, noise, is_point = figures[:4, claim]
        ends = (value[claim], value[claim]) if is_point > 0 else (lower, upper)
        tails[claim] = tail_probability(location[:, claim], noise, *ends, weights)
    low = np.nan_to_num(tails, nan=1.0) < outside
    return {
        "predictive_p": predictive_p(variables, world, location),
        "claims": int(used.sum()),
        "conflicts": int(low.sum()),
        "touched": int((used & about).sum()),
        "touched_conflicts": int((low & about).sum()),
        "smallest": float(min(1.0, np.nanmin(tails) * used.sum())),
    }


def predictive_p(variables: xr.Dataset, world: ModelInputs, location: np.ndarray) -> float:
    """Posterior predictive p value of the sum of squared standardised residuals.

    Of a draw the sum over a replicate is chi-squared with as many degrees of freedom as there are
    points, confirmed figures and figures of triangles (their residuals given the earlier ones), so
    the probability to be above that of the figures is exact.
    """
    figures = dict(zip(FIGURES, world.data["claim_figures"], strict=True))
    points = (figures["used"] > 0) & (figures["is_point"] > 0)
    residuals = (world.data["claim_value"] - location)[:, points] / figures["noise"][points]
    squares = (residuals**2).sum(axis=1)
    counts = world.data["confirmed_used"] > 0
    ratio, spread, false = (
        variables["assumption_value"].sel(assumption=key).values.reshape(-1, 1)
        for key in ("unconfirmed.ratio", "unconfirmed.spread", "confirmed.false_confirmation")
    )
    names = ["losses", "killed_share", "assumption_value"]
    flat = variables[names].stack(each=("chain", "draw"))
    totals = totals_of_confirmed(world, flat)
    counted = world.data["confirmed_value"]
    if "rounded_off" in variables:
        counted = counted + variables["rounded_off"].values.reshape(totals.shape)
    unconfirmed = totals / (counted * (1.0 - false)) - 1.0
    z = (np.log(np.maximum(unconfirmed, _TINY)) - np.log(ratio)) / spread
    squares = squares + (z[:, counts] ** 2).sum(axis=1)
    of_triangles = _residuals_of_triangles(variables, world)
    squares = squares + (of_triangles**2).sum(axis=1)
    freedom = int(points.sum()) + int(counts.sum()) + of_triangles.shape[1]
    return float(stats.chi2.sf(squares, freedom).mean())


def _residuals_of_triangles(variables: xr.Dataset, world: ModelInputs) -> np.ndarray:
    """Standardised residual of each figure of triangles given the earlier ones. (draw, figure)."""
    figures = dict(zip(FIGURES, world.data["registry_figures"], strict=True))
    used = figures["used"] > 0
    if not used.any():
        return np.zeros((variables.sizes["chain"] * variables.sizes["draw"], 0))
    location = variables["registry_figure_location"].transpose("chain", "draw", ...).values
    errors = world.data["registry_value"] - location.reshape(-1, len(used))
    residuals = world.structure.layout.multiply(world.data, "registry_errors", errors)
    return np.asarray((residuals / figures["noise"])[:, used])


def broken_table(
    journal: CalibrationJournal, chosen: dict[str, BrokenOptions], options: CalibrateOptions
) -> pd.DataFrame:
    """Errors, coverage and rates of noticing of all breaks.

    Returns
    -------
    pandas.DataFrame
        One row a break and entry: worlds, failed (fits that missed a bound), error (mean of median
        less truth, persons), error_share (of the mean absolute truth), absolute_error (mean),
        error_sd (mean of the error in posterior standard deviations), coverage with coverage_se,
        and of the break predictive_alarm and audit_alarm (shares of worlds), conflicts (mean number
        of claims in conflict in a world), touched_conflicts (share of the claims that the break is
        about).
    """
    return pd.DataFrame(
        [row for name, spec in chosen.items() for row in _break_rows(journal, name, spec, options)]
    )


def _break_rows(
    journal: CalibrationJournal, name: str, spec: BrokenOptions, options: CalibrateOptions
) -> Iterator[dict[str, Any]]:
    finished = list(journal.worlds(PART, name, spec.sims))
    with_draws = [(facts, numbers) for _, facts, numbers in finished if numbers is not None]
    if not with_draws:
        return
    facts = pd.DataFrame([one for one, _ in with_draws])
    numbers = np.array([one for _, one in with_draws])
    about = float(facts["touched"].sum())
    of_break = {
        "worlds": len(finished),
        "failed": sum(not one["ok"] for _, one, _ in finished),
        "predictive_alarm": float((facts["predictive_p"] < options.noticing.predictive_p).mean()),
        "audit_alarm": float((facts["smallest"] < options.noticing.predictive_p).mean()),
        "conflicts": float(facts["conflicts"].mean()),
        "touched_conflicts": float(facts["touched_conflicts"].sum()) / about if about else np.nan,
    }
    for at, entry in enumerate(journal.layout(PART, name)):
        truth, middle, sd, low, high = numbers[:, at].T
        covered = (low <= truth) & (truth <= high)
        error = middle - truth
        size = float(np.abs(truth).mean())
        yield {
            "break": name,
            "says": spec.says,
            "entry": entry,
            "error": float(error.mean()),
            "error_share": float(error.mean()) / size,
            "absolute_error": float(np.abs(error).mean()),
            "error_sd": float((error / sd).mean()),
            "coverage": float(covered.mean()),
            "coverage_se": float(covered.std() / np.sqrt(len(covered))),
            **of_break,
        }
