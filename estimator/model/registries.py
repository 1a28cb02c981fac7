"""Registries of the dead: who can be in one, what it has learnt, and how its vintages err.

Killed of a month, less the strata that a registry's population leaves out, times the share that the
registry has learnt by the day of a vintage, times (in `reporting`) the share that it ever learns:
that is what a vintage says of the month. Coverage of the population, share ever learnt and the tail
of the delay cannot be told apart by one registry's figures. So strata and shares have priors, and
what is estimated is the delay, and each registry's share against the others'.

Errors of vintages of one month are not independent: each vintage holds what the one before it held.
They have a covariance, known given the assumptions, and enter the density as the residual of each
figure given the earlier ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
import xarray as xr
from scipy.special import logit, ndtr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.priors import Prior
from estimator.assumptions.registries import Triangle
from estimator.model.figures import FIGURES, OPEN_END, THOUSAND
from estimator.model.hyperparameters import WanderingBiases

if TYPE_CHECKING:  # comparisons name terms, and need no PyTensor
    from estimator.model.linear_maps import Layout

FIGURE = "registry_figure"
"""Dim of the figures of triangles."""
TERM = "registry_term"
"""Dim of what is estimated of populations and registries."""

_NODES = 0.5 + np.array([-0.5, 0.5]) / math.sqrt(3.0)  # Gauss-Legendre, two points in a period
_SHARPNESS = 20.0  # a stratum that exceeds the killed leaves a twentieth of them, and no wall


@dataclass(frozen=True)
class Stratum:
    """A stratum outside a population: positions of both, whether it is a share or a number."""

    population: int
    is_share: bool


@dataclass(frozen=True)
class Registries:
    """The structure of populations and triangles.

    Attributes
    ----------
    populations
        Names; figures of none of them are about all killed.
    strata
        One for each of the first terms.
    late
        For each figure whether it comes late.
    learning
        For each figure that comes late the position of its delay among those.
    terms
        Labels: strata as ``population:stratum``, then ``origin:median_days`` and
        ``origin:spread``.
    outside
        Share of each month's days in the days of each stratum. (stratum, month).
    log_days
        Log of the days from a death to the vintage, at the nodes of its period.
        (node, late_figure).
    weights
        From the killed of all and of each population to the sum that each figure is about.
        (registry_figure, (1 + population) × month).
    """

    populations: tuple[str, ...]
    strata: tuple[Stratum, ...]
    late: tuple[bool, ...]
    learning: tuple[int, ...]
    terms: tuple[str, ...]
    outside: np.ndarray
    log_days: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, data: xr.Dataset, assumptions: AssumptionSet) -> Registries:
        """Lay them out for some evidence."""
        options = assumptions.registries
        counted = {
            *data["population"].values.tolist(),
            *data["registry_population"].values.tolist(),
        }
        populations = tuple(name for name in options.populations if name in counted)
        strata = [
            (at, name, stratum)
            for at, population in enumerate(populations)
            for name, stratum in options.populations[population].items()
        ]
        origins = data["registry_origin"].values.tolist()
        late = tuple(options.triangles[name].learning is not None for name in origins)
        learning = [name for name, is_late in zip(origins, late, strict=True) if is_late]
        learners = list(dict.fromkeys(learning))
        return cls(
            populations,
            tuple(Stratum(at, stratum.share is not None) for at, _, stratum in strata),
            late,
            tuple(learners.index(name) for name in learning),
            (
                *(f"{populations[at]}:{name}" for at, name, _ in strata),
                *(f"{name}:{part}" for name in learners for part in ("median_days", "spread")),
            ),
            np.array([_days_in(data, s.first, s.last) for _, _, s in strata]).reshape(
                len(strata), data.sizes["month"]
            ),
            np.log(_waited(data)[:, np.array(late, dtype=bool)]),
            _weights(data, populations),
        )


def _days_in(data: xr.Dataset, first: Any, last: Any) -> np.ndarray:
    """Share of each month's days from `first` to `last`. (month,)."""
    ends = np.cumsum(data["month_days"].values)
    begins = ends - data["month_days"].values
    start = np.datetime64(data.attrs["window_start"])
    low = 0.0 if first is None else (np.datetime64(first) - start).astype(float)
    high = ends[-1] if last is None else (np.datetime64(last) - start).astype(float) + 1.0
    inside = np.clip(np.minimum(ends, high) - np.maximum(begins, low), 0.0, None)
    return np.asarray(inside / data["month_days"].values)


