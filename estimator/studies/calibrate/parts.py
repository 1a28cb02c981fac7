"""The parts of a calibration: its tables, and the sentence that says whether it passed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from estimator.quantity import HEADLINES, TOTAL
from estimator.show.grid import FAILED, Cell, Grid, column
from estimator.show.number import fixed, p_value, with_error
from estimator.show.part import Part
from estimator.studies.calibrate.baselines import BASELINES
from estimator.studies.calibrate.calibration import Calibration
from estimator.studies.calibrate.coverage import MODEL, PERIODS
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.calibrate.reweighted import by_k_hat
from estimator.studies.calibrate.uniformity import FEWEST, band

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLOTS = "plots"  # folder of the pictures
_BIASES = ("reporting_bias", "reporting_drift", "shared_mean", "shared_spread", "bias_step")
_ORDER = {
    name: n for names in (HEADLINES, PERIODS, (MODEL, *BASELINES)) for n, name in enumerate(names)
}


def parts(calibration: Calibration, options: CalibrateOptions) -> Iterator[Part]:
    """Yield all parts that are there in the order in which they are read, and then the verdict."""
    yield Part(tables=calibration.tables, figures=lambda: _figures(calibration, options))
    if len(calibration.slopes):
        yield Part(grids=[slopes_grid(calibration.slopes)])
    if len(calibration.summary):
        grids = [structures_grid(calibration.summary, options)]
        first, sbc = next(iter(calibration.summary["structure"])), calibration.sbc
        if len(sbc) and (sbc["structure"] == first).any():
            grids.append(entries_grid(sbc[sbc["structure"] == first], options))
        yield Part(grids=grids)
    for table, grid in (
        (calibration.coverage, coverage_grid),
        (calibration.broken, broken_grid),
        (calibration.reweighting, reweighting_grid),
    ):
        if len(table):
            yield Part(grids=[grid(table, options)])
    yield Part(sentences=[verdict_text(calibration, options)])


def _figures(calibration: Calibration, options: CalibrateOptions) -> Iterator[tuple[str, Figure]]:
    """Draw what is there, one figure after the other."""
    from estimator.show.figures import calibration as drawing  # matplotlib takes a second

    of_ranks = options.sbc
    for name, shares in calibration.shares.items():
        if len(shares) >= FEWEST:
            limits = band(len(shares), of_ranks.band, of_ranks.band_simulations)
            yield f"{_PLOTS}/ranks_{name}", drawing.plot_ranks(shares, limits, name, of_ranks.band)
    if len(calibration.coverage):
        figure = drawing.plot_coverage(calibration.coverage, options.coverage.structure)
        yield f"{_PLOTS}/coverage", figure
    if len(calibration.broken):
        yield f"{_PLOTS}/broken", drawing.plot_broken(calibration.broken, options.noticing.level)
    if "compared" in calibration.reweighting:
        most = options.reweighting.max_k_hat
        yield f"{_PLOTS}/reweighting", drawing.plot_reweighting(calibration.reweighting, most)


def verdict_text(calibration: Calibration, options: CalibrateOptions) -> str:
    """Say in a sentence whether the calibration passed."""
    summary, sbc = calibration.summary, calibration.sbc
    if not len(summary):
        told = "No structure was simulated and fitted: nothing is said of ranks"
        return "; ".join(filter(None, (told, _slopes_text(calibration)))) + "."
    if not len(sbc):
        return "Fewer than ten worlds of each structure: too few to judge calibration."
    n_worlds, n_failed = int(summary["worlds"].sum()), int(summary["failed"].sum())
    counts = (
        f"{n_worlds:,} simulated worlds of {len(summary)} structures, {len(sbc):,} quantities"
        f" ranked, {int((~sbc['inside']).sum()):,} outside their "
        f"{options.sbc.band * 100:g} % band (by chance about {summary['expected'].sum():,.0f}), "
        f"smallest p value after Holm's adjustment for all of them "
        f"{float(sbc['overall_p'].min()):.3g}; {n_failed} fits missed a bound"
    )
    counts += f"; {_slopes_text(calibration)}" if len(calibration.slopes) else ""
    few = summary.loc[summary["entries"] == 0, "structure"]
    if len(few):
        counts += f"; too few worlds to judge {', '.join(few)}"
    if not calibration.not_calibrated:
        return f"Calibration PASSED: {counts}."
    return f"Calibration FAILED for {', '.join(calibration.not_calibrated)}: {counts}."


def _slopes_text(calibration: Calibration) -> str:
    """Say in a few words whether slopes are 0; empty if none were measured."""
    table = calibration.slopes
    if not len(table):
        return ""
    failed = table.loc[~table["passed"].astype(bool), "structure"].tolist()
    verdict = f"are not 0 in {', '.join(failed)}" if failed else "are 0"
    return f"slopes at the truth of {len(table)} structures {verdict}"


def slopes_grid(table: pd.DataFrame) -> Grid:
    """One row a structure."""
    rows = [
        (
            Cell(str(row["structure"]), style="" if row["passed"] else FAILED),
            f"{row['worlds']:,}",
            f"{row['coordinates']}",
            p_value(row["smallest_p"]),
            str(row["worst"]),
            "yes" if row["passed"] else "NO",
        )
        for row in table.to_dict("records")
    ]
    return Grid.of(
        "Figures are simulated as the model reads them",
        (
            "structure",
            "worlds",
            "coordinates",
            "Holm p",
            column("smallest at", "long"),
            "passed",
        ),
        rows,
        (
            "Of each coordinate that the sampler moves: the mean slope of the log density at the "
            "truth is 0, and that of slope times coordinate -1, if a world's figures come "
            "from the density with which they are read. Holm p: the smallest p value, adjusted for "
            "all coordinates of all structures. No fit is made: this says nothing of the sampler.",
        ),
    )


def structures_grid(summary: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a structure."""
    rows = [
        (
            Cell(str(row["structure"]), style=FAILED if _passed(row) == "NO" else ""),
            str(row["kind"]),
            f"{row['worlds']}",
            f"{row['failed']}" + (f" ({row['without_draws']})" if row["without_draws"] else ""),
            fixed(row["seconds"], 1),
            f"{row['outside']} of {row['entries']}",
            fixed(row["expected"]),
            p_value(row["holm_p"]),
            str(row["worst"]),
            _passed(row),
        )
        for row in summary.to_dict("records")
    ]
    return Grid.of(
        "Simulation-based calibration",
        (
            "structure",
            column("kind", "text"),
            "worlds",
            "failed",
            "s/world",
            "outside",
            "by chance",
            "Holm p",
            column("smallest at", "long"),
            "passed",
        ),
        rows,
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
    )


