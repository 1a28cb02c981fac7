"""The fits of a world: together their draws reach all that its sliders and switches ask for.

The fits are a sweep's: in its coordinates, kept in its journal, joined as one mixture (MBAR) as it
joins its own. The first is of the set itself with wider priors; then there is one without each
group with a switch, and one of each shipped set within reach. Draws of one fit would not do: a
piece of evidence on which an answer hangs leaves no draws that could do without it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.errors import DiagnosticsError
from estimator.evidence.periods import Window
from estimator.fitting.reweighting import Hyperparameters, Mixture, NaturalDraws
from estimator.store.versions import versions
from estimator.studies.explore.claims import claims_of
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.planning import Cover, Planned, apart, reached
from estimator.studies.explore.world import World, movable
from estimator.sweep.engine import changed
from estimator.sweep.journal import FitRecord, SweepJournal
from estimator.sweep.options import SweepOptions
from estimator.sweep.plan import PlannedSet
from estimator.sweep.set_fit import Fit, FitTask, Shared, fit, pilot_of, task_inputs

log = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Told what is being done, for a progress line."""


@dataclass(frozen=True)
class WideFit:
    """One fit of a world.

    Attributes
    ----------
    core
        Draws that are kept of it.
    natural
        The same in natural parameters.
    hyper
        Its priors and claims.
    """

    core: xr.Dataset
    natural: NaturalDraws
    hyper: Hyperparameters


def covering_world(
    cover: Cover,
    others: Sequence[Planned],
    options: ExploreOptions,
    sweep: SweepOptions,
    journal: SweepJournal,
    say: Say,
) -> World:
    """Make a world; fits that were made are taken.

    Parameters
    ----------
    cover
        The set.
    others
        Sets that become ready-made positions where they are within reach.
    options, sweep
        Ranges and draws; warm-up, depth, acceptance and attempts.
    journal
        Where the fits are kept.
    say
        Told what is being done.

    Raises
    ------
    DiagnosticsError
        If a fit has no draws.
    """
    _forget_older(journal, sweep)
    presets = reached(cover, others, options.sliders)
    own = cover.own.set
    targets: dict[str, PlannedSet] = {"": own}
    targets |= {f"without {name}": one for name, one in cover.without.items()}
    targets |= {one.set.assumptions.label: one.set for one in presets}
    fits: dict[str, WideFit] = {}
    failures = []
    for name, target in targets.items():
        task = _task(cover, target, options, sweep)
        if task.fit_id in fits:  # a shipped set may be the set without a group
            continue
        label = f"{own.assumptions.label} {name}".rstrip()
        kept = options.kept_draws if target is own else options.kept_helper_draws
        say(f"{label} ({len(fits) + 1} of at most {len(targets)} fits)")
        fits[task.fit_id], failed = _wide(task, cover, kept, journal)
        failures += [f"{label}: {failed}"] if failed else []
    found = list(fits.values())
    varying = np.any([own.hyper.differs(one.hyper) for one in found], axis=0)
    varying[len(ASSUMPTIONS) :] = False
    mixture = Mixture(
        [one.natural for one in found], [one.hyper for one in found], varying, claims_vary=True
    )
    ratio = mixture.log_ratio(own.hyper)
    without = {name: mixture.log_ratio(one.hyper) - ratio for name, one in cover.without.items()}
    assumptions = own.assumptions
    attrs = {
        "label": assumptions.label,
        "overrides": json.dumps(list(own.set.overrides)),
        "configuration": json.dumps(assumptions.model_dump(mode="json"), ensure_ascii=False),
        "data_hash": cover.own.evidence.data_hash,
        "claims": json.dumps(claims_of(cover.own.evidence.dataset), ensure_ascii=False),
        "last_month": Window.of(assumptions.window).last_whole_month,
        "failures": "; ".join(failures),
        "refused": json.dumps(dict(cover.refused)),
        "apart": json.dumps(apart(cover)),
        "presets": json.dumps([one.as_plain() for one in presets]),
    }
    return World.of(
        [one.core for one in found],
        np.concatenate([one.natural.linear for one in found], axis=1),
        movable(assumptions),
        np.stack([own.hyper.location, own.hyper.scale]),
        ratio,
        without,
        attrs,
    )


