"""Time of thousands of claims: ``python -m tests.benchmarks.many_claims``.

Some 4,500 claims of ten origins on four quantities in twelve months (tests/many_claims.py): what
`estimator ingest` takes, and what it takes to load, compile and sample them.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from estimator.cli import main
from estimator.compiled import compiled
from estimator.compose import assumption_set
from estimator.diagnostics import diagnose
from estimator.evidence import load_evidence
from estimator.inference import attempts, infer
from estimator.model.inputs import model_inputs
from estimator.quantities import DIAGNOSED, reported_quantities
from tests.many_claims import MAPPING, write_table


def benchmark() -> None:
    """Print seconds of each step, and the diagnostics."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        n_rows = write_table(base / "table.csv")
        (base / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
        claims = str(base / "claims.csv")
        mapped = ["--mapping", str(base / "mapping.yaml"), "-o", claims]
        seconds = {}
        begin = time.perf_counter()
        main(["ingest", "mapping", str(base / "table.csv"), *mapped])
        seconds[f"ingest {n_rows} rows"] = time.perf_counter() - begin
        window = ["window.start=2031-01-01", "window.end=2031-12-31"]
        assumptions = assumption_set(
            ["experiment=other_war", f"evidence.files=['{claims}']", *window]
        )
        begin = time.perf_counter()
        evidence = load_evidence(assumptions)
        inputs = model_inputs(evidence, assumptions)
        seconds["load"] = time.perf_counter() - begin
        begin = time.perf_counter()
        _ = compiled(inputs.structure, inputs).density
        seconds["compile"] = time.perf_counter() - begin
        for number, sampler in enumerate(attempts(inputs, assumptions.sampler), start=1):
            begin = time.perf_counter()
            draws = infer(inputs, sampler, np.random.SeedSequence(assumptions.seed))
            seconds[f"sample, attempt {number}"] = time.perf_counter() - begin
            posterior = reported_quantities(draws.posterior, inputs, evidence)
            reported = posterior[[name for name in DIAGNOSED if name in posterior]]
            found = diagnose(reported.drop_dims("confirmed_claim"), draws.sample_stats, sampler)
            if found.ok:
                break
    for step, taken in seconds.items():
        print(f"{step:24} {taken:6.1f} s")
    print(
        f"R-hat {found.max_rhat:.3f}, ESS {found.min_ess_bulk:.0f} bulk, "
        f"{found.min_ess_tail:.0f} tail, {found.divergences} divergences"
    )


if __name__ == "__main__":
    benchmark()
