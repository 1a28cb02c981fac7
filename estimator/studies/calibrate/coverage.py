"""Coverage and scores of the ranges in simulated worlds, beside what baselines say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estimator.quantities.scores import score_draws
from estimator.quantity import TOTAL
from estimator.studies.calibrate.baselines import BASELINES, Figures
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import CalibrateOptions, StructureOptions
from estimator.studies.calibrate.ranked import group_of
from estimator.studies.calibrate.sbc import COLUMNS, PART, finished
from estimator.studies.calibrate.worlds import Worlds

MODEL = "model"
MONTHS, LAST = "months", "last month"  # the last whole one
PERIODS = (MONTHS, LAST, TOTAL)
_DRAWS = 400  # of a baseline: its 2.5 % quantile is the tenth of them
_STREAM = 5  # child of the seed; the others are in `estimator.studies.calibrate.worlds`


@dataclass(frozen=True)
class Scores:
    """Ranges and scores of one method in all worlds; NaN where it has none.

    Attributes
    ----------
    low, high
        Ends of the ranges. (world, entry, level).
    crps
        (world, entry).
    """

    low: np.ndarray
    high: np.ndarray
    crps: np.ndarray


def coverage_table(
    journal: CalibrationJournal, worlds: Worlds, spec: StructureOptions, options: CalibrateOptions
) -> pd.DataFrame:
    """Score the model and the baselines in the same worlds.

    Parameters
    ----------
    journal
        With the finished worlds of the structure.
    worlds, spec
        Of the structure.
    options
        Levels, quantities, reporter.

    Returns
    -------
    pandas.DataFrame
        One row a method, quantity, period (`PERIODS`) and level: worlds, cases, coverage with its
        standard error (the months of a world count as one), and means of width, interval score and
        CRPS. These are shares of the world's own losses in a mean month (of a total: of those in
        all months), so that large worlds do not outweigh small ones.
    """
    layout, numbers, table, _ = finished(journal, worlds.name, spec.sims)
    prepared = journal.prepared(PART, worlds.name)
    if not numbers or prepared is None:
        return pd.DataFrame()
    rows = [n for n, name in enumerate(layout) if group_of(name) in options.coverage.quantities]
    names = [layout[n] for n in rows]
    levels = options.coverage.levels
    truth = table[:, rows, COLUMNS.index("truth")]
    total = table[:, layout.index(f"losses[{TOTAL}]"), COLUMNS.index("truth")]
    first = len(COLUMNS)
    scores_of = {
        MODEL: Scores(
            low=table[:, rows, first : first + len(levels)],
            high=table[:, rows, first + len(levels) :],
            crps=table[:, rows, COLUMNS.index("crps")],
        )
    }
    figures = [
        Figures(
            worlds.evidence.dataset,
            worlds.replicate(number, worlds.truth(number, prepared)),
            options.coverage.reporter,
            worlds.assumptions.hedging,
        )
        for number in numbers
    ]
    for n, method in enumerate(BASELINES):
        seeds = [[options.seed, _STREAM, n, number] for number in numbers]
        scores_of[method] = baseline_scores(method, figures, seeds, names, truth, levels)
    table_rows = [
        row
        for method, scores in scores_of.items()
        for row in _rows(method, scores, names, truth, total, worlds, levels)
    ]
    return pd.DataFrame(table_rows)


def baseline_scores(
    method: str,
    figures: list[Figures],
    seeds: list[list[int]],
    names: list[str],
    truth: np.ndarray,
    levels: tuple[float, ...],
) -> Scores:
    """Score one baseline in all worlds.

    Parameters
    ----------
    method
        Of `BASELINES`.
    figures, seeds
        Of each world.
    names
        Entries that are scored.
    truth
        (world, entry).
    levels
        Masses of the ranges.
    """
    low = np.full((*truth.shape, len(levels)), np.nan)
    high, crps = low.copy(), np.full(truth.shape, np.nan)
    for world, (published, seed) in enumerate(zip(figures, seeds, strict=True)):
        draws = BASELINES[method](published, np.random.default_rng(seed), _DRAWS)
        rows = [at for at, name in enumerate(names) if name in draws]
        if rows:
            scores = score_draws(
                np.array([draws[names[at]] for at in rows]), truth[world, rows], levels
            )
            low[world, rows], high[world, rows] = scores["low"].values, scores["high"].values
            crps[world, rows] = scores["crps"].values
    return Scores(low, high, crps)


def _rows(
    method: str,
    scores: Scores,
    names: list[str],
    truth: np.ndarray,
    total: np.ndarray,
    worlds: Worlds,
    levels: tuple[float, ...],
) -> Iterator[dict[str, Any]]:
    labels = {MONTHS: worlds.months, LAST: [worlds.last_month], TOTAL: [TOTAL]}
    for quantity in dict.fromkeys(group_of(name) for name in names):
        for period in PERIODS:
            wanted = {f"{quantity}[{label}]" for label in labels[period]}
            members = [at for at, name in enumerate(names) if name in wanted]
            size = total if period == TOTAL else total / len(worlds.months)
            for which, level in enumerate(levels):
                low, high = scores.low[:, members, which], scores.high[:, members, which]
                known = np.isfinite(low)
                yield {
                    "method": method,
                    "quantity": quantity,
                    "period": period,
                    "level": level,
                    "worlds": int(known.any(axis=1).sum()),
                    "cases": int(known.sum()),
                    **_scores(low, high, scores.crps[:, members], truth[:, members], level, size),
                }


def _scores(
    low: np.ndarray,
    high: np.ndarray,
    crps: np.ndarray,
    truth: np.ndarray,
    level: float,
    size: np.ndarray,
) -> dict[str, float]:
    """Average over worlds the means over a world's entries. (world, entry); size (world,)."""
    known = np.isfinite(low)
    if not known.any():
        return dict.fromkeys(("coverage", "coverage_se", "width", "interval_score", "crps"), np.nan)
    some = known.any(axis=1)
    missed = np.maximum(np.maximum(low - truth, truth - high), 0.0)
    # Gneiting and Raftery (2007): the width, and 2 / alpha for each unit by which it missed.
    interval = high - low + 2.0 / (1.0 - level) * missed
    covered = np.where(known, missed == 0.0, np.nan)
    by_world = np.nanmean(covered[some], axis=1)
    error = float(by_world.std(ddof=1) / np.sqrt(len(by_world))) if len(by_world) > 1 else np.nan

    def mean(values: np.ndarray) -> float:
        return float(
            np.mean(np.nanmean(np.where(known, values, np.nan)[some], axis=1) / size[some])
        )

    return {
        "coverage": float(by_world.mean()),
        "coverage_se": error,
        "width": mean(high - low),
        "interval_score": mean(interval),
        "crps": mean(crps),
    }
