"""How sweeps grow with their sets, and loading with claims: ``python -m tests.benchmarks.scale``.

Every row runs in a process of its own, one fit at a time, with warm caches. Stages of a sweep are
timed by the processor's seconds of its process, which other work on the machine does not lengthen.
Then seconds of the processor are fitted by least squares, and `tests.benchmarks.cluster` says what
more machines would do. ``--sets`` and ``--claims`` choose the rows; none of a kind: ``--sets``
without numbers.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests.benchmarks import cluster

SETS = (100, 1000, 10_000)
FITTED = 16
CLAIMS = (100, 1000, 10_000, 100_000)
_MOST_INPUTS = 10_000  # claims of which the inputs of the model are made
_FIRST, _DAYS = dt.date(2022, 2, 24), 1430
_ORIGINS, _QUANTITIES, _LENGTHS = 25, ("losses", "killed", "wounded", "recruits"), (1, 7, 31)

# What is called in the driver, one after the other, and the stage that it belongs to.
_STAGES = {
    "estimator.batch.with_design": "compose",
    "estimator.sweep.run_sweep.compose_sets": "compose",
    "estimator.sweep.run_sweep.Engine": "plan",
    "estimator.sweep.engine.Engine._pilots": "pilot",
    "estimator.sweep.engine.fit": "fit",
    "estimator.sweep.engine.Engine._keep": "keep",
    "estimator.sweep.engine.Engine._next_round": "plan",
    "estimator.sweep.engine.Engine._reweight_pending": "reweight",
    "estimator.sweep.run_sweep.collect_sweep": "collect",
    "estimator.sweep.run_sweep.check_table": "check",
    "estimator.batch.Batch.finish": "tables",
    "estimator.batch.Batch.describe": "tables",
}


def sets_row(sets: int, method: str, base: Path) -> dict[str, Any]:
    """Run a sweep of the shipped Latin hypercube and say what each of its stages took.

    Parameters
    ----------
    sets, method
        How many, and whether all are fitted ("fit") or planned ("plan").
    base
        Folder of its outputs.
    """
    from estimator import cli
    from estimator.sweep.journal import SweepJournal

    seconds: dict[str, float] = defaultdict(float)
    fits: list[float] = []
    started = time.process_time()
    with ExitStack() as stack:
        for name, stage in _STAGES.items():
            module, _, attribute = name.rpartition(".")
            place = _found(module)
            timed = _timed(getattr(place, attribute), stage, seconds, fits)
            stack.enter_context(mock.patch.object(place, attribute, timed))
        words = [
            "experiment=latin_hypercube",
            f"sweep.design.sets={sets}",
            f"sweep.method={method}",
        ]
        words += ["sweep.workers=1", f"output_dir='{base}'", "name=scale"]
        status = cli.main(["run", "-m", *words])
    whole = time.process_time() - started
    folder = base / "scale"
    with SweepJournal(folder, read_only=True) as journal:
        obtained = [one.how for one in journal.finished().values()]
        rounds = [len(tasks) for _, tasks in sorted(journal.rounds().items())]
        checks = sum(fit.kind == "check" for fit in journal.fits())
    return {
        "sets": sets,
        "method": method,
        "status": status,
        "rounds": rounds,
        "checks": checks,
        "fits": len(fits),
        "reweighted": obtained.count("reweighted"),
        "fit_seconds": fits,
        "stages": seconds,
        "other": whole - sum(seconds.values()),
        "processor": time.process_time(),
        "bytes": _size(folder),
    }


def _found(name: str) -> Any:
    """Return a module, or a class in one."""
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(module), attribute)


def _timed(
    function: Callable[..., Any], stage: str, seconds: dict[str, float], fits: list[float]
) -> Callable[..., Any]:
    """Add what calls of a function take to a stage; none of them calls another that is timed."""

    def call(*args: Any, **kwargs: Any) -> Any:
        begin = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            taken = time.process_time() - begin
            seconds[stage] += taken
            if stage == "fit":
                fits.append(taken)

    return call


def claims_row(claims: int, base: Path) -> dict[str, Any]:
    """Load a made-up table, and make the inputs of a model of it if it is not too long."""
    from estimator.assumptions.compose import assumption_set
    from estimator.evidence import load_evidence, read_claims
    from estimator.model.inputs import model_inputs

    path = base / "claims.csv"
    write_claims(path, claims)
    window = ["window.start=2022-02-24", "window.end=2026-01-31"]
    assumptions = assumption_set(["experiment=other_war", f"evidence.files=['{path}']", *window])
    steps: dict[str, float] = {}
    begin = time.process_time()
    table = read_claims([str(path)])
    steps["read"] = time.process_time() - begin
    begin = time.process_time()
    evidence = load_evidence(assumptions, table)
    steps["select"] = time.process_time() - begin
    loaded = _peak()
    if claims <= _MOST_INPUTS:
        begin = time.process_time()
        model_inputs(evidence, assumptions)
        steps["inputs"] = time.process_time() - begin
    return {
        "claims": claims,
        "steps": steps,
        "loaded_gib": loaded,
        "bytes": path.stat().st_size,
        "used": int(evidence.dataset["used"].sum()),
    }


def write_claims(path: Path, claims: int) -> None:
    """Write claims of 25 origins on four quantities in four years; one in fifty is a repeat."""
    from estimator.evidence.schema import REQUIRED_COLUMNS

    rng = np.random.default_rng(1)
    optional = ("population", "speaker", "evidence_group", "derived_from")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, (*REQUIRED_COLUMNS, *optional), restval="")
        writer.writeheader()
        for number in range(claims):
            origin = number // len(_QUANTITIES) % _ORIGINS
            length = _LENGTHS[origin % len(_LENGTHS)]
            first = _FIRST + dt.timedelta(int(rng.integers(_DAYS - length)))
            writer.writerow(
                {
                    "id": f"C{number:06}",
                    "quantity": _QUANTITIES[number % len(_QUANTITIES)],
                    "period_start": first,
                    "period_end": first + dt.timedelta(length - 1),
                    "value": int(rng.integers(100, 5000)),
                    "unit": "persons",
                    "hedge": "about" if number % 3 else "at_least",
                    "status": "claimed",
                    "origin": f"Origin {origin}",
                    "source": "made up",
                    "published": first + dt.timedelta(length + 5),
                    "citation": f"row {number}",
                    "population": "made_forces",
                    "speaker": "third_party",
                    "evidence_group": f"g{number // 100}" if number % 100 < 2 else "",
                    "derived_from": f"C{number - 1:06}" if number % 100 == 1 else "",
                }
            )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _peak() -> float:
    unit = 1024**3 if sys.platform == "darwin" else 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measured(kind: str, number: int) -> dict[str, Any]:
    """Measure one row in a process of its own; seconds are those of its processor, but `wall`."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--stage", kind, str(number), folder]
        begin = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - this very file
            [sys.executable, "-m", "tests.benchmarks.scale", *words],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{kind} {number}: {done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "wall": time.perf_counter() - begin}


