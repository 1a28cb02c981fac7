"""Tables of a calibration as a reader sees them, and the sentence that says whether it passed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from estimator.quantity import HEADLINES, TOTAL
from estimator.studies.calibrate.baselines import BASELINES
from estimator.studies.calibrate.coverage import MODEL, PERIODS
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.calibrate.reweighted import by_k_hat
from estimator.studies.calibrate.run import Calibration
from estimator.studies.compare.show import Grid

_BIASES = ("reporting_bias", "reporting_drift", "shared_mean", "shared_spread", "bias_step")
_ORDER = {
    name: n for names in (HEADLINES, PERIODS, (MODEL, *BASELINES)) for n, name in enumerate(names)
}


def grids(found: Calibration, options: CalibrateOptions) -> list[Grid]:
    """All tables that are there, in the order in which they are read."""
    shown = []
    if len(found.summary):
        shown.append(structures_grid(found.summary, options))
        first = next(iter(found.summary["structure"]))
        own = found.sbc[found.sbc["structure"] == first] if len(found.sbc) else found.sbc
        if len(own):
            shown.append(entries_grid(own, options))
    if len(found.coverage):
        shown.append(coverage_grid(found.coverage, options))
    if len(found.broken):
        shown.append(broken_grid(found.broken, options))
    if len(found.reweighting):
        shown.append(reweighting_grid(found.reweighting, options))
    return shown


def verdict_text(found: Calibration, options: CalibrateOptions) -> str:
    """Say in a sentence whether the calibration passed."""
    summary = found.summary
    if not len(summary):
        return "No structure was simulated: nothing is said of calibration."
    if not len(found.sbc):
        return "Fewer than ten worlds of each structure: too few to judge calibration."
    n_worlds, n_failed = int(summary["worlds"].sum()), int(summary["failed"].sum())
    told = (
        f"{n_worlds:,} simulated worlds of {len(summary)} structures, {len(found.sbc):,} quantities"
        f" ranked, {int((~found.sbc['inside']).sum()):,} outside their "
        f"{options.sbc.band * 100:g} % band (by chance about {summary['expected'].sum():,.0f}), "
        f"smallest p value after Holm's adjustment for all of them "
        f"{float(found.sbc['overall_p'].min()):.3g}; {n_failed} fits missed a bound"
    )
    few = summary.loc[summary["entries"] == 0, "structure"]
    if len(few):
        told += f"; too few worlds to judge {', '.join(few)}"
    if not found.not_calibrated:
        return f"Calibration PASSED: {told}."
    return f"Calibration FAILED for {', '.join(found.not_calibrated)}: {told}."


def structures_grid(summary: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a structure."""
    rows = [
        (
            str(row["structure"]),
            str(row["kind"]),
            f"{row['worlds']}",
            f"{row['failed']}" + (f" ({row['without_draws']})" if row["without_draws"] else ""),
            f"{row['seconds']:.1f}",
            f"{row['outside']} of {row['entries']}",
            f"{row['expected']:.0f}",
            _p(row["holm_p"]),
            str(row["worst"]),
            "yes" if row["passed"] else "NO" if row["entries"] else "-",
        )
        for row in summary.to_dict("records")
    ]
    red = frozenset(n for n, row in enumerate(rows) if row[-1] == "NO")
    return Grid(
        "Simulation-based calibration",
        (
            "structure",
            "kind",
            "worlds",
            "failed",
            "s/world",
            "outside",
            "by chance",
            "Holm p",
            "smallest at",
            "passed",
        ),
        tuple(rows),
        (
            "Truth and figures of each world are drawn from the model; the rank of the truth among "
            f"{options.sbc.kept_draws} posterior draws is uniform if the ranges mean what they "
            "say. Kind prior: truths from the prior, none left out. Kind posterior: truths from "
            "the posterior given the published claims, fitted beside these.",
            f"Failed: fits that missed a bound (R-hat {options.fit.max_rhat}, effective sample "
            f"size {options.fit.min_ess:g}, {options.fit.max_divergences} divergences) in all "
            "attempts; their ranks count. In brackets: fits without draws.",
            f"Outside: quantities whose ECDF leaves its simultaneous {options.sbc.band * 100:g} % "
            "band; they are correlated, so their number varies more than a count of independent "
            "ones. Holm p: the smallest p value, adjusted for the number of quantities of the "
            "structure; passed: of all structures.",
        ),
        red=red,
        left=frozenset({0, 1, 8}),
        fold=frozenset({0, 8}),
    )