def _waited(data: xr.Dataset) -> np.ndarray:
    """Days from a death to the vintage at the nodes of each figure's period, half one at least.

    Of a vintage of within the period only the days before it count. (node, registry_figure).
    """
    first, last, known = (
        data[f"registry_{name}"].values.astype("datetime64[D]")
        for name in ("period_start", "period_end", "published")
    )
    longest = (known - first).astype(float) + 1.0
    shortest = np.maximum((known - last).astype(float), 0.0)
    days = shortest + (longest - shortest) * _NODES[:, None]
    return np.maximum(days, 0.5)


def _weights(data: xr.Dataset, populations: tuple[str, ...]) -> np.ndarray:
    names = ["", *populations]
    weight = data["registry_weight"].values
    rows = np.zeros((weight.shape[0], len(names), weight.shape[1]))
    for row, name in enumerate(data["registry_population"].values.tolist()):
        rows[row, names.index(name) if name in names else 0] = weight[row]
    return rows.reshape(len(rows), len(names) * weight.shape[1])


def with_populations(
    functionals: np.ndarray, data: xr.Dataset, registries: Registries, series: int
) -> np.ndarray:
    """Let claims on the killed of a population add up the killed of that population.

    Parameters
    ----------
    functionals
        Claims as functionals of the state. (claim, state).
    data
        Evidence.
    registries
        The structure.
    series
        First place of the killed in the state.

    Returns
    -------
    (claim, state + population × month)
    """
    length = data.sizes["month"]
    names = registries.populations
    wide = np.concatenate([functionals, np.zeros((len(functionals), len(names) * length))], axis=1)
    is_killed = data["quantity"].values == "killed"
    for at, name in enumerate(names):
        rows = is_killed & (data["population"].values == name)
        begin = functionals.shape[1] + at * length
        wide[rows, begin : begin + length] = functionals[rows, series : series + length]
        wide[rows, series : series + length] = 0.0
    return wide


def shifts_of_figures(
    data: xr.Dataset, sources: list[str], wandering: WanderingBiases
) -> np.ndarray:
    """Bias, drift and steps of its source in each figure. (registry_figure, shift)."""
    weight = data["registry_weight"].values
    share = weight / weight.sum(axis=1, keepdims=True)
    own = np.array([sources.index(name) for name in data["registry_source"].values.tolist()])
    picks = np.eye(len(sources))[own.astype(int)].reshape(len(weight), len(sources))
    years = share @ data["years_to_end"].values
    steps = picks[:, wandering.source] * (share @ wandering.ramps)
    return np.concatenate([picks, picks * years[:, None], steps], axis=1)


def term_priors(registries: Registries, assumptions: AssumptionSet) -> list[Prior]:
    """Prior of each term, in persons, shares, days or as a log ratio."""
    options = assumptions.registries
    found: list[Prior | None] = []
    for label in registries.terms:
        name, _, part = label.rpartition(":")
        if name in options.populations:
            stratum = options.populations[name][part]
            found.append(stratum.share or stratum.killed)
        else:
            found.append(getattr(options.triangles[name].learning, part))
    return [prior for prior in found if prior is not None]


