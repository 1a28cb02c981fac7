"""Error of reweighting as a function of k-hat: sets are reweighted from one fit and fitted too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from estimator.assumptions import ASSUMPTIONS
from estimator.errors import ConfigError, nearest, problems_text
from estimator.fitting.entries import Entries, statistics
from estimator.fitting.pilot import Pilot
from estimator.fitting.reweighting import Hyperparameters, Mixture, NaturalDraws, pooled_entries
from estimator.model.figures import FIGURES
from estimator.show.progress import Progress
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import CalibrateOptions, Move
from estimator.studies.calibrate.sbc import identity
from estimator.studies.calibrate.worlds import Worlds
from estimator.sweep.check import FAR, QUANTILES, QUANTITIES, differences
from estimator.sweep.set_fit import FitTask, Shared, fit, fit_entries, pilot_of

PART = "reweighting"
_KEY = "published"


@dataclass
class Reweighter:
    """One fitted set, from which others are reweighted.

    Attributes
    ----------
    worlds
        The set and its published claims.
    options
        Draws, steps, moves.
    """

    worlds: Worlds
    options: CalibrateOptions
    _pilots: dict[str, Pilot] = field(default_factory=dict, init=False)
    _base: tuple[Entries, Mixture] | None = field(default=None, init=False)

    def moved(self, move: Move, step: int) -> dict[str, np.ndarray]:
        """Change the data of the base set as a step of a move does; return what changes.

        Raises
        ------
        ConfigError
            If the move shifts an assumption that is fixed, or drops a claim that does not count.
        """
        data = self.worlds.published.data
        if move.drop:
            return {"claim_figures": self._without(move.drop[:step])}
        location = data["assumption_location"].copy()
        for key, shift in move.shift.items():
            at = list(ASSUMPTIONS).index(key)
            if data["assumption_scale"][at] == 0:
                raise ConfigError(
                    f"{key} is fixed, or has a family that cannot be shifted; choose another "
                    "assumption"
                )
            location[at] += step * shift * data["assumption_scale"][at]
        return {"assumption_location": location}

    def _without(self, dropped: tuple[str, ...]) -> np.ndarray:
        figures = self.worlds.published.data["claim_figures"].copy()
        names = self.worlds.published.structure.coords["claim"]
        counting = [
            n for n, on in zip(names, self.worlds.published.figure("used"), strict=True) if on
        ]
        for name in dropped:
            if name not in counting:
                raise ConfigError(f"claim {name} does not count; {nearest(name, counting)}")
            figures[FIGURES.index("used"), names.index(name)] = 0.0
        return figures

    def compare(self, name: str, move: Move, step: int) -> tuple[dict[str, Any], np.ndarray | None]:
        """Reweight to one set and fit it.

        Returns
        -------
        facts, differences
            k_hat, effective size of the weights, what the fit missed; differences in Monte-Carlo
            standard errors and in posterior standard deviations, (2, comparison): monthly losses,
            killed and net change, their 5 %, 50 % and 95 % quantiles. None if the fit failed.
        """
        entries, mixture = self._fitted_base()
        changed = self.moved(move, step)
        hyper = Hyperparameters.of(
            self.worlds.assumptions, {**self.worlds.published.data, **changed}
        )
        weights = mixture.weights(hyper)
        table = statistics(entries, np.exp(weights.log_weights))
        draws = self.options.reweighting.fit_draws
        parts, failures = self._fit(f"{name} {step}", changed, draws)
        facts = {"k_hat": weights.k_hat, "kish": weights.kish, "failures": failures}
        if parts is None:
            return facts, None
        fitted = statistics(pooled_entries([parts]))
        return facts, np.stack(differences(table, fitted, parts[0].slices))

    def _fitted_base(self) -> tuple[Entries, Mixture]:
        if self._base is None:
            task = self._task("base", {}, self.options.reweighting.base_draws)
            fitted = fit(task, self._shared(task))
            if fitted.core is None:
                raise ConfigError(
                    f"calibrate.reweighting: the base set has no fit ({fitted.error})"
                )
            data = self.worlds.published.data
            natural = NaturalDraws.of(fitted.core, data["reporting_one_sided"][0])
            hyper = Hyperparameters.of(self.worlds.assumptions, data)
            varying = np.zeros(len(hyper.location), bool)
            varying[: len(ASSUMPTIONS)] = hyper.scale[: len(ASSUMPTIONS)] > 0
            mixture = Mixture([natural], [hyper], varying, claims_vary=True)
            parts = fit_entries(fitted, self.worlds.assumptions, self.worlds.evidence)
            self._base = pooled_entries([parts]), mixture
        return self._base

    def _fit(self, name: str, changed: dict[str, np.ndarray], draws: int) -> tuple[Any, str]:
        task = self._task(name, changed, draws)
        fitted = fit(task, self._shared(task))
        if fitted.core is None or fitted.diagnostics is None:
            return None, fitted.error
        parts = fit_entries(fitted, self.worlds.assumptions, self.worlds.evidence)
        return parts, "; ".join(fitted.diagnostics.failures)

    def _task(self, name: str, changed: dict[str, np.ndarray], draws: int) -> FitTask:
        options = self.options.fit.model_copy(update={"draws": draws})
        seed = np.random.SeedSequence([self.options.seed, *name.encode()]).generate_state(1)
        return FitTask(name, self.worlds.assumptions, _KEY, options, int(seed[0]), changed)

    def _shared(self, task: FitTask) -> Shared:
        shared = Shared({_KEY: self.worlds.evidence}, self._pilots, self.options.workers)
        if not self._pilots:
            self._pilots.update([pilot_of(replace(task, fit_id="pilot", priors={}), shared)])
        return shared


def check_moves(worlds: Worlds, options: CalibrateOptions) -> None:
    """Check that every move can be made, before anything is fitted.

    Raises
    ------
    ConfigError
        With all that cannot.
    """
    reweighter, problems = Reweighter(worlds, options), []
    for name, move in options.reweighting.moves.items():
        try:
            reweighter.moved(move, len(move.drop) or options.reweighting.steps)
        except ConfigError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise ConfigError(problems_text("calibrate.reweighting.moves:", problems))


def compare_moves(
    worlds: Worlds, options: CalibrateOptions, journal: CalibrationJournal, progress: Progress
) -> pd.DataFrame:
    """Compare all steps of all moves that are not in the journal yet.

    Returns
    -------
    pandas.DataFrame
        One row a set: move, step, k_hat, kish, failures (of the fit), and of its differences
        rms and largest in Monte-Carlo standard errors and in posterior standard deviations, for
        medians (``median_...``) and for 5 % and 95 % quantiles (``tail_...``); far (more than 4
        errors), compared.
    """
    reweighter = Reweighter(worlds, options)
    chosen = options.reweighting
    rows: list[dict[str, Any]] = []
    for name, move in chosen.moves.items():
        steps = len(move.drop) if move.drop else chosen.steps
        steps = min(steps, options.sims or steps)
        made_of = [move.model_dump(mode="json"), chosen.base_draws, chosen.fit_draws]
        journal.begin(PART, name, identity(worlds, options, made_of))
        done = journal.numbers(PART, name)
        for step in range(steps):
            progress(f"reweighting: {name}", step, steps)
            if step not in done:
                facts, numbers = reweighter.compare(name, move, step + 1)
                journal.add(PART, name, step, facts, numbers)
        rows += [
            {"move": name, "step": step + 1, **facts, **_summary(numbers)}
            for step, facts, numbers in journal.worlds(PART, name, steps)
        ]
    return pd.DataFrame(rows)


def _summary(numbers: np.ndarray | None) -> dict[str, float]:
    if numbers is None:
        return {}
    shaped = numbers.reshape(2, len(QUANTITIES), -1, len(QUANTILES))
    middle = QUANTILES.index("q50")
    parts = {"median": shaped[..., middle], "tail": np.delete(shaped, middle, axis=-1)}
    sizes = {
        f"{name}_{how}_{unit}": float(of(part[at]))
        for name, part in parts.items()
        for at, unit in enumerate(("errors", "sd"))
        for how, of in (("rms", _rms), ("max", _largest))
    }
    far = int((np.abs(numbers[0]) > FAR).sum())
    return {**sizes, "far": far, "compared": numbers.shape[1]}


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def by_k_hat(table: pd.DataFrame, bins: tuple[float, ...]) -> pd.DataFrame:
    """Sum up by bins of k-hat.

    Returns
    -------
    pandas.DataFrame
        low, high, sets, median_rms_errors, tail_rms_errors, median_rms_sd, tail_rms_sd, tail_max_sd
        (means and the maximum over the sets), far (share of the comparisons).
    """
    return pd.DataFrame(list(_bins(table, bins)))


def _bins(table: pd.DataFrame, bins: tuple[float, ...]) -> Iterator[dict[str, Any]]:
    edges = [-np.inf, *bins[1:], np.inf]
    compared = table[table["compared"].notna()] if "compared" in table else table.iloc[:0]
    for low, high in pairwise(edges):
        inside = compared[(compared["k_hat"] > low) & (compared["k_hat"] <= high)]
        if not len(inside):
            continue
        means = ("median_rms_errors", "tail_rms_errors", "median_rms_sd", "tail_rms_sd")
        yield {
            "low": low,
            "high": high,
            "sets": len(inside),
            **{name: float(inside[name].mean()) for name in means},
            "median_max_sd": float(inside["median_max_sd"].max()),
            "tail_max_sd": float(inside["tail_max_sd"].max()),
            "far": float(inside["far"].sum() / inside["compared"].sum()),
        }
