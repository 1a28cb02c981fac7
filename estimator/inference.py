"""Compile once, sample many, and say whether the draws can be trusted.

`compiled` keeps one compiled model a structure in the process (the only global state of the
package): sets that differ only in data share it. NUTS runs on a numba-compiled density. Everything
that is computed once a draw (deterministics, pointwise log likelihood) is evaluated for all draws
at once by PyTensor's own Python code, which needs no compilation.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import xarray as xr
from pytensor.compile.mode import Mode
from pytensor.graph.replace import graph_replace, vectorize_graph

from estimator.assumptions.groups import SamplerOptions
from estimator.convergence import Convergence, convergence
from estimator.laplace import laplace_whitening
from estimator.model.build import build_from_inputs
from estimator.model.inputs import SPARSE_WALKS, ModelInputs, Structure
from estimator.whitening import Whitening, whitened_model

Progress = Callable[[int, int], None]
"""Called with draws done and draws in all."""

_INTERPRETED = Mode(linker="py", optimizer="fast_compile")
_LOCK = threading.Lock()


@dataclass
class CompiledStructure:
    """A model of one structure, with its compiled functions.

    Attributes
    ----------
    model
        The PyMC model; its `pm.Data` are those of the set evaluated last.
    compilations
        How often the density was compiled (at most once).
    """

    model: pm.Model
    compilations: int = field(default=0)

    @cached_property
    def density(self) -> Any:
        """The nutpie model: density and gradient, compiled by numba."""
        import nutpie

        self.compilations += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled_model = nutpie.compile_pymc_model(self.model, var_names=[])
        # What it sampled under a transform nutpie drops, or stores twice; we want it once.
        return dataclasses.replace(compiled_model, reparameterized_names=[])

    @cached_property
    def _from_sampled(self) -> Any:
        """Function from what the sampler moves (transformed values) to the free variables."""
        values = self.model.value_vars
        free = self.model.replace_rvs_by_values(self.model.free_RVs)
        return _vectorised(values, free)

    @cached_property
    def _from_free(self) -> Any:
        """Function from the free variables to deterministics and pointwise log likelihood."""
        model = self.model
        free = list(model.free_RVs)
        outputs = [*model.deterministics]
        outputs += [pm.logp(rv, model.rvs_to_values[rv]) for rv in model.observed_RVs]
        inputs = [rv.type(name=rv.name) for rv in free]
        return _vectorised(inputs, graph_replace(outputs, dict(zip(free, inputs, strict=True))))

    @cached_property
    def _deterministics_from_free(self) -> Any:
        free = list(self.model.free_RVs)
        inputs = [rv.type(name=rv.name) for rv in free]
        known = dict(zip(free, inputs, strict=True))
        return _vectorised(inputs, graph_replace(list(self.model.deterministics), known))

    def with_data(self, inputs: ModelInputs) -> Any:
        """Density of a set of this structure, ready to be sampled."""
        data = _checked(inputs, self)
        needed = {variable.name for variable in self.density.shared_var_keys}
        return self.density.with_data(
            **{name: array for name, array in data.items() if name in needed}
        )

    def split(self, sampled: np.ndarray) -> dict[str, np.ndarray]:
        """Cut what the sampler moves, (chain, draw, coordinate), into its variables by name."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()])
        pieces = np.split(sampled, ends[:-1], axis=-1)
        return {
            name: piece.reshape(*sampled.shape[:2], *shape)
            for (name, shape), piece in zip(self._shapes.items(), pieces, strict=True)
        }

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what the sampler moves, in its order."""
        point = self.model.initial_point()
        return {value.name: point[value.name].shape for value in self.model.value_vars}

    def free_variables(self, sampled: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Free variables from what the sampler moved; keys are names, arrays (chain, draw, ...)."""
        arrays = [sampled[value.name] for value in self.model.value_vars]
        names = [rv.name for rv in self.model.free_RVs]
        return dict(zip(names, _call(self._from_sampled, arrays), strict=True))

    def evaluate(self, free: dict[str, np.ndarray]) -> tuple[xr.Dataset, xr.Dataset]:
        """Deterministics and pointwise log likelihood of draws of the free variables.

        Parameters
        ----------
        free
            Arrays (chain, draw, ...) by name.

        Returns
        -------
        variables, log_likelihood
            Dims chain, draw and those of the model; thousands of persons.
        """
        model = self.model
        names = [rv.name for rv in model.free_RVs]
        results = _call(self._from_free, [free[name] for name in names])
        n_determined = len(model.deterministics)
        variables = {rv.name: free[rv.name] for rv in model.free_RVs}
        for variable, array in zip(model.deterministics, results[:n_determined], strict=True):
            variables[variable.name] = array
        likelihood = {
            rv.name: array
            for rv, array in zip(model.observed_RVs, results[n_determined:], strict=True)
        }
        return self._dataset(variables), self._dataset(likelihood)

    def variables(self, free: dict[str, np.ndarray]) -> xr.Dataset:
        """Deterministics alone, as `evaluate` gives them beside the free variables."""
        names = [rv.name for rv in self.model.free_RVs]
        results = _call(self._deterministics_from_free, [free[name] for name in names])
        labels = [variable.name for variable in self.model.deterministics]
        return self._dataset(dict(zip(labels, results, strict=True)))

    def _dataset(self, arrays: dict[str, np.ndarray]) -> xr.Dataset:
        dims = self.model.named_vars_to_dims
        coords = {name: list(values) for name, values in self.model.coords.items() if values}
        dataset = xr.Dataset(
            {
                name: (("chain", "draw", *(str(d) for d in dims.get(name, ()))), array)
                for name, array in arrays.items()
            }
        )
        return dataset.assign_coords(
            {name: values for name, values in coords.items() if name in dataset.dims}
            | {name: np.arange(dataset.sizes[name]) for name in ("chain", "draw")}
        )


