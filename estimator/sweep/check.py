"""Reweighted sets against real fits of the same sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from estimator.fitting.entries import STATISTICS, statistics
from estimator.fitting.reweighting import pooled_entries
from estimator.sweep.engine import Engine
from estimator.sweep.journal import SweepJournal
from estimator.sweep.set_fit import fit_entries

QUANTITIES = ("losses", "killed", "net_change")
QUANTILES = ("q05", "q50", "q95")
FAR = 4.0
"""Differences of more Monte-Carlo standard errors than this are reported."""


def check_table(journal: SweepJournal, engine: Engine) -> pd.DataFrame:
    """Compare the sets that were fitted to be checked with what reweighting gave.

    Returns
    -------
    pandas.DataFrame
        One row a set: k-hat, effective sample size, number of comparisons (monthly losses, killed
        and net change, their median, 5 % and 95 %), root mean square and largest difference in
        Monte-Carlo standard errors, largest in posterior standard deviations, how many differ by
        more than `FAR` errors, and which differs most.
    """
    labels = {set_id: one.set.label for set_id, (_, one) in engine.by_id.items()}
    checks = {r.set_id: r for r in journal.fits() if r.kind == "check" and r.set_id in labels}
    rows: list[dict[str, Any]] = []
    for record in journal.sets():
        check = checks.get(record.set_id)
        if check is None or record.statistics is None or record.obtained.how != "reweighted":
            continue
        label = labels[record.set_id]
        if not check.ok:
            rows.append({"assumption_set": label, "note": "the fit failed: " + check.error})
            continue
        _, one = engine.by_id[record.set_id]
        parts = fit_entries(
            journal.read_draws(check), one.assumptions, engine.evidences[one.evidence_key]
        )
        fitted = statistics(pooled_entries([parts]))
        z, distance = differences(record.statistics, fitted, parts[0].slices)
        names = [
            f"{name} {month} {quantile}"
            for name in QUANTITIES
            for month in next(v.labels for v in parts[0].variables if v.name == name)
            for quantile in QUANTILES
        ]
        worst = int(np.argmax(np.abs(z)))
        rows.append(
            {
                "assumption_set": label,
                "k_hat": record.obtained.k_hat,
                "ess": record.obtained.ess,
                "compared": len(z),
                "rms_errors": float(np.sqrt(np.mean(z**2))),
                "max_errors": float(np.abs(z).max()),
                "max_posterior_sd": float(np.abs(distance).max()),
                "far": int((np.abs(z) > FAR).sum()),
                "worst": names[worst],
                "note": "",
            }
        )
    return pd.DataFrame(rows)


def disagreements(check: pd.DataFrame, max_errors: float) -> dict[str, str]:
    """Say which reweighted sets do not agree with a fit of theirs; by label.

    Parameters
    ----------
    check
        As `check_table` gives it.
    max_errors
        Most Monte-Carlo standard errors that a quantile may be off.
    """
    problems = {}
    for row in check.to_dict("records"):
        label, errors = str(row["assumption_set"]), float(row.get("max_errors", np.nan))
        if row["note"]:
            problems[label] = f"not checked: {row['note']}"
        elif not errors <= max_errors:
            problems[label] = (
                f"{row['worst']} is {errors:.3g} Monte-Carlo standard errors from a fit "
                f"(sweep.max_check_errors: {max_errors:g})"
            )
    return problems


def differences(
    reweighted: np.ndarray, fitted: np.ndarray, slices: dict[str, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Differences of quantiles in Monte-Carlo standard errors, and in posterior deviations."""
    errors, deviations = [], []
    for name in QUANTITIES:
        a, b = reweighted[slices[name]].astype(float), fitted[slices[name]].astype(float)
        for quantile in QUANTILES:
            value, error = STATISTICS.index(quantile), STATISTICS.index(f"mcse_{quantile}")
            both = np.hypot(a[:, error], b[:, error])
            difference = a[:, value] - b[:, value]
            errors.append(difference / np.maximum(both, 1e-9))
            deviations.append(difference / np.maximum(b[:, STATISTICS.index("sd")], 1e-9))
    # Months inner, quantiles outer so far; names have quantiles inner.
    shape = (len(QUANTITIES), len(QUANTILES), -1)
    turned = [np.array(x).reshape(shape).transpose(0, 2, 1).ravel() for x in (errors, deviations)]
    return turned[0], turned[1]
