"""What more machines would do for a sweep: a simulation with measured times.

One driver composes and plans the sets, hands out fits, takes their results one after the other,
reweights and writes. A worker fits one set at a time. As with `estimator.sweep.executors`, twice as
many fits are handed out as there are workers, so that none waits for the next.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

NODES = (1, 2, 10, 100)
PER_NODE = 2
"""Fits at a time of a node: its cores."""
SETS = (1_000, 10_000, 100_000)
_BEFORE = ("compose", "plan")  # of the driver: before the first fit, and after the last
_AFTER = ("collect", "tables")


@dataclass(frozen=True)
class Costs:
    """Measured seconds of the processor.

    Attributes
    ----------
    start
        What each sweep takes whatever its size: imports, and the pilot.
    before, reweighting, after
        Of the driver, a set: before the first fit, in each round, and after the last fit.
    keep
        Of the driver, a fit whose result it takes.
    fits
        Of workers: what each of some fits took.
    rounds
        How many fits each round of a planned sweep had, the check last; of the largest measured.
    gib
        Memory of the driver: whatever the size, and a set.
    """

    start: float
    before: float
    reweighting: float
    after: float
    keep: float
    fits: tuple[float, ...]
    rounds: tuple[int, ...]
    gib: tuple[float, float]

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]], fitted: dict[str, Any]) -> Costs:
        """Costs of rows of `tests.benchmarks.scale`: planned sweeps, and one of fits."""
        rows = sorted(rows, key=lambda row: int(row["sets"]))
        small, large = rows[0], rows[-1]
        more = large["sets"] - small["sets"]

        def a_set(*stages: str) -> float:
            found = [sum(row["stages"].get(s, 0.0) for s in stages) for row in (small, large)]
            return float((found[1] - found[0]) / more)

        a_set_gib = (large["gib"] - small["gib"]) / more
        return cls(
            float(np.median([row["other"] + row["stages"]["pilot"] for row in rows])),
            a_set(*_BEFORE),
            a_set("reweight"),
            a_set(*_AFTER),
            fitted["stages"]["keep"] / fitted["fits"],
            tuple(fitted["fit_seconds"]),
            (*large["rounds"], large["checks"]),
            (small["gib"] - small["sets"] * a_set_gib, a_set_gib),
        )

    @property
    def most_workers(self) -> float:
        """How many workers one driver can keep at work: more only wait for it."""
        return float(np.mean(self.fits)) / self.keep


@dataclass(frozen=True)
class Outcome:
    """How long a sweep takes, and for how much of that time the driver works."""

    seconds: float
    driver: float


def round_of(durations: Sequence[float], workers: int, keep: float) -> float:
    """Seconds until the driver has taken the results of all fits of a round.

    Parameters
    ----------
    durations
        Of the fits, in the order in which they are handed out.
    workers
        Fits at a time.
    keep
        Seconds that the driver takes over each result; then it hands out the next fit.
    """
    events: list[tuple[float, int, str]] = []
    number = count()
    waiting = list(reversed(durations))  # not yet handed out
    queue: list[float] = []  # handed out, and not begun
    idle, driver_free, now = workers, 0.0, 0.0

    def hand_out(time: float) -> None:
        nonlocal idle
        if waiting:
            queue.insert(0, waiting.pop())
        if queue and idle:
            idle -= 1
            heapq.heappush(events, (time + queue.pop(), next(number), "fitted"))

    for _ in range(2 * workers):
        hand_out(0.0)
    while events:
        now, _, what = heapq.heappop(events)
        if what == "fitted":
            idle += 1
            if queue:
                idle -= 1
                heapq.heappush(events, (now + queue.pop(), next(number), "fitted"))
            driver_free = max(driver_free, now) + keep
            heapq.heappush(events, (driver_free, next(number), "taken"))
        else:
            hand_out(now)
    return now


def sweep_of(costs: Costs, sets: int, nodes: int, *, planned: bool) -> Outcome:
    """Simulate a sweep.

    Parameters
    ----------
    costs, sets, nodes
        What is measured, and how much of what there is.
    planned
        Whether most sets are reweighted; else all are fitted.
    """
    rng = np.random.default_rng(1)
    rounds = costs.rounds if planned else (sets,)
    driver = costs.start + sets * (costs.before + costs.after)
    driver += sets * costs.reweighting if planned else 0.0
    seconds = driver
    for fits in rounds:
        durations = rng.choice(costs.fits, fits).tolist()
        seconds += round_of(durations, PER_NODE * nodes, costs.keep)
        driver += fits * costs.keep
    return Outcome(seconds, driver)


def print_tables(costs: Costs) -> None:
    """Print what the simulation says, as Markdown."""
    print(
        f"\na fit takes {np.mean(costs.fits):.1f} s of a worker and {costs.keep:.2f} s of the "
        f"driver, which can keep {costs.most_workers:.0f} workers at work; a set takes "
        f"{1000 * (costs.before + costs.after):.1f} ms of it, and {1000 * costs.reweighting:.1f} "
        f"ms more if it is reweighted; rounds {list(costs.rounds)}; memory of the driver "
        f"{costs.gib[0]:.2f} GiB and {1000 * costs.gib[1]:.3f} GiB a thousand sets"
    )
    for planned in (True, False):
        print(f"\n| sets, {'planned' if planned else 'all fitted'} |", end="")
        print("".join(f" {n} node{'s' if n > 1 else ''} |" for n in NODES))
        print(f"|---:|{'---:|' * len(NODES)}")
        for sets in SETS:
            print(f"| {sets:,} |", end="")
            for nodes in NODES:
                found = sweep_of(costs, sets, nodes, planned=planned)
                share = found.driver / found.seconds
                print(f" {_time(found.seconds)} ({share:.0%}) |", end="")
            print(flush=True)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
