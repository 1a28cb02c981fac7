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
from numba import njit

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
_LANES = 16  # sets whose weights are summed together: a row of weights is one line of the cache
_BLOCK = 16  # draws between sums that are kept


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
        Weights of the draws, not negative; None for equal ones. (draw,).

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
    if weights is None:
        weights = np.ones(entries.ordered.shape[1])
    return statistics_of_sets(entries, np.asarray(weights)[None])[0]


def statistics_of_sets(entries: Entries, weights: np.ndarray) -> np.ndarray:
    """Statistics of each entry under the weights of several sets.

    Parameters
    ----------
    entries
        The draws.
    weights
        Weights of the draws, not negative. (set, draw).

    Returns
    -------
    (set, entry, statistic), float32; see `statistics`

    Notes
    -----
    What takes time is to fetch the weight of each sorted draw from its place in memory. The weights
    of a draw for `_LANES` sets therefore lie side by side: they are fetched together, and summed by
    the same vector instructions. Sums are kept at the begin of every block of draws alone; within
    the one block where a quantile lies they are made again.
    """
    n_sets, n_draws = weights.shape
    tables = []
    for begin in range(0, n_sets, _LANES):
        rows = np.asarray(weights[begin : begin + _LANES], dtype=float)
        lanes = np.zeros((n_draws, _LANES))
        lanes[:, : len(rows)] = (rows / rows.sum(axis=1, keepdims=True)).T
        table = _statistics(
            entries.ordered,
            entries.order,
            lanes,
            len(rows),
            entries.relative_ess,
            _PROBABILITIES,
            _WITH_ERROR,
        )
        tables.append(table)
    return np.concatenate(tables)


@njit(nogil=True, cache=True)
def _first_above(order, weights, lane, before, probability, strictly):
    """Find the first sorted draw whose step has its middle above (or at) a probability.

    Returns
    -------
    position, middle, middle of the draw before
        The number of draws and infinity if there is none; minus infinity if none is before.
    """
    n_draws, n_blocks = len(order), len(before)
    low, high = 0, n_blocks
    while high - low > 1:  # the last block that begins at or below the probability
        at = (low + high) // 2
        if before[at, lane] <= probability:
            low = at
        else:
            high = at
    position = low * _BLOCK
    total = before[low, lane]
    previous = -np.inf
    if position > 0:
        previous = total - 0.5 * weights[order[position - 1], lane]
    while position < n_draws:
        weight = weights[order[position], lane]
        middle = total + 0.5 * weight
        if middle > probability or (middle == probability and not strictly):
            return position, middle, previous
        total += weight
        previous = middle
        position += 1
    return n_draws, np.inf, previous


@njit(nogil=True, cache=True)
def _quantile(values, order, weights, lane, before, ends, probability):
    first, last = ends
    position, above, below = _first_above(order, weights, lane, before, probability, True)
    if position <= first:
        return values[first]
    if position > last:
        return values[last]
    share = (probability - below) / (above - below)
    return values[position - 1] + share * (values[position] - values[position - 1])


@njit(nogil=True, cache=True)
def _sum_until(order, weights, lane, before, position, power):
    """Sum of powers of the weights of all sorted draws before a position."""
    block = min(position // _BLOCK, len(before) - 1)
    total = before[block, lane]
    for i in range(block * _BLOCK, position):
        total += weights[order[i], lane] ** power
    return total


@njit(nogil=True, cache=True)
def _statistics(ordered, order, weights, n_sets, relative_ess, probabilities, with_error):
    n_entries, n_draws = ordered.shape
    n_probabilities, n_errors = len(probabilities), len(with_error)
    n_blocks = (n_draws + _BLOCK - 1) // _BLOCK
    out = np.empty((n_sets, n_entries, 3 + n_probabilities + n_errors), np.float32)
    before, squares_before = np.empty((n_blocks, _LANES)), np.empty((n_blocks, _LANES))
    sums = np.empty((4, _LANES))  # of weights, their squares, and times distances and squares
    for entry in range(n_entries):
        values, places = ordered[entry], order[entry]
        if np.isnan(values[n_draws - 1]):
            out[:, entry] = np.nan
            continue
        reference = values[n_draws // 2]
        sums[:] = 0.0
        for block in range(n_blocks):
            before[block] = sums[0]
            squares_before[block] = sums[1]
            for i in range(block * _BLOCK, min((block + 1) * _BLOCK, n_draws)):
                distance = values[i] - reference
                row = weights[places[i]]
                for lane in range(_LANES):
                    weight = row[lane]
                    sums[0, lane] += weight
                    sums[1, lane] += weight * weight
                    sums[2, lane] += weight * distance
                    sums[3, lane] += weight * distance * distance
        zero = np.searchsorted(values, 0.0)
        for lane in range(n_sets):
            table = out[lane, entry]
            first, last = 0, n_draws - 1
            while weights[places[first], lane] == 0.0:
                first += 1
            while weights[places[last], lane] == 0.0:
                last -= 1
            ends = (first, last)
            table[0] = reference + sums[2, lane]
            table[1] = np.sqrt(max(sums[3, lane] - sums[2, lane] ** 2, 0.0))
            for k in range(n_probabilities):
                table[2 + k] = _quantile(
                    values, places, weights, lane, before, ends, probabilities[k]
                )
            table[2 + n_probabilities] = _sum_until(places, weights, lane, before, zero, 1)
            for k in range(n_errors):
                p = probabilities[with_error[k]]
                at, _, _ = _first_above(places, weights, lane, before, p, False)
                until = min(at + 1, n_draws)
                up_to = _sum_until(places, weights, lane, squares_before, until, 2)
                variance = ((1.0 - 2.0 * p) * up_to + p * p * sums[1, lane]) / relative_ess[entry]
                spread = np.sqrt(max(variance, 0.0))
                above = _quantile(values, places, weights, lane, before, ends, p + 2.0 * spread)
                under = _quantile(values, places, weights, lane, before, ends, p - 2.0 * spread)
                table[3 + n_probabilities + k] = 0.25 * (above - under)
    return out
