"""A tornado without a sweep: the priors of one set moved by reweighting its own draws."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import is_packed
from estimator.errors import OutputError
from estimator.fitting.entries import STATISTICS, Entries, EntryLayout, Variable, statistics
from estimator.fitting.reweighting import natural_parameters
from estimator.fitting.smoothing import smoothed
from estimator.model.hyperparameters import assumption_data, reporting_data, sources_of
from estimator.quantities.answers import Answer
from estimator.store.sets import Chunk, Sets
from estimator.studies.compare.drivers.levels import number_text
from estimator.studies.compare.drivers.noise import influence
from estimator.studies.compare.drivers.one_at_a_time import within_error
from estimator.studies.compare.drivers.table import Row, joined, rows_table

MAX_K_HAT = 0.7
"""Weights with a larger Pareto k-hat are not trusted (Vehtari and others 2024, JMLR 25)."""
_SHIFTS = (-1.0, 1.0)  # prior standard deviations, as in the sweep `tornado`
_TAIL = 0.05


@dataclass(frozen=True)
class _Moved:
    """A prior that can be moved.

    Attributes
    ----------
    key
        Of the configuration.
    prior
        As it is.
    standard
        Draws less the prior's location over its scale, on its family's scale. (draw,).
    """

    key: str
    prior: Prior
    standard: np.ndarray

    def text(self, by: float) -> str:
        """Write the prior's range, moved by so many of its standard deviations."""
        prior = self.prior
        ends = (
            (prior.low, prior.high)
            if prior.is_range
            else (prior.quantile(_TAIL), prior.quantile(1.0 - _TAIL))
        )
        to_normal, from_normal = _SCALES[prior.family]
        _, scale = prior.location_scale()
        return " to ".join(
            number_text(float(from_normal(to_normal(float(end or 0.0)) + by * scale)))
            for end in ends
        )


# To and from the scale on which a family is a Normal.
_SCALES = {
    "Normal": (float, float),
    "LogNormal": (np.log, np.exp),
    "LogitNormal": (logit, expit),
}


@dataclass(frozen=True)
class _Point:
    """An answer under some weights: value, its error, effective draws, each draw's influence."""

    value: float
    error: float
    ess: float
    pull: np.ndarray


def shifts(sets: Sets, answers: Sequence[Answer], label: str) -> pd.DataFrame:
    """Move each free prior of a set down and up by one standard deviation, without sampling.

    The draws of the set are weighted by the ratio of the moved prior to its own, smoothed by PSIS.

    Parameters
    ----------
    sets
        The collection.
    answers
        Which may move.
    label
        Of a set that was written whole.

    Returns
    -------
    pandas.DataFrame
        As `drivers`, method ``shift``; one row an answer and a prior: those of the scalar
        assumptions, and biases and drifts of the sources with a claim that counts. Where k-hat is
        above `MAX_K_HAT` or fewer than the set's ``sampler.min_ess`` effective draws are left, the
        numbers are NaN and `note` says so. `effect_mcse` allows for the draws that both ends share.

    Raises
    ------
    OutputError
        If the set was not written whole.
    """
    tree = sets.tree(label, ("posterior", "constant_data")) if label in sets.labels else None
    if tree is None:
        known = ", ".join(sets.whole) or "none"
        raise OutputError(
            f"{label}: priors can be moved only in a set that was written whole. Written whole: "
            f"{known}. A sweep writes up to sweep.whole_results of its sets so"
        )
    assumptions = AssumptionSet.from_config(json.loads(tree.attrs["configuration"]), label=label)
    [chunk] = sets.chunks(answers, [label])
    moved = [(one, [_weights(one, by) for by in _SHIFTS]) for one in _free(tree, assumptions)]
    parts = []
    for row, answer in enumerate(answers):
        if np.isnan(chunk.values[row]).any():
            continue
        point = _Points(chunk, row, answer)
        even = np.full(chunk.values.shape[1], 1.0 / chunk.values.shape[1])
        base = point(even)
        rows = [
            _row(one, [(by, k_hat, point(w)) for by, (w, k_hat) in zip(_SHIFTS, ends, strict=True)],
                 base, assumptions.sampler.min_ess)
            for one, ends in moved
        ]  # fmt: skip
        parts.append(rows_table(str(answer), sets.unit(answer), "shift", rows, []))
    return joined(parts)


