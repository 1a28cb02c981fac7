"""One search for a break-even, with all that answers it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estimator.assumptions import AssumptionSet
from estimator.evidence import Evidence
from estimator.show.break_even import Axis, BreakEven, Crossing
from estimator.store.versions import versions
from estimator.studies.breakeven import sentences
from estimator.studies.breakeven.curve import Curve, Reweighting
from estimator.studies.breakeven.event import Event
from estimator.studies.breakeven.key_fits import KeyFits
from estimator.studies.breakeven.options import BreakEvenOptions
from estimator.studies.breakeven.ranges import KeyRange, prior_of
from estimator.studies.breakeven.reach import kernel_widths
from estimator.studies.breakeven.refine import RealFit
from estimator.studies.breakeven.tables import notes_of, refit_table


@dataclass(frozen=True)
class Search:
    """What is asked, and what answers it."""

    assumptions: AssumptionSet
    evidence: Evidence
    event: Event
    level: float
    axes: Sequence[KeyRange]
    options: BreakEvenOptions
    fitter: KeyFits
    begin: float

    @property
    def facts(self) -> list[Axis]:
        """The keys, for a reader."""
        assumed = [
            sentences.assumed_ends(prior_of(self.assumptions, axis.key)) for axis in self.axes
        ]
        return [
            Axis(
                axis.key,
                axis.spec.unit,
                axis.spec.description,
                axis.low,
                axis.high,
                axis.source,
                sentences.assumed_text(*ends, axis.spec.unit),
                *ends,
            )
            for axis, ends in zip(self.axes, assumed, strict=True)
        ]

    def hold(self, x: np.ndarray, kind: str) -> RealFit:
        """Make a real fit with the keys held."""
        return self.fitter.held(x, kind, self.options.refit_draws)

    def refits(self, held: Sequence[RealFit], reweighting: Reweighting | None) -> pd.DataFrame:
        """Table of real fits beside the curve."""
        kernel = kernel_widths(self.axes, self.options)
        return refit_table(held, self.axes, reweighting, kernel, self.options)

    def notes(
        self, curve: Curve, crossings: Sequence[Crossing], checks: Sequence[RealFit]
    ) -> tuple[str, ...]:
        """Say what has to be known beside the answer."""
        failures = self.fitter.wide_failures
        return notes_of(curve, self.axes, crossings, checks, failures, self.level, self.options)

    def result(
        self,
        *,
        crossings: tuple[Crossing, ...],
        curve: pd.DataFrame,
        refits: pd.DataFrame,
        contour: pd.DataFrame,
        as_it_is: tuple[float, float],
        sentence: str,
        notes: tuple[str, ...],
        failures: tuple[str, ...],
    ) -> BreakEven:
        """Join what was found with where it comes from."""
        return BreakEven(
            axes=tuple(self.facts),
            event=str(self.event),
            words=self.event.words,
            level=self.level,
            interval=self.options.interval,
            crossings=crossings,
            curve=curve,
            refits=refits,
            contour=contour,
            as_it_is=as_it_is[0],
            as_it_is_error=as_it_is[1],
            sentence=sentence,
            notes=notes,
            failures=failures,
            assumption_set=self.assumptions.label,
            assumption_set_id=self.assumptions.identity(self.evidence.data_hash),
            data_hash=self.evidence.data_hash,
            versions=versions(),
            seed=self.assumptions.seed,
            seconds=time.perf_counter() - self.begin,
        )
