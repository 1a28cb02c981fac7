"""Worlds from fits: the covering fit of a set over the ranges of its sliders, or a whole result.

The fit is a sweep's: of one set, in a sweep's coordinates, with priors that cover the ranges, kept
in a sweep's journal. The claims of the groups with a switch weigh only a part of what they say in
it: with all of their weight there are no draws that could do without them.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.errors import ConfigError, DiagnosticsError, EstimatorError
from estimator.evidence import Evidence, load_evidence
from estimator.evidence.load import read_claims
from estimator.evidence.periods import Window
from estimator.evidence.pieces import group_members
from estimator.fitting.reweighting import Hyperparameters, Mixture, NaturalDraws
from estimator.model.figures import USED
from estimator.store.versions import versions
from estimator.studies.explore.claims import claims_of
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.world import NO_FLOORS, World, movable, normal_of, range_of
from estimator.sweep.engine import changed
from estimator.sweep.journal import FitRecord, SweepJournal
from estimator.sweep.keys import evidence_key
from estimator.sweep.options import SweepOptions
from estimator.sweep.plan import PlannedSet, Planner
from estimator.sweep.set_fit import Fit, FitTask, Shared, fit, pilot_of, task_inputs
from estimator.sweep.sets import Composer, compose_sets

log = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Told what is being done, for a progress line."""

_AGREES = 1e-6  # difference of log likelihoods, in which they are equal but for rounding


@dataclass(frozen=True)
class Planned:
    """A set as a sweep plans it.

    Attributes
    ----------
    set
        What it may differ in from others.
    evidence
        Its claims.
    group
        Equal for sets that weights lead to from each other (`estimator.sweep.keys.group_key`).
    """

    set: PlannedSet
    evidence: Evidence
    group: str


@dataclass(frozen=True)
class Cover:
    """A set, and what is within reach of weights from a fit of it.

    Attributes
    ----------
    own
        The set.
    without
        The set less each evidence group that weights can take out.
    refused
        Why other groups cannot be taken out.
    whole
        The set less all groups of `without` at once; None if that is no possible set.
    """

    own: Planned
    without: Mapping[str, PlannedSet]
    refused: Mapping[str, str]
    whole: PlannedSet | None


@dataclass
class Planning:
    """Plans sets; claims are read once, and options composed once.

    Attributes
    ----------
    config_dir
        A folder of a user's options.
    """

    config_dir: str | None

    def __post_init__(self) -> None:
        """Begin with nothing composed or read."""
        self._composer = Composer(self.config_dir)
        self._claims: dict[tuple[str, ...], pd.DataFrame] = {}

    def plan(self, overrides: Sequence[str]) -> Planned:
        """Plan a set.

        Raises
        ------
        ConfigError, EvidenceError
            If it is no possible set.
        """
        (one,) = compose_sets([overrides], self.config_dir, self._composer)
        if one.assumptions is None:
            raise ConfigError(one.error)
        files = one.assumptions.evidence.files
        if files not in self._claims:
            self._claims[files] = read_claims(files)
        evidence = load_evidence(one.assumptions, self._claims[files])
        name = evidence_key(one.assumptions)
        group, planned = Planner({name: evidence}).plan(one, name)
        return Planned(planned, evidence, group)

    def cover(self, overrides: Sequence[str], groups: Sequence[str]) -> Cover:
        """Plan a set, and the sets without each evidence group with a switch.

        Raises
        ------
        ConfigError, EvidenceError
            If the set is no possible set.
        """
        own = self.plan(overrides)
        counting = group_members(own.evidence.dataset)
        without: dict[str, PlannedSet] = {}
        refused: dict[str, str] = {}
        for name in (name for name in groups if name in counting):
            _, *others = counting[name]
            if any(mask.any() for mask in others):
                refused[name] = NO_FLOORS
                continue
            less = self._less(overrides, [name])
            if less is None or less.group != own.group:
                refused[name] = "without it the model is another one"
            else:
                without[name] = less.set
        whole = self._less(overrides, list(without)) if len(without) > 1 else None
        if whole is not None and whole.group != own.group:
            whole = None
        return Cover(own, without, refused, None if whole is None else whole.set)

    def _less(self, overrides: Sequence[str], groups: Sequence[str]) -> Planned | None:
        try:
            return self.plan([*overrides, *(f"evidence.groups.{name}=none" for name in groups)])
        except EstimatorError as error:
            log.info("without %s: %s", groups, error)
            return None


