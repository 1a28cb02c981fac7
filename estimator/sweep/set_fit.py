"""Fit one set of a sweep: what a worker does, and what it hands back."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.groups import SamplerOptions
from estimator.errors import EstimatorError
from estimator.evidence import Evidence
from estimator.fitting.convergence import convergence
from estimator.fitting.diagnostics import Diagnostics, verdict
from estimator.fitting.entries import EntryLayout, flatten
from estimator.fitting.inference import learn_whitening
from estimator.fitting.ladder import Ladder, Seeds, fit_plainly
from estimator.fitting.pilot import Pilot
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.quantities.derived import (
    derived_quantities,
    reported_quantities,
    totals,
    with_what_follows,
)
from estimator.quantity import DIAGNOSED, KEPT, QUANTITIES
from estimator.streams import Stream, stream

log = logging.getLogger(__name__)

CORE = tuple(
    name
    for name in KEPT
    if QUANTITIES[name].dim not in ("bias_group", "bias_step", "registry_term")
)
"""Quantities whose draws are kept; all others follow from them."""


@dataclass(frozen=True)
class FitTask:
    """One fit to be made.

    Attributes
    ----------
    fit_id
        Name of the fit.
    assumptions
        The set that is fitted.
    evidence_key
        Which of the shared evidences it uses.
    options
        Settings of the first attempt, and how many there are.
    seed
        Root of its randomness.
    priors
        Arrays that replace those of the model's data: a covering fit has wider priors than any set.
    """

    fit_id: str
    assumptions: AssumptionSet
    evidence_key: str
    options: FitOptions
    seed: int
    priors: dict[str, np.ndarray]


@dataclass(frozen=True)
class Shared:
    """What all tasks of a sweep need.

    Attributes
    ----------
    evidences
        By key.
    pilots
        By structure.
    cores
        Chains of one fit at a time.
    """

    evidences: dict[str, Evidence]
    pilots: dict[str, Pilot]
    cores: int


@dataclass(frozen=True)
class Fit:
    """Draws of one fit, or why there are none.

    Attributes
    ----------
    fit_id
        Name of the fit.
    core
        The quantities `CORE` and `claim_location`, float32; None if the fit failed altogether.
    stats
        Sample statistics.
    diagnostics
        Of the draws.
    relative_ess
        As in `estimator.fitting.entries.Entries`. (entry,).
    error
        Why there are no draws; empty if there are.
    seconds
        What it took.
    attempts
        How many attempts it took.
    """

    fit_id: str
    core: xr.Dataset | None
    stats: xr.Dataset | None
    diagnostics: Diagnostics | None
    relative_ess: np.ndarray | None
    error: str
    seconds: float
    attempts: int

    @property
    def ok(self) -> bool:
        """Whether there are draws that can be trusted."""
        return self.diagnostics is not None and self.diagnostics.ok


def task_inputs(task: FitTask, evidence: Evidence) -> ModelInputs:
    """Make the inputs of the model of a task."""
    inputs = model_inputs(evidence, task.assumptions)
    return replace(inputs, data={**inputs.data, **task.priors})


def pilot_of(task: FitTask, shared: Shared) -> tuple[str, Pilot]:
    """Fit the pilot of the structure of a task; return the structure's name and the pilot."""
    inputs = task_inputs(task, shared.evidences[task.evidence_key])
    seed = np.random.SeedSequence([task.seed, 1])
    whitening = learn_whitening(inputs, task.assumptions.sampler, seed, shared.cores)
    return inputs.structure.identity, Pilot.of(whitening, inputs)


def fit(task: FitTask, shared: Shared) -> Fit:
    """Fit one set; what goes wrong is handed back and not raised, so that others go on.

    The first attempt uses the pilot of the structure (see `estimator.fitting.ladder`). Another
    sampler than NUTS has one attempt, as the group `sampler` says.
    """
    begin = time.perf_counter()
    evidence = shared.evidences[task.evidence_key]
    sampler = task.assumptions.sampler
    try:
        inputs = task_inputs(task, evidence)
        judge = partial(_judged, task, inputs, evidence)
        if sampler.method == "nutpie":
            seeds = Seeds(
                lambda attempt: np.random.SeedSequence([task.seed, 2, attempt + 1]),
                np.random.SeedSequence([task.seed, 1]),
            )
            pilot = shared.pilots.get(inputs.structure.identity)
            fitted = Ladder.of(task.options, sampler, shared.cores).fit(inputs, pilot, seeds, judge)
        else:
            fitted = fit_plainly(
                inputs,
                sampler,
                np.random.SeedSequence([task.seed, 2, 1]),
                lambda draws: judge(draws.posterior, draws.sample_stats),
            )
    except EstimatorError as error:
        return _failed(task, str(error), begin)
    except Exception as error:  # a fault of one set; the others go on
        log.exception("%s failed", task.fit_id)
        return _failed(task, f"{type(error).__name__}: {error}", begin)
    core, stats, relative_ess = fitted.kept or (None, None, None)
    return Fit(
        task.fit_id,
        core,
        stats,
        fitted.diagnostics,
        relative_ess,
        fitted.error,
        time.perf_counter() - begin,
        fitted.attempts,
    )