def _passed(row: Mapping[Hashable, Any]) -> str:
    """Say whether a structure passed, where there were enough worlds to judge it."""
    return "yes" if row["passed"] else "NO" if row["entries"] else "–"


def entries_grid(ranks: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """Rows of one structure: assumptions, biases pooled and the worst, some months, totals."""
    rows = [_entry_row(str(row["entry"]), row) for row in _shown(ranks, options.sbc.months_shown)]
    for name in _BIASES:
        biases = ranks[ranks["quantity"] == name]
        if len(biases):
            worst = biases.sort_values("p", kind="stable").to_dict("records")[0]
            inside = int(biases["inside"].sum())
            label = f"{name}: worst of {len(biases)} ({inside} inside), {worst['entry']}"
            rows.append(_entry_row(label, worst))
    return Grid.of(
        f"Ranks: {ranks['structure'].iloc[0]}",
        ("quantity", "n", "mean", "spread", "ECDF / band", "KS p", "chi² p", "inside"),
        rows,
        (
            "Mean of the ranks as shares: 0.5. Spread: their standard deviation over that of "
            "uniform ones; above 1 ranges are too narrow. ECDF / band: largest ECDF difference as "
            "a share of the band there. All quantities and months: sbc.csv.",
        ),
    )


def coverage_grid(table: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a quantity, period and method: coverage at each level, scores at one."""
    levels = options.coverage.levels
    rows = []
    keys = ["quantity", "period", "method"]
    for key, rows_of_key in table.groupby(keys, sort=False):
        if not rows_of_key["cases"].any():
            continue
        by_level = {row["level"]: row for row in rows_of_key.to_dict("records")}
        scored = by_level[options.coverage.level]
        rows.append(
            (
                str(key[0]),
                str(key[1]),
                str(key[2]),
                f"{int(scored['worlds'])}",
                *(fixed(100 * by_level[level]["coverage"]) for level in levels),
                *(
                    fixed(100 * scored[name], 1)
                    for name in ("coverage_se", "width", "interval_score", "crps")
                ),
            )
        )
    rows.sort(key=lambda row: tuple(_ORDER.get(cell, 0) for cell in row[:3]))
    return Grid.of(
        "Coverage and sharpness in simulated worlds, against baselines",
        (
            "quantity",
            column("period", "text"),
            column("method", "text"),
            "worlds",
            *(f"{100 * level:g} %" for level in levels),
            "± se",
            "width",
            "score",
            "CRPS",
        ),
        rows,
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
    )


def broken_grid(table: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a break and entry."""
    rows = []
    for row in table.to_dict("records"):
        first = row["entry"] == table.loc[table["break"] == row["break"], "entry"].iloc[0]
        rows.append(
            (
                str(row["break"]) if first else "",
                str(row["entry"]),
                fixed(row["error"], sign=True),
                fixed(100 * row["error_share"], sign=True),
                fixed(row["error_sd"], 1, sign=True),
                with_error(100 * row["coverage"], 100 * row["coverage_se"], fixed),
                *(
                    (
                        f"{row['failed']} of {row['worlds']}",
                        fixed(100 * row["predictive_alarm"]),
                        fixed(100 * row["audit_alarm"]),
                        fixed(row["conflicts"], 1),
                        fixed(100 * row["touched_conflicts"]),
                    )
                    if first
                    else ("",) * 5
                ),
            )
        )
    texts = dict(zip(table["break"], table["says"], strict=True))
    level, outside = 100 * options.noticing.level, options.noticing.outside
    return Grid.of(
        "Worlds that break what the set believes",
        (
            "world",
            column("answer", "text"),
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
        rows,
        (
            "Error: median less truth, mean over the worlds, in persons, in per cent of the mean "
            "absolute truth and in posterior standard deviations. Does anything notice? Failed: "
            "fits that missed a bound. PPC: per cent of the worlds whose posterior "
            f"predictive p value is under {options.noticing.predictive_p:g}. Audit: per cent of "
            "the worlds in which the smallest leave-one-out tail probability (PSIS) is under that "
            f"over the number of claims. Conflicts: mean number of claims under {outside:g}; "
            "touched: per cent of those that the break is about. `none` has the false alarms.",
            *(f"{name}: {text}." for name, text in texts.items()),
        ),
    )


def reweighting_grid(table: pd.DataFrame, options: CalibrateOptions) -> Grid:
    """One row a bin of k-hat."""
    rows = [
        (
            _bin_text(row["low"], row["high"]),
            f"{row['sets']}",
            *(fixed(row[name], 2) for name in ("median_rms_errors", "tail_rms_errors")),
            *(fixed(row[name], 3) for name in ("median_rms_sd", "tail_rms_sd")),
            *(fixed(row[name], 2) for name in ("median_max_sd", "tail_max_sd")),
            fixed(100 * row["far"], 1),
        )
        for row in by_k_hat(table, options.reweighting.bins).to_dict("records")
    ]
    return Grid.of(
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
        rows,
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


def _shown(ranks: pd.DataFrame, months: int) -> list[dict[Hashable, Any]]:
    keep = []
    every = [
        name.partition("[")[2].rstrip("]")
        for name in ranks.loc[ranks["quantity"] == "losses", "entry"]
        if TOTAL not in name
    ]
    picked = {every[at] for at in np.linspace(0, len(every) - 1, months).round().astype(int)}
    for row in ranks.to_dict("records"):
        month = str(row["entry"]).partition("[")[2].rstrip("]")
        if row["quantity"] in _BIASES:
            continue
        if row["quantity"] in HEADLINES and month not in picked and month != TOTAL:
            continue
        keep.append(row)
    return keep


def _entry_row(label: str, row: dict[Hashable, Any]) -> tuple[Cell | str, ...]:
    return (
        Cell(label, style="" if row["inside"] else FAILED),
        f"{row['worlds']}",
        fixed(row["mean"], 3),
        fixed(row["spread"], 3),
        fixed(row["ratio"], 2),
        p_value(row["ks_p"]),
        p_value(row["chi2_p"]),
        "yes" if row["inside"] else "no",
    )