def covering_world(
    cover: Cover,
    others: Sequence[Planned],
    options: ExploreOptions,
    sweep: SweepOptions,
    journal: SweepJournal,
    say: Say,
) -> World:
    """Fit a set with priors that cover the ranges of its sliders; a fit that was made is taken.

    Parameters
    ----------
    cover
        The set.
    others
        Sets that become ready-made positions where they are within reach.
    options, sweep
        Ranges and draws; warm-up, depth, acceptance and attempts.
    journal
        Where the fit is kept.
    say
        Told what is being done.

    Raises
    ------
    DiagnosticsError
        If there are no draws.
    """
    planned = cover.own.set
    keys = movable(planned.assumptions)
    priors = {
        key: ASSUMPTIONS[key].normal(*normal_of(key, (ends.low, ends.high), options.cover_mass))
        for key, ends in options.sliders.items()
        if key in keys
    }
    hyper = planned.hyper
    figures = _tempered(hyper, [one.hyper for one in cover.without.values()], options.group_weight)
    content = json.dumps(
        [
            planned.set_id,
            {key: prior.model_dump() for key, prior in priors.items()},
            hashlib.sha256(figures.tobytes()).hexdigest(),
            options.draws,
        ]
    )
    task = FitTask(
        f"cover-{hashlib.sha256(content.encode()).hexdigest()[:16]}",
        planned.assumptions.with_priors(priors),
        planned.evidence_key,
        sweep.fit.model_copy(update={"draws": options.draws}),
        planned.assumptions.seed,
        {"claim_figures": figures},
    )
    found = _fitted(task, cover, sweep, journal, say)
    if found.core is None:
        raise DiagnosticsError(f"{planned.assumptions.label}: {found.error or 'no draws'}")
    thin = -(-found.core.sizes["chain"] * found.core.sizes["draw"] // options.kept_draws)
    core = found.core.isel(draw=slice(None, None, thin))
    fitted = Hyperparameters.of(task.assumptions, task_inputs(task, cover.own.evidence).data)
    return _world(cover, others, core, fitted, found, keys)


def _fitted(
    task: FitTask, cover: Cover, sweep: SweepOptions, journal: SweepJournal, say: Say
) -> Fit:
    """Draws of a fit: those of the journal, if it has them of these versions and options."""
    computed_with = {"versions": versions(), "sweep": sweep.sampling}
    before = json.loads(journal.about().get("computed_with", "null"))
    if before is not None and (changes := changed(before, computed_with)):
        log.warning("%s: begun anew, for %s", journal.folder, "; ".join(changes))
        journal.forget_all()
    journal.set_about(computed_with=json.dumps(computed_with))
    for record in journal.fits():
        if record.fit_id == task.fit_id and record.diagnostics is not None:
            return journal.read_draws(record)
    sampler = task.assumptions.sampler
    shared = Shared({task.evidence_key: cover.own.evidence}, {}, sampler.cores)
    if sampler.method == "nutpie":
        say(f"{cover.own.set.assumptions.label}: pilot")
        structure, pilot = pilot_of(task, shared)
        shared = replace(shared, pilots={structure: pilot})
    say(f"{cover.own.set.assumptions.label}: fit over the ranges of the sliders")
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


def _tempered(
    hyper: Hyperparameters, without: Sequence[Hyperparameters], weight: float
) -> np.ndarray:
    """Figures of the claims, of which those that a switch takes out weigh less."""
    figures = hyper.figures.copy()
    for other in without:
        gone = (hyper.figures[USED] > 0.0) & (other.figures[USED] == 0.0)
        figures[USED, gone] = weight * hyper.figures[USED, gone]
    return figures


def _world(
    cover: Cover,
    others: Sequence[Planned],
    core: xr.Dataset,
    fitted: Hyperparameters,
    found: Fit,
    keys: Sequence[str],
) -> World:
    planned, shape = cover.own.set, (core.sizes["chain"], core.sizes["draw"])
    natural = NaturalDraws.of(core, planned.one_sided)
    nothing_varies = np.zeros(len(fitted.scale), dtype=bool)
    mixture = Mixture([natural], [fitted], nothing_varies, claims_vary=True)

    def likelihood(one: PlannedSet) -> np.ndarray:
        """Log likelihood of the claims less that in the fit. (chain, draw)."""
        return np.asarray(mixture.log_ratio(one.hyper).reshape(shape))

    as_counted = likelihood(planned)
    without = {name: likelihood(one) - as_counted for name, one in cover.without.items()}
    assumptions = planned.assumptions
    attrs = {
        "label": assumptions.label,
        "overrides": json.dumps(list(planned.set.overrides)),
        "configuration": json.dumps(assumptions.model_dump(mode="json"), ensure_ascii=False),
        "data_hash": cover.own.evidence.data_hash,
        "claims": json.dumps(claims_of(cover.own.evidence.dataset), ensure_ascii=False),
        "last_month": Window.of(assumptions.window).last_whole_month,
        "failures": "; ".join(found.diagnostics.failures) if found.diagnostics else "",
        "refused": json.dumps(dict(cover.refused)),
        "apart": json.dumps(_apart(cover, without, as_counted, likelihood)),
        "presets": json.dumps(
            [
                {"label": other.set.assumptions.label} | moves
                for other in others
                if other.group == cover.own.group
                and (moves := _reached(other.set, cover, keys, without, as_counted, likelihood))
            ]
        ),
    }
    priors = np.stack([planned.hyper.location, planned.hyper.scale])
    fit_priors = np.stack([fitted.location, fitted.scale])
    return World.of(core, natural.linear, keys, priors, fit_priors, as_counted, without, attrs)


def _apart(
    cover: Cover,
    without: Mapping[str, np.ndarray],
    as_counted: np.ndarray,
    likelihood: Callable[[PlannedSet], np.ndarray],
) -> list[tuple[str, str]]:
    """Pairs of groups that weights cannot take out both: their claims are read with each other."""
    names = list(without)
    pairs = [(one, other) for n, one in enumerate(names) for other in names[n + 1 :]]
    if not pairs:
        return []
    own = cover.own.set.hyper

    def touched(name: str) -> np.ndarray:
        other = cover.without[name].hyper
        differs = (own.figures != other.figures).any(axis=0) | (own.observed != other.observed)
        return np.asarray(differs)

    found = [(one, other) for one, other in pairs if (touched(one) & touched(other)).any()]
    if found:
        return found
    # What a claim repeats may be in two groups: only all of them together show it.
    together = np.sum(list(without.values()), axis=0)
    if (
        cover.whole is None
        or np.abs(likelihood(cover.whole) - as_counted - together).max() > _AGREES
    ):
        return pairs
    return []


def _reached(
    other: PlannedSet,
    cover: Cover,
    keys: Sequence[str],
    without: Mapping[str, np.ndarray],
    as_counted: np.ndarray,
    likelihood: Callable[[PlannedSet], np.ndarray],
) -> dict[str, Any] | None:
    """Ranges and left out groups that make another set; None if they do not make it."""
    own = cover.own.set
    names = list(ASSUMPTIONS)
    differs = np.flatnonzero(own.hyper.differs(other.hyper))
    changed_keys = [names[at] if at < len(names) else "" for at in differs.tolist()]
    priors = dict(other.assumptions.priors())
    if not set(changed_keys) <= set(keys) & set(movable(other.assumptions)):
        return None
    choices = other.assumptions.evidence.groups
    gone = [name for name in without if choices.get(name) == "none"]
    left = likelihood(other) - as_counted - sum(without[name] for name in gone)
    if np.abs(left).max() > _AGREES:
        return None
    ranges = {key: list(range_of(priors[key])) for key in changed_keys}
    return {"ranges": ranges, "without": gone} if ranges or gone else None
