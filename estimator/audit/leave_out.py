"""What a set says of each claim without having seen it: leave-one-claim-out.

First by importance weights of the set's own draws (PSIS; Vehtari, Gelman and Gabry 2017). Where
their k-hat says that they cannot be trusted, by a fit without the claim. A confirmed claim is
always left out by a fit: below its floor the set has no draws that could be weighted.

One fit of the mixture of all posteriors without a claim (Silva and Zanella 2023) was tried in place
of single fits: its components hardly overlap, so that it took longer for the same precision.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from estimator.audit.bases import AuditedSet, Basis
from estimator.audit.options import AuditOptions
from estimator.compare.answers import Answer
from estimator.errors import EstimatorError
from estimator.inference import Short
from estimator.pilot import Pilot
from estimator.reweighting import smoothed
from estimator.sweep.fits import Fit, FitTask, Shared, fit, pilot_of, task_inputs

log = logging.getLogger(__name__)

_KEY = "audited"
_USED_ROW = -1  # of the claims' figures: whether a claim counts

Progress = Callable[[str, int, int], None]
"""Called with what is done, how many of it are done, and how many there are."""


@dataclass(frozen=True)
class LeftOut:
    """Draws without one claim.

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
    """Leaves out the claims of one set, one at a time.

    Attributes
    ----------
    audited
        The set.
    options
        Bounds and settings of fits.
    answers
        On which influence is told.
    cores
        Chains at a time.
    progress
        Told of each fit.
    """

    audited: AuditedSet
    options: AuditOptions
    answers: Sequence[Answer]
    cores: int
    progress: Progress | None = None
    _pilots: dict[str, Pilot] = field(default_factory=dict)

    def claims(self) -> tuple[Basis, dict[int, LeftOut]]:
        """Leave out each claim that counts, by its position.

        Returns
        -------
        basis, left_out
            Draws with all claims, and those without each.
        """
        basis = Basis(self.audited, self.audited.posterior, self.answers)
        used = np.flatnonzero(self.audited.used)
        found = {int(claim): self._by_psis(basis, int(claim)) for claim in used}
        doubtful = [claim for claim, one in found.items() if one.failures and self._refits(claim)]
        for number, claim in enumerate(doubtful):
            name = str(self.audited.data["claim"].values[claim])
            self._tell(f"without {name}", number, len(doubtful))
            figures = self.audited.data["figures"].values.copy()
            figures[_USED_ROW, claim] = 0.0
            refitted = self._fit(f"without-{name}", {"claim_figures": figures})
            if refitted is not None:
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
            refitted = self._fit(f"without-{names[floor]}", {"confirmed_used": used})
            if refitted is not None:
                found[int(floor)] = refitted
        return found

    def _refits(self, claim: int) -> bool:
        if self.options.refit == "no_series":
            return not self._is_of_series[claim]
        return self.options.refit == "all"

    @property
    def _is_of_series(self) -> np.ndarray:
        """Whether a claim is a single month of a source that reports most months. (claim,)."""
        data = self.audited.data
        single = (data["weight"].values > 0.99).sum(axis=1) == 1
        source = data["source"].values
        dense = [
            name
            for name in set(source[single].tolist())
            if (single & (source == name)).sum() >= data.sizes["month"] / 2
        ]
        return np.asarray(single & np.isin(source, dense))

    def _by_psis(self, basis: Basis, claim: int) -> LeftOut:
        found = smoothed(-basis.log_density[:, claim])
        failures = []
        if not found.k_hat <= self.options.max_k_hat:
            failures.append(f"k-hat {found.k_hat:.2f} > {self.options.max_k_hat}")
        if not found.kish >= self.options.min_ess:
            failures.append(f"ESS {found.kish:.0f} < {self.options.min_ess:.0f}")
        weights = np.exp(found.log_weights)
        return LeftOut(basis, weights, "psis", found.k_hat, found.kish, "; ".join(failures))

    def _fit(self, name: str, data: dict[str, np.ndarray]) -> LeftOut | None:
        """Fit with some data of the model replaced; None if that failed altogether."""
        assumptions = self.audited.assumptions
        settings = Short(
            chains=assumptions.sampler.chains,
            tune=self.options.tune,
            draws=self.options.refit_draws,
            max_depth=self.options.max_depth,
            target_accept=self.options.target_accept,
        )
        fit_id = f"{self.audited.label}-{name}"
        task = FitTask(fit_id, assumptions, _KEY, settings, assumptions.seed, data)
        made = self._made(task)
        if made is None or made.core is None or made.diagnostics is None:
            return None
        basis = Basis(self.audited, made.core, self.answers)
        weights = np.full(basis.n_draws, 1.0 / basis.n_draws)
        failures = "; ".join(made.diagnostics.failures)
        ess = min(made.diagnostics.min_ess_bulk, made.diagnostics.min_ess_tail)
        return LeftOut(basis, weights, "refit", float("nan"), ess, failures)

    def _made(self, task: FitTask) -> Fit | None:
        evidences = {_KEY: self.audited.evidence}
        try:
            structure = task_inputs(task, self.audited.evidence).structure.identity
            if structure not in self._pilots:
                _, self._pilots[structure] = pilot_of(
                    replace(task, priors={}), Shared(evidences, {}, self.cores)
                )
        except EstimatorError as error:
            log.warning("%s: %s", task.fit_id, error)
            return None
        made = fit(task, Shared(evidences, self._pilots, self.cores))
        if made.error:
            log.warning("%s: %s", task.fit_id, made.error)
        return made

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(f"{self.audited.label}: {what}", done, total)
