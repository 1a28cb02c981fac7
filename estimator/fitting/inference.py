"""Sample prior and posterior of a set: NUTS on a compiled density, in coordinates that suit it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.groups import SamplerOptions
from estimator.fitting.compiled import CompiledStructure, compiled
from estimator.fitting.laplace import departure, laplace_whitening
from estimator.fitting.whitening import Whitening, whitened_model
from estimator.model.inputs import ModelInputs
from estimator.model.random_walk import SPARSE_WALKS
from estimator.one_thread import one_thread

Progress = Callable[[int, int], None]
"""Called with draws done and draws in all."""

_LOCK = threading.RLock()


@dataclass(frozen=True)
class Draws:
    """What inference gives, in model units (thousands of persons).

    Attributes
    ----------
    posterior
        Free variables and deterministics (chain, draw, ...). From the prior with method `prior`.
    prior
        The same, chain of length 1.
    log_likelihood
        `reported` (chain, draw, claim), `confirmed_figure` (chain, draw, confirmed_claim).
    sample_stats
        The sampler's (chain, draw).
    """

    posterior: xr.Dataset
    prior: xr.Dataset
    log_likelihood: xr.Dataset
    sample_stats: xr.Dataset


@one_thread
def infer(
    inputs: ModelInputs,
    options: SamplerOptions,
    seed: np.random.SeedSequence,
    progress: Progress | None = None,
) -> Draws:
    """Sample prior and posterior of one assumption set.

    Parameters
    ----------
    inputs
        As `estimator.model.model_inputs` gives them.
    options
        Method, chains, draws.
    seed
        Root of the randomness; children go to the sampler and to the prior.
    progress
        Called while sampling.
    """
    sampler_seed, prior_seed = (int(child.generate_state(1)[0]) for child in seed.spawn(2))
    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        entry.set_data(inputs)
        sampling = (
            _nutpie(entry, inputs, options, sampler_seed, progress)
            if options.method == "nutpie"
            else None
        )
        prior, _ = entry.evaluate(entry.draw_prior(options.prior_draws, prior_seed))
        if sampling is not None:
            free, stats = sampling()
        elif options.method == "prior":
            free = {name: prior[name].values for name in (rv.name for rv in entry.model.free_RVs)}
            stats = xr.Dataset(
                {"diverging": (("chain", "draw"), np.zeros((1, options.prior_draws), bool))}
            )
        else:
            free, stats = _pymc(entry.model, options, sampler_seed)
        posterior, log_likelihood = entry.evaluate(free)
    return Draws(posterior, prior, log_likelihood, stats)


_PILOT_ACCEPT = 0.97  # with 0.95 single draws of hard tables diverged
_LAPLACE_ACCEPT = 0.95  # with 4,500 claims 0.92 left one divergence in 6,000 draws, 0.95 none
# Departure up to which Laplace's coordinates come first. Of the shipped sets those at 0.4 to 0.55
# take 15 steps a draw in them and 20 to 24 without; at 0.9 to 1.1 single draws diverge in them; at
# 1.3 they are no quicker; at 2,800 they take 210 steps, and 63 without.
_NEAR = 0.7


def geometries(inputs: ModelInputs, options: SamplerOptions) -> tuple[SamplerOptions, ...]:
    """List the settings of each geometry that is worth a try, the most promising one first.

    With `sampler.adaptation=auto`: a diagonal mass matrix, and the coordinates of Laplace's
    approximation with smaller steps. The latter come first where claims outnumber what is sampled:
    many origins that report the same months make ridges that a diagonal matrix rarely follows. They
    come first, too, where the approximation is near the posterior, and need no smaller steps there.
    Last come coordinates that a pilot has learnt: where the mode says little of the rest of the
    posterior, draws say more.
    """
    if options.adaptation != "auto" or options.method != "nutpie":
        return (options,)
    structure = inputs.structure
    n_series = len(SPARSE_WALKS) + 1
    sampled = n_series * len(structure.coords["month"]) + len(structure.coords["source"])
    many = bool(inputs.figure("used").sum() > sampled)
    near = not many and _laplace_departure(inputs) <= _NEAR
    diagonal = options.model_copy(update={"adaptation": "diag"})
    steps = options.target_accept if near else max(options.target_accept, _LAPLACE_ACCEPT)
    laplace = options.model_copy(update={"adaptation": "laplace", "target_accept": steps})
    pilot = options.model_copy(
        update={"adaptation": "pilot", "target_accept": max(options.target_accept, _PILOT_ACCEPT)}
    )
    return (laplace, diagonal, pilot) if many or near else (diagonal, laplace, pilot)


@one_thread
def _laplace_departure(inputs: ModelInputs) -> float:
    with _LOCK:
        density = compiled(inputs.structure, inputs).with_data(inputs)
        return departure(density, laplace_whitening(density))


_PILOT_DRAWS, _PILOT_TUNE = 1000, 600


@one_thread
def learn_whitening(
    inputs: ModelInputs, options: SamplerOptions, seed: np.random.SeedSequence, cores: int
) -> Whitening:
    """Sample a pilot of one set and learn from it in which coordinates it is simple."""
    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        density = entry.with_data(inputs)
        return _pilot_whitening(density, options, int(seed.generate_state(1)[0]), cores)


def _pilot_whitening(density: Any, options: SamplerOptions, seed: int, cores: int) -> Whitening:
    """Learn from draws, which are taken in Laplace's coordinates where these are near."""
    from estimator.fitting.nuts import nutpie

    laplace = laplace_whitening(density)
    near = departure(density, laplace) <= _NEAR
    if not near:
        density.initial_point_func.prepare()
    trace = nutpie.sample(
        whitened_model(density, laplace) if near else density,
        draws=_PILOT_DRAWS,
        tune=_PILOT_TUNE,
        chains=options.chains,
        cores=cores,
        seed=seed,
        target_accept=options.target_accept,
        save_warmup=False,
        progress_bar=False,
        store_unconstrained=True,
    )
    draws = trace["sample_stats"]["unconstrained_draw"].values
    draws = draws.reshape(-1, draws.shape[-1])
    return Whitening.of_draws(laplace.sampled(draws) if near else draws)