def _failed(task: FitTask, error: str, begin: float) -> Fit:
    return Fit(task.fit_id, None, None, None, None, error, time.perf_counter() - begin, 1)


def _judged(
    task: FitTask,
    inputs: ModelInputs,
    evidence: Evidence,
    variables: xr.Dataset,
    stats: xr.Dataset,
) -> tuple[tuple[xr.Dataset, xr.Dataset, np.ndarray], Diagnostics]:
    """Core quantities, sample statistics and relative ESS of draws; their diagnostics."""
    quantities = reported_quantities(variables, inputs, evidence)
    core = quantities[list(CORE)].astype(np.float32)
    core["claim_location"] = (
        variables["claim_location"].astype(np.float32)
        if "claim_location" in variables
        # All claims are confirmed: there is no other claim to locate.
        else xr.zeros_like(core["losses"][..., :0]).rename(month="claim").drop_vars("claim")
    )
    for name in CORE:
        core[name].attrs = quantities[name].attrs
    layout, flat = flatten(entries_dataset(core, task.assumptions, evidence))
    diagnostics, relative_ess = diagnose_entries(layout, flat, stats, task.assumptions.sampler)
    return (core, stats, relative_ess), diagnostics


def diagnose_entries(
    layout: EntryLayout, draws: np.ndarray, stats: xr.Dataset, options: SamplerOptions
) -> tuple[Diagnostics, np.ndarray]:
    """Diagnose all entries that vary; bounds hold for those that are sampled and reported."""
    finite = np.isfinite(draws[:, 0, 0])
    moving = finite & (np.ptp(draws.reshape(len(draws), -1), axis=1) > 0)
    rows = np.flatnonzero(moving)
    found = convergence(draws[rows])
    relative = np.ones(len(draws), np.float32)  # as it is stored
    n_draws = draws.shape[1] * draws.shape[2]
    relative[rows] = np.minimum(np.minimum(found.ess_bulk, found.ess_tail) / n_draws, 1.0)
    if options.method == "prior":
        return Diagnostics(1.0, float(n_draws), float(n_draws), {}, 0, ()), relative
    bound = np.isin(rows, diagnosed_rows(layout))
    names = [layout.names[row] for row in rows[bound]]
    kept = replace(
        found,
        rhat=found.rhat[bound],
        ess_bulk=found.ess_bulk[bound],
        ess_tail=found.ess_tail[bound],
    )
    return verdict(kept, names, int(stats["diverging"].sum()), options), relative


def diagnosed_rows(layout: EntryLayout) -> np.ndarray:
    """Rows of the quantities whose diagnostics decide whether a set is an answer."""
    return np.concatenate(
        [np.arange(s.start, s.stop) for name, s in layout.slices.items() if name in DIAGNOSED]
    )


def entries_dataset(core: xr.Dataset, assumptions: AssumptionSet, evidence: Evidence) -> xr.Dataset:
    """Everything that is summarised of a set, from what is kept of its draws.

    Confirmed periods and sources that do not count in the set are NaN.

    Returns
    -------
    xarray.Dataset
        Monthly quantities (chain, draw, month), those of the window as a whole with the prefix
        `total_` (chain, draw, total), assumptions, biases and unconfirmed losses.
    """
    monthly = core[[name for name in CORE if "month" in core[name].dims]]
    monthly = with_what_follows(monthly)
    rng = np.random.default_rng(stream(assumptions.seed, Stream.DERIVED))
    monthly = monthly.merge(derived_quantities(monthly, assumptions, rng))
    whole = totals(monthly)
    whole = xr.Dataset(
        {f"total_{name}": variable.expand_dims(total=["total"]) for name, variable in whole.items()}
    )
    data = evidence.dataset
    counts = data["confirmed_used"].reset_coords(drop=True)
    sources = set(data["source"].values[data["used"].values].tolist())
    used = xr.DataArray(
        np.array([name in sources for name in core["source"].values], dtype=bool),
        dims="source",
        coords={"source": core["source"]},
    )
    rest = {name: core[name].where(counts) for name in ("unconfirmed", "unconfirmed_ratio")}
    rest |= {name: core[name].where(used) for name in ("reporting_bias", "reporting_drift")}
    for name, variable in rest.items():
        variable.attrs = core[name].attrs
    return xr.merge([monthly, whole, core[["assumption_value"]], xr.Dataset(rest)])


def fit_entries(
    found: Fit, assumptions: AssumptionSet, evidence: Evidence
) -> tuple[EntryLayout, np.ndarray, np.ndarray]:
    """Layout, draws (entry, chain, draw) and relative effective sample sizes of a fit."""
    if found.core is None or found.relative_ess is None:
        raise ValueError(f"{found.fit_id} has no draws")
    layout, draws = flatten(entries_dataset(found.core, assumptions, evidence))
    return layout, draws, found.relative_ess
