"""Linear maps of the model, stacked as the rows of one sparse matrix of runs.

A claim is a linear functional of a few runs of months, so nearly all entries are 0. PyTensor's own
products are dense, and compile a variant for each layout of their operands, seconds each. Here all
maps share one operation, whose loop and whose transposed loop are compiled once, and which is quick
because the entries of a run, and what they are multiplied with, lie next to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
import scipy.sparse as sp
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key
from pytensor.tensor import TensorVariable

from estimator.object_code import key

ARRAYS = ("map_entries", "map_runs")
"""Names of the arrays of the stack: entries (entry,), and runs (run, 3).

A run is some neighbouring columns of a row: row, first column, and where its entries begin. A last
row of `map_runs` says where the entries end.
"""


class RunsTimesVector(Op):
    """Some rows of the stack, times a vector; or their transpose.

    Inputs: entries, runs, bounds (first run, one past the last run, first row, rows, columns),
    vector. The gradient reaches the vector alone.
    """

    __props__ = ("transposed",)

    def __init__(self, *, transposed: bool = False) -> None:
        self.transposed = transposed

    def make_node(self, *inputs: Any) -> Apply:
        variables = [pt.as_tensor_variable(x) for x in inputs]
        rows, columns = (int(size) for size in variables[2].data[3:])
        batch = (None,) * (variables[3].type.ndim - 1)
        length = columns if self.transposed else rows
        return Apply(self, variables, [pt.tensor(dtype="float64", shape=(*batch, length))])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        entries, runs, bounds, vector = inputs
        matrix = _matrix(entries, runs, bounds)
        output_storage[0][0] = _product(matrix.T if self.transposed else matrix, vector)

    def infer_shape(self, node: Any, shapes: Any) -> list[tuple[Any, ...]]:
        return [(*shapes[3][:-1], node.outputs[0].type.shape[-1])]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        return [[False], [False], [False], [True]]

    def pullback(self, inputs: Any, outputs: Any, output_grads: Any) -> list[Variable]:
        back = RunsTimesVector(transposed=not self.transposed)
        return [disconnected_type()] * 3 + [back(*inputs[:3], output_grads[0])]


def _matrix(entries: np.ndarray, runs: np.ndarray, bounds: Sequence[int]) -> sp.csr_array:
    """Take one map out of the stack. (row, column)."""
    first, last, first_row, rows, columns = bounds
    lengths = np.diff(runs[first : last + 1, 2])
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return sp.csr_array(
        (
            entries[runs[first, 2] : runs[last, 2]],
            (
                np.repeat(runs[first:last, 0] - first_row, lengths),
                np.repeat(runs[first:last, 1], lengths) + within,
            ),
        ),
        shape=(rows, columns),
    )


def _product(matrix: sp.csr_array, vector: np.ndarray) -> np.ndarray:
    """Multiply vectors by a map. (..., column) -> (..., row)."""
    # Sizes are written out: numpy cannot guess them for a map without rows or columns.
    *batch, length = vector.shape
    product = np.asarray(matrix @ vector.reshape(int(np.prod(batch)), length).T).T
    return np.ascontiguousarray(product).reshape(*batch, matrix.shape[0])


@_vectorize_node.register(RunsTimesVector)
def _batched(op: RunsTimesVector, node: Any, *inputs: Any) -> Any:
    return op.make_node(*inputs)


@numba_njit(fastmath={"reassoc", "contract"})  # lets the sum over a run be vectorised
def _forward_loop(entries, runs, bounds, vector):
    out = np.zeros(bounds[3])
    for run in range(bounds[0], bounds[1]):
        begin, end = runs[run, 2], runs[run + 1, 2]
        there = vector[runs[run, 1] : runs[run, 1] + end - begin]
        here = entries[begin:end]
        total = 0.0
        for k in range(len(here)):
            total += here[k] * there[k]
        out[runs[run, 0] - bounds[2]] += total
    return out


@numba_njit
def _transposed_loop(entries, runs, bounds, vector):
    out = np.zeros(bounds[4])
    for run in range(bounds[0], bounds[1]):
        begin, end = runs[run, 2], runs[run + 1, 2]
        factor = vector[runs[run, 0] - bounds[2]]
        there = out[runs[run, 1] : runs[run, 1] + end - begin]
        here = entries[begin:end]
        for k in range(len(here)):
            there[k] += here[k] * factor
    return out


@register_funcify_and_cache_key(RunsTimesVector)
def _compiled(op: RunsTimesVector, node: Any, **_: Any) -> Any:
    # One key whatever the node: all uses share the compiled loop. It changes with this package's
    # code, since PyTensor would go on using what it kept of an older loop.
    if op.transposed:
        return _transposed_loop, key("transposed runs times vector")
    return _forward_loop, key("runs times vector")


_forward = RunsTimesVector()


@dataclass(frozen=True)
class Layout:
    """Where each map lies in the stack: first run, one past the last, first row, rows, columns."""

    bounds: Mapping[str, tuple[int, int, int, int, int]]

    def apply(
        self, given: Mapping[str, TensorVariable], name: str, vector: TensorVariable
    ) -> TensorVariable:
        """Apply the map `name` of the stack in `given` to a vector. (column,) -> (row,)."""
        bounds = pt.constant(np.array(self.bounds[name], dtype="int64"))
        return _forward(*(given[array] for array in ARRAYS), bounds, vector)

    def multiply(self, data: Mapping[str, np.ndarray], name: str, vector: np.ndarray) -> np.ndarray:
        """Do as `apply` with arrays. (..., column) -> (..., row)."""
        entries, runs = (data[array] for array in ARRAYS)
        matrix = _matrix(entries, runs, self.bounds[name])
        return _product(matrix, vector)


def stack(
    maps: Mapping[str, np.ndarray | sp.csr_array],
) -> tuple[Layout, dict[str, np.ndarray]]:
    """Stack maps.

    Parameters
    ----------
    maps
        Matrices (row, column) by name. Dense ones lose their zeros; sparse ones keep those they
        store, so that their layout does not hang on their values.

    Returns
    -------
    layout, arrays
        Where each lies, and the arrays `ARRAYS`.
    """
    bounds: dict[str, tuple[int, int, int, int, int]] = {}
    entries, runs, n_entries, n_runs, row = [], [], 0, 0, 0
    for name, matrix in maps.items():
        part = sp.csr_array(matrix)
        part.sort_indices()
        rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        begins = np.flatnonzero(
            (np.diff(rows, prepend=-1) != 0) | (np.diff(part.indices, prepend=-2) != 1)
        )
        runs.append(
            np.stack([rows[begins] + row, part.indices[begins], begins + n_entries], axis=1)
        )
        entries.append(part.data)
        bounds[name] = (n_runs, n_runs + len(begins), row, *part.shape)
        n_entries, n_runs, row = n_entries + part.nnz, n_runs + len(begins), row + part.shape[0]
    end = np.array([[row, 0, n_entries]])
    return Layout(bounds), {
        "map_entries": np.concatenate(entries).astype(float),
        "map_runs": np.concatenate([*runs, end]).astype("int64"),
    }


def stored(matrix: np.ndarray, pattern: np.ndarray) -> sp.csr_array:
    """Make a dense matrix sparse, storing the places of a pattern even where they hold 0."""
    rows, columns = np.nonzero(pattern)
    return sp.csr_array((matrix[rows, columns], (rows, columns)), shape=matrix.shape)
