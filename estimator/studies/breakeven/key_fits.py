"""The fits behind a break-even: wide ones that cover the range, and ones with the key held."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from arviz_stats.base import array_stats

from estimator.assumptions import AssumptionSet
from estimator.errors import EstimatorError
from estimator.evidence import Evidence
from estimator.fitting.pilot import Pilot
from estimator.fitting.reweighting import Hyperparameters, NaturalDraws
from estimator.studies.breakeven.curve import WideFit, standard_error
from estimator.studies.breakeven.event import Event
from estimator.studies.breakeven.ranges import KeyRange
from estimator.studies.breakeven.refine import RealFit
from estimator.sweep.keys import evidence_key
from estimator.sweep.options import SweepOptions
from estimator.sweep.set_fit import Fit, FitTask, Shared, fit, pilot_of, task_inputs

log = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Told what is being done, for a progress line."""


@dataclass
class KeyFits:
    """Makes the fits of one question, each with its own part of the set's randomness.

    Attributes
    ----------
    assumptions, evidence
        The set.
    event
        Whose probability is asked for.
    axes
        The keys and their ranges.
    sampling
        Warm-up, depth and acceptance.
    say
        Told what is being done.
    wide_failures
        Bounds that wide fits missed, in their order; empty texts if none.
    """

    assumptions: AssumptionSet
    evidence: Evidence
    event: Event
    axes: Sequence[KeyRange]
    sampling: SweepOptions
    say: Say
    wide_failures: list[str] = field(default_factory=list)
    fits: int = 0
    _pilots: dict[str, dict[str, Pilot]] = field(default_factory=dict)

    def wide(self, center: np.ndarray, scale: np.ndarray, draws: int) -> WideFit | None:
        """Fit with normal priors of the keys on the model's scale.

        Parameters
        ----------
        center, scale
            Of the priors. (key,).
        draws
            Draws a chain.

        Returns
        -------
        WideFit or None
            None if its draws missed a bound of their diagnostics.
        """
        self.say(f"fit {len(self.wide_failures) + 1} over the range")
        priors = {
            axis.key: axis.prior(float(m), float(s))
            for axis, m, s in zip(self.axes, center, scale, strict=True)
        }
        task, found = self._run("wide", self.assumptions.with_priors(priors), draws)
        self.wide_failures.append(_failures(found))
        if self.wide_failures[-1] or found.core is None:
            log.info("wide fit: %s", self.wide_failures[-1])
            return None
        inputs = task_inputs(task, self.evidence)
        happens = self.event.happens(found.core, task.assumptions)
        natural = NaturalDraws.of(found.core, inputs.data["reporting_one_sided"][0])
        positions = [axis.position for axis in self.axes]
        keys = natural.linear[positions].reshape(len(positions), *happens.shape)
        relative = min(effective(one) for one in (*keys, happens)) / happens.size
        hyper = Hyperparameters.of(task.assumptions, inputs.data)
        return WideFit(natural, hyper, happens.ravel(), min(relative, 1.0))

    def held(self, x: np.ndarray, kind: str, draws: int) -> RealFit:
        """Fit with the keys held at one place.

        Parameters
        ----------
        x
            On the model's scale. (key,).
        kind
            Why it is made.
        draws
            Draws a chain.
        """
        values = [float(axis.spec.value(at)) for axis, at in zip(self.axes, x, strict=True)]
        where = ", ".join(f"{a.key}={v:.4g}" for a, v in zip(self.axes, values, strict=True))
        self.say(f"fit with {where}")
        priors = {a.key: a.prior(float(at), 0.0) for a, at in zip(self.axes, x, strict=True)}
        task, found = self._run("held", self.assumptions.with_priors(priors), draws)
        failures = _failures(found)
        nothing = RealFit(x, np.nan, np.nan, np.nan, failures, found.seconds, kind)
        if found.core is None or found.diagnostics is None:
            return nothing
        happens = self.event.happens(found.core, task.assumptions)
        probability = float(happens.mean())
        # Draws that all agree say nothing of how they hang together: the slowest quantity does.
        slowest = min(found.diagnostics.min_ess_bulk, found.diagnostics.min_ess_tail)
        ess = effective(happens) if 0.0 < probability < 1.0 else min(slowest, happens.size)
        error = standard_error(probability, ess)
        return RealFit(x, probability, error, ess, failures, found.seconds, kind)

    def base(self) -> Hyperparameters:
        """Hyper-parameters of the set itself."""
        task = self._task("base", self.assumptions, 0)
        return Hyperparameters.of(self.assumptions, task_inputs(task, self.evidence).data)

    def _task(self, name: str, assumptions: AssumptionSet, draws: int) -> FitTask:
        options = self.sampling.fit.model_copy(update={"draws": draws})
        root = np.random.SeedSequence([self.assumptions.seed, self.fits])
        seed = int(root.generate_state(1)[0])
        return FitTask(name, assumptions, evidence_key(assumptions), options, seed, {})

    def _run(self, kind: str, assumptions: AssumptionSet, draws: int) -> tuple[FitTask, Fit]:
        self.fits += 1
        task = self._task(f"{kind}-{self.fits}", assumptions, draws)
        evidences, cores = {task.evidence_key: self.evidence}, assumptions.sampler.cores
        if assumptions.sampler.method == "nutpie" and kind not in self._pilots:
            try:
                structure, pilot = pilot_of(task, Shared(evidences, {}, cores))
                self._pilots[kind] = {structure: pilot}
            except (EstimatorError, ArithmeticError, RuntimeError, ValueError) as error:
                log.info("no pilot: %s", error)  # the fit will say why
        return task, fit(task, Shared(evidences, self._pilots.get(kind, {}), cores))


def _failures(found: Fit) -> str:
    if found.error or found.diagnostics is None:
        return found.error or "no draws"
    return "; ".join(found.diagnostics.failures)


def effective(draws: np.ndarray) -> float:
    """Effective sample size of the mean of draws (chain, draw); all of them if they are equal."""
    numbers = np.asarray(draws, dtype=float)
    if np.ptp(numbers) == 0:
        return float(numbers.size)
    found = array_stats.ess(numbers, chain_axis=0, draw_axis=1, method="mean")
    return min(float(found), float(numbers.size))
