"""Everything that is reported of a set, as rows of one matrix, and statistics of weighted draws.

A sweep summarises some 800 numbers (each quantity in each month, totals, assumptions, biases) of
thousands of sets. `flatten` puts them below each other, sorts each once, and `statistics` then goes
once over each row for a set of weights.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from estimator.object_code import njit

STATISTICS = (
    "mean",
    "sd",
    "q05",
    "q25",
    "q50",
    "q75",
    "q95",
    "below_zero",
    "mcse_q05",
    "mcse_q50",
    "mcse_q95",
)
"""Statistics of each entry: in its unit, but for the probability `below_zero`.

The `mcse_` are Monte-Carlo standard errors of the quantiles.
"""

_PROBABILITIES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
_WITH_ERROR = np.array([0, 2, 4])


@dataclass(frozen=True)
class Variable:
    """Some entries: a quantity along its dim."""

    name: str
    dim: str
    labels: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True)
class EntryLayout:
    """What each row of a matrix of entries is."""

    variables: tuple[Variable, ...]

    def to_json(self) -> str:
        """Write as text."""
        return json.dumps([[v.name, v.dim, v.labels, v.units] for v in self.variables])

    @classmethod
    def from_json(cls, text: str) -> EntryLayout:
        """Read back what `to_json` wrote."""
        return cls(tuple(Variable(n, d, tuple(p), tuple(u)) for n, d, p, u in json.loads(text)))

    @cached_property
    def name(self) -> str:
        """Hash that names the layout."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Rows of each variable."""
        ends = np.cumsum([0, *(len(variable.labels) for variable in self.variables)])
        return {
            variable.name: slice(int(begin), int(end))
            for variable, begin, end in zip(self.variables, ends, ends[1:], strict=False)
        }

    @cached_property
    def names(self) -> list[str]:
        """Name of each entry, as ``losses[2026-01]``."""
        return [f"{v.name}[{label}]" for v in self.variables for label in v.labels]


@dataclass(frozen=True)
class Entries:
    """Draws of all entries, sorted.

    Attributes
    ----------
    layout
        What each row is.
    ordered
        Draws in rising order. (entry, draw).
    order
        Which draw each of them is, all chains in one. (entry, draw).
    relative_ess
        The smaller one of bulk and tail effective sample size over the number of draws, at most 1;
        1 where an entry is constant. (entry,).
    """

    layout: EntryLayout
    ordered: np.ndarray
    order: np.ndarray
    relative_ess: np.ndarray


def flatten(dataset: xr.Dataset) -> tuple[EntryLayout, np.ndarray]:
    """Put all variables below each other.

    Parameters
    ----------
    dataset
        Variables with dims chain, draw and one more; unit in the attrs or the coordinate `unit`.

    Returns
    -------
    layout, draws
        Draws are (entry, chain, draw), float32: 7 digits are far below the noise of any draw.
    """
    variables, pieces = [], []
    for name, variable in dataset.data_vars.items():
        (dim,) = (str(d) for d in variable.dims if d not in ("chain", "draw"))
        labels = tuple(str(label) for label in variable[dim].values)
        units = (
            tuple(str(unit) for unit in variable["unit"].values)
            if "unit" in variable.coords
            else (str(variable.attrs["units"]),) * len(labels)
        )
        variables.append(Variable(str(name), dim, labels, units))
        pieces.append(variable.transpose(dim, "chain", "draw").values.astype(np.float32))
    return EntryLayout(tuple(variables)), np.concatenate(pieces)


def statistics(entries: Entries, weights: np.ndarray | None = None) -> np.ndarray:
    """Statistics of each entry.

    Parameters
    ----------
    entries
        The draws.
    weights
        Of the draws, not negative; None for equal ones. (draw,).

    Returns
    -------
    (entry, statistic), float32; NaN for entries that hold NaN

    Notes
    -----
    Quantiles invert the distribution function of the weighted draws, linear between the middles of
    its steps. The variance of an estimated probability p is ``sum w² (1[x <= q] - p)²`` over the
    relative effective sample size; the error of the quantile is a quarter of the distance of the
    quantiles at two standard deviations of p on either side.
    """
    n_draws = entries.ordered.shape[1]
    if weights is None:
        weights = np.full(n_draws, 1.0 / n_draws)
    else:
        weights = np.asarray(weights, dtype=float) / float(np.sum(weights))
    table = _statistics(
        entries.ordered, entries.order, weights, entries.relative_ess, _PROBABILITIES, _WITH_ERROR
    )
    return np.asarray(table)


@njit(nogil=True)
def _quantile(ordered, middles, first, last, probability):
    low, high = first, last
    if probability <= middles[low]:
        return ordered[low]
    if probability >= middles[high]:
        return ordered[high]
    while high - low > 1:
        at = (low + high) // 2
        if middles[at] <= probability:
            low = at
        else:
            high = at
    step = middles[high] - middles[low]
    share = (probability - middles[low]) / step if step > 0.0 else 0.5
    return ordered[low] + share * (ordered[high] - ordered[low])


@njit(nogil=True)
def _statistics(ordered, order, weights, relative_ess, probabilities, with_error):
    n_entries, n_draws = ordered.shape
    n_errors = len(with_error)
    out = np.empty((n_entries, 3 + len(probabilities) + n_errors), np.float32)
    middles, squares = np.empty(n_draws), np.empty(n_draws)
    for entry in range(n_entries):
        values = ordered[entry]
        if np.isnan(values[n_draws - 1]):
            out[entry] = np.nan
            continue
        total, square, mean, below = 0.0, 0.0, 0.0, 0.0
        first, last = n_draws, 0
        reference = values[n_draws // 2]
        second = 0.0
        for i in range(n_draws):
            weight = weights[order[entry, i]]
            middles[i] = total + 0.5 * weight
            total += weight
            square += weight * weight
            squares[i] = square
            distance = values[i] - reference
            mean += weight * distance
            second += weight * distance * distance
            if values[i] < 0.0:
                below += weight
            if weight > 0.0:
                first, last = min(first, i), i
        out[entry, 0] = reference + mean
        out[entry, 1] = np.sqrt(max(second - mean * mean, 0.0))
        for k in range(len(probabilities)):
            out[entry, 2 + k] = _quantile(values, middles, first, last, probabilities[k])
        out[entry, 2 + len(probabilities)] = below
        for k in range(n_errors):
            p = probabilities[with_error[k]]
            at = np.searchsorted(middles, p)
            up_to = squares[min(at, n_draws - 1)]
            variance = ((1.0 - 2.0 * p) * up_to + p * p * square) / relative_ess[entry]
            spread = np.sqrt(max(variance, 0.0))
            above = _quantile(values, middles, first, last, p + 2.0 * spread)
            under = _quantile(values, middles, first, last, p - 2.0 * spread)
            out[entry, 3 + len(probabilities) + k] = 0.25 * (above - under)
    return out