def entries_grid(own: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """Rows of one structure: assumptions, biases pooled and the worst, some months, totals."""
    rows = [_entry_row(str(row["entry"]), row) for row in _shown(own, options.sbc.months_shown)]
    for name in _BIASES:
        biases = own[own["quantity"] == name]
        if len(biases):
            worst = biases.sort_values("p", kind="stable").to_dict("records")[0]
            inside = int(biases["inside"].sum())
            label = f"{name}: worst of {len(biases)} ({inside} inside), {worst['entry']}"
            rows.append(_entry_row(label, worst))
    return Grid(
        f"Ranks: {own['structure'].iloc[0]}",
        ("quantity", "n", "mean", "spread", "ECDF / band", "KS p", "chi² p", "inside"),
        tuple(rows),
        (
            "Mean of the ranks as shares: 0.5. Spread: their standard deviation over that of "
            "uniform ones; above 1 ranges are too narrow. ECDF / band: largest ECDF difference as "
            "a share of the band there. All quantities and months: sbc.csv.",
        ),
        red=frozenset(n for n, row in enumerate(rows) if row[-1] == "no"),
    )


def coverage_grid(table: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a quantity, period and method: coverage at each level, scores at one."""
    levels = options.coverage.levels
    rows = []
    keys = ["quantity", "period", "method"]
    for key, own in table.groupby(keys, sort=False):
        if not own["cases"].any():
            continue
        by_level = {row["level"]: row for row in own.to_dict("records")}
        told = by_level[options.coverage.level]
        rows.append(
            (
                str(key[0]),
                str(key[1]),
                str(key[2]),
                f"{int(told['worlds'])}",
                *(f"{100 * by_level[level]['coverage']:.0f}" for level in levels),
                f"{100 * told['coverage_se']:.1f}",
                *(f"{100 * told[name]:.1f}" for name in ("width", "interval_score", "crps")),
            )
        )
    rows.sort(key=lambda row: tuple(_ORDER.get(cell, 0) for cell in row[:3]))
    return Grid(
        "Coverage and sharpness in simulated worlds, against baselines",
        (
            "quantity",
            "period",
            "method",
            "worlds",
            *(f"{100 * level:g} %" for level in levels),
            "± se",
            "width",
            "score",
            "CRPS",
        ),
        tuple(rows),
        (
            f"Coverage in per cent at each level, with the standard error of that at "
            f"{100 * options.coverage.level:g} %, of which width and interval "
            "score (score) are told. Width and scores in per cent of the world's own losses (of a "
            "mean month, or in all); "
            "lower scores are better.",
            "face value: every figure is the truth, give or take its rounding. trend: a log-linear "
            "trend of the reporter's series with prediction intervals. No row: the method says "
            "nothing, for want of a claim (net change needs returns and other exits).",
        ),
        left=frozenset({0, 1, 2}),
        fold=frozenset({0}),
    )


def broken_grid(table: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a break and entry."""
    rows = []
    for row in table.to_dict("records"):
        first = row["entry"] == table.loc[table["break"] == row["break"], "entry"].iloc[0]
        share = row["touched_conflicts"]
        rows.append(
            (
                str(row["break"]) if first else "",
                str(row["entry"]),
                f"{row['error']:+,.0f}",
                f"{100 * row['error_share']:+.0f}",
                f"{row['error_sd']:+.1f}",
                f"{100 * row['coverage']:.0f} ± {100 * row['coverage_se']:.0f}",
                *(
                    (
                        f"{row['failed']} of {row['worlds']}",
                        f"{100 * row['predictive_alarm']:.0f}",
                        f"{100 * row['audit_alarm']:.0f}",
                        f"{row['conflicts']:.1f}",
                        "-" if not np.isfinite(share) else f"{100 * share:.0f}",
                    )
                    if first
                    else ("",) * 5
                ),
            )
        )
    said = dict(zip(table["break"], table["says"], strict=True))
    level, outside = 100 * options.noticing.level, options.noticing.outside
    return Grid(
        "Worlds that break what the set believes",
        (
            "world",
            "answer",
            "error",
            "%",
            "sd",
            f"{level:g} % covers",
            "failed",
            "PPC",
            "audit",
            "conflicts",
            "touched",
        ),
        tuple(rows),
        (
            "Error: median less truth, mean over the worlds, in persons, in per cent of the mean "
            "absolute truth and in posterior standard deviations. Does anything notice? Failed: "
            "fits that missed a bound. PPC: per cent of the worlds whose posterior "
            f"predictive p value is under {options.noticing.predictive_p:g}. Audit: per cent of "
            "the worlds in which the smallest leave-one-out tail probability (PSIS) is under that "
            f"over the number of claims. Conflicts: mean number of claims under {outside:g}; "
            "touched: per cent of those that the break is about. `none` has the false alarms.",
            *(f"{name}: {text}." for name, text in said.items()),
        ),
        left=frozenset({0, 1}),
        fold=frozenset({0}),
    )


def reweighting_grid(table: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a bin of k-hat."""
    rows = [
        (
            _bin_text(row["low"], row["high"]),
            f"{row['sets']}",
            *(f"{row[name]:.2f}" for name in ("median_rms_errors", "tail_rms_errors")),
            *(f"{row[name]:.3f}" for name in ("median_rms_sd", "tail_rms_sd")),
            *(f"{row[name]:.2f}" for name in ("median_max_sd", "tail_max_sd")),
            f"{100 * row['far']:.1f}",
        )
        for row in by_k_hat(table, options.reweighting.bins).to_dict("records")
    ]
    return Grid(
        "Error of reweighting, by k-hat",
        (
            "k-hat",
            "sets",
            "median, se",
            "tails, se",
            "median, sd",
            "tails, sd",
            "worst median",
            "worst tail",
            "% over 4 se",
        ),
        tuple(rows),
        (
            "Reweighted sets against real fits of the same sets: monthly losses, killed and net "
            "change. Root mean squares of the differences of medians and of 5 % and 95 % "
            "quantiles (tails) in Monte-Carlo standard errors (se; 1 when both errors are right) "
            "and in posterior standard deviations (sd); worst: the largest, in sd. Sweeps refit "
            f"above k-hat {options.reweighting.max_k_hat:g}. Every set: reweighting.csv.",
        ),
    )


def _bin_text(low: float, high: float) -> str:
    if not np.isfinite(low):
        return f"up to {high:g}"
    return f"over {low:g}" if not np.isfinite(high) else f"{low:g} to {high:g}"


def _shown(own: pd.DataFrame, months: int) -> list[dict[Hashable, Any]]:
    keep = []
    every = [
        name.partition("[")[2].rstrip("]")
        for name in own.loc[own["quantity"] == "losses", "entry"]
        if TOTAL not in name
    ]
    picked = {every[at] for at in np.linspace(0, len(every) - 1, months).round().astype(int)}
    for row in own.to_dict("records"):
        month = str(row["entry"]).partition("[")[2].rstrip("]")
        if row["quantity"] in _BIASES:
            continue
        if row["quantity"] in HEADLINES and month not in picked and month != TOTAL:
            continue
        keep.append(row)
    return keep


def _entry_row(label: str, row: dict[Hashable, Any]) -> tuple[str, ...]:
    return (
        label,
        f"{row['worlds']}",
        f"{row['mean']:.3f}",
        f"{row['spread']:.3f}",
        f"{row['ratio']:.2f}",
        _p(row["ks_p"]),
        _p(row["chi2_p"]),
        "yes" if row["inside"] else "no",
    )


def _p(value: object) -> str:
    number = float(str(value))
    return "-" if not np.isfinite(number) else f"{number:.3f}" if number >= 0.001 else "< 0.001"


def markdown(found: Calibration, shown: Sequence[Grid], options: CalibrateOptions) -> str:
    """Text of calibration.md."""
    lines = ["# Calibration\n", f"{verdict_text(found, options)}\n"]
    return "\n".join([*lines, *(grid.markdown() for grid in shown)])
