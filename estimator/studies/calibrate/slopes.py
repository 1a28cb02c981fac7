"""Whether simulated figures come from the density with which the model reads them, without a fit.

At the truth the slope of the log density of truth and figures is 0 on average over worlds, along
each coordinate that the sampler moves, and slope times coordinate is -1 (integration by parts, as
in Stein 1972). A figure that is drawn in one way and read in another moves some of them. In a
second this sees what ranks of fits would need thousands of worlds for; but it says nothing of the
sampler.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from estimator.fitting.compiled import CompiledStructure, compiled
from estimator.fitting.inference import infer
from estimator.fitting.laplace import negative_log_density
from estimator.show.progress import Progress
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.calibrate.sbc import identity
from estimator.studies.calibrate.simulate import simulate
from estimator.studies.calibrate.uniformity import holm
from estimator.studies.calibrate.worlds import Worlds

PART = "slopes"
_TOLD = 50  # worlds between two words on progress


def measure_slopes(
    worlds: Worlds, options: CalibrateOptions, journal: CalibrationJournal, progress: Progress
) -> None:
    """Measure the slopes at the truths of one structure, unless the journal has them.

    Parameters
    ----------
    worlds
        Of the structure, kind prior.
    options
        All options.
    journal
        Where they are kept.
    progress
        Told now and then.
    """
    count = options.worlds_of_slopes
    journal.begin(PART, worlds.name, identity(worlds, options, [count]))
    if journal.numbers(PART, worlds.name):
        return
    entry = compiled(worlds.published.structure, worlds.published)
    journal.keep_layout(PART, worlds.name, labels(entry))
    points, slopes = slopes_at_truths(worlds, count, progress)
    journal.add(PART, worlds.name, 0, {"worlds": count}, np.stack([points, slopes]))


def slopes_at_truths(
    worlds: Worlds, count: int, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of truths of the prior, and the slopes of the log density there.

    Parameters
    ----------
    worlds
        Of the structure.
    count
        Number of worlds.
    progress
        Told now and then.

    Returns
    -------
    points, slopes
        (world, coordinate) each.
    """
    published = worlds.published
    sampler = worlds.assumptions.sampler.model_copy(
        update={"method": "prior", "prior_draws": count}
    )
    seed = worlds.report_seed(count)
    truths = infer(published, sampler, seed.spawn(1)[0]).prior
    entry = compiled(published.structure, published)
    free = {name: truths[name].values for name in entry.places}
    points, slopes = [], []
    for number, rng in enumerate(map(np.random.default_rng, seed.spawn(count + 1)[1:])):
        if number % _TOLD == 0:
            progress(f"{worlds.name}: slopes", number, count)
        world = simulate(published, truths.isel(chain=0, draw=number), rng)
        density = negative_log_density(entry.with_data(world))
        one = {name: draws[:, number : number + 1] for name, draws in free.items()}
        point = entry.sampled(one)[0, 0]
        points.append(point)
        slopes.append(-density(point)[1])
    return np.array(points), np.array(slopes)


def labels(entry: CompiledStructure) -> list[str]:
    """Name the coordinates that the sampler moves."""
    names = []
    for name, place in entry.places.items():
        shapes = [entry.model.coords[dim] for dim in entry.model.named_vars_to_dims.get(name, ())]
        own = pd.MultiIndex.from_product(shapes).to_list() if shapes else [()]
        names += [f"{name}[{','.join(map(str, label))}]" if label else name for label in own]
        if len(own) != place.stop - place.start:
            raise ValueError(f"{name} has {place.stop - place.start} coordinates, not {len(own)}")
    return names


def judged_slopes(points: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """P values of mean slope 0, and of mean slope times coordinate -1. (coordinate, 2).

    By a t statistic that allows for skewness (Johnson 1978): most products lie a little above their
    mean, and few far below.

    Parameters
    ----------
    points, slopes
        (world, coordinate) each.
    """
    told = np.stack([slopes, slopes * points + 1.0], axis=-1)
    mean, spread, n = told.mean(axis=0), told.std(axis=0, ddof=1), len(told)
    skewed = stats.skew(told, axis=0) * spread
    moved = mean + skewed / (6.0 * n) + skewed * (mean / spread) ** 2 / 3.0
    return np.asarray(2.0 * stats.t.sf(np.abs(moved) * np.sqrt(n) / spread, n - 1))


def slopes_table(
    journal: CalibrationJournal, names: list[str], options: CalibrateOptions
) -> pd.DataFrame:
    """Judge the slopes of all structures that have any.

    Returns
    -------
    pandas.DataFrame
        One row a structure: structure, worlds, coordinates, smallest_p (after Holm's adjustment
        for all structures), worst, passed.
    """
    rows = pd.DataFrame(_rows(journal, names))
    if not len(rows):
        return rows
    rows["overall_p"] = holm(rows["p"].to_numpy())
    worst = rows.sort_values("p", kind="stable").groupby("structure", sort=False).first()
    table = worst.loc[list(dict.fromkeys(rows["structure"]))].reset_index()
    table["passed"] = table["overall_p"] >= options.sbc.significance
    return table.rename(columns={"overall_p": "smallest_p", "coordinate": "worst"}).drop(
        columns="p"
    )


def _rows(journal: CalibrationJournal, names: list[str]) -> Iterator[dict[str, object]]:
    for name in names:
        layout = journal.layout(PART, name)
        for _, facts, found in journal.worlds(PART, name, 1):
            if found is None:
                continue
            p = judged_slopes(*found)
            for coordinate, both in zip(layout, p, strict=True):
                for value in both:
                    yield {
                        "structure": name,
                        "worlds": facts["worlds"],
                        "coordinates": len(layout),
                        "coordinate": coordinate,
                        "p": value,
                    }