def _free(tree: xr.DataTree, assumptions: AssumptionSet) -> Iterator[_Moved]:
    """Priors of a set that are normal on some scale, and not fixed."""
    posterior = tree["posterior"].to_dataset()
    sources = [str(name) for name in posterior["source"].values]
    speakers = sources_of(tree["constant_data"].to_dataset())
    reporting = reporting_data({name: speakers.get(name, "") for name in sources}, assumptions)
    linear = natural_parameters(posterior, reporting[:, 4])
    location, scale = assumption_data(assumptions)
    location = np.concatenate([location, reporting[:, 0], reporting[:, 2]])
    scale = np.concatenate([scale, reporting[:, 1], reporting[:, 3]])
    data = tree["constant_data"].to_dataset()
    counted = set(data["source"].values[data["used"].values].astype(str).tolist())
    counts = [name in counted for name in sources]
    named = zip(_named(sources, assumptions), [True] * len(ASSUMPTIONS) + 2 * counts, strict=True)
    for position, ((key, prior), matters) in enumerate(named):
        if matters and is_packed(prior) and scale[position] > 0:
            standard = (linear[position] - location[position]) / scale[position]
            yield _Moved(key, prior, standard)


def _named(sources: list[str], assumptions: AssumptionSet) -> Iterator[tuple[str, Prior]]:
    """Keys and priors in the order of `NaturalDraws.linear`."""
    yield from assumptions.priors()
    pairs = [source.rsplit(":", 1) for source in sources]
    for origin, quantity in pairs:
        reporting = assumptions.reporting.of(origin, quantity)
        term = "bias" if reporting.undercount is None else "undercount"
        prior = reporting.bias if reporting.undercount is None else reporting.undercount
        if prior is not None:
            yield f"reporting.origins.{origin}.{quantity}.{term}", prior
    for origin, quantity in pairs:
        drift = assumptions.reporting.of(origin, quantity).drift
        yield f"reporting.origins.{origin}.{quantity}.drift", drift


def _weights(one: _Moved, by: float) -> tuple[np.ndarray, float]:
    """Weights of the draws under a moved prior, and their k-hat."""
    found = smoothed(by * one.standard - 0.5 * by**2)
    return np.exp(found.log_weights), found.k_hat


class _Points:
    """One answer of a set, under any weights of its draws."""

    def __init__(self, chunk: Chunk, row: int, answer: Answer) -> None:
        self.values, self.relative = chunk.values[row], float(chunk.relative_ess[row])
        self.is_probability = answer.below_zero
        order = np.argsort(self.values)
        layout = EntryLayout((Variable("answer", "answer", (str(answer),), ("",)),))
        self.entries = Entries(
            layout, self.values[order][None], order[None], np.array([self.relative])
        )

    def __call__(self, weights: np.ndarray) -> _Point:
        """Median or probability under some weights, which sum to 1. (draw,)."""
        ess = self.relative / float(weights @ weights)
        if self.is_probability:
            value = float(weights @ self.values)
            error = float(np.sqrt((weights**2) @ (self.values - value) ** 2 / self.relative))
        else:
            table = dict(zip(STATISTICS, statistics(self.entries, weights)[0], strict=True))
            value, error = float(table["q50"]), float(table["mcse_q50"])
        pull = influence(self.values, weights[None], np.array([value]), self.is_probability)[0]
        return _Point(value, error, ess, pull)


def _row(one: _Moved, ends: list[tuple[float, float, _Point]], base: _Point, min_ess: float) -> Row:
    texts = [one.text(by) for by, _, _ in ends]
    row = Row(one.key, (texts[0], texts[1]), reference=base.value)
    for text, (_, k_hat, point) in zip(texts, ends, strict=True):
        if k_hat > MAX_K_HAT:
            row.notes.append(f"not reached at {text}: k-hat {k_hat:.2f} > {MAX_K_HAT}")
        elif point.ess < min_ess:
            row.notes.append(f"not reached at {text}: {point.ess:.0f} effective draws")
    if row.notes:
        return row
    points = [base, *(point for _, _, point in ends)]
    row.values = points[1].value, points[2].value
    highest, lowest = max(points, key=_value), min(points, key=_value)
    row.effect = highest.value - lowest.value
    row.effect_mcse = _error_of_difference(highest, lowest)
    if note := within_error(row.effect, row.effect_mcse, len(points)):
        row.notes.append(note)
    return row


def _value(point: _Point) -> float:
    return point.value


def _error_of_difference(one: _Point, other: _Point) -> float:
    length = float(np.linalg.norm(one.pull) * np.linalg.norm(other.pull))
    together = float(one.pull @ other.pull) / length if length > 0 else 0.0
    variance = one.error**2 + other.error**2 - 2.0 * together * one.error * other.error
    return float(np.sqrt(max(variance, 0.0)))
