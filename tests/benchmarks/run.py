"""Time single runs from start to end: ``make bench``, or ``python -m tests.benchmarks.run``.

Each command runs in a process of its own, in a folder of its own, after one run that fills the
caches. Beside each stands how many times faster it is than before the machine code of the density
was kept, and the bar that it must hold on two cores without other work.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One command: its words, its exit status, seconds of before, and the seconds it may take."""

    name: str
    words: tuple[str, ...]
    status: int
    before: float
    bar: float


_SETS = ("-m", "assumptions=glob(*)", "sampler=prior_only", "plots=false", "name=sets")
ROWS = (
    Row("run plots=false", ("plots=false",), 0, 38.6, 10.0),
    Row("run", (), 0, 49.7, 14.0),
    Row("run -m typo=1", ("-m", "typo=1"), 2, 8.0, 1.5),
    Row("run -m, all done", _SETS, 0, 30.8, 4.0),
)
"""Before is the processor time (user) of commit f086d95 on two cores, caches filled."""


def measured(words: tuple[str, ...], folder: Path) -> tuple[int, float, float]:
    """Exit status, seconds and processor seconds of one command."""
    code = "from estimator.cli import entry; entry()"
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", code, "run", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    return os.waitstatus_to_exitcode(status), seconds, used.ru_utime


def main() -> None:
    """Fill the caches, time every command, and print a Markdown table."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| command | seconds | at most | processor seconds | before | times faster |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as place:
        for words in (("plots=false",), _SETS):
            measured(words, Path(place))
        for row in ROWS:
            status, seconds, processor = measured(row.words, Path(place))
            if status != row.status:
                raise RuntimeError(f"{row.name} ended with status {status}, not {row.status}")
            print(
                f"| {row.name} | {seconds:.1f} | {row.bar:g} | {processor:.1f} | {row.before:.1f} "
                f"| {row.before / processor:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
