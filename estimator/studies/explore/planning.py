"""Which sets are within reach of weights from fits of one set."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import Composer
from estimator.errors import ConfigError, EstimatorError
from estimator.evidence import Evidence, load_evidence
from estimator.evidence.load import read_claims
from estimator.evidence.pieces import group_members
from estimator.studies.explore.world import NO_FLOORS, movable, range_of
from estimator.sweep.keys import evidence_key
from estimator.sweep.plan import PlannedSet, Planner
from estimator.sweep.sets import compose_sets

log = logging.getLogger(__name__)


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
        self._evidences: dict[str, Evidence] = {}
        self._planner = Planner(self._evidences)

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
        name = evidence_key(one.assumptions)
        if name not in self._evidences:
            files = one.assumptions.evidence.files
            if files not in self._claims:
                self._claims[files] = read_claims(files)
            self._evidences[name] = load_evidence(one.assumptions, self._claims[files])
        group, planned = self._planner.plan(one, name)
        return Planned(planned, self._evidences[name], group)

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


@dataclass(frozen=True)
class Reached:
    """Another set, as a position of the sliders and switches of a world.

    Attributes
    ----------
    set
        The set.
    ranges
        Ranges of its assumptions that differ, by key.
    without
        Evidence groups that it leaves out.
    """

    set: PlannedSet
    ranges: dict[str, tuple[float, float]]
    without: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        """Label, ranges and without, as JSON has them."""
        ranges = {key: list(ends) for key, ends in self.ranges.items()}
        label = self.set.assumptions.label
        return {"label": label, "ranges": ranges, "without": list(self.without)}


def reached(cover: Cover, others: Sequence[Planned], sliders: Collection[str]) -> list[Reached]:
    """Find the sets that differ from a world's in sliders and switches alone."""
    may_move = set(sliders).intersection(movable(cover.own.set.assumptions))
    found = []
    for other in others:
        if other.group != cover.own.group:
            continue
        own, names = cover.own.set, list(ASSUMPTIONS)
        differs = np.flatnonzero(own.hyper.differs(other.set.hyper)).tolist()
        keys = [names[at] if at < len(names) else "" for at in differs]
        if not set(keys) <= may_move.intersection(movable(other.set.assumptions)):
            continue
        choices = other.set.assumptions.evidence.groups
        gone = tuple(name for name in cover.without if choices.get(name) == "none")
        if not (keys or gone) or not _is_less(cover, gone, other.set):
            continue
        priors = dict(other.set.assumptions.priors())
        found.append(Reached(other.set, {key: range_of(priors[key]) for key in keys}, gone))
    return found


def apart(cover: Cover) -> list[tuple[str, str]]:
    """Pairs of groups that weights cannot take out both: their claims are read with each other."""
    names = list(cover.without)
    pairs = [(one, other) for n, one in enumerate(names) for other in names[n + 1 :]]
    found = [
        (one, other)
        for one, other in pairs
        if (_touched(cover, one) & _touched(cover, other)).any()
    ]
    if found or not pairs:
        return found
    # What a claim repeats may be in two groups: only all of them together show it.
    if cover.whole is None or not _is_less(cover, names, cover.whole):
        return pairs
    return []


def _touched(cover: Cover, name: str) -> np.ndarray:
    """Whether a claim is read otherwise without a group. (claim,)."""
    own, less = cover.own.set.hyper, cover.without[name].hyper
    differs = (own.figures != less.figures).any(axis=0) | (own.observed != less.observed)
    return np.asarray(differs)


def _is_less(cover: Cover, names: Sequence[str], other: PlannedSet) -> bool:
    """Whether the claims of a set are those of the world without some groups, one by one."""
    figures, observed = cover.own.set.hyper.figures.copy(), cover.own.set.hyper.observed.copy()
    for name in names:
        touched, less = _touched(cover, name), cover.without[name].hyper
        figures[:, touched], observed[touched] = less.figures[:, touched], less.observed[touched]
    same_figures = np.array_equal(figures, other.hyper.figures)
    return same_figures and np.array_equal(observed, other.hyper.observed)
