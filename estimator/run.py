"""Estimate one assumption set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import arviz_base  # noqa: F401 - looks through all modules that are there, so it comes first
import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import SamplerOptions
from estimator.evidence import Evidence, load_evidence
from estimator.fitting.diagnostics import Diagnostics, diagnose
from estimator.fitting.inference import Draws, Progress
from estimator.fitting.ladder import fit_plainly
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.paths import folder_name
from estimator.quantities.derived import derived_quantities, reported_quantities
from estimator.quantities.scenario import break_even_plan_shares, project
from estimator.quantity import DIAGNOSED
from estimator.store.claim_draws import KeepOptions
from estimator.store.result_tree import result_tree
from estimator.store.results import check_writable, write_result
from estimator.store.summary import summarise
from estimator.streams import Stream, stream


@dataclass(frozen=True)
class Estimate:
    """The estimate of one assumption set.

    Attributes
    ----------
    tree
        The result in ArviZ's convention (see `estimator.store.result_tree.result_tree`).
    summary
        Tidy table of all quantities (see `estimator.store.summary.summarise`).
    diagnostics
        Whether the draws can be trusted.
    evidence
        The claims, with why some do not count.
    """

    tree: xr.DataTree
    summary: pd.DataFrame
    diagnostics: Diagnostics
    evidence: Evidence


def estimate(
    assumptions: AssumptionSet,
    *,
    evidence: Evidence | None = None,
    progress: Progress | None = None,
    keep: KeepOptions | None = None,
) -> Estimate:
    """Estimate the posterior of one assumption set.

    Parameters
    ----------
    assumptions
        As `estimator.assumption_set` composes it.
    evidence
        Claims to use; None loads those that the set names.
    progress
        Called with draws done and draws in all.
    keep
        How many draws of single claims the result keeps; None keeps all.

    Raises
    ------
    EvidenceError
        If the claims cannot be used.
    SamplingError
        If the sampler gives up every attempt.

    Notes
    -----
    A set whose diagnostics fail is returned all the same, marked: see `Estimate.diagnostics`.
    """
    if evidence is None:
        evidence = load_evidence(assumptions)
    inputs = model_inputs(evidence, assumptions)
    seed = assumptions.seed
    judge = partial(_judged, inputs, evidence, assumptions.sampler)
    fitted = fit_plainly(inputs, assumptions.sampler, stream(seed, Stream.SAMPLER), judge, progress)
    (draws, posterior), diagnostics = fitted.draws()
    prior = reported_quantities(draws.prior, inputs, evidence)
    scenarios = project(posterior, assumptions, stream(seed, Stream.SCENARIO))
    if scenarios is not None:
        share = break_even_plan_shares(scenarios, assumptions)
        scenarios = scenarios.assign(
            break_even_plan_share=share.expand_dims(
                projected_month=scenarios["projected_month"], axis=-1
            )
        )
    n_draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    n_claims = len(inputs.structure.coords["claim"])
    tree = result_tree(
        assumptions=assumptions,
        evidence=evidence,
        inputs=inputs,
        draws=draws,
        posterior=posterior,
        prior=prior,
        scenarios=scenarios,
        diagnostics=diagnostics,
        seed=assumptions.seed,
        every=1 if keep is None else keep.every(n_claims, n_draws),
    )
    rng = np.random.default_rng(stream(seed, Stream.DERIVED))
    derived = derived_quantities(posterior, assumptions, rng)
    return Estimate(tree, summarise(tree, derived), diagnostics, evidence)


def _judged(
    inputs: ModelInputs, evidence: Evidence, sampler: SamplerOptions, draws: Draws
) -> tuple[tuple[Draws, xr.Dataset], Diagnostics]:
    """Draws with the reported quantities, and the diagnostics of these."""
    posterior = reported_quantities(draws.posterior, inputs, evidence)
    reported = posterior[[name for name in DIAGNOSED if name in posterior]]
    used = evidence.dataset["confirmed_used"].values
    diagnostics = diagnose(reported.isel(confirmed_claim=used), draws.sample_stats, sampler)
    return (draws, posterior), diagnostics


def write_estimate(
    found: Estimate,
    outputs: Path,
    name: str,
    config: dict[str, Any],
    plots: Callable[[xr.DataTree, Path], object] | None,
) -> Path:
    """Write one set below ``<outputs>/<name>/``, whole or not at all; return its folder."""
    check_writable(outputs / name)
    folder = outputs / name / folder_name(str(found.tree.attrs["assumption_set"]))
    draw = None if plots is None else (lambda target: plots(found.tree, target))
    write_result(folder, found.tree, found.summary, found.evidence.claims, config, draw)
    return folder
