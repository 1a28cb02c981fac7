"""Which sets of a sweep can be reweighted into each other, and which of them to fit.

Sets form a *group* if their posteriors differ only in factors that `estimator.fitting.reweighting`
knows. Of a group a covering fit comes first, whose priors are as wide as those of all its sets
together; then the sets that it does not reach, far from each other, until all are reached. What
one fit allows and another does not is never reweighted: a set is reached only from a fit whose
priors allow all that its own allow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.evidence import Evidence
from estimator.fitting.reweighting import Hyperparameters
from estimator.model.figures import figures_of_claims
from estimator.model.hyperparameters import assumption_data, reporting_data, sources_of
from estimator.sweep.keys import claims_key, group_key, sources_key
from estimator.sweep.sets import SweepSet

_FEW = 3  # a group of so few sets is fitted set by set


@dataclass(frozen=True)
class PlannedSet:
    """A set of a sweep, its evidence and what it may differ in from others.

    Attributes
    ----------
    set
        The set.
    assumptions
        Assumptions of the set.
    set_id
        Identity of the set with its data.
    evidence_key
        Key of its claims.
    hyper
        Priors and claims' figures, from which weights are computed.
    one_sided
        Whether a source's bias is an undercount. (source,).
    """

    set: SweepSet
    assumptions: AssumptionSet
    set_id: str
    evidence_key: str
    hyper: Hyperparameters
    one_sided: np.ndarray


@dataclass(frozen=True)
class Group:
    """Sets that can be reweighted into each other.

    Attributes
    ----------
    key
        Name of the group.
    sets
        Its sets in the order of the sweep.
    used_parameters
        Whether each parameter matters: all assumptions do, and biases of sources with a claim that
        counts in any of the sets. (parameter,).
    """

    key: str
    sets: tuple[PlannedSet, ...]
    used_parameters: np.ndarray

    @cached_property
    def varying(self) -> np.ndarray:
        """Parameters whose priors differ between the sets. (parameter,)."""
        first = self.sets[0].hyper
        differs = np.any([first.differs(one.hyper) for one in self.sets], axis=0)
        # A covering fit differs in what varies; a parameter of no effect is left out.
        return np.asarray(differs & self.used_parameters)

    @cached_property
    def claims_vary(self) -> bool:
        """Whether the likelihood of the claims differs between the sets."""
        return len({one.hyper.claims_key for one in self.sets}) > 1

    @property
    def is_fitted(self) -> bool:
        """Whether each set is fitted: they are few, or another sampler than NUTS was asked for."""
        return len(self.sets) <= _FEW or self.sets[0].assumptions.sampler.method != "nutpie"

    @property
    def can_be_covered(self) -> bool:
        """Whether one fit with wider priors reaches all sets."""
        return bool(self.varying.any())

    @cached_property
    def positions(self) -> np.ndarray:
        """Where each set lies among the others. (set, feature)."""
        varying = self.varying
        location = np.array([one.hyper.location[varying] for one in self.sets])
        scale = np.array([one.hyper.scale[varying] for one in self.sets])
        size = np.maximum(scale.mean(axis=0), 1e-9)
        spread = np.log(np.maximum(scale, 1e-9) / size)
        keys = {key: n for n, key in enumerate({o.hyper.claims_key: None for o in self.sets})}
        claims = np.zeros((len(self.sets), len(keys) if len(keys) > 1 else 0))
        if claims.size:
            claims[np.arange(len(claims)), [keys[one.hyper.claims_key] for one in self.sets]] = 2.0
        return np.concatenate([location / size, spread, claims], axis=1)

    @cached_property
    def center(self) -> int:
        """Index of the set that is nearest to the middle."""
        return int(np.argmin(np.linalg.norm(self.positions - self.positions.mean(axis=0), axis=1)))

    def spread_out(self, candidates: Sequence[int], known: Sequence[int], count: int) -> list[int]:
        """Pick sets far from each other and from those known (greedy k-centre).

        Parameters
        ----------
        candidates, known
            Indices of sets: to pick from, and already fitted.
        count
            How many at most.
        """
        positions, picked = self.positions, []
        left = list(candidates)
        reference = list(known)
        if not reference and left and count > 0:
            start = min(
                left,
                key=lambda i: float(np.linalg.norm(positions[i] - positions[left].mean(axis=0))),
            )
            picked, reference = [start], [start]
            left.remove(start)
        distance = np.full(len(left), np.inf)
        of_left = positions[left]
        while left and len(picked) < count:
            for known_one in reference:
                apart = np.linalg.norm(of_left - positions[known_one], axis=1)
                distance = np.minimum(distance, apart)
            place = int(np.argmax(distance))
            reference = [left.pop(place)]  # those before are in the distances
            picked += reference
            of_left, distance = np.delete(of_left, place, axis=0), np.delete(distance, place)
        return picked

    @cached_property
    def cover(self) -> Hyperparameters:
        """Priors that cover those of all sets.

        Each varying parameter is normal on its link scale, where any value has a density, with mean
        and standard deviation of the mixture of its priors.
        """
        location = np.array([one.hyper.location for one in self.sets])
        scale = np.array([one.hyper.scale for one in self.sets])
        middle = self.sets[self.center].hyper
        wide = np.sqrt(location.var(axis=0) + (scale**2).mean(axis=0))
        return replace(
            middle,
            location=np.where(self.varying, location.mean(axis=0), middle.location),
            scale=np.where(self.varying, wide, middle.scale),
            other_families={
                position: prior
                for position, prior in middle.other_families.items()
                if not self.varying[position]
            },
        )

    @cached_property
    def covering_assumptions(self) -> AssumptionSet:
        """The set in the middle, with a family for each varying prior that the cover has."""
        middle = self.sets[self.center]
        priors = {}
        for position, (key, spec) in enumerate(ASSUMPTIONS.items()):
            if position in middle.hyper.other_families and self.varying[position]:
                location, scale = self.cover.location[position], self.cover.scale[position]
                priors[key] = spec.normal(float(location), float(scale))
        return middle.assumptions.with_priors(priors)

    @property
    def covering_data(self) -> dict[str, np.ndarray]:
        """The covering priors as arrays of `ModelInputs.data`."""
        n = len(ASSUMPTIONS)
        location, scale = self.cover.location, self.cover.scale
        return {
            "assumption_location": location[:n],
            "assumption_scale": scale[:n],
            "reporting_location": location[n:].reshape(2, -1),
            "reporting_scale": scale[n:].reshape(2, -1),
        }

    @cached_property
    def covering_key(self) -> str:
        """Hash that names the covering priors: they hang on which sets are in the group."""
        content = b"".join(np.ascontiguousarray(a).tobytes() for a in self.covering_data.values())
        return hashlib.sha256(content).hexdigest()[:8]


@dataclass(frozen=True)
class _Reports:
    """What sets with equal claims and reporting share.

    Attributes
    ----------
    data
        Biases, drifts and figures as in `ModelInputs.data`.
    one_sided
        As in `PlannedSet`.
    key
        As `estimator.sweep.keys.sources_key` gives it.
    """

    data: dict[str, np.ndarray]
    one_sided: np.ndarray
    key: str


class Planner:
    """Makes planned sets and groups; what many sets share is computed once."""

    def __init__(self, evidences: dict[str, Evidence]) -> None:
        self.evidences = evidences
        self._sources: dict[str, dict[str, str]] = {}
        self._claims_keys: dict[str, str] = {}
        self._reports: dict[str, _Reports] = {}

    def plan(self, one: SweepSet, evidence_key: str) -> tuple[str, PlannedSet]:
        """Return the key of the group of a set, and the set with what it may differ in."""
        if one.assumptions is None:
            raise ValueError(f"{one.label} is no possible configuration")
        assumptions, evidence = one.assumptions, self.evidences[evidence_key]
        reports = self._reports_of(assumptions, evidence_key)
        location, scale = assumption_data(assumptions)
        priors = {"assumption_location": location, "assumption_scale": scale}
        hyper = Hyperparameters.of(assumptions, {**reports.data, **priors})
        key = group_key(assumptions, hyper, self._claims_key(evidence_key), reports.key)
        set_id = assumptions.identity(evidence.data_hash)
        return key, PlannedSet(one, assumptions, set_id, evidence_key, hyper, reports.one_sided)

    def _reports_of(self, assumptions: AssumptionSet, evidence_key: str) -> _Reports:
        key = assumptions.reporting.model_dump_json() + evidence_key
        if key not in self._reports:
            sources = self._sources_of(evidence_key)
            reporting = reporting_data(sources, assumptions)
            value, figures = figures_of_claims(self.evidences[evidence_key].dataset, assumptions)
            data = {
                "reporting_location": reporting[:, [0, 2]].T,
                "reporting_scale": reporting[:, [1, 3]].T,
                "claim_figures": figures,
                "claim_value": value,
            }
            names = sources_key(assumptions.reporting, sources)
            self._reports[key] = _Reports(data, reporting[:, 4], names)
        return self._reports[key]

    def _claims_key(self, evidence_key: str) -> str:
        if evidence_key not in self._claims_keys:
            self._claims_keys[evidence_key] = claims_key(self.evidences[evidence_key])
        return self._claims_keys[evidence_key]

    def used_parameters(self, sets: Sequence[PlannedSet]) -> np.ndarray:
        """See `Group.used_parameters`."""
        sources = self._sources_of(sets[0].evidence_key)
        used = np.zeros(len(sources), bool)
        for key in {one.evidence_key for one in sets}:
            data = self.evidences[key].dataset
            counted = {
                name
                for kind in ("", "registry_")
                for name in data[f"{kind}source"].values[data[f"{kind}used"].values].tolist()
            }
            used |= np.array([name in counted for name in sources], dtype=bool)
        return np.concatenate([np.ones(len(ASSUMPTIONS), bool), used, used])

    def _sources_of(self, evidence_key: str) -> dict[str, str]:
        if evidence_key not in self._sources:
            self._sources[evidence_key] = sources_of(self.evidences[evidence_key].dataset)
        return self._sources[evidence_key]


def groups_of(planner: Planner, planned: Sequence[tuple[str, PlannedSet]]) -> list[Group]:
    """Join sets with equal keys, in the order of the sweep."""
    by_key: dict[str, list[PlannedSet]] = {}
    for key, one in planned:
        by_key.setdefault(key, []).append(one)
    return [Group(key, tuple(sets), planner.used_parameters(sets)) for key, sets in by_key.items()]
