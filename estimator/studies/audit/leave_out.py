"""What a set says of each claim, and of all else, without it: leave-one-claim-out.

Whole evidence groups are left out in the same way: claims that rest on one underlying count hold
each other up, so that a set hardly moves without any single one of them.

First by importance weights of the set's own draws (PSIS; Vehtari, Gelman and Gabry 2017). Where
their k-hat says that they cannot be trusted, or leaves a doubt that may change the verdict, by a
fit without the claim. A confirmed claim is always left out by a fit: below its floor the set has
no draws that could be weighted.

One fit of the mixture of all posteriors without a claim (Silva and Zanella 2023) was tried in place
of single fits: its components hardly overlap, so that it took longer for the same precision.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import xarray as xr

from estimator.evidence.periods import Window
from estimator.evidence.pieces import group_members
from estimator.fitting.diagnostics import Diagnostics, diagnose
from estimator.fitting.inference import learn_whitening
from estimator.fitting.ladder import Ladder, Seeds
from estimator.fitting.pilot import Pilot
from estimator.fitting.smoothing import smoothed
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.quantities.answers import Answer
from estimator.quantities.derived import reported_quantities
from estimator.show.progress import Progress
from estimator.studies.audit.bases import AuditedSet, Basis
from estimator.studies.audit.options import AuditOptions

_USED_ROW = -1  # of the claims' figures: whether a claim counts
_FIRST_AFAR, _PILOT = 3, 6  # seeds of the first attempt without a pilot, and of a fit's own pilot

Watched = Callable[[Basis], xr.Dataset]
"""Picks of the draws what is diagnosed."""


@dataclass(frozen=True)
class LeftOut:
    """Draws without one claim, or one group of them.

    Attributes
    ----------
    basis
        Draws of some fit.
    weights
        Sum to 1. (draw,).
    method
        psis or refit; prediction for a claim that the set does not count anyway.
    k_hat
        Of the importance weights of the set's own draws; NaN where none were needed.
    ess
        Effective sample size.
    failures
        Why the draws cannot be trusted; empty if they can.
    """

    basis: Basis
    weights: np.ndarray
    method: str
    k_hat: float
    ess: float
    failures: str


@dataclass
class LeaveOneOut:
    """Leaves out the claims of one set, one at a time or group by group.

    Attributes
    ----------
    audited
        The set.
    options
        Bounds and settings of fits.
    cores
        Chains at a time.
    progress
        Told of each fit.
    """

    audited: AuditedSet
    options: AuditOptions
    cores: int = 2
    progress: Progress | None = None

    @cached_property
    def answers(self) -> list[Answer]:
        """Answers on which the influence of a claim is told."""
        return self.options.answers(self.last_month)

    @property
    def last_month(self) -> str:
        """Last whole month of the set."""
        return Window.from_days(self.audited.data["month_days"]).last_whole_month

    def claims(self) -> tuple[Basis, dict[int, LeftOut]]:
        """Leave out each claim that counts, by its position.

        Returns
        -------
        basis, left_out
            Draws with all claims, and those without each.
        """
        basis = Basis(self.audited, self.audited.located, self.answers)
        used = np.flatnonzero(self.audited.used)
        found = {int(claim): self._by_psis(basis, int(claim)) for claim in used}
        may = self._may_be_refitted
        doubtful = [
            claim
            for claim, one in found.items()
            if may[claim] and (one.failures or self._hangs_on_weights(claim, one))
        ]
        for number, claim in enumerate(doubtful):
            name = str(self.audited.data["claim"].values[claim])
            self._tell(f"without {name}", number, len(doubtful))
            inputs = self._masked(claim_figures=self._figures_without(claim))
            watched = partial(Basis.watched_claim, claim=claim)
            refitted = self._fit(name, inputs, watched)
            found[claim] = replace(refitted, k_hat=found[claim].k_hat)
        return basis, found

    def confirmed(self) -> dict[int, LeftOut]:
        """Leave out each confirmed claim that counts, by its position; empty without fits.

        A confirmed month that is left out is still taken from a confirmed sum over it.
        """
        floors = np.flatnonzero(self.audited.floors_used)
        found: dict[int, LeftOut] = {}
        if self.options.refit == "none" or len(floors) < 2:  # the model needs one floor
            return found
        names = self.audited.data["confirmed_claim"].values
        for number, floor in enumerate(floors):
            self._tell(f"without {names[floor]}", number, len(floors))
            used = self.audited.floors_used.astype(float)
            used[floor] = 0.0
            watched = partial(Basis.watched_floor, claim=int(floor))
            # Without its floor a month is sampled in other coordinates.
            found[int(floor)] = self._fit(
                str(names[floor]), self._masked(confirmed_used=used), watched, is_near=False
            )
        return found

    def groups(self, answers: Sequence[Answer]) -> tuple[Basis, dict[str, LeftOut]]:
        """Leave out each evidence group that has a claim that counts.

        Parameters
        ----------
        answers
            Those of the draws, in place of `answers`.

        Returns
        -------
        basis, left_out
            Draws with all claims, and those without each group. Where `refit` is none, groups with
            floors or figures of triangles are not among them: weights cannot leave these out.
        """
        basis = Basis(self.audited, self.audited.located, answers)
        members = group_members(self.audited.data)
        found = {
            name: self._by_psis(basis, claims)
            for name, (claims, *others) in members.items()
            if not any(mask.any() for mask in others)
        }
        doubtful = [name for name in members if name not in found or found[name].failures]
        for number, name in enumerate(doubtful if self.options.refit != "none" else ()):
            self._tell(f"without {name}", number, len(doubtful))
            k_hat = found[name].k_hat if name in found else float("nan")
            inputs, is_near = self._without(members[name])
            watched = Basis.watched_answers
            fitted = self._fit(name, inputs, watched, is_near=is_near, answers=answers)
            found[name] = replace(fitted, k_hat=k_hat)
        return basis, {name: found[name] for name in members if name in found}

    def _without(self, members: tuple[np.ndarray, ...]) -> tuple[ModelInputs, bool]:
        """Mask some claims, and say whether the set's own coordinates still suit what is left.

        They do not where floors are gone, figures of triangles, or the series that the losses were
        sampled along.

        Parameters
        ----------
        members
            Masks as `group_members` gives them.
        """
        claims, floors, vintages = members
        data = self.audited.data
        kept = {
            "used": ~claims,
            "confirmed_used": ~floors,
            "registry_used": ~vintages,
            "registry_is_floor": ~vintages,
        }
        masked = data.assign({name: data[name] & mask for name, mask in kept.items()})
        evidence = replace(self.audited.evidence, dataset=masked)
        afar = model_inputs(evidence, self.audited.assumptions)
        near = self._masked(claim_figures=self._figures_without(claims))
        same_series = np.array_equal(afar.data["losses_start"], near.data["losses_start"])
        if floors.any() or vintages.any() or not same_series:
            return afar, False
        return near, True

    def _figures_without(self, claims: np.ndarray | int) -> np.ndarray:
        figures = self.audited.data["figures"].values.copy()
        figures[_USED_ROW, claims] = 0.0
        return np.asarray(figures)

    def _masked(self, **data: np.ndarray) -> ModelInputs:
        return replace(self._inputs, data={**self._inputs.data, **data})

    @property
    def _may_be_refitted(self) -> np.ndarray:
        """Whether a claim may be left out by a fit. (claim,), bool."""
        data = self.audited.data
        if self.options.refit == "none":
            return np.zeros(data.sizes["claim"], bool)
        if self.options.refit == "all":
            return np.ones(data.sizes["claim"], bool)
        single = (data["weight"].values > 0.99).sum(axis=1) == 1
        source = data["source"].values
        dense = [
            name
            for name in set(source[single].tolist())
            if (single & (source == name)).sum() >= data.sizes["month"] / 2
        ]
        return np.asarray(~(single & np.isin(source, dense)))

    def _hangs_on_weights(self, claim: int, one: LeftOut) -> bool:
        """Whether weights that are not beyond doubt decide between two verdicts."""
        if one.k_hat <= self.options.doubtful_k_hat:
            return False
        tail = one.basis.tail_probability(claim, one.weights)
        within = self.options.doubtful_factor
        limits = (self.options.strained, self.options.in_conflict)
        return any(limit / within < tail < limit * within for limit in limits)

    def _by_psis(self, basis: Basis, claims: np.ndarray | int) -> LeftOut:
        """Weight the draws of the set; `claims` is a position, or a mask."""
        density = basis.log_density[:, claims]
        found = smoothed(-density if density.ndim == 1 else -density.sum(axis=1))
        failures = []
        if not found.k_hat <= self.options.max_k_hat:
            failures.append(f"k-hat {found.k_hat:.2f} > {self.options.max_k_hat}")
        if not found.kish >= self.options.min_ess:
            failures.append(f"ESS {found.kish:.0f} < {self.options.min_ess:.0f}")
        weights = np.exp(found.log_weights)
        return LeftOut(basis, weights, "psis", found.k_hat, found.kish, "; ".join(failures))

    def _fit(
        self,
        name: str,
        inputs: ModelInputs,
        watched: Watched,
        *,
        is_near: bool = True,
        answers: Sequence[Answer] | None = None,
    ) -> LeftOut:
        """Fit other inputs than those of the set.

        Diagnosed is what is told: the claim's prediction and the answers. A posterior that is not
        near that of the set begins with a pilot of its own.
        """
        told = self.answers if answers is None else answers
        sampler = self.audited.assumptions.sampler
        seed = [self.audited.assumptions.seed, 3, zlib.crc32(name.encode())]
        first = 0 if is_near else _FIRST_AFAR

        def judge(variables: xr.Dataset, stats: xr.Dataset) -> tuple[Basis, Diagnostics]:
            quantities = reported_quantities(variables, inputs, self.audited.evidence)
            quantities["claim_location"] = variables["claim_location"]
            basis = Basis(self.audited, quantities, told)
            return basis, diagnose(watched(basis), stats, sampler)

        fitted = Ladder.of(self.options.fit, sampler, self.cores).fit(
            inputs,
            self._pilot if is_near else None,
            Seeds(
                lambda attempt: np.random.SeedSequence([*seed, first + attempt]),
                np.random.SeedSequence([*seed, _PILOT]),
            ),
            judge,
        )
        basis, diagnostics = fitted.draws()
        weights = np.full(basis.n_draws, 1.0 / basis.n_draws)
        ess = min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail)
        return LeftOut(basis, weights, "refit", float("nan"), ess, fitted.failures)

    @cached_property
    def _inputs(self) -> ModelInputs:
        return model_inputs(self.audited.evidence, self.audited.assumptions)

    @cached_property
    def _pilot(self) -> Pilot:
        """Whitening of the set with all its claims: those without one lie near it."""
        self._tell("pilot", 0, 1)
        assumptions = self.audited.assumptions
        seed = np.random.SeedSequence([assumptions.seed, 3])
        whitening = learn_whitening(self._inputs, assumptions.sampler, seed, self.cores)
        return Pilot.of(whitening, self._inputs)

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(f"{self.audited.label}: {what}", done, total)