def cost_model(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Least squares of the processor's seconds on one, fits and sets.

    What fits take is known apart from the rest, so each row gives two equations.
    """
    equations, seconds = [], []
    for row in rows:
        of_fits = row["stages"]["fit"] + row["stages"]["keep"]
        equations += [[0.0, row["fits"], 0.0], [1.0, 0.0, row["sets"]]]
        seconds += [of_fits, row["processor"] - of_fits]
    scale = np.array(seconds)  # relative errors: else the largest sweep alone would decide
    found, *_ = np.linalg.lstsq(np.array(equations) / scale[:, None], np.ones(len(scale)), None)
    columns = np.array([[1.0, row["fits"], row["sets"]] for row in rows])
    errors = columns @ found / np.array([row["processor"] for row in rows]) - 1.0
    names = ("constant", "fit", "set")
    return {**dict(zip(names, found.tolist(), strict=True)), "error": float(np.abs(errors).max())}


def _sets_table(rows: list[dict[str, Any]]) -> None:
    stages = ("compose", "plan", "fit", "keep", "reweight", "collect", "tables")
    print(
        f"\n| sets | fits | reweighted | {' | '.join(stages)} | processor s | wall s | GiB |",
        end="",
    )
    print(f" MB on disk |\n|{'---:|' * (len(stages) + 7)}", flush=True)
    for row in rows:
        print(f"| {row['sets']:,} | {row['fits']} | {row['reweighted']:,} ", end="")
        print("".join(f"| {row['stages'].get(name, 0.0):.1f} " for name in stages), end="")
        print(f"| {row['processor']:.0f} | {row['wall']:.0f} | {row['gib']:.2f} ", end="")
        print(f"| {row['bytes'] / 1e6:,.0f} |", flush=True)


def _claims_table(rows: list[dict[str, Any]]) -> None:
    print("\n| claims | read s | select and weigh s | model inputs s | GiB loaded | GiB | MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for row in rows:
        steps = row["steps"]
        inputs = f"{steps['inputs']:.1f}" if "inputs" in steps else ""
        print(f"| {row['claims']:,} | {steps['read']:.2f} | {steps['select']:.2f} ", end="")
        print(f"| {inputs} | {row['loaded_gib']:.2f} | {row['gib']:.2f} ", end="")
        print(f"| {row['bytes'] / 1e6:.1f} |", flush=True)


def main() -> None:
    """Measure all rows, fit the cost model and simulate the cluster; print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, nargs="*", default=list(SETS))
    parser.add_argument("--claims", type=int, nargs="*", default=list(CLAIMS))
    parser.add_argument("--rows", type=Path, help="keep the rows here as JSON, and use those kept")
    parser.add_argument("--stage", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        kind, number, folder = options.stage
        work = claims_row if kind == "claims" else partial(sets_row, method=kind)
        row = work(int(number), base=Path(folder))
        print(json.dumps({**row, "gib": _peak()}))
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    kept: dict[str, Any] = {}
    if options.rows and options.rows.exists():
        kept = json.loads(options.rows.read_text(encoding="utf-8"))

    def row_of(kind: str, number: int) -> dict[str, Any]:
        name = f"{kind} {number}"
        if name not in kept:
            kept[name] = measured(kind, number)
            if options.rows:
                options.rows.write_text(json.dumps(kept), encoding="utf-8")
        found: dict[str, Any] = kept[name]
        return found

    if options.claims:
        _claims_table([row_of("claims", number) for number in options.claims])
    if options.sets:
        fitted = row_of("fit", FITTED)
        rows = [row_of("plan", number) for number in options.sets]
        rows.sort(key=lambda row: int(row["sets"]))
        _sets_table([*rows, fitted])
        if len(rows) < 2:
            return
        model = cost_model(rows)
        print(
            f"\nseconds = {model['constant']:.0f} + {model['fit']:.2f} a fit + "
            f"{1000 * model['set']:.1f} a thousand sets; off by at most {model['error']:.0%}"
        )
        cluster.print_tables(cluster.Costs.of(rows, fitted))


if __name__ == "__main__":
    main()
