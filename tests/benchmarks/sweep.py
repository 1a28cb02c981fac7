"""Time four ways to work out a sweep: ``make bench``, or ``python -m tests.benchmarks.sweep``.

Each way runs in a process of its own, on the same sets (the first of the shipped Latin hypercube),
with diagnostics and storage:

- a: build the model anew for each set and sample it with PyMC's defaults;
- b: the same with nutpie, compiled anew for each set;
- c: compile once, fit each set (`sweep.method=fit`);
- d: plan: fit a few, reweight the rest; once with empty compilation caches, once with full ones.

For c the seconds a set are those after the first model is compiled and its pilot is fitted, which
are listed as start; for d the whole command counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np


def naive(way: str, sets: int, folder: Path) -> dict[str, Any]:
    """Fit sets one by one, each with a model of its own."""
    import nutpie
    import pymc as pm

    from estimator.assumptions.compose import plain_config
    from estimator.evidence import load_evidence
    from estimator.fitting.diagnostics import diagnose
    from estimator.model.build import build_model
    from estimator.model.inputs import model_inputs
    from estimator.quantities.derived import reported_quantities
    from estimator.quantity import DIAGNOSED
    from estimator.sweep.design import design_overrides
    from estimator.sweep.options import SweepOptions
    from estimator.sweep.sets import compose_sets

    plain = plain_config([f"sweep.design.sets={max(sets, 2)}", _PRESET])
    design = SweepOptions.from_config(plain["sweep"]).design
    if design is None:
        raise RuntimeError("the preset has a design")
    seconds, sizes = [], []
    for one in compose_sets(design_overrides(design, plain)[:sets]):
        begin = time.perf_counter()
        if one.assumptions is None:
            raise RuntimeError(one.error)
        evidence = load_evidence(one.assumptions)
        inputs = model_inputs(evidence, one.assumptions)
        model = build_model(evidence, one.assumptions)
        if way == "a":
            trace = pm.sample(model=model, progressbar=False, random_seed=1, cores=2)
        else:
            compiled = nutpie.compile_pymc_model(model)
            trace = nutpie.sample(compiled, progress_bar=False, seed=1, cores=2, chains=4)
        quantities = reported_quantities(trace["posterior"].to_dataset(), inputs, evidence)
        found = diagnose(
            quantities[[name for name in DIAGNOSED if name in quantities]].isel(
                confirmed_claim=evidence.dataset["confirmed_used"].values
            ),
            trace["sample_stats"].to_dataset(),
            one.assumptions.sampler,
        )
        trace.to_netcdf(folder / f"{one.position}.nc")
        seconds.append(time.perf_counter() - begin)
        sizes.append(min(found.min_ess_bulk, found.min_ess_tail))
    return {"seconds_a_set": float(np.median(seconds)), "sets": sets, "ess": _middle(sizes)}


def swept(way: str, sets: int, folder: Path) -> dict[str, Any]:
    """Run the shipped preset as the command line does."""
    from estimator import cli
    from estimator.sweep.journal import SweepJournal

    method = "fit" if way == "c" else "plan"
    begin = time.perf_counter()
    arguments = [_PRESET, f"sweep.design.sets={sets}", f"sweep.method={method}"]
    arguments += [f"output_dir={folder}", "name=bench"]
    status = cli.main(["run", "-m", *arguments])
    whole = time.perf_counter() - begin
    with SweepJournal(folder / "bench", read_only=True) as journal:
        obtained = list(journal.finished().values())
        fits = journal.fits()
    counts = {how: sum(one.how == how for one in obtained) for how in ("fitted", "reweighted")}
    ess = _middle([one.ess for one in obtained])
    result = {"sets": sets, "whole": whole, "ess": ess, "status": status, "fits": len(fits)}
    if way == "c":
        # Two sets at a time: what is left of the whole is imports, compilation, the pilot and
        # writing; the fits' own seconds over the workers are what a further set costs.
        start = whole - sum(fit.seconds for fit in fits) / 2
        return {**result, **counts, "start": start, "seconds_a_set": (whole - start) / sets}
    return {**result, **counts, "seconds_a_set": whole / sets}


_PRESET = "experiment=latin_hypercube"


def _middle(numbers: list[float]) -> float:
    return float(np.median(numbers))


def _stage(way: str, sets: int, caches: Path | None) -> dict[str, Any]:
    environment = dict(os.environ)
    if caches is not None:
        environment["PYTENSOR_FLAGS"] = f"base_compiledir={caches / 'pytensor'}"
        environment["NUMBA_CACHE_DIR"] = str(caches / "numba")
    command = [sys.executable, "-m", "tests.benchmarks.sweep", "--stage", way, "--sets", str(sets)]
    begin = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this very file
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "with_python": time.perf_counter() - begin}


def main() -> None:
    """Run all ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=["a", "b", "c", "d"])
    parser.add_argument("--sets", type=int, default=1000, help="sets of the planned sweep")
    parser.add_argument("--naive", type=int, default=2, help="sets of the ways a and b")
    parser.add_argument("--fitted", type=int, default=100, help="sets of the way c")
    options = parser.parse_args()
    if options.stage:
        with tempfile.TemporaryDirectory() as folder:
            work = naive if options.stage in "ab" else swept
            result = work(options.stage, options.sets, Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(json.dumps({**result, "peak_gib": peak}))
        return
    with tempfile.TemporaryDirectory() as caches:
        stages = {
            "d, empty caches": ("d", options.sets, Path(caches)),
            "d, full caches": ("d", options.sets, Path(caches)),
            "c": ("c", options.fitted, Path(caches)),
            "b": ("b", options.naive, Path(caches)),
            "a": ("a", options.naive, Path(caches)),
        }
        found = {}
        for name, (way, sets, where) in stages.items():
            found[name] = _stage(way, sets, where)
            print(name, json.dumps(found[name]), flush=True)
    slow = found["a"]["seconds_a_set"]
    print(
        "\n| way | sets | seconds a set | times faster than a | worst ESS/s | peak GiB | whole s |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, one in found.items():
        each = one["seconds_a_set"]
        print(
            f"| {name} | {one['sets']} | {each:.3f} | {slow / each:.0f} | {one['ess'] / each:,.0f} "
            f"| {one['peak_gib']:.2f} | {one['with_python']:.0f} |"
        )


if __name__ == "__main__":
    main()
