"""Kill real sweeps again and again: ``python -m tests.benchmarks.kills --kills 20 --seed 1``.

Small sweeps of the real model, one that reweights and one that fits every set, are run by the
command line. From the moment when the first fit begins they are killed (SIGKILL of their process
group) at random moments, and run again by the same command, until all kills are done and the sweep
has ended. Its numbers are held to those of a sweep that was never stopped, to the last bit: every
array of ``sweep.nc`` but the seconds, all draws that are kept, ``summary.csv`` and ``check.csv``.
Three ways to work: threads, processes, and a Ray cluster of two nodes in this machine. Then two
sweeps at once into one folder, and a folder that is removed in the middle.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import xarray as xr

from estimator.sweep.journal import FILE, SweepJournal
from tests.sweep.nodes import own_ray, two_nodes

_SMALL = (
    *("run", "-m", "experiment=latin_hypercube", "window=since_2025", "plots=false"),
    *("sweep.base_draws=300", "sweep.fit.draws=150", "sweep.workers=2"),
    *("sampler.min_ess=50", "sampler.max_rhat=1.1"),
)
SWEEPS = {
    "reweighted": ("sweep.method=plan", "sweep.design.sets=12", "sweep.check=2"),
    "fitted": ("sweep.method=fit", "sweep.design.sets=4"),
}
_RAY = "ray, two nodes"
WAYS = {
    "threads": (),
    "processes": ("sweep.backend=processes",),
    _RAY: ("sweep.executor=ray",),
}
_LEFT = (".writing-*", ".partial-*")
_PATIENCE = 600.0  # seconds
_MOST = 0.5  # of the time from the first fit to the end: how far kills are from what is waited for


@dataclass
class Tally:
    """What became of one way: kills, sweeps that ended, those with other numbers, and so on."""

    kills: int = 0
    ended: int = 0
    unequal: list[str] = field(default_factory=list)
    again: int = 0
    left: int = 0
    seconds: float = 0.0
    finished_at_kill: list[int] = field(default_factory=list)


class Sweep:
    """One small sweep in a folder of its own, run by the command line.

    Parameters
    ----------
    base
        Folder of its outputs.
    words
        Of the command, beside those that all share.
    environment
        Of its process; None: this one's.
    """

    def __init__(
        self, base: Path, words: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = base / "sweep"
        self._environment = {**os.environ, **(environment or {})}
        self._words = [
            *(sys.executable, "-c", "from estimator.cli import entry; entry()", *_SMALL, *words),
            *(f"output_dir='{base}'", "name=sweep"),
        ]

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Run it in a process group of its own, which ends with the block."""
        process = subprocess.Popen(  # noqa: S603 - our own command
            self._words,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def wait_for_fits(self, process: subprocess.Popen[str]) -> bool:
        """Wait until it has a pilot and has written: it fits then. False if it ends before."""
        end = time.monotonic() + _PATIENCE
        while not (self.folder / FILE).exists():
            if process.poll() is not None or time.monotonic() > end:
                return False
            time.sleep(0.02)
        uri = f"{(self.folder / FILE).resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as base:
            before = base.execute("pragma data_version").fetchone()
            while process.poll() is None and time.monotonic() < end:
                has_written = base.execute("pragma data_version").fetchone() != before
                if has_written and self._has_pilot(base):
                    return True
                time.sleep(0.02)
        return False

    @staticmethod
    def _has_pilot(base: sqlite3.Connection) -> bool:
        try:
            found = base.execute("select count(*) from records where kind = 'pilot'").fetchone()
        except sqlite3.OperationalError:  # the table is not there yet
            return False
        return bool(found[0])

    def wait_for_a_fit(self, process: subprocess.Popen[str], known: int) -> None:
        """Wait until more fits are finished than are known, or the process ends."""
        end = time.monotonic() + _PATIENCE
        while process.poll() is None and len(self.fits()) <= known and time.monotonic() < end:
            time.sleep(0.05)

    def fits(self) -> dict[str, float]:
        """Seconds of each fit that is finished: one that is made again takes others."""
        with SweepJournal(self.folder, read_only=True) as journal:
            return {fit.fit_id: fit.seconds for fit in journal.fits()}

    def numbers(self) -> dict[str, object]:
        """Everything but how long it took."""
        found: dict[str, object] = {
            name: (self.folder / name).read_bytes()
            for name in ("summary.csv", "check.csv")
            if (self.folder / name).exists()
        }
        for path in [self.folder / "sweep.nc", *sorted((self.folder / "fits").glob("[!.]*.nc"))]:
            tree = xr.open_datatree(path, engine="netcdf4").load()
            for group in tree.subtree:
                for name, variable in group.to_dataset().variables.items():
                    if name != "sampler_seconds":
                        values = variable.values
                        content = values.tolist() if values.dtype == object else values.tobytes()
                        found[f"{path.name}{group.path}/{name}"] = (variable.dims, content)
        return found


def whole(sweep: Sweep) -> tuple[dict[str, object], float]:
    """Run a sweep without a kill; return its numbers, and its seconds from its first fit on."""
    with sweep.running() as process:
        if not sweep.wait_for_fits(process):
            raise RuntimeError(process.communicate()[1])
        begin = time.perf_counter()
        _, told = process.communicate(timeout=_PATIENCE)
        if process.returncode:
            raise RuntimeError(told)
    return sweep.numbers(), time.perf_counter() - begin


def killed(
    sweep: Sweep, expected: Mapping[str, object], span: float, kills: int, rng: random.Random
) -> Tally:
    """Kill a sweep so many times, or until it has ended, and then let it end.

    Parameters
    ----------
    sweep
        Not begun.
    expected
        Its numbers.
    span
        Seconds from the first fit on in which kills fall.
    kills, rng
        How many at most, and what chooses their moments.
    """
    tally = Tally()
    begin = time.perf_counter()
    known: dict[str, float] = {}
    while True:
        with sweep.running() as process:
            if tally.kills < kills and sweep.wait_for_fits(process):
                if rng.random() < 0.5:  # else slow starts leave all kills to the first fit
                    sweep.wait_for_a_fit(process, len(known))
                try:
                    process.wait(rng.uniform(0.0, span))
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            _, told = process.communicate(timeout=_PATIENCE)
        fits = sweep.fits()
        tally.again += sum(fits.get(name) != seconds for name, seconds in known.items())
        known = fits
        if process.returncode != -signal.SIGKILL:
            break
        tally.kills += 1
        tally.finished_at_kill.append(len(fits))
    tally.seconds = time.perf_counter() - begin
    tally.left = sum(len(list(sweep.folder.rglob(pattern))) for pattern in _LEFT)
    tally.ended = 1
    if process.returncode:
        tally.unequal.append(told.strip()[-300:])
        return tally
    found = sweep.numbers()
    if differing := [n for n in {**expected, **found} if expected.get(n) != found.get(n)]:
        tally.unequal.append(f"{len(differing)} of {len(expected)} differ: {differing[:3]}")
    return tally


def joined(tallies: Sequence[Tally]) -> Tally:
    """Add up the sweeps of one way."""
    return Tally(
        sum(t.kills for t in tallies),
        sum(t.ended for t in tallies),
        [text for t in tallies for text in t.unequal],
        sum(t.again for t in tallies),
        sum(t.left for t in tallies),
        sum(t.seconds for t in tallies),
        [n for t in tallies for n in t.finished_at_kill],
    )


@contextmanager
def surroundings(way: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield the words of a way, and the environment that it needs."""
    if way != _RAY:
        yield WAYS[way], {}
        return
    with (
        own_ray() as (folder, environment),
        two_nodes(folder, {**os.environ, **environment}) as address,
    ):
        yield (*WAYS[way], f"sweep.ray.address={address}"), environment


def two_at_once(base: Path, expected: Mapping[str, object]) -> str:
    """Start a second sweep into the folder of the first; say how both ended."""
    first, second = (Sweep(base, SWEEPS["reweighted"]) for _ in range(2))
    with first.running() as process:
        first.wait_for_fits(process)
        with second.running() as refused:
            _, told = refused.communicate(timeout=_PATIENCE)
        process.communicate(timeout=_PATIENCE)
    equal = "equal" if first.numbers() == expected else "OTHER"
    return (
        f"the second: exit status {refused.returncode}, {_last(told)}; "
        f"the first: exit status {process.returncode}, {equal} numbers"
    )


def folder_removed(base: Path) -> str:
    """Remove the folder of a sweep that is fitting; say how it ended."""
    sweep = Sweep(base, SWEEPS["fitted"])
    with sweep.running() as process:
        sweep.wait_for_fits(process)
        sweep.wait_for_a_fit(process, 0)
        shutil.rmtree(sweep.folder)
        _, told = process.communicate(timeout=_PATIENCE)
    there = sorted(path.name for path in sweep.folder.rglob("*")) if sweep.folder.exists() else []
    return f"exit status {process.returncode}, {_last(told)}; left in the folder: {there or 'none'}"


def _last(told: str) -> str:
    lines = told.strip().splitlines()
    traces = sum(line.startswith("Traceback") for line in lines)
    text = " ".join(lines[-2:]) if lines else "nothing told"
    return f"{traces} tracebacks, told: {text!r}"


def main() -> None:
    """Kill sweeps of all ways and print what became of them as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of all ways together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--keep", type=Path, help="a folder in which the sweeps stay")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - no secret
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as name:
        base = options.keep or Path(name)
        expected = {of: whole(Sweep(base / "whole" / of, words)) for of, words in SWEEPS.items()}
        for of, (_, span) in expected.items():
            print(f"{of}, never stopped: {span:.0f} s from the first fit to the end", flush=True)
        print("\n| way | kills | fits finished at each | ended | with equal numbers |", end=" ")
        print("finished fits made again | files half written | seconds |")
        print("|---|---:|---|---:|---:|---:|---:|---:|", flush=True)
        left = options.kills
        for place, way in enumerate(options.ways):
            wanted = -(-left // (len(options.ways) - place))
            left -= wanted
            _print_way(base, way, wanted, expected, rng)
        print(f"\nTwo at once: {two_at_once(base / 'two', expected['reweighted'][0])}", flush=True)
        print(f"\nFolder removed: {folder_removed(base / 'removed')}", flush=True)


def _print_way(
    base: Path,
    way: str,
    wanted: int,
    expected: Mapping[str, tuple[dict[str, object], float]],
    rng: random.Random,
) -> None:
    tallies: list[Tally] = []
    with surroundings(way) as (words, environment):
        while (done := sum(tally.kills for tally in tallies)) < wanted:
            of = list(SWEEPS)[len(tallies) % 2]
            place = base / way.partition(",")[0] / str(len(tallies))
            most = -(-wanted // 2) if len(tallies) == 0 else wanted - done
            sweep = Sweep(place, (*SWEEPS[of], *words), environment)
            numbers, span = expected[of]
            tallies.append(killed(sweep, numbers, _MOST * span, most, rng))
    total = joined(tallies)
    print(
        f"| {way} | {total.kills} | {' '.join(map(str, total.finished_at_kill))} | {total.ended} "
        f"| {total.ended - len(total.unequal)} | {total.again} | {total.left} "
        f"| {total.seconds:.0f} |",
        flush=True,
    )
    for text in total.unequal:
        print(f"\n{way}: {text}\n", flush=True)


if __name__ == "__main__":
    main()
