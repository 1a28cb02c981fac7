"""A real Ray cluster of two nodes in this machine, each started as users start theirs."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr

from estimator.errors import ConfigError
from estimator.sweep.executors import LocalExecutor, RayExecutor
from estimator.sweep.run_sweep import SweepOutcome
from estimator.sweep.set_fit import Fit, FitTask, Shared
from tests.sweep import synthetic
from tests.sweep.nodes import HEAD, SECOND, own_ray, two_nodes
from tests.sweep.test_engine import CUBE, fits_are, sweep, values

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2 and 127.0.0.3"),
]

ROOT = Path(__file__).parents[2]
TASKS = range(12)
SWEEP = (CUBE, "sweep.design.sets=20")


def power(task: int, shared: int) -> int:
    return task**shared


def node(task: int, shared: float) -> str:
    import ray

    time.sleep(shared)
    return str(ray.get_runtime_context().get_node_id())


def fails_at_three(task: int, shared: None) -> int:
    if task == 3:
        raise ConfigError("three")
    return task


def loses_its_worker_once(task: int, shared: Path) -> int:
    if task == 3:
        try:
            (shared / "killed").touch(exist_ok=False)
        except FileExistsError:
            return task
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def fit_elsewhere(marks: Path, task: FitTask, shared: Shared) -> Fit:
    (marks / str(os.getpid())).touch()
    return synthetic.synthetic_fit(task, shared)


@pytest.fixture(scope="module", autouse=True)
def ray_environment() -> Iterator[Path]:
    """Ray in a folder of its own.

    Ray reads the mode when it is imported, so no other file may import it in this process.
    """
    with own_ray() as (folder, environment), pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.delenv("RAY_ADDRESS", raising=False)
        yield folder


@pytest.fixture(scope="module")
def address(ray_environment: Path) -> Iterator[str]:
    """Address of a cluster of two nodes with a CPU each."""
    with two_nodes(ray_environment, dict(os.environ)) as found:
        yield found


@pytest.fixture(scope="module")
def cluster(address: str) -> Iterator[RayExecutor]:
    import ray

    with RayExecutor(address=address) as executor:
        for _ in range(300):
            if len(alive()) == 2:
                break
            time.sleep(0.1)
        yield executor
    assert not ray.is_initialized()


def alive() -> set[str]:
    import ray

    return {one["NodeManagerAddress"] for one in ray.nodes() if one["Alive"]}


def test_an_address_where_nobody_answers_is_named() -> None:
    with pytest.raises(ConfigError, match=r"sweep\.ray\.address: .* at '127\.0\.0\.1:1'"):
        RayExecutor(address="127.0.0.1:1")


@pytest.fixture(scope="module")
def local_sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepOutcome:
    with pytest.MonkeyPatch.context() as patch:
        fits_are(patch, synthetic.synthetic_fit)
        patch.setattr("estimator.sweep.engine.pilot_of", synthetic.synthetic_pilot)
        return sweep(tmp_path_factory.mktemp("local"), *SWEEP)


# This comes before the tests that hold a connection, so that a sweep opens and ends its own.
def test_a_sweep_ends_with_the_dataset_of_this_machine(
    address: str,
    local_sweep: SweepOutcome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    fits_are(monkeypatch, functools.partial(fit_elsewhere, marks))
    monkeypatch.setattr("estimator.sweep.engine.pilot_of", synthetic.synthetic_pilot)
    found = sweep(tmp_path / "ray", *SWEEP, "sweep.executor=ray", f"sweep.ray.address={address}")
    assert found.failed == {}
    xr.testing.assert_identical(values(found.tree), values(local_sweep.tree))
    made = {path.name for path in marks.iterdir()}
    assert made
    assert str(os.getpid()) not in made


def test_two_nodes_share_the_tasks(cluster: RayExecutor) -> None:
    assert alive() == {HEAD, SECOND}
    assert len(set(dict(cluster.map(node, range(6), 0.3)).values())) == 2


def test_results_are_those_of_this_machine(cluster: RayExecutor) -> None:
    found = sorted(cluster.map(power, TASKS, 2))
    assert found == sorted(LocalExecutor(1).map(power, TASKS, 2))


def test_no_tasks_give_nothing_from_a_cluster(cluster: RayExecutor) -> None:
    assert list(cluster.map(power, [], 2)) == []


def test_a_worker_that_is_killed_costs_no_result(cluster: RayExecutor, tmp_path: Path) -> None:
    found = sorted(cluster.map(loses_its_worker_once, TASKS, tmp_path))
    assert (tmp_path / "killed").exists()
    assert found == list(enumerate(TASKS))


def test_an_error_comes_through_a_cluster_as_it_is(cluster: RayExecutor) -> None:
    with pytest.raises(ConfigError, match="three") as caught:
        list(cluster.map(fails_at_three, TASKS, None))
    assert type(caught.value) is ConfigError


def test_closing_early_stops_the_tasks_of_a_cluster(cluster: RayExecutor) -> None:
    started = time.monotonic()
    results = cluster.map(node, range(1000), 0.2)
    next(results)
    results.close()
    assert len(list(cluster.map(power, TASKS, 2))) == len(TASKS)
    assert time.monotonic() - started < 30.0


def test_a_connection_that_is_there_is_used_and_left_open(cluster: RayExecutor) -> None:
    import ray

    with RayExecutor(1) as again:
        assert sorted(again.map(power, TASKS, 2)) == [(task, task**2) for task in TASKS]
    assert ray.is_initialized()


def test_without_an_address_a_cluster_comes_and_goes(ray_environment: Path) -> None:
    program = (
        "import operator, ray\n"
        "from estimator.sweep.executors import RayExecutor\n"
        "if __name__ == '__main__':\n"
        "    with RayExecutor(2) as executor:\n"
        "        print(executor.workers, sorted(executor.map(operator.mul, [3, 4], 2)))\n"
        "    print(ray.is_initialized())\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["2 [(0, 6), (1, 8)]", "False"]
    assert done.stderr == ""