def _task(
    cover: Cover, target: PlannedSet, options: ExploreOptions, sweep: SweepOptions
) -> FitTask:
    """Fit of a set with the priors of its sliders wider than its own."""
    own, assumptions = cover.own.set, target.assumptions
    keys = list(ASSUMPTIONS)
    priors = {
        key: ASSUMPTIONS[key].normal(
            float(target.hyper.location[at]), float(options.widen * target.hyper.scale[at])
        )
        for key in options.sliders
        if key in movable(assumptions)
        for at in [keys.index(key)]
    }
    claims = {"claim_figures": target.hyper.figures, "claim_value": target.hyper.observed}
    content = [
        own.set_id,
        {key: prior.model_dump() for key, prior in priors.items()},
        *(hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest() for a in claims.values()),
        options.draws,
    ]
    return FitTask(
        f"cover-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]}",
        own.assumptions.with_priors(priors),
        own.evidence_key,
        sweep.fit.model_copy(update={"draws": options.draws}),
        own.assumptions.seed,
        claims,
    )


def _wide(task: FitTask, cover: Cover, kept: int, journal: SweepJournal) -> tuple[WideFit, str]:
    """Draws of a fit, about so many of them, and which bounds they miss."""
    found = _fitted(task, cover, journal)
    if found.core is None or found.diagnostics is None:
        raise DiagnosticsError(f"{cover.own.set.assumptions.label}: {found.error or 'no draws'}")
    thin = -(-found.core.sizes["chain"] * found.core.sizes["draw"] // kept)
    core = found.core.isel(draw=slice(None, None, thin))
    hyper = Hyperparameters.of(task.assumptions, task_inputs(task, cover.own.evidence).data)
    natural = NaturalDraws.of(core, cover.own.set.one_sided)
    return WideFit(core, natural, hyper), "; ".join(found.diagnostics.failures)


def _fitted(task: FitTask, cover: Cover, journal: SweepJournal) -> Fit:
    """Draws of a fit: those of the journal, if it has them."""
    for record in journal.fits():
        if record.fit_id == task.fit_id and record.diagnostics is not None:
            return journal.read_draws(record)
    sampler = task.assumptions.sampler
    evidences, pilots = {task.evidence_key: cover.own.evidence}, journal.pilots()
    # Coordinates learnt in one world do not suit another, even of one structure (docs/explore.md).
    world = cover.own.set.set_id
    if sampler.method == "nutpie" and world not in pilots:
        _, pilots[world] = pilot_of(task, Shared(evidences, {}, sampler.cores))
        journal.add_pilot(world, pilots[world])
    structure = task_inputs(task, cover.own.evidence).structure.identity
    own = {structure: pilots[world]} if world in pilots else {}
    shared = Shared(evidences, own, sampler.cores)
    found = fit(task, shared)
    journal.add_fit(
        FitRecord(
            *(found.fit_id, 0, 0, "explore", "cover", None),
            *(found.diagnostics, found.relative_ess, found.error, found.seconds, found.attempts),
        ),
        found,
        None,
    )
    return found


def _forget_older(journal: SweepJournal, sweep: SweepOptions) -> None:
    """Forget fits of other versions of the code or other options, as a sweep does."""
    computed_with = {"versions": versions(), "sweep": sweep.sampling}
    before = json.loads(journal.about().get("computed_with", "null"))
    if before is not None and (changes := changed(before, computed_with)):
        log.warning("%s: begun anew, for %s", journal.folder, "; ".join(changes))
        journal.forget_all()
    journal.set_about(computed_with=json.dumps(computed_with))