def term_data(registries: Registries, assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    """Location and scale of each term on its unbounded scale: log thousands, log odds, log."""
    location, scale = [], []
    for at, prior in enumerate(term_priors(registries, assumptions)):
        is_stratum = at < len(registries.strata)
        share = is_stratum and registries.strata[at].is_share
        middle, spread = prior.location_scale()
        if prior.is_fixed:
            middle = float(logit(middle)) if share else math.log(middle)
        location.append(middle - (math.log(THOUSAND) if is_stratum and not share else 0.0))
        scale.append(spread)
    return {"registry_location": np.array(location), "registry_scale": np.array(scale)}


def term_values(registries: Registries, linear: Any, xp: Any = np) -> Any:
    """Terms from their unbounded scale: shares, thousands of persons, days. (..., term)."""
    share = np.zeros(len(registries.terms), dtype=bool)
    share[: len(registries.strata)] = [stratum.is_share for stratum in registries.strata]
    odds = xp.where(share, linear, 0.0)
    return xp.where(share, 1.0 / (1.0 + xp.exp(-odds)), xp.exp(xp.where(share, 0.0, linear)))


def in_persons(terms: xr.DataArray, registries: Registries) -> xr.DataArray:
    """Terms with numbers in persons; shares, days and spreads as they are."""
    numbers = len(registries.strata)
    is_number = [not stratum.is_share for stratum in registries.strata]
    size = np.ones(len(registries.terms))
    size[:numbers][is_number] = THOUSAND
    return terms * xr.DataArray(size, dims=TERM)


def killed_of_populations(registries: Registries, killed: Any, terms: Any, xp: Any = np) -> Any:
    """Killed of each population that a registry can learn of, one after the other.

    Parameters
    ----------
    registries
        The structure.
    killed
        All killed, thousands. (..., month).
    terms
        As `term_values` gives them. (..., term).

    Returns
    -------
    (..., population × month)
    """
    left = [killed for _ in registries.populations]
    for at, stratum in enumerate(registries.strata):
        size, inside = terms[..., at, None], registries.outside[at]
        if not stratum.is_share:
            total = xp.sum(killed * inside, axis=-1, keepdims=True)
            rest = 1.0 - size / xp.maximum(total, 1e-9)
            size = 1.0 - xp.logaddexp(0.0, _SHARPNESS * rest) / _SHARPNESS
        left[stratum.population] = left[stratum.population] * (1.0 - size * inside)
    return xp.concatenate(left, axis=-1) if len(left) > 1 else left[0]


def log_learnt(registries: Registries, terms: Any, xp: Any = np) -> Any:
    """Log of the share of each period's dead that a vintage knew. (..., late_figure)."""
    at = len(registries.strata) + 2 * np.array(registries.learning, dtype=int)
    days, spread = terms[..., at], terms[..., at + 1]
    nodes = [_normal((log_days - xp.log(days)) / spread, xp) for log_days in registries.log_days]
    return xp.log(sum(nodes[1:], start=nodes[0]) / len(nodes) + 1e-12)


def _normal(x: Any, xp: Any) -> Any:
    return ndtr(x) if xp is np else 0.5 * xp.erfc(-x / math.sqrt(2.0))


def registry_locations(
    registries: Registries,
    apply: Callable[[str, Any], Any],
    killed: Any,
    of_populations: Any,
    terms: Any,
    reporting: Any,
    xp: Any = np,
) -> tuple[Any, Any]:
    """Where each figure of the triangles would lie without error, and the dead it is about.

    Parameters
    ----------
    registries
        The structure.
    apply
        Linear maps of the model, as for `estimator.model.forward.claim_locations`.
    killed
        All killed, thousands. (..., month).
    of_populations
        As `killed_of_populations` gives them; None if there are no populations.
    terms
        As `term_values` gives them. (..., term).
    reporting
        Biases, drifts and steps of wandering biases, one after the other. (..., shift).

    Returns
    -------
    location, log_dead
        Log thousands. (..., registry_figure) each.
    """
    parts = [killed] if of_populations is None else [killed, of_populations]
    log_dead = xp.log(apply("registry_weights", xp.concatenate(parts, axis=-1)))
    location = log_dead + apply("registry_shifts", reporting)
    if registries.learning:
        location = location + _among_all(registries, log_learnt(registries, terms, xp), xp)
    return location, log_dead


def _among_all(registries: Registries, learnt: Any, xp: Any) -> Any:
    """Put 0 for figures that do not come late. (..., late_figure) -> (..., registry_figure)."""
    nothing, pieces, at = 0.0 * learnt, [], 0
    for is_late, run in itertools.groupby(registries.late):
        length = len(list(run))
        while length:  # there may be fewer late figures than others in one run
            taken = min(length, len(registries.learning))
            begin = at if is_late else 0
            pieces.append((learnt if is_late else nothing)[..., begin : begin + taken])
            at += taken if is_late else 0
            length -= taken
    return xp.concatenate(pieces, axis=-1)


@dataclass(frozen=True)
class Errors:
    """Errors of the figures of triangles, given the assumptions.

    Attributes
    ----------
    covariance
        Of all figures that count, by row; 0 elsewhere. (registry_figure, registry_figure).
    residual
        From errors to those given the figures before. Unit lower triangular where figures count, 0
        elsewhere. (registry_figure, registry_figure).
    noise
        Standard deviation of these. (registry_figure,).
    """

    covariance: np.ndarray
    residual: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, data: xr.Dataset, assumptions: AssumptionSet) -> Errors:
        """Work them out for the figures that count."""
        length = data.sizes[FIGURE]
        covariance, residual = np.zeros((length, length)), np.zeros((length, length))
        noise = np.ones(length)
        used = data["registry_used"].values
        groups = data["registry_group"].values
        for group in np.unique(groups[used]).tolist():
            rows = np.flatnonzero(used & (groups == group))
            origin = str(data["registry_origin"].values[rows[0]])
            triangle = assumptions.registries.triangles[origin]
            own = error_covariance(data.isel({FIGURE: rows}), triangle)
            square = np.linalg.cholesky(own)
            noise[rows] = np.diag(square)
            covariance[np.ix_(rows, rows)] = own
            residual[np.ix_(rows, rows)] = np.linalg.inv(square) * np.diag(square)[:, None]
        return cls(covariance, residual, noise)

    def with_biases(self, data: xr.Dataset, bias_scale: np.ndarray) -> np.ndarray:
        """`covariance` with the bias of each figure's source, of so large a standard deviation."""
        source = data["registry_source"].values
        used = data["registry_used"].values
        both = (source[:, None] == source[None, :]) & used[:, None] & used[None, :]
        return np.asarray(self.covariance + both * np.outer(bias_scale, bias_scale))

    def stored(self, data: xr.Dataset) -> sp.csr_array:
        """`residual`, with every place stored that other figures' use could fill."""
        groups = data["registry_group"].values
        rows, columns = np.nonzero(np.tril(groups[:, None] == groups[None, :]))
        return sp.csr_array((self.residual[rows, columns], (rows, columns)), self.residual.shape)


