"""Fit one simulated world, in coordinates that a pilot of its structure has whitened."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from estimator.assumptions.groups import SamplerOptions
from estimator.fitting.convergence import convergence
from estimator.fitting.diagnostics import Diagnostics, verdict
from estimator.fitting.inference import Short, infer_whitened, learn_whitening, whitening_of
from estimator.fitting.pilot import Pilot, transfer
from estimator.model.inputs import ModelInputs
from estimator.studies.calibrate.options import FitOptions
from estimator.studies.calibrate.ranked import Ranked

_LAPLACE = 2  # from this attempt on, counted from 0, a world has coordinates of its own


@dataclass(frozen=True)
class WorldFit:
    """Draws of one world's posterior, or why there are none.

    Attributes
    ----------
    variables
        Deterministics of the model (chain, draw, ...); None if the sampler gave up.
    ranked
        What is ranked; None if the sampler gave up.
    diagnostics
        Of what is ranked; None if the sampler gave up.
    error
        Why there are no draws; empty if there are.
    attempts, seconds
        What it took.
    """

    variables: xr.Dataset | None
    ranked: Ranked | None
    diagnostics: Diagnostics | None
    error: str
    attempts: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the draws can be trusted."""
        return self.diagnostics is not None and self.diagnostics.ok


def fit_world(
    inputs: ModelInputs,
    pilot: Pilot,
    rank: Callable[[xr.Dataset, ModelInputs], Ranked],
    options: FitOptions,
    sampler: SamplerOptions,
    seed: np.random.SeedSequence,
) -> WorldFit:
    """Sample the posterior of one world; what goes wrong is handed back and not raised.

    Parameters
    ----------
    inputs
        Of the world.
    pilot
        Of the structure, learnt on the published claims.
    rank
        Picks what is ranked, and diagnosed.
    options
        Chains, draws, bounds.
    sampler
        Of the assumption set: settings of a pilot of the world's own.
    seed
        Root of its randomness.

    Notes
    -----
    Where chains are too few for the bounds, as many again are added; where they diverge, smaller
    steps are taken from the start. The third attempt takes the coordinates of
    Laplace's approximation of the world itself, the fourth learns a pilot of it; both take twice
    the draws. An attempt that the sampler gives up is followed by the next.
    """
    begin = time.perf_counter()
    bounds = sampler.model_copy(
        update={
            "max_rhat": options.max_rhat,
            "min_ess": options.min_ess,
            "max_divergences": options.max_divergences,
        }
    )
    settings = Short(
        options.chains, options.tune, options.draws, options.max_depth, options.target_accept
    )
    children = seed.spawn(options.attempts + 1)
    parts: list[tuple[xr.Dataset, xr.Dataset]] = []
    found: WorldFit | None = None
    gave_up = ""
    for attempt in range(options.attempts):
        if attempt == _LAPLACE:
            settings = replace(settings, tune=2 * settings.tune, draws=2 * settings.draws)
        if attempt >= _LAPLACE:
            parts = []
        try:
            if attempt < _LAPLACE:
                whitening, mapped = transfer(pilot, inputs)
            elif attempt == _LAPLACE:
                whitening, mapped = whitening_of(inputs), inputs
            else:
                whitening, mapped = learn_whitening(inputs, sampler, children[-1], 1), inputs
            parts.append(infer_whitened(mapped, whitening, settings, children[attempt], 1))
        except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
            # The sampler gave up; coordinates of the world's own may do.
            gave_up = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        variables, stats = _joined(parts)
        picked = rank(variables, inputs)
        diagnostics = _diagnosed(picked, stats, bounds)
        seconds = time.perf_counter() - begin
        found = WorldFit(variables, picked, diagnostics, "", attempt + 1, seconds)
        if found.ok:
            break
        if diagnostics.divergences > options.max_divergences:
            careful = 1.0 - (1.0 - settings.target_accept) / 3.0
            settings, parts = replace(settings, target_accept=careful), []
    if found is not None:
        return found
    seconds = time.perf_counter() - begin
    return WorldFit(None, None, None, gave_up, options.attempts, seconds)


def _joined(parts: list[tuple[xr.Dataset, xr.Dataset]]) -> tuple[xr.Dataset, xr.Dataset]:
    if len(parts) == 1:
        return parts[0]
    variables, stats = (xr.concat(one, dim="chain") for one in zip(*parts, strict=True))
    chains = np.arange(variables.sizes["chain"])
    return variables.assign_coords(chain=chains), stats.assign_coords(chain=chains)


def _diagnosed(picked: Ranked, stats: xr.Dataset, bounds: SamplerOptions) -> Diagnostics:
    moving = np.ptp(picked.draws.reshape(len(picked.draws), -1), axis=1) > 0
    found = convergence(picked.draws[moving])
    names = [name for name, moves in zip(picked.names, moving, strict=True) if moves]
    worst = {
        "max_rhat": names[int(np.argmax(found.rhat))],
        "min_ess_bulk": names[int(np.argmin(found.ess_bulk))],
        "min_ess_tail": names[int(np.argmin(found.ess_tail))],
    }
    return verdict(found, worst, int(stats["diverging"].sum()), bounds)
