"""Simulation-based calibration: fit simulated worlds, and rank the truth among their draws."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from estimator.quantities.scores import score_draws
from estimator.show.progress import Progress
from estimator.store.versions import versions
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import CalibrateOptions, StructureOptions
from estimator.studies.calibrate.ranked import Ranked, group_of
from estimator.studies.calibrate.uniformity import FEWEST, holm, shares, uniformity
from estimator.studies.calibrate.worlds import Prepared, WorldFit, Worlds

PART = "sbc"
COLUMNS = ("truth", "rank", "median", "sd", "crps")
"""Numbers of each entry, before the ends of the ranges (all lows, all highs)."""

Result = tuple[int, dict[str, Any], np.ndarray | None]
"""Number of a world, facts of its fit, its numbers (None without draws)."""


def simulate_structure(
    worlds: Worlds,
    spec: StructureOptions,
    options: CalibrateOptions,
    journal: CalibrationJournal,
    progress: Progress,
) -> None:
    """Simulate and fit the worlds of one structure that are not in the journal yet.

    Parameters
    ----------
    worlds
        Of the structure.
    spec
        How many.
    options
        All options.
    journal
        Where finished worlds go, one by one.
    progress
        Told of each.
    """
    kept = worlds.kept_truths(spec.sims)
    made_of = [options.sbc.kept_draws, options.coverage.levels, kept]
    journal.begin(PART, worlds.name, identity(worlds, options, made_of))
    journal.keep_layout(PART, worlds.name, list(worlds.entries))
    simulate = partial(_world, worlds=worlds, options=options)
    simulate_missing(PART, worlds.name, spec.sims, worlds, simulate, options, journal, progress)


def simulate_missing(
    part: str,
    name: str,
    sims: int,
    worlds: Worlds,
    simulate: Callable[[int, Prepared], Result],
    options: CalibrateOptions,
    journal: CalibrationJournal,
    progress: Progress,
) -> None:
    """Carry out what is not in the journal yet, some worlds at a time.

    Parameters
    ----------
    part, name
        Of the journal.
    sims
        Number of worlds.
    worlds
        Of the structure.
    simulate
        Simulates and fits the world of a number.
    options, journal, progress
        As in `simulate_structure`.
    """
    done = {number for number in journal.numbers(part, name) if number < sims}
    missing = [number for number in range(sims) if number not in done]
    progress(name, len(done), sims)
    if not missing:
        return
    prepared = journal.prepared(part, name)
    if prepared is None:
        progress(f"{name}: pilot", len(done), sims)
        prepared = worlds.prepare(worlds.kept_truths(sims), options.workers)
        journal.keep_prepared(part, name, prepared)
    results = Parallel(
        n_jobs=options.workers, backend="threading", return_as="generator_unordered"
    )(delayed(simulate)(number, prepared) for number in missing)
    for count, (number, facts, numbers) in enumerate(results, start=len(done) + 1):
        journal.add(part, name, number, facts, numbers)
        progress(name, count, sims)


def _world(number: int, prepared: Prepared, worlds: Worlds, options: CalibrateOptions) -> Result:
    truth = worlds.truth(number, prepared)
    fitted = worlds.fit(number, worlds.figures(number, truth), prepared)
    if fitted.kept is None:
        return number, facts_of(fitted), None
    _, picked = fitted.kept
    levels = options.coverage.levels
    numbers = record(picked, worlds.true_values(truth), options.sbc.kept_draws, levels)
    return number, facts_of(fitted), numbers


def facts_of(fitted: WorldFit) -> dict[str, Any]:
    """Tell of a fit what stands beside its numbers."""
    diagnostics = fitted.diagnostics
    return {
        "ok": fitted.ok,
        "error": fitted.failures,
        "attempts": fitted.attempts,
        "seconds": round(fitted.seconds, 2),
        "max_rhat": None if diagnostics is None else diagnostics.max_rhat,
        "min_ess": None
        if diagnostics is None
        else min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail),
        "divergences": None if diagnostics is None else diagnostics.divergences,
    }


def record(picked: Ranked, truth: Ranked, kept_draws: int, levels: tuple[float, ...]) -> np.ndarray:
    """Rank, summary and scores of each entry.

    Parameters
    ----------
    picked
        Draws of the posterior.
    truth
        The same entries in the truth.
    kept_draws
        Of the draws so many, evenly spaced over all chains, are ranked against: nearly independent
        ones, since `min_ess` of the fit is of their number.
    levels
        Masses of the ranges.

    Returns
    -------
    (entry, `COLUMNS` + low of each level + high of each level), float32
    """
    if picked.names != truth.names:
        raise ValueError("draws and truth must have the same entries")
    draws = picked.draws.reshape(len(picked.names), -1)
    true = truth.draws.reshape(-1)
    n_draws = draws.shape[1]
    kept = np.floor((np.arange(kept_draws) + 0.5) * n_draws / kept_draws).astype(int)
    below, equal = (
        compare(draws[:, kept], true[:, None]).sum(axis=1) for compare in (np.less, np.equal)
    )
    # Among equals (a force of nobody) the place is by chance, and the same each time.
    rng = np.random.default_rng(np.frombuffer(true.astype(float).tobytes(), np.uint32))
    rank = below + rng.integers(0, equal, endpoint=True)
    scores = score_draws(draws, true, levels)
    columns = [true, rank, scores["median"].values, draws.std(axis=1), scores["crps"].values]
    ends = [scores["low"].values, scores["high"].values]
    return np.column_stack([*columns, *ends]).astype(np.float32)


def identity(worlds: Worlds, options: CalibrateOptions, made_of: Sequence[object]) -> str:
    """Hash of all that worlds and their fits hang on.

    Parameters
    ----------
    worlds
        Of the structure.
    options
        Settings of fits.
    made_of
        What else the stored numbers hang on.
    """
    parts = [
        worlds.assumptions.identity(worlds.evidence.data_hash),
        worlds.kind,
        worlds.seed,
        options.fit.model_dump(mode="json"),
        made_of,
        versions(),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def finished(
    journal: CalibrationJournal, name: str, sims: int
) -> tuple[list[str], list[int], np.ndarray, pd.DataFrame]:
    """Read the finished worlds of a structure.

    Returns
    -------
    layout, numbers, table, facts
        Names of the entries; numbers of the worlds with draws; their numbers (world, entry,
        column); facts of all finished worlds, with column `number`.
    """
    numbers, arrays, facts = [], [], []
    for number, about, array in journal.worlds(PART, name, sims):
        facts.append({"number": number, **about})
        if array is not None:
            numbers.append(number)
            arrays.append(array.astype(float))
    layout = journal.layout(PART, name)
    table = np.array(arrays) if arrays else np.zeros((0, len(layout), len(COLUMNS)))
    return layout, numbers, table, pd.DataFrame(facts)


def rank_shares(table: np.ndarray, numbers: list[int], kept: int, seed: int) -> np.ndarray:
    """Ranks as shares, the place within a rank drawn by the number of the world. (world, entry)."""
    rank = table[:, :, COLUMNS.index("rank")]
    rows = [
        shares(row, kept, np.random.default_rng([seed, number]))
        for number, row in zip(numbers, rank, strict=True)
    ]
    return np.array(rows).reshape(rank.shape)


def shares_table(
    journal: CalibrationJournal, name: str, spec: StructureOptions, options: CalibrateOptions
) -> pd.DataFrame:
    """Ranks of a structure as shares: one row a world, one column an entry."""
    layout, numbers, table, _ = finished(journal, name, spec.sims)
    values = rank_shares(table, numbers, options.sbc.kept_draws, options.seed)
    return pd.DataFrame(values, index=pd.Index(numbers, name="world"), columns=layout)


def sbc_table(
    journal: CalibrationJournal, chosen: dict[str, StructureOptions], options: CalibrateOptions
) -> pd.DataFrame:
    """Judge the ranks of all structures.

    Returns
    -------
    pandas.DataFrame
        One row an entry of a structure: structure, kind, entry, quantity, worlds, mean, spread,
        ratio, inside, ks_p, chi2_p, p, holm_p (within the structure), overall_p (over all).
    """
    rows = [row for name, spec in chosen.items() for row in _rows(journal, name, spec, options)]
    table = pd.DataFrame(rows)
    if len(table):
        table["holm_p"] = table.groupby("structure")["p"].transform(lambda p: holm(p.to_numpy()))
        table["overall_p"] = holm(table["p"].to_numpy())
    return table


def _rows(
    journal: CalibrationJournal, name: str, spec: StructureOptions, options: CalibrateOptions
) -> Iterator[dict[str, Any]]:
    values = shares_table(journal, name, spec, options)
    if len(values) < FEWEST:
        return
    for entry in values.columns:
        test = uniformity(values[entry].to_numpy(), options.sbc.band, options.sbc.band_simulations)
        yield {
            "structure": name,
            "kind": spec.kind,
            "entry": entry,
            "quantity": group_of(entry),
            "worlds": test.n,
            "mean": test.mean,
            "spread": test.spread,
            "ratio": test.ratio,
            "inside": test.inside,
            "ks_p": test.ks_p,
            "chi2_p": test.chi2_p,
            "p": test.p,
        }


def summary_table(
    journal: CalibrationJournal,
    chosen: dict[str, StructureOptions],
    table: pd.DataFrame,
    options: CalibrateOptions,
) -> pd.DataFrame:
    """One row a structure: worlds, failed fits, entries outside their band, joint p value.

    Returns
    -------
    pandas.DataFrame
        Columns structure, kind, worlds, failed, without_draws, attempts, seconds, entries,
        outside, expected, holm_p, worst, passed.
    """
    rows = []
    for name, spec in chosen.items():
        _, numbers, _, facts = finished(journal, name, spec.sims)
        own = table[table["structure"] == name] if len(table) else table
        failed = int((~facts["ok"].astype(bool)).sum()) if len(facts) else 0
        judged = len(own) > 0
        worst = own.sort_values("holm_p", kind="stable").iloc[0] if judged else None
        holm_p = float(worst["holm_p"]) if worst is not None else float("nan")
        share = failed / max(len(facts), 1)
        uniform = judged and float(own["overall_p"].min()) >= options.sbc.significance
        rows.append(
            {
                "structure": name,
                "kind": spec.kind,
                "worlds": len(facts),
                "failed": failed,
                "without_draws": len(facts) - len(numbers),
                "attempts": float(facts["attempts"].mean()) if len(facts) else float("nan"),
                "seconds": float(facts["seconds"].mean()) if len(facts) else float("nan"),
                "entries": len(own),
                "outside": int((~own["inside"]).sum()) if judged else 0,
                "expected": (1.0 - options.sbc.band) * len(own),
                "holm_p": holm_p,
                "worst": "" if worst is None else str(worst["entry"]),
                "passed": bool(uniform and share <= options.sbc.max_failed),
            }
        )
    return pd.DataFrame(rows)