def error_covariance(data: xr.Dataset, triangle: Triangle) -> np.ndarray:
    """Covariance of the log errors of one origin's figures. (registry_figure, registry_figure).

    A vintage is the sum of what was learnt between vintages, each with an error of its own; without
    learning it is made anew. Shares are those of the typical delay.
    """
    month = data["registry_weight"].values @ np.arange(data.sizes["month"])
    month = month / data["registry_weight"].values.sum(axis=1)
    apart = np.abs(month[:, None] - month[None, :])
    alike = np.exp(-apart / triangle.months_alike)
    new = triangle.effort**2 + triangle.method**2 * alike + triangle.own**2 * (apart == 0)
    published = data["registry_published"].values.astype("datetime64[D]")
    covariance = triangle.lasting**2 * alike + triangle.rounding**2 * np.eye(len(month))
    known_before = np.zeros(len(month))
    for day in np.unique(published):
        if triangle.learning is None:
            added = (published == day).astype(float)
        else:
            at_day = data.assign(registry_published=(FIGURE, np.full(len(month), day)))
            known = _typically_learnt(at_day, triangle)
            total = np.where(published >= day, _typically_learnt(data, triangle), 1.0)
            added = np.where(published >= day, (known - known_before) / total, 0.0)
            known_before = known
        covariance = covariance + np.outer(added, added) * new
    return np.asarray(covariance)


def _typically_learnt(data: xr.Dataset, triangle: Triangle) -> np.ndarray:
    if triangle.learning is None:
        return np.ones(data.sizes[FIGURE])
    days, spread = (
        getattr(triangle.learning, name).quantile(0.5) for name in ("median_days", "spread")
    )
    begun = data["registry_published"].values.astype("datetime64[D]") >= data[
        "registry_period_start"
    ].values.astype("datetime64[D]")
    share = ndtr(np.log(_waited(data) / days) / spread).mean(axis=0)
    return np.asarray(np.where(begun, share, 0.0))


def simulated_figures(
    layout: Layout,
    data: Mapping[str, np.ndarray],
    location: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw figures of the triangles with the errors that they share. (registry_figure,).

    Parameters
    ----------
    layout, data
        Of the model.
    location
        Where each lies without error, log thousands. (registry_figure,).
    rng
        For the errors.
    """
    figures = dict(zip(FIGURES, data["registry_figures"], strict=True))
    used = figures["used"] > 0
    new = figures["noise"] * rng.standard_normal(len(location))
    residual = layout.multiply(data, "registry_errors", np.eye(len(location))).T
    value = data["registry_value"].copy()
    value[used] = location[used] + np.linalg.solve(residual[np.ix_(used, used)], new[used])
    return value


def figure_data(
    data: xr.Dataset, errors: Errors, triangles: Mapping[str, Triangle]
) -> dict[str, np.ndarray]:
    """Figures of the triangles, and the floors that some are, as the density of claims takes them.

    Returns
    -------
    dict
        ``registry_value`` and the same as a floor, ``registry_floor`` (registry_figure,), in log
        thousands; ``registry_figures`` and
        ``registry_floors`` (claim_figure, registry_figure) with the rows `FIGURES`.
    """
    value = np.log(data["registry_value"].values / THOUSAND)
    used = data["registry_used"].values.astype(float)
    ones = np.ones(len(value))
    noise = np.array(
        [triangles[name].floor_noise or 1.0 for name in data["registry_origin"].values.tolist()]
    ).reshape(len(value))
    far = 10.0 * OPEN_END
    figures = {
        "lower": value - 1.0,
        "upper": value + 1.0,
        "noise": errors.noise,
        "is_point": ones,
        "used": used,
    }
    floors = {
        "lower": value,
        "upper": ones * far,
        "noise": noise,
        "is_point": 0.0 * ones,
        "used": data["registry_is_floor"].values.astype(float),
    }
    return {
        "registry_value": value,
        "registry_floor": value.copy(),
        "registry_figures": np.array([figures[name] for name in FIGURES]),
        "registry_floors": np.array([floors[name] for name in FIGURES]),
    }