def _vectorised(inputs: list[Any], outputs: list[Any]) -> Any:
    batched = [
        pytensor.tensor.tensor(name=x.name, dtype=x.dtype, shape=(None, *x.type.shape))
        for x in inputs
    ]
    vectorised = vectorize_graph(outputs, dict(zip(inputs, batched, strict=True)))
    return pytensor.function(batched, vectorised, mode=_INTERPRETED, on_unused_input="ignore")


def _call(function: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    chains, draws = arrays[0].shape[:2]
    flat = [np.asarray(a, dtype=float).reshape(chains * draws, *a.shape[2:]) for a in arrays]
    return [np.asarray(out).reshape(chains, draws, *out.shape[1:]) for out in function(*flat)]


_COMPILED: dict[str, CompiledStructure] = {}


def compiled(structure: Structure, inputs: ModelInputs) -> CompiledStructure:
    """Return the model of a structure, built at its first use in the process."""
    if structure.identity not in _COMPILED:
        _COMPILED[structure.identity] = CompiledStructure(build_from_inputs(inputs))
    return _COMPILED[structure.identity]


def compilations() -> int:
    """How many densities were compiled in this process."""
    return sum(entry.compilations for entry in _COMPILED.values())


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
        with entry.model:
            pm.set_data(inputs.data)
        prior, _ = entry.evaluate(_prior_draws(entry.model, options.prior_draws, prior_seed))
        if options.method == "prior":
            free = {name: prior[name].values for name in (rv.name for rv in entry.model.free_RVs)}
            stats = xr.Dataset(
                {"diverging": (("chain", "draw"), np.zeros((1, options.prior_draws), bool))}
            )
        elif options.method == "nutpie":
            free, stats = _nutpie(entry, inputs, options, sampler_seed, progress)
        else:
            free, stats = _pymc(entry.model, options, sampler_seed)
        posterior, log_likelihood = entry.evaluate(free)
    return Draws(posterior, prior, log_likelihood, stats)


# Aimed-at acceptance in Laplace's coordinates, of the second and of the last attempt: with 4,500
# claims 0.92 left one divergence in 6,000 draws, 0.95 none.
_SMALLER_STEPS, _SMALLEST_STEPS = 0.95, 0.98


def attempts(inputs: ModelInputs, options: SamplerOptions) -> tuple[SamplerOptions, ...]:
    """Ways of sampling to be tried one after the other until the draws can be trusted.

    With `sampler.adaptation=auto`: a diagonal mass matrix; the coordinates of Laplace's
    approximation; these with smaller steps. The first is left out where claims outnumber what is
    sampled: many origins that report the same months make ridges that it cannot follow.
    """
    if options.adaptation != "auto" or options.method != "nutpie":
        return (options,)
    structure = inputs.structure
    n_series = len(SPARSE_WALKS) + 1
    sampled = n_series * len(structure.coords["month"]) + len(structure.coords["source"])
    many = inputs.figure("used").sum() > sampled
    ways: list[dict[str, Any]] = [] if many else [{"adaptation": "diag"}]
    ways += [
        {"adaptation": "laplace", "target_accept": max(options.target_accept, steps)}
        for steps in (_SMALLER_STEPS, _SMALLEST_STEPS)
    ]
    return tuple(options.model_copy(update=way) for way in ways)


@dataclass(frozen=True)
class Short:
    """Settings of a short run in whitened coordinates.

    Attributes
    ----------
    chains, tune, draws
        Chains, warm-up and kept draws of each.
    max_depth
        Depth of NUTS's trees.
    target_accept
        Aimed-at acceptance rate.
    """

    chains: int
    tune: int
    draws: int
    max_depth: int
    target_accept: float


_PILOT_DRAWS, _PILOT_TUNE = 1000, 600


def learn_whitening(
    inputs: ModelInputs, options: SamplerOptions, seed: np.random.SeedSequence, cores: int
) -> Whitening:
    """Sample a pilot of one set and learn from it in which coordinates it is simple."""
    import nutpie

    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        density = entry.with_data(inputs)
    trace = nutpie.sample(
        density,
        draws=_PILOT_DRAWS,
        tune=_PILOT_TUNE,
        chains=options.chains,
        cores=cores,
        seed=int(seed.generate_state(1)[0]),
        target_accept=options.target_accept,
        save_warmup=False,
        progress_bar=False,
        store_unconstrained=True,
    )
    draws = trace["sample_stats"]["unconstrained_draw"].values
    return Whitening.of_draws(draws.reshape(-1, draws.shape[-1]))


def whitening_of(inputs: ModelInputs) -> Whitening:
    """Coordinates for a set from the mode of its posterior: no draw is needed (see `laplace`)."""
    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        density = entry.with_data(inputs)
        return laplace_whitening(density)


def infer_whitened(
    inputs: ModelInputs,
    whitening: Whitening,
    settings: Short,
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
    settings
        Chains, draws, depth.
    seed
        Of the sampler.
    cores
        Chains at a time.

    Returns
    -------
    posterior, sample_stats
        As in `Draws`.
    """
    import nutpie

    with _LOCK:
        entry = compiled(inputs.structure, inputs)
        density = entry.with_data(inputs)
    trace = nutpie.sample(
        whitened_model(density, whitening),
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=cores,
        seed=int(seed.generate_state(1)[0]),
        target_accept=settings.target_accept,
        maxdepth=settings.max_depth,
        save_warmup=False,
        progress_bar=False,
        store_unconstrained=True,
    )
    stats = trace["sample_stats"].to_dataset()
    sampled = entry.split(whitening.sampled(stats["unconstrained_draw"].values))
    kept = ["diverging", "n_steps"]
    with _LOCK:
        with entry.model:
            pm.set_data(inputs.data)
        posterior = entry.variables(entry.free_variables(sampled))
    return posterior, stats[kept].reset_coords(drop=True)


def _prior_draws(model: pm.Model, draws: int, seed: int) -> dict[str, np.ndarray]:
    names = [rv.name for rv in model.free_RVs]
    values = pm.draw(model.free_RVs, draws=draws, random_seed=seed, mode=_INTERPRETED)
    return {name: np.asarray(value)[None] for name, value in zip(names, values, strict=True)}


def _nutpie(
    entry: CompiledStructure,
    inputs: ModelInputs,
    options: SamplerOptions,
    seed: int,
    progress: Progress | None,
) -> tuple[dict[str, np.ndarray], xr.Dataset]:
    import nutpie

    density = entry.with_data(inputs)
    adaptation = attempts(inputs, options)[0].adaptation
    whitening = laplace_whitening(density) if adaptation == "laplace" else None
    total = options.chains * (options.draws + options.tune)

    def report(chains: list[Any]) -> None:
        if progress is not None:
            progress(sum(chain.finished_draws for chain in chains), total)

    trace = nutpie.sample(
        density if whitening is None else whitened_model(density, whitening),
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        seed=seed,
        adaptation="diag" if adaptation == "laplace" else adaptation,
        target_accept=options.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=report,
        store_unconstrained=whitening is not None,
    )
    stats = trace["sample_stats"].to_dataset()
    if whitening is not None:
        sampled = entry.split(whitening.sampled(stats["unconstrained_draw"].values))
    else:
        moved = trace["posterior"]
        sampled = {value.name: moved[value.name].values for value in entry.model.value_vars}
    kept = [
        name for name in ("diverging", "energy", "n_steps", "depth", "step_size") if name in stats
    ]
    return entry.free_variables(sampled), stats[kept].reset_coords(drop=True)


def _checked(inputs: ModelInputs, entry: CompiledStructure) -> dict[str, np.ndarray]:
    """Check lengths, which nutpie does not: a wrong one would read beyond the array."""
    for name, array in inputs.data.items():
        expected = entry.model[name].get_value(borrow=True).shape
        if array.shape != expected:
            raise ValueError(f"{name} must have shape {expected}. Got {array.shape}")
    return inputs.data


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


@dataclass(frozen=True)
class Diagnostics:
    """Whether the draws of one set can be trusted.

    Attributes
    ----------
    max_rhat, min_ess_bulk, min_ess_tail
        The worst over all quantities that are reported.
    worst
        Name of the quantity with the worst of each.
    divergences
        Number of divergent transitions after warm-up.
    failures
        One sentence for each bound that was missed; empty if all hold.
    """

    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    worst: dict[str, str]
    divergences: int
    failures: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every bound holds."""
        return not self.failures


def diagnose(quantities: xr.Dataset, stats: xr.Dataset, options: SamplerOptions) -> Diagnostics:
    """Check R-hat, bulk and tail ESS of the reported quantities, and divergences.

    Parameters
    ----------
    quantities
        Draws of what is reported (chain, draw, ...); constant entries are skipped.
    stats
        Sample statistics with `diverging` (chain, draw).
    options
        The bounds.

    Notes
    -----
    Vehtari and others (2021), "Rank-normalization, folding, and localization: an improved R-hat",
    Bayesian Analysis 16(2).
    """
    divergences = int(stats["diverging"].sum())
    if options.method == "prior":
        return Diagnostics(1.0, np.inf, np.inf, {}, 0, ())
    names, draws = varying_entries(quantities)
    found = convergence(draws)
    worst_at = {
        "max_rhat": int(np.argmax(found.rhat)),
        "min_ess_bulk": int(np.argmin(found.ess_bulk)),
        "min_ess_tail": int(np.argmin(found.ess_tail)),
    }
    return verdict(found, {key: names[at] for key, at in worst_at.items()}, divergences, options)


def verdict(
    found: Convergence, worst: dict[str, str], divergences: int, options: SamplerOptions
) -> Diagnostics:
    """Hold what was found against the bounds.

    Parameters
    ----------
    found
        Of every quantity that is reported and not constant.
    worst
        Name of the quantity with the largest R-hat and the smallest effective sample sizes.
    divergences
        Number of divergent transitions.
    options
        The bounds.
    """
    rhat = float(found.rhat.max())
    sizes = {"bulk": float(found.ess_bulk.min()), "tail": float(found.ess_tail.min())}
    failures = []
    if not rhat <= options.max_rhat:
        failures.append(f"R-hat {rhat:.3f} > {options.max_rhat} ({worst['max_rhat']})")
    for name, size in sizes.items():
        if not size >= options.min_ess:
            where = worst[f"min_ess_{name}"]
            failures.append(f"{name} ESS {size:.0f} < {options.min_ess:.0f} ({where})")
    if divergences > options.max_divergences:
        failures.append(f"{divergences} divergences > {options.max_divergences}")
    return Diagnostics(rhat, sizes["bulk"], sizes["tail"], worst, divergences, tuple(failures))


def varying_entries(quantities: xr.Dataset) -> tuple[list[str], np.ndarray]:
    """Names and draws (entry, chain, draw) of all entries that are not constant."""
    columns, labels = [], []
    for name, variable in quantities.items():
        others = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        stacked = variable.transpose(*others, "chain", "draw")
        flat = stacked.values.reshape(-1, *stacked.shape[len(others) :])
        names = [""]
        for dim in others:
            names = [f"{a},{b}" if a else str(b) for a in names for b in variable[dim].values]
        moving = np.ptp(flat, axis=(1, 2)) > 0
        columns.append(flat[moving])
        labels += [f"{name}[{label}]" for label, keep in zip(names, moving, strict=True) if keep]
    return labels, np.concatenate(columns)
