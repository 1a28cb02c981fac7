"""Time of thousands of claims: ``python -m tests.benchmarks.many_claims``.

Some 4,500 claims of ten origins on four quantities in twelve months (tests/model/many_claims.py):
what `estimator ingest` takes, what it takes to load, compile and sample them, and time and size of
the whole `estimator run` with pictures, of `estimator audit` and of `estimator report` on it, each
in a process of its own. Beside the time that passes stands that of the processor, which other work
on the machine does not lengthen. ``--whole`` leaves out the single steps.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from estimator.assumptions.compose import assumption_set
from estimator.cli import main
from estimator.evidence import load_evidence
from estimator.fitting.compiled import compiled
from estimator.fitting.diagnostics import Diagnostics, diagnose
from estimator.fitting.inference import Draws
from estimator.fitting.ladder import fit_plainly
from estimator.model.inputs import model_inputs
from estimator.quantities.derived import reported_quantities
from estimator.quantity import DIAGNOSED
from tests.model.many_claims import MAPPING, write_table

WINDOW = ("window.start=2031-01-01", "window.end=2031-12-31")


def benchmark(*, steps: bool = True) -> None:
    """Print seconds of each step, diagnostics, and the sizes of what is written."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        claims, seconds = _ingest(base)
        if steps:
            _steps(claims, seconds)
        for step, taken in seconds.items():
            print(f"{step:24} {taken:6.1f} s")
        _commands(base, claims)


def _ingest(base: Path) -> tuple[str, dict[str, float]]:
    n_rows = write_table(base / "table.csv")
    (base / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    claims = str(base / "claims.csv")
    mapped = ["--mapping", str(base / "mapping.yaml"), "-o", claims]
    begin = time.perf_counter()
    main(["ingest", "mapping", str(base / "table.csv"), *mapped])
    return claims, {f"ingest {n_rows} rows": time.perf_counter() - begin}


def _steps(claims: str, seconds: dict[str, float]) -> None:
    """Add seconds of loading, compiling and sampling, and print the diagnostics."""
    assumptions = assumption_set(["experiment=other_war", f"evidence.files=['{claims}']", *WINDOW])
    begin = time.perf_counter()
    evidence = load_evidence(assumptions)
    inputs = model_inputs(evidence, assumptions)
    seconds["load"] = time.perf_counter() - begin
    begin = time.perf_counter()
    _ = compiled(inputs.structure, inputs).density
    seconds["compile"] = time.perf_counter() - begin
    begin = time.perf_counter()

    def judge(draws: Draws) -> tuple[None, Diagnostics]:
        posterior = reported_quantities(draws.posterior, inputs, evidence)
        reported = posterior[[name for name in DIAGNOSED if name in posterior]]
        reported = reported.drop_dims("confirmed_claim")
        return None, diagnose(reported, draws.sample_stats, assumptions.sampler)

    seed = np.random.SeedSequence(assumptions.seed)
    fitted = fit_plainly(inputs, assumptions.sampler, seed, judge)
    seconds[f"sample, {fitted.attempts} attempts"] = time.perf_counter() - begin
    diagnostics = fitted.diagnostics
    if diagnostics is None:
        raise SystemExit(fitted.error)
    print(
        f"R-hat {diagnostics.max_rhat:.3f}, ESS {diagnostics.min_ess_bulk:.0f} bulk, "
        f"{diagnostics.min_ess_tail:.0f} tail, {diagnostics.divergences} divergences"
    )


def _commands(base: Path, claims: str) -> None:
    """Time the commands from start to end, and print the sizes of what they write."""
    run = base / "outputs" / "many"
    overrides = ["experiment=other_war", f"evidence.files=['{claims}']", *WINDOW]
    places = [f"output_dir='{base / 'outputs'}'", "name=many", "label=war"]
    for command in (
        ["run", *overrides, *places],
        ["audit", str(run), "audit=claims_only"],
        ["report", str(run), "audit=claims_only", "--no-fits"],
    ):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        words = [sys.executable, "-c", "from estimator.cli import entry; entry()", *command]
        subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - our own command
        taken = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        what = f"estimator {command[0]}"
        print(f"{what:24} {taken:6.1f} s ({busy:.1f} s of the processor)", flush=True)
    for path in (
        run / "war" / "result.nc",
        *sorted((run / "war" / "plots").glob("*.png")),
        run / "report.html",
    ):
        print(f"{path.name:24} {path.stat().st_size / 1e6:6.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--whole", action="store_true", help="the commands alone")
    benchmark(steps=not parser.parse_args().whole)
