"""Where the sets of a sweep are worked on: this machine's cores (joblib) or a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import joblib

from estimator import distribution
from estimator.errors import ConfigError
from estimator.sweep.options import SweepOptions

_RETRIES = 3
_at_work: set[int] = set()  # threads of this process that are in the middle of a task


class Executor(Protocol):
    """Carries out independent tasks; a context manager that frees what it started.

    Attributes
    ----------
    workers
        Tasks at a time.
    """

    workers: int

    def map[T, S, R](
        self, function: Callable[[T, S], R], tasks: Sequence[T], shared: S
    ) -> Generator[tuple[int, R]]:
        """Yield index and result of each task as it is done, in any order.

        What `function` raises comes through as it is and ends the tasks that are left. So does
        closing the iterator: processes are stopped, and threads end with the task that they are in.

        Parameters
        ----------
        function
            Of a task and `shared`. Outside this process it has to be importable, and arrays are
            read-only there.
        tasks
            What differs.
        shared
            What all tasks need.
        """
        ...

    def __enter__(self) -> Self:
        """Return this executor."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free what was started."""
        ...


class LocalExecutor:
    """Threads or processes of this machine, by joblib; one worker is this thread itself.

    Parameters
    ----------
    workers
        Tasks at a time; None: the cores that this process may use.
    backend
        Threads share what is compiled; processes do not.
    """

    def __init__(
        self, workers: int | None = None, backend: Literal["threads", "processes"] = "threads"
    ) -> None:
        self.workers: int = workers or joblib.cpu_count()
        self.backend = {"threads": "threading", "processes": "loky"}[backend]

    def map[T, S, R](
        self, function: Callable[[T, S], R], tasks: Sequence[T], shared: S
    ) -> Generator[tuple[int, R]]:
        """Yield index and result of each task as it is done (see `Executor.map`)."""
        if min(self.workers, len(tasks)) <= 1:
            for index, task in enumerate(tasks):
                yield index, function(task, shared)
            return
        parallel = joblib.Parallel(
            n_jobs=min(self.workers, len(tasks)),
            backend=self.backend,
            return_as="generator_unordered",
        )
        results = parallel(
            joblib.delayed(_indexed)(function, index, task, shared)
            for index, task in enumerate(tasks)
        )
        try:
            for index, result in results:
                yield index, result
        finally:
            with warnings.catch_warnings():
                # Joblib advises against closing early, which is how a sweep stops.
                warnings.filterwarnings("ignore", category=UserWarning, module="joblib")
                results.close()

    def __enter__(self) -> Self:
        """Return this executor."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: joblib ends its workers when they have been idle for a while."""


def _indexed[T, S, R](
    function: Callable[[T, S], R], index: int, task: T, shared: S
) -> tuple[int, R]:
    own = threading.get_ident()
    _at_work.add(own)
    try:
        return index, function(task, shared)
    finally:
        _at_work.discard(own)


def are_at_work() -> bool:
    """Whether threads are still in the middle of a task, as they are if a sweep stops early."""
    return bool(_at_work)


class RayExecutor:
    """Ray tasks of one CPU each. What a lost worker or node had in hand is done again by Ray.

    Parameters
    ----------
    workers
        Tasks at a time; None: the cluster's CPUs.
    address
        Of the cluster; None: the one in the environment (RAY_ADDRESS), else a new one in this
        machine, which ends with this executor. A connection that this process already has is used
        as it is, and left open.

    Raises
    ------
    ConfigError
        Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        # Ray reports to its makers and warns of its next versions unless told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError as error:
            raise ConfigError(
                f"sweep.executor=ray needs Ray: {distribution.install('ray')}"
            ) from error
        self._ray: Any = ray
        self._connected_here = not ray.is_initialized()
        self._limit = workers
        if self._connected_here:
            # Ray itself would also look for a cluster that somebody started in this machine.
            address = address or os.environ.get("RAY_ADDRESS") or "local"
            cpus = None
            if address == "local":
                cpus, self._limit = workers, None
            try:
                _knock(address)
                ray.init(
                    address=address,
                    num_cpus=cpus,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
            except (OSError, ValueError, ray.exceptions.RayError) as error:
                raise ConfigError(
                    f"sweep.ray.address: cannot join a Ray cluster at {address!r}: {error} "
                    "(a cluster that asks for a token needs RAY_AUTH_MODE=token)"
                ) from error
        self.workers: int = workers or self._cpus()

    def _cpus(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map[T, S, R](
        self, function: Callable[[T, S], R], tasks: Sequence[T], shared: S
    ) -> Generator[tuple[int, R]]:
        """Yield index and result of each task as it is done (see `Executor.map`)."""
        ray = self._ray
        call = ray.remote(num_cpus=1, max_retries=_RETRIES)(_call)
        job = ray.put((function, shared))
        waiting = iter(enumerate(tasks))
        running: dict[Any, int] = {}
        try:
            while True:
                # Twice the CPUs, so that none waits for this process; nodes may join meanwhile.
                room = (self._limit or 2 * self._cpus()) - len(running)
                for _, (index, task) in zip(range(room), waiting, strict=False):
                    running[call.remote(job, task)] = index
                if not running:
                    return
                for reference in ray.wait(list(running))[0]:
                    result = ray.get(reference)
                    yield running.pop(reference), result
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def __enter__(self) -> Self:
        """Return this executor."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the connection, and the cluster if it was started here."""
        if self._connected_here:
            self._ray.shutdown()


def _knock(address: str) -> None:
    """Raise an OSError if nobody listens at host:port; Ray itself would try for a quarter hour."""
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host.removeprefix("ray://").strip("[]"), int(port)), 10).close()


def _call[T, S, R](job: tuple[Callable[[T, S], R], S], task: T) -> R:
    function, shared = job
    return function(task, shared)


def executor_of(options: SweepOptions) -> Executor:
    """Return the executor that a sweep's options ask for; use it as a context manager."""
    if options.executor == "ray":
        return RayExecutor(options.workers, options.ray.address)
    return LocalExecutor(options.workers, options.backend)