@one_thread
def whitening_of(inputs: ModelInputs) -> Whitening:
    """Coordinates for a set from the mode of its posterior: no draw is needed (see `laplace`)."""
    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        density = entry.with_data(inputs)
        return laplace_whitening(density)


@one_thread
def infer_whitened(
    inputs: ModelInputs,
    whitening: Whitening,
    options: FitOptions,
    chains: int,
    seed: np.random.SeedSequence,
    cores: int,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Sample the posterior of a set in the coordinates that a pilot has learnt.

    Parameters
    ----------
    inputs
        As `estimator.model.model_inputs` gives them.
    whitening
        Of a set of the same structure.
    options
        Draws, warm-up, depth, acceptance.
    chains
        Number of chains.
    seed
        Seed of the sampler.
    cores
        Chains at a time.

    Returns
    -------
    posterior, sample_stats
        As in `Draws`.
    """
    from estimator.fitting.nuts import nutpie

    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        density = entry.with_data(inputs)
    trace = nutpie.sample(
        whitened_model(density, whitening),
        draws=options.draws,
        tune=options.tune,
        chains=chains,
        cores=cores,
        seed=int(seed.generate_state(1)[0]),
        target_accept=options.target_accept,
        maxdepth=options.max_depth,
        save_warmup=False,
        progress_bar=False,
        store_unconstrained=True,
    )
    stats = trace["sample_stats"].to_dataset()
    sampled = entry.split(whitening.sampled(stats["unconstrained_draw"].values))
    kept = ["diverging", "n_steps"]
    with _LOCK:
        entry.set_data(inputs)
        posterior = entry.variables(entry.free_variables(sampled))
    return posterior, stats[kept].reset_coords(drop=True)


def _nutpie(
    entry: CompiledStructure,
    inputs: ModelInputs,
    options: SamplerOptions,
    seed: int,
    progress: Progress | None,
) -> Callable[[], tuple[dict[str, np.ndarray], xr.Dataset]]:
    """Begin to sample, beside whatever else is done; return what waits for the draws."""
    from estimator.fitting.nuts import nutpie

    density = entry.with_data(inputs)
    adaptation = geometries(inputs, options)[0].adaptation
    whitening = None
    if adaptation == "laplace":
        whitening = laplace_whitening(density)
    elif adaptation == "pilot":
        whitening = _pilot_whitening(density, options, seed, options.cores)
    else:
        density.initial_point_func.prepare()
    total = options.chains * (options.draws + options.tune)

    def report(chains: list[Any]) -> None:
        if progress is not None:
            progress(sum(chain.finished_draws for chain in chains), total)

    sampler = nutpie.sample(
        density if whitening is None else whitened_model(density, whitening),
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        seed=seed,
        adaptation=adaptation if whitening is None else "diag",
        target_accept=options.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=report,
        store_unconstrained=whitening is not None,
        blocking=False,
    )

    def wait() -> tuple[dict[str, np.ndarray], xr.Dataset]:
        trace = sampler.wait()
        stats = trace["sample_stats"].to_dataset()
        if whitening is not None:
            sampled = entry.split(whitening.sampled(stats["unconstrained_draw"].values))
        else:
            moved = trace["posterior"]
            sampled = {value.name: moved[value.name].values for value in entry.model.value_vars}
        names = ("diverging", "energy", "n_steps", "depth", "step_size")
        kept = [name for name in names if name in stats]
        return entry.free_variables(sampled), stats[kept].reset_coords(drop=True)

    return wait


def _pymc(
    model: pm.Model, options: SamplerOptions, seed: int
) -> tuple[dict[str, np.ndarray], xr.Dataset]:
    trace = pm.sample(
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        target_accept=options.target_accept,
        random_seed=seed,
        nuts_sampler="pymc",
        model=model,
        progressbar=False,
        compute_convergence_checks=False,
        var_names=[rv.name for rv in model.free_RVs],
    )
    free = {rv.name: np.asarray(trace["posterior"][rv.name].values) for rv in model.free_RVs}
    stats = trace["sample_stats"].to_dataset()
    kept = [name for name in ("diverging", "energy", "n_steps", "step_size") if name in stats]
    return free, stats[kept]
