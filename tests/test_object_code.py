from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pymc as pm
import pytest
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_funcify_and_cache_key

from estimator import cache, object_code
from estimator.fitting.compiled import CompiledStructure
from estimator.model.claim_density import ClaimDensity
from estimator.model.linear_maps import RunsTimesVector


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kept"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    return folder


def half(x: float) -> float:
    return x / 2.0


def test_a_function_is_compiled_once_and_then_loaded(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert object_code.njit(half)(3.0) == 1.5
    again = object_code.njit(half)
    monkeypatch.setattr(again, "_compiler", None)  # it cannot be compiled now
    assert again(3.0) == 1.5


def test_without_a_folder_that_can_be_used_functions_are_compiled_all_the_same(
    empty_cache: Path,
) -> None:
    empty_cache.write_text("not a folder")
    assert object_code.njit(half)(3.0) == 1.5


@pytest.mark.slow
def test_a_home_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    script = (
        "from estimator.object_code import njit; from tests.test_object_code import half\n"
        "import pytensor\n"
        "assert njit(half)(3.0) == 1.5\n"
    )
    environment = os.environ | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop(cache.VARIABLE, None)
    environment.pop("XDG_CACHE_HOME", None)
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr


@numba.njit
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def twice_fibonacci(n: int) -> int:
    return 2 * fibonacci(n)


def test_a_callback_runs_its_own_copies_of_what_it_calls(empty_cache: Path) -> None:
    """Seen: a process that had compiled the pieces of a density ran these, a later one its copies.

    They differed in the last digits, and all draws with them.
    """
    callback = object_code.cfunc(numba.int64(numba.int64))(twice_fibonacci)
    result = callback._compile_uncached()
    functions = [f for f in result.library._final_module.functions if not f.is_declaration]
    shared = {f.name for f in functions if f.linkage.name != "internal"}
    assert shared == {result.fndesc.llvm_cfunc_wrapper_name, result.fndesc.llvm_func_name}
    assert len(functions) > len(shared)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
    assert call(callback.address)(10) == 110
    again = object_code.cfunc(numba.int64(numba.int64))(twice_fibonacci)
    assert call(again.address)(10) == 110
    assert again._cache_hits == 1


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("estimator.object_code", "version", lambda library: "0"),
        ("estimator.object_code.platform", "python_version", lambda: "0"),
        ("estimator.object_code", "package_dir", lambda: Path(__file__).parent),
        ("llvmlite.binding", "get_host_cpu_name", lambda: "another processor"),
    ],
    ids=["libraries", "Python", "the code of model and fitting", "the processor"],
)
def test_machine_code_is_not_shared_across(
    place: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = object_code.key("density")
    monkeypatch.setattr(f"{place}.{name}", value)
    object_code._software.cache_clear()
    changed = object_code.key("density")
    monkeypatch.undo()
    object_code._software.cache_clear()
    assert changed != before
    assert object_code.key("density") == before


@pytest.mark.parametrize(
    "operation",
    [ClaimDensity(), RunsTimesVector(), RunsTimesVector(transposed=True)],
    ids=["density of claims", "runs times vector", "transposed runs times vector"],
)
def test_pytensor_does_not_go_on_using_the_machine_code_of_an_older_model(
    operation: Op, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before = numba_funcify_and_cache_key(operation, node=None)
    monkeypatch.setattr(object_code, "package_dir", lambda: Path(__file__).parent)
    object_code._software.cache_clear()
    _, changed = numba_funcify_and_cache_key(operation, node=None)
    monkeypatch.undo()
    object_code._software.cache_clear()
    assert changed != before
    assert numba_funcify_and_cache_key(operation, node=None)[1] == before


def model_of(exponent: float, figure: float = 1.0) -> pm.Model:
    with pm.Model() as model:
        data = pm.Data("figure", np.array([figure, 2.0]), shape=(2,))
        level = pm.Normal("level", 0.0, 1.0, shape=2)
        pm.Potential("reported", -(abs(level - data).sum() ** exponent))
    return model


def sampled(model: pm.Model) -> np.ndarray:
    import nutpie

    trace = nutpie.sample(
        CompiledStructure(model).density,
        draws=10,
        tune=20,
        chains=1,
        seed=3,
        save_warmup=False,
        progress_bar=False,
    )
    return np.asarray(trace["posterior"]["level"].values)


@pytest.mark.sampling
def test_draws_with_machine_code_of_another_process_are_those_with_code_compiled_here(
    empty_cache: Path,
) -> None:
    here = sampled(model_of(2.0))
    script = (
        "import nutpie; from tests.test_object_code import *\n"
        "del nutpie.compile_pymc_model\n"  # the density must be loaded
        "sys.stdout.buffer.write(sampled(model_of(2.0)).tobytes())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True
    )
    assert there.stdout == here.tobytes()


@pytest.mark.sampling
def test_a_density_is_loaded_for_other_data_and_compiled_for_another_graph(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sampled(model_of(2.0))
    monkeypatch.delattr("nutpie.compile_pymc_model")
    assert not np.array_equal(sampled(model_of(2.0, figure=5.0)), first)
    with pytest.raises(AttributeError, match="compile_pymc_model"):
        sampled(model_of(4.0))
