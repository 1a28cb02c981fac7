from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph

from estimator.model.linear_maps import stack, stored

INTERPRETED = Mode(linker="py", optimizer="fast_compile")
ENTRIES = st.sampled_from([0.0, 0.0, 1.0, -2.5, 0.3])


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Several maps of different shapes, with rows and columns of zeros, or with none at all."""
    return {
        f"map{i}": draw(
            arrays(float, (draw(st.integers(0, 5)), draw(st.integers(0, 6))), elements=ENTRIES)
        )
        for i in range(draw(st.integers(1, 3)))
    }


def applied(maps: dict[str, np.ndarray], name: str, mode: Mode | str):
    """Value of one map of a stack and the gradient of its sum of squares."""
    layout, data = stack(maps)
    given_data = {key: pytensor.shared(array) for key, array in data.items()}
    vector = pt.vector("vector", shape=(maps[name].shape[1],))
    out = layout.apply(given_data, name, vector)
    return pytensor.function([vector], [out, pytensor.grad((out**2).sum(), vector)], mode=mode)


@settings(max_examples=30, deadline=None)
@given(stacks(), st.integers(0, 2**31))
def test_each_map_of_a_stack_is_its_matrix(maps: dict[str, np.ndarray], seed: int) -> None:
    for name, matrix in maps.items():
        vector = np.random.default_rng(seed).normal(size=matrix.shape[1])
        found, gradient = applied(maps, name, INTERPRETED)(vector)
        np.testing.assert_allclose(found, matrix @ vector, atol=1e-12)
        np.testing.assert_allclose(gradient, 2 * matrix.T @ (matrix @ vector), atol=1e-12)


@pytest.mark.parametrize("mode", [INTERPRETED, "NUMBA"], ids=["interpreted", "compiled"])
def test_the_compiled_loops_do_the_same(mode: Mode | str) -> None:
    rng = np.random.default_rng(1)
    maps = {"a": rng.normal(size=(7, 9)) * (rng.random((7, 9)) < 0.4), "b": np.tri(20)}
    for name, matrix in maps.items():
        vector = rng.normal(size=matrix.shape[1])
        found, gradient = applied(maps, name, mode)(vector)
        np.testing.assert_allclose(found, matrix @ vector, atol=1e-12)
        np.testing.assert_allclose(gradient, 2 * matrix.T @ (matrix @ vector), atol=1e-12)


def test_draws_are_mapped_all_at_once() -> None:
    rng = np.random.default_rng(2)
    maps = {"a": np.tri(4), "b": rng.normal(size=(3, 5))}
    layout, data = stack(maps)
    vector = pt.vector("vector", shape=(5,))
    out = layout.apply({key: pt.as_tensor(array) for key, array in data.items()}, "b", vector)
    batch = pt.tensor3("batch", shape=(None, None, 5))
    vectors = rng.normal(size=(2, 6, 5))
    function = pytensor.function([batch], vectorize_graph(out, {vector: batch}), mode=INTERPRETED)
    np.testing.assert_allclose(function(vectors), vectors @ maps["b"].T)


def test_the_layout_of_a_stored_pattern_does_not_hang_on_values() -> None:
    pattern = np.triu(np.ones((4, 4)))
    full, empty = (stack({"a": stored(x, pattern)}) for x in (pattern * 2.0, pattern * 0.0))
    assert full[0] == empty[0]
    np.testing.assert_array_equal(full[1]["map_runs"], empty[1]["map_runs"])
    assert full[1]["map_entries"].shape == empty[1]["map_entries"].shape
