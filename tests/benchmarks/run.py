"""Time whole commands from start to end: ``make bench``, or ``python -m tests.benchmarks.run``.

Each command runs in a process of its own, after runs that fill the caches, and has a bar that it
must hold on two cores without other work. With ``BEFORE``, the path of a checkout of another
commit, the same commands run there, in turns with these: ``make bench BEFORE=../before``. Figures
are medians of the runs, and ratios are those of the medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One command: its words, the seconds it may take, and the exit status it ends with.

    A sweep begins anew each time; one that takes many minutes is not run by another commit.
    """

    name: str
    words: tuple[str, ...]
    seconds: float
    status: int = 0
    anew: str = ""
    once: bool = False


class Cost(NamedTuple):
    """What a command took: seconds, seconds of all processors, and GiB at most."""

    seconds: float
    processor: float
    gib: float


_NOW = Path(__file__).parents[2]
_PRIORS = ("-m", "assumptions=glob(*)", "sampler=prior_only", "plots=false", "name=sets")


def _sweep(sets: int) -> tuple[str, ...]:
    return ("-m", "experiment=latin_hypercube", f"sweep.design.sets={sets}", "name=sweep")


ROWS = (
    Row("run plots=false", ("plots=false",), 10.0),
    Row("run", (), 14.0),
    Row("run typo=1", ("typo=1",), 1.5, status=2),
    Row("run -m typo=1", ("-m", "typo=1"), 1.5, status=2),
    Row("run -m, all done", _PRIORS, 4.0),
    Row("1,000 sets", _sweep(1000), 45.0, anew="sweep"),
    Row("10,000 sets", _sweep(10_000), 180.0, anew="sweep", once=True),
)
"""That of 10,000 sets may take 2 GiB."""


def measured(row: Row, checkout: Path, place: Path) -> Cost:
    """Run one command of a checkout and return what it took."""
    if row.anew:
        shutil.rmtree(place / "outputs" / row.anew, ignore_errors=True)
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", "from estimator.cli import entry; entry()", "run", *row.words],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) != row.status:
        raise RuntimeError(f"{row.name} of {checkout} ended with status {status}")
    unit = 1024**3 if sys.platform == "darwin" else 1024**2
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def compared(row: Row, checkouts: list[Path], places: list[Path], runs: int) -> list[Cost]:
    """Medians of what a command took in each checkout, run in turns."""
    if row.once:
        checkouts, places, runs = checkouts[:1], places[:1], 1
    costs = [
        [measured(row, *pair) for pair in zip(checkouts, places, strict=True)] for _ in range(runs)
    ]
    return [
        Cost(*map(statistics.median, zip(*of_one, strict=True)))
        for of_one in zip(*costs, strict=True)
    ]


def main() -> None:
    """Fill the caches, time every command, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=os.environ.get("BEFORE"), help="another checkout")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    checkouts = [_NOW, *([Path(options.before).resolve()] if options.before else [])]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.runs} runs\n")
    print("| command | seconds | at most | processor s | GiB | before: s | processor s | faster |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(number) for number in range(len(checkouts))]
        for checkout, place in zip(checkouts, places, strict=True):
            place.mkdir()
            for words in (("plots=false",), _PRIORS, _sweep(20)):
                measured(Row("warm", words, 0.0), checkout, place)
        for row in ROWS:
            now, *others = compared(row, checkouts, places, options.runs)
            text = f"| {row.name} | {now.seconds:.1f} | {row.seconds:g} | {now.processor:.1f} "
            text += f"| {now.gib:.2f} "
            for before in others:
                faster = before.seconds / now.seconds
                text += f"| {before.seconds:.1f} | {before.processor:.1f} | {faster:.1f} "
            print(f"{text}|", flush=True)


if __name__ == "__main__":
    main()
