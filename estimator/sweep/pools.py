"""Reweight: join the draws of some fits of a group, and weight them to other sets of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from estimator.evidence import Evidence
from estimator.fitting.entries import Entries, EntryLayout, statistics_of_sets
from estimator.fitting.reweighting import Mixture, NaturalDraws, pooled_entries
from estimator.store.sweep_files import thinning
from estimator.sweep.journal import FitRecord, Obtained, SetRecord
from estimator.sweep.options import SweepOptions
from estimator.sweep.plan import Group, PlannedSet
from estimator.sweep.set_fit import Fit, diagnosed_rows, fit_entries


@dataclass(frozen=True)
class Pool:
    """Joined draws of some fits of a group, ready to be weighted."""

    names: tuple[str, ...]
    mixture: Mixture
    entries: Entries
    layout: EntryLayout
    unused_rows: dict[str, np.ndarray]
    worst_relative_ess: float
    max_rhat: float
    divergences: int


def make_pool(
    group: Group,
    bases: Sequence[FitRecord],
    fits: Sequence[Fit],
    by_id: Mapping[str, tuple[Group, PlannedSet]],
    evidences: Mapping[str, Evidence],
) -> Pool:
    """Join the draws of fits of a group.

    Parameters
    ----------
    group
        Whose sets are to be weighted.
    bases, fits
        What is recorded of each fit, and its draws.
    by_id
        Group and plan of each set.
    evidences
        By key.
    """
    middle = group.sets[group.center]
    thin = thinning([_size(found) for found in fits])
    natural, hypers, parts = [], [], []
    all_used = _all_used(evidences[middle.evidence_key])
    for record, found in zip(bases, fits, strict=True):
        core = found.core
        if core is None:
            raise ValueError(f"{record.fit_id} has no draws")
        core = core.isel(draw=slice(None, None, thin))
        one = middle if record.set_id is None else by_id[record.set_id][1]
        natural.append(NaturalDraws.of(core, one.one_sided))
        hypers.append(group.cover if record.set_id is None else one.hyper)
        thinned = replace(found, core=core)
        parts.append(fit_entries(thinned, middle.assumptions, all_used))
    mixture = Mixture(natural, hypers, group.varying, claims_vary=group.claims_vary)
    entries = pooled_entries(parts)
    rows = diagnosed_rows(entries.layout)
    diagnostics = [record.diagnostics for record in bases if record.diagnostics is not None]
    return Pool(
        tuple(record.fit_id for record in bases),
        mixture,
        entries,
        entries.layout,
        {
            key: _unused_rows(entries.layout, evidences[key])
            for key in {one.evidence_key for one in group.sets}
        },
        float(entries.relative_ess[rows].min()),
        max(d.max_rhat for d in diagnostics),
        sum(d.divergences for d in diagnostics),
    )


def _size(found: Fit) -> int:
    return 0 if found.core is None else found.core.sizes["chain"] * found.core.sizes["draw"]


def _all_used(evidence: Evidence) -> Evidence:
    """Evidence in which every claim counts, so that no entry is left out of a pool."""
    data = evidence.dataset
    return replace(
        evidence,
        dataset=data.assign(used=data["used"] | True, confirmed_used=data["confirmed_used"] | True),
    )


def _unused_rows(layout: EntryLayout, evidence: Evidence) -> np.ndarray:
    """Rows of sources and of confirmed periods that do not count."""
    data = evidence.dataset
    sources = set(data["source"].values[data["used"].values].tolist())
    floors = set(data["confirmed_claim"].values[data["confirmed_used"].values].tolist())
    counted = {"source": sources, "confirmed_claim": floors}
    rows = []
    for variable in layout.variables:
        if variable.dim in counted:
            begin = layout.slices[variable.name].start
            rows += [
                begin + n
                for n, label in enumerate(variable.labels)
                if label not in counted[variable.dim]
            ]
    return np.array(rows, dtype=int)


def reweight_chunk(
    sets: Sequence[PlannedSet], shared: tuple[Pool, SweepOptions]
) -> list[SetRecord]:
    """Reweight some sets; those that the draws do not reach are left out."""
    pool, options = shared
    begin = time.perf_counter()
    reached = []
    for planned in sets:
        weights = pool.mixture.weights(planned.hyper)
        ess = weights.kish * pool.worst_relative_ess
        if weights.k_hat <= options.max_k_hat and ess >= planned.assumptions.sampler.min_ess:
            reached.append((planned, weights, ess))
    if not reached:
        return []
    log_weights = np.stack([weights.log_weights for _, weights, _ in reached])
    tables = statistics_of_sets(pool.entries, np.exp(log_weights))
    seconds = (time.perf_counter() - begin) / len(sets)
    records = []
    for (planned, weights, ess), table in zip(reached, tables, strict=True):
        table[pool.unused_rows[planned.evidence_key]] = np.nan
        obtained = Obtained(
            "reweighted",
            pool.names,
            weights.k_hat,
            ess,
            pool.max_rhat,
            pool.divergences,
            "",
            seconds,
        )
        kept = weights.log_weights if options.keep_draws else None
        records.append(SetRecord(planned.set_id, obtained, pool.layout.name, table, kept))
    return records
