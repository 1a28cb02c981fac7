"""Time and memory of a comparison of many sets: ``python -m tests.benchmarks.compare``.

The sweep is made up (no sampler): 48 months, 8,000 draws a fit, seven of a thousand sets with draws
of their own and the others reweighted, as of the shipped Latin hypercube. What is measured is the
whole command `estimator compare`, with Python's start, in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from tests.studies.compare.on_disk import write_sweep

MONTHS = [str(month) for month in pd.period_range("2022-02", "2026-01", freq="M")]
_FITTED = 0.007
_REWEIGHTED = ("--no-plots", "--reference", "central #500")


def measured(folder: Path, *options: str) -> tuple[float, float, float]:
    """Seconds, processor seconds and GiB of one comparison."""
    code = "from estimator.cli import entry; entry()"
    begin = time.perf_counter()
    with (folder.parent / "printed.txt").open("w") as printed:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", code, "compare", str(folder), *options], stdout=printed
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"estimator compare ended with status {status}")
    unit = 1024**3 if sys.platform == "darwin" else 1024**2
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def main() -> None:
    """Write a sweep, compare it, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=10_000)
    sets = parser.parse_args().sets
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sweep"
        fitted = max(1, round(_FITTED * sets))
        write_sweep(folder, sets, draws=2000, fitted=fitted, months=MONTHS)
        print(f"{sets:,} sets, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        print("| comparison | seconds | processor seconds | GiB |")
        print("|---|---:|---:|---:|")
        for name, options in (
            ("tables, first set as reference", ("--no-plots",)),
            ("tables, a reweighted set as reference", _REWEIGHTED),
            ("tables and pictures", ()),
        ):
            took, processor, memory = measured(folder, *options)
            print(f"| {name} | {took:.0f} | {processor:.0f} | {memory:.2f} |", flush=True)


if __name__ == "__main__":
    main()
