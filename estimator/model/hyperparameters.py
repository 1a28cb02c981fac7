"""Priors of assumptions and biases as the numbers that the model takes.

Apart from the model, so that what works on draws does not import PyMC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import logit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import LINKS
from estimator.assumptions.reporting import SharedBias
from estimator.model.figures import reporting_size
from estimator.quantity import STOCKS

NOTHING = -60.0  # link(NOTHING) is 0 to machine precision: stands for an assumption fixed at 0


def assumption_data(assumptions: AssumptionSet) -> tuple[np.ndarray, np.ndarray]:
    """Location and scale of the assumptions under their link, model units. (assumption,) each."""
    location, scale = np.zeros(len(ASSUMPTIONS)), np.zeros(len(ASSUMPTIONS))
    for position, (key, prior) in enumerate(assumptions.priors()):
        spec = ASSUMPTIONS[key]
        if prior.is_fixed:
            value = float(prior.value or 0.0) / spec.per_model_unit
            location[position] = _link(value, is_share=spec.support == "share")
        elif prior.family in LINKS:
            location[position], scale[position] = prior.location_scale()
            location[position] -= math.log(spec.per_model_unit)
    return location, scale


def _link(value: float, *, is_share: bool) -> float:
    if is_share:
        return float(np.clip(logit(value), NOTHING, -NOTHING))
    return math.log(value) if value > 0 else NOTHING


def sources_of(data: xr.Dataset) -> dict[str, str]:
    """Return the sources of the claims in order, and each one's speaker (empty if not said).

    Sources of stocks come last: their biases are sampled in another way (`estimator.model.build`).
    Of speakers those of claims that count come first: an origin may speak of one side as its own
    and of the other as the enemy, and only one of them is estimated.
    """
    prefixes = [prefix for prefix in ("", "registry_") if f"{prefix}source" in data]

    def column(name: str) -> np.ndarray:
        return np.concatenate([data[f"{prefix}{name}"].values for prefix in prefixes])

    names = column("source").astype(str).tolist()
    speakers = dict.fromkeys(sorted(names, key=lambda n: n.rpartition(":")[2] in STOCKS), "")
    if "speaker" not in data:
        return speakers
    told, used = column("speaker").astype(str).tolist(), column("used").astype(bool)
    for row in (*np.flatnonzero(used), *np.flatnonzero(~used)):
        speakers[names[row]] = speakers[names[row]] or told[row]
    return speakers


@dataclass(frozen=True)
class SharedBiases:
    """Groups of sources whose biases are drawn around a common mean with a common spread.

    Attributes
    ----------
    groups
        ``speaker:quantity`` of each group that a source belongs to.
    members
        1 where a source belongs to a group. (source, group).
    location, scale
        Of the mean, then of the log of the spread, in model units. (shared_term, group).
    """

    groups: list[str]
    members: np.ndarray
    location: np.ndarray
    scale: np.ndarray


SHARED_TERMS = ("mean", "spread")


def shared_biases(sources: Mapping[str, str], assumptions: AssumptionSet) -> SharedBiases:
    """Collect the groups of `reporting.hierarchy` that any source belongs to."""
    found: dict[str, tuple[str, SharedBias]] = {}
    group_of = {}
    for name, speaker in sources.items():
        origin, quantity = name.rsplit(":", 1)
        shared = assumptions.reporting.shared(origin, quantity, speaker)
        if shared is not None:
            group_of[name] = f"{speaker}:{quantity}"
            found[group_of[name]] = (quantity, shared)
    groups = list(found)
    members = np.array(
        [[float(group_of.get(name) == group) for group in groups] for name in sources]
    ).reshape(len(sources), len(groups))
    location, scale = np.zeros((2, len(groups))), np.zeros((2, len(groups)))
    for at, (quantity, shared) in enumerate(found.values()):
        size = reporting_size(quantity)
        mean = shared.mean.location_scale()
        location[0, at], scale[0, at] = mean[0] / size, mean[1] / size
        if shared.spread.is_fixed:
            location[1, at] = math.log(float(shared.spread.value or 0.0) / size)
        else:
            location[1, at], scale[1, at] = shared.spread.location_scale()
            location[1, at] -= math.log(size)
    return SharedBiases(groups, members, location, scale)


def ramps(n_months: int, every_months: int) -> np.ndarray:
    """How much of each step between knots is in each month, the last before the end first.

    Knots lie `every_months` apart, back from the last month: a step is 0 after its two knots and 1
    before them.

    Returns
    -------
    (month, step)
    """
    before_end = n_months - 1.0 - np.arange(n_months)
    steps = np.arange(math.ceil((n_months - 1) / every_months))
    return np.clip(before_end[:, None] / every_months - steps, 0.0, 1.0)


@dataclass(frozen=True)
class WanderingBiases:
    """Steps of the biases that wander.

    Attributes
    ----------
    labels
        ``origin:quantity:n`` of each step, the last before the end first.
    source
        Index of the source of each step. (bias_step,).
    scale
        Standard deviation of each step, in model units. (bias_step,).
    ramps
        How much of each step is in the bias of each month: from 0 after its knots to 1 before
        them. (month, bias_step).
    """

    labels: list[str]
    source: np.ndarray
    scale: np.ndarray
    ramps: np.ndarray


def wandering_biases(
    sources: Iterable[str], n_months: int, assumptions: AssumptionSet
) -> WanderingBiases:
    """Lay out the knots of the biases that wander, back from the last month."""
    labels: list[str] = []
    source: list[int] = []
    scale: list[float] = []
    columns = [np.empty((n_months, 0))]
    for at, name in enumerate(sources):
        origin, quantity = name.rsplit(":", 1)
        wander = assumptions.reporting.of(origin, quantity).wander
        if wander is None:
            continue
        own = ramps(n_months, wander.every_months)
        n_steps = own.shape[1]
        labels += [f"{name}:{step}" for step in range(n_steps)]
        source += [at] * n_steps
        scale += [wander.step / reporting_size(quantity)] * n_steps
        columns.append(own)
    return WanderingBiases(
        labels,
        np.array(source, dtype=int),
        np.array(scale, dtype=float),
        np.concatenate(columns, axis=1),
    )


def reporting_data(sources: Mapping[str, str], assumptions: AssumptionSet) -> np.ndarray:
    """Columns: location and scale of bias, of drift, and whether one-sided. (source, 5).

    A bias that is shared between origins has neither here: see `shared_biases`.

    Parameters
    ----------
    sources
        As `sources_of` gives them.
    """
    rows = []
    for name, speaker in sources.items():
        origin, quantity = name.rsplit(":", 1)
        reporting = assumptions.reporting.of(origin, quantity)
        size = reporting_size(quantity)
        drift = [number / size for number in reporting.drift.location_scale()]
        if assumptions.reporting.shared(origin, quantity, speaker) is not None:
            rows.append([0.0, 0.0, *drift, 0.0])
        elif reporting.undercount is not None:
            rows.append([*reporting.undercount.location_scale(), *drift, 1.0])
        elif reporting.bias is not None:
            bias = [number / size for number in reporting.bias.location_scale()]
            rows.append([*bias, *drift, 0.0])
    return np.array(rows, dtype=float).reshape(len(rows), 5)
