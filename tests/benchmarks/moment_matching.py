"""Whether moment matching would spare the audit its fits.

``python -m tests.benchmarks.moment_matching``: single claims and evidence groups that importance
weights cannot leave out of a set (k-hat over 0.7) are left out by a fit. In place of a fit ArviZ's
`loo_moment_match` moves the draws towards the posterior without them (Paananen and others, 2021).
Told is k-hat before and after, and the seconds.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import arviz as az
import numpy as np
import xarray as xr
from arviz_stats import loo_moment_match

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.evidence.pieces import group_members
from estimator.fitting.compiled import compiled
from estimator.fitting.inference import infer
from estimator.fitting.laplace import negative_log_density
from estimator.model.figures import FIGURES
from estimator.model.inputs import model_inputs

DRAWS = ("chain", "draw")


def main() -> None:
    """Sample a set, and match moments for what its weights cannot leave out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="central")
    parser.add_argument("--draws", type=int, default=1000, help="a chain, of four")
    parser.add_argument("--claims", action="store_true", help="single claims too, beside groups")
    words = parser.parse_args()
    assumptions = assumption_set([f"assumptions={words.set}", f"sampler.draws={words.draws}"])
    evidence = load_evidence(assumptions)
    inputs = model_inputs(evidence, assumptions)
    begin = time.perf_counter()
    found = infer(inputs, assumptions.sampler, np.random.SeedSequence(assumptions.seed))
    print(f"{words.set}: sampled in {time.perf_counter() - begin:.0f} s", flush=True)
    entry = compiled(inputs.structure, inputs)
    whole = entry.with_data(inputs)
    free = {rv.name: found.posterior[rv.name].values for rv in entry.model.free_RVs}
    draws = xr.DataArray(entry.sampled(free), dims=(*DRAWS, "coordinate"))

    def log_density(model: object, points: xr.DataArray) -> xr.DataArray:
        density = negative_log_density(model)
        rows = points.transpose(*DRAWS, "coordinate").values.reshape(-1, points.sizes["coordinate"])
        values = np.array([-density(row)[0] for row in rows])
        return xr.DataArray(values.reshape([points.sizes[dim] for dim in DRAWS]), dims=DRAWS)

    def told(less: object, points: xr.DataArray, _: int) -> xr.DataArray:
        return log_density(whole, points) - log_density(less, points)

    used = np.flatnonzero(evidence.dataset["used"].values)
    names = evidence.dataset["claim"].values
    parts = {}
    for name, (claims, *others) in group_members(evidence.dataset).items():
        if not any(mask.any() for mask in others) and claims.sum() > 1:
            parts[f"group {name}"] = claims
    if words.claims:
        parts |= {f"claim {names[n]}": np.arange(len(names)) == n for n in used}
    reported = found.log_likelihood["reported"].transpose(*DRAWS, "claim").values
    likelihood = np.stack([reported[..., claims].sum(axis=-1) for claims in parts.values()], -1)

    def without(at: int) -> object:
        figures = inputs.data["claim_figures"].copy()
        figures[FIGURES.index("used"), list(parts.values())[at]] = 0.0
        masked = {**inputs.data, "claim_figures": figures}
        needed = {variable.name for variable in entry.density.shared_var_keys}
        return entry.density.with_data(**{k: v for k, v in masked.items() if k in needed})

    data = az.from_dict(
        {
            "posterior": {"coordinates": draws.values},
            "log_likelihood": {"parts": likelihood},
        }
    )
    before = az.loo(data, pointwise=True)
    k_hats = before.pareto_k.values.ravel()
    bad = np.flatnonzero(k_hats > 0.7)
    print(f"{len(bad)} of {len(parts)} have a k-hat over 0.7", flush=True)
    print("| left out | k-hat | moved | seconds |\n|---|---:|---:|---:|")
    for at in bad.tolist():
        alone = before.pareto_k.copy(data=np.where(np.arange(len(k_hats)) == at, k_hats, 0.0))
        asked = az.loo(data, pointwise=True)
        asked.pareto_k, less = alone, without(at)
        begin = time.perf_counter()
        after = loo_moment_match(
            data,
            asked,
            log_prob_upars_fn=partial(log_density, whole),
            log_lik_i_upars_fn=partial(told, less),
            upars=draws,
            pointwise=True,
        )
        took = time.perf_counter() - begin
        moved = float(after.pareto_k.values.ravel()[at])
        print(f"| {list(parts)[at]} | {k_hats[at]:.2f} | {moved:.2f} | {took:.0f} |", flush=True)


if __name__ == "__main__":
    main()
