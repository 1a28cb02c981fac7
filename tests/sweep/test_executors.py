from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from estimator.assumptions.compose import plain_config
from estimator.errors import ConfigError
from estimator.sweep.executors import Executor, LocalExecutor, are_at_work, executor_of
from estimator.sweep.options import SweepOptions

pytestmark = pytest.mark.slow

TASKS = range(12)


def power(task: int, shared: int) -> int:
    return task**shared


def fails_at_three(task: int, shared: None) -> int:
    if task == 3:
        raise ConfigError("three")
    return task


def sleeps(task: float, shared: None) -> float:
    time.sleep(task)
    return task


def in_which_thread(task: int, shared: None) -> int:
    return threading.get_ident()


@pytest.fixture(
    params=[(1, "threads"), (2, "threads"), (None, "threads"), (1, "processes"), (2, "processes")],
    ids=lambda param: f"{param[0] or 'all'} {param[1]}",
)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with LocalExecutor(*request.param) as executor:
        yield executor


def test_every_task_comes_back_once_with_its_index(executor: Executor) -> None:
    found = sorted(executor.map(power, TASKS, 2))
    assert found == [(task, task**2) for task in TASKS]


def test_no_tasks_give_nothing(executor: Executor) -> None:
    assert list(executor.map(power, [], 2)) == []


def test_an_error_comes_through_as_it_is(executor: Executor) -> None:
    with pytest.raises(ConfigError, match="three") as caught:
        list(executor.map(fails_at_three, TASKS, None))
    assert type(caught.value) is ConfigError


def test_closing_early_ends_quietly_and_leaves_the_executor_usable(executor: Executor) -> None:
    started = time.monotonic()
    results = executor.map(sleeps, [0.01, *[1.0] * 100], None)
    assert next(results) == (0, 0.01)
    results.close()
    assert time.monotonic() - started < 25.0
    assert len(list(executor.map(power, TASKS, 2))) == len(TASKS)


def test_results_come_as_they_are_done_not_in_order() -> None:
    results = LocalExecutor(2).map(sleeps, [0.5, 0.01, 0.01], None)
    assert [index for index, _ in results][-1] == 0


def test_one_worker_is_this_thread() -> None:
    threads = dict(LocalExecutor(1, "processes").map(in_which_thread, TASKS, None))
    assert set(threads.values()) == {threading.get_ident()}


def test_without_a_number_all_cores_work() -> None:
    assert LocalExecutor().workers >= 1


def options(*overrides: str) -> SweepOptions:
    return SweepOptions.from_config(plain_config(overrides)["sweep"])


def test_options_choose_backend_and_workers() -> None:
    with executor_of(options("sweep.backend=processes", "sweep.workers=3")) as executor:
        assert isinstance(executor, LocalExecutor)
        assert (executor.workers, executor.backend) == (3, "loky")


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"needs Ray: pip install 'loss-ranges\[ray\]'"):
        executor_of(options("sweep.executor=ray"))


def test_a_thread_that_is_left_at_its_task_is_told_of_until_it_is_done() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(task: int, shared: None) -> int:
        if task:
            begun.set()
            go_on.wait(30)
        else:
            begun.wait(30)
        return task

    results = LocalExecutor(2).map(work, [0, 1], None)
    assert next(results)[0] == 0
    results.close()
    assert are_at_work()
    go_on.set()
    for _ in range(300):
        if not are_at_work():
            break
        time.sleep(0.1)
    assert not are_at_work()
