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

from estimator.assumptions import ASSUMPTIONS
from estimator.object_code import njit
from estimator.quantity import QUANTILES

STATISTICS = (
    "mean",
    "sd",
    *QUANTILES,
    "below_zero",
    "mcse_q05",
    "mcse_q50",
    "mcse_q95",
)
"""Statistics of each entry: in its unit, but for the probability `below_zero`.

The `mcse_` are Monte-Carlo standard errors of the quantiles.
"""

_PROBABILITIES = np.array(list(QUANTILES.values()))
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
        Variables with dims chain, draw and one more; unit in the attrs, but of assumptions.

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
            tuple(ASSUMPTIONS[label].unit for label in labels)
            if dim == "assumption"
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


@njit(nogil=True)
def _first_above(order, weights, before, probability):
    """Find the first sorted draw the middle of whose step lies above a probability.

    Parameters
    ----------
    order, weights
        Places of the sorted draws, and the weights at these places. (draw,).
    before
        Sum of the weights before each block of sorted draws. (block,).

    Returns
    -------
    position, middle, previous
        Position of the draw, its middle and that of the draw before; the number of draws and
        infinity if there is none, minus infinity if none is before.
    """
    low, high = 0, len(before)
    while high - low > 1:  # the last block that begins at or below the probability
        at = (low + high) // 2
        if before[at] <= probability:
            low = at
        else:
            high = at
    position = low * _BLOCK
    total = before[low]
    previous = total - 0.5 * weights[order[position - 1]] if position > 0 else -np.inf
    while position < len(order):
        weight = weights[order[position]]
        middle = total + 0.5 * weight
        if middle > probability:
            return position, middle, previous
        total += weight
        previous = middle
        position += 1
    return position, np.inf, previous


@njit(nogil=True)
def _quantile(values, ends, probability, crossing):
    first, last = ends
    position, middle, previous = crossing
    if position <= first:
        return values[first]
    if position > last:
        return values[last]
    share = (probability - previous) / (middle - previous)
    return values[position - 1] + share * (values[position] - values[position - 1])


@njit(nogil=True)
def _statistics(ordered, order, weights, n_sets, relative_ess, probabilities, with_error):
    n_entries, n_draws = ordered.shape
    n_probabilities, n_errors = len(probabilities), len(with_error)
    n_blocks = (n_draws + _BLOCK - 1) // _BLOCK
    out = np.empty((n_sets, n_entries, 3 + n_probabilities + n_errors), np.float32)
    before, squares_before = np.empty((_LANES, n_blocks)), np.empty((_LANES, n_blocks))
    sums = np.empty((4, _LANES))  # of weights, their squares, and times distances and squares
    crossings = [(0, 0.0, 0.0)] * n_probabilities
    for entry in range(n_entries):
        values, places = ordered[entry], order[entry]
        if np.isnan(values[n_draws - 1]):
            out[:, entry] = np.nan
            continue
        reference = values[n_draws // 2]
        sums[:] = 0.0
        for block in range(n_blocks):
            for lane in range(_LANES):
                before[lane, block] = sums[0, lane]
                squares_before[lane, block] = sums[1, lane]
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
        zero_block = min(zero // _BLOCK, n_blocks - 1)
        for lane in range(n_sets):
            table, begins, own = out[lane, entry], before[lane], weights[:, lane]
            first, last = 0, n_draws - 1
            while own[places[first]] == 0.0:
                first += 1
            while own[places[last]] == 0.0:
                last -= 1
            ends = (first, last)
            table[0] = reference + sums[2, lane]
            table[1] = np.sqrt(max(sums[3, lane] - sums[2, lane] ** 2, 0.0))
            for k in range(n_probabilities):
                p = probabilities[k]
                crossings[k] = _first_above(places, own, begins, p)
                table[2 + k] = _quantile(values, ends, p, crossings[k])
            below = begins[zero_block]
            for i in range(zero_block * _BLOCK, zero):
                below += own[places[i]]
            table[2 + n_probabilities] = below
            for k in range(n_errors):
                p = probabilities[with_error[k]]
                at, _, previous = crossings[with_error[k]]
                until = min(at if previous == p else at + 1, n_draws)
                block = min(until // _BLOCK, n_blocks - 1)
                up_to = squares_before[lane, block]
                for i in range(block * _BLOCK, until):
                    up_to += own[places[i]] ** 2
                variance = ((1.0 - 2.0 * p) * up_to + p * p * sums[1, lane]) / relative_ess[entry]
                spread = np.sqrt(max(variance, 0.0))
                high, low = p + 2.0 * spread, p - 2.0 * spread
                above = _quantile(values, ends, high, _first_above(places, own, begins, high))
                under = _quantile(values, ends, low, _first_above(places, own, begins, low))
                table[3 + n_probabilities + k] = 0.25 * (above - under)
    return out
