"""What the journal keeps of a fit, and of the set that was fitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from estimator.evidence import Evidence
from estimator.fitting.entries import EntryLayout, statistics
from estimator.fitting.reweighting import pooled_entries
from estimator.sweep.journal import FitRecord, Obtained, SetRecord
from estimator.sweep.plan import PlannedSet
from estimator.sweep.rounds import PlannedFit
from estimator.sweep.set_fit import Fit, fit_entries


def fit_record(number: int, position: int, planned: PlannedFit, found: Fit) -> FitRecord:
    """Say what a fit came to.

    Parameters
    ----------
    number, position
        Of its round, and its place in it.
    planned, found
        What was planned and what was found.
    """
    return FitRecord(
        found.fit_id,
        number,
        position,
        str(planned["group_key"]),
        str(planned["kind"]),
        planned["set_id"],
        found.diagnostics,
        found.relative_ess,
        found.error,
        found.seconds,
        found.attempts,
    )


def fitted_record(
    one: PlannedSet, found: Fit, evidence: Evidence, named: Callable[[EntryLayout], str]
) -> SetRecord:
    """Say what a set's own fit gives it.

    Parameters
    ----------
    one, found, evidence
        The set, its fit and its claims.
    named
        Keeps a layout of entries and returns its name.
    """
    diagnostics = found.diagnostics
    if diagnostics is None:
        obtained = Obtained(
            "failed", (found.fit_id,), np.nan, 0.0, np.nan, 0, found.error, found.seconds
        )
        return SetRecord(one.set_id, obtained, "", None, None, found.error)
    layout, draws, relative = fit_entries(found, one.assumptions, evidence)
    entries = pooled_entries([(layout, draws, relative)])
    obtained = Obtained(
        "fitted",
        (found.fit_id,),
        np.nan,
        min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail),
        diagnostics.max_rhat,
        diagnostics.divergences,
        "; ".join(diagnostics.failures),
        found.seconds,
    )
    return SetRecord(one.set_id, obtained, named(layout), statistics(entries), None)
