"""Command lines in forks of a warm process: what each wrote, how it ended and what it left."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from estimator.cli import main as command

QUICK = ("sampler=prior_only", "sampler.prior_draws=10", "plots=false")
FEW = "scenario=[status_quo]"
LIMIT = 120.0
"""Seconds after which a command is stopped."""

_MEMORY = 6 * 2**30  # bytes that a fork may take beside what it was born with
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    status
        Its exit status; negative: the signal that ended it; None: it was stopped after `LIMIT`.
    told, said
        Standard output and standard error.
    seconds
        What it took of the processor: what else runs on the machine does not count.
    left
        Paths that were not there before.
    """

    status: int | None
    told: str
    said: str
    seconds: float
    left: tuple[str, ...]

    @property
    def broke(self) -> bool:
        """Whether it ended with a traceback or by a signal."""
        return _TRACEBACK in self.said + self.told or (self.status or 0) < 0


def forked(words: Sequence[str], folder: Path) -> Ended:
    """Run a command line in a folder, in a fork of this process."""
    return in_fork(lambda: command(words), folder)


def in_fork(work: Callable[[], int], folder: Path) -> Ended:
    """Do something in a folder, in a fork of this process; what it returns is its status."""
    out, err = folder.with_name(f"{folder.name}.out"), folder.with_name(f"{folder.name}.err")
    there = set(folder.rglob("*"))
    begin = time.perf_counter()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _work(work, folder, out, err)
    status, seconds = _wait(child, begin + LIMIT)
    told, said = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
    left = sorted(str(path.relative_to(folder)) for path in set(folder.rglob("*")) - there)
    return Ended(status, told, said, seconds, tuple(left))


def _work(work: Callable[[], int], folder: Path, out: Path, err: Path) -> None:
    """Do the work of a fork, and end it."""
    os.setsid()
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", buffering=1) for n in (1, 2))
    os.chdir(folder)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    status = 1
    try:
        status = work()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # a traceback is what is looked for
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _wait(child: int, until: float) -> tuple[int | None, float]:
    """Wait for a fork; stop it, and what it began, if it takes too long."""
    stopped = False
    while True:
        done, status, used = os.wait4(child, 0 if stopped else os.WNOHANG)
        if done:
            ended = None if stopped else os.waitstatus_to_exitcode(status)
            return ended, used.ru_utime + used.ru_stime
        if time.perf_counter() > until:
            os.killpg(child, signal.SIGKILL)
            stopped = True
        time.sleep(0.002)
