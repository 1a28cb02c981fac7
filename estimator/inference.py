"""Compile once, sample many, and say whether the draws can be trusted.

`compiled` keeps one compiled model a structure in the process (the only global state of the
package): sets that differ only in data share it. NUTS runs on a numba-compiled density. Everything
that is computed once a draw (deterministics, pointwise log likelihood) is evaluated for all draws
at once by PyTensor's own Python code, which needs no compilation.
"""

from __future__ import annotations

import dataclasses
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import arviz as az
import numpy as np
import pymc as pm
import pytensor
import xarray as xr
from pytensor.compile.mode import Mode
from pytensor.graph.replace import graph_replace, vectorize_graph

from estimator.assumptions import SamplerOptions
from estimator.model.build import build_from_inputs
from estimator.model.inputs import ModelInputs, Structure

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

    needed = {variable.name for variable in entry.density.shared_var_keys}
    data = {name: array for name, array in _checked(inputs, entry).items() if name in needed}
    density = entry.density.with_data(**data)
    total = options.chains * (options.draws + options.tune)

    def report(chains: list[Any]) -> None:
        if progress is not None:
            progress(sum(chain.finished_draws for chain in chains), total)

    trace = nutpie.sample(
        density,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        seed=seed,
        adaptation=options.adaptation,
        target_accept=options.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=report,
    )
    moved = trace["posterior"]
    sampled = {value.name: moved[value.name].values for value in entry.model.value_vars}
    stats = trace["sample_stats"].to_dataset()
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
    varying = _varying(quantities)
    worst: dict[str, str] = {}
    found: dict[str, float] = {}
    for name, compute, largest in (
        ("max_rhat", lambda d: az.rhat(d), True),
        ("min_ess_bulk", lambda d: az.ess(d, method="bulk"), False),
        ("min_ess_tail", lambda d: az.ess(d, method="tail"), False),
    ):
        values = np.asarray(compute(varying)["value"])
        position = int(np.nanargmax(values) if largest else np.nanargmin(values))
        found[name], worst[name] = float(values[position]), str(varying["entry"].values[position])
    failures = []
    if found["max_rhat"] > options.max_rhat:
        failures.append(f"R-hat {found['max_rhat']:.3f} > {options.max_rhat} ({worst['max_rhat']})")
    for name, label in (("min_ess_bulk", "bulk ESS"), ("min_ess_tail", "tail ESS")):
        if found[name] < options.min_ess:
            failures.append(f"{label} {found[name]:.0f} < {options.min_ess:.0f} ({worst[name]})")
    if divergences > options.max_divergences:
        failures.append(f"{divergences} divergences > {options.max_divergences}")
    return Diagnostics(
        found["max_rhat"],
        found["min_ess_bulk"],
        found["min_ess_tail"],
        worst,
        divergences,
        tuple(failures),
    )


def _varying(quantities: xr.Dataset) -> xr.Dataset:
    """Stack all entries of all variables into one, without those that never change."""
    columns, labels = [], []
    for name, variable in quantities.items():
        others = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        stacked = variable.transpose("chain", "draw", *others)
        flat = stacked.values.reshape(*stacked.shape[:2], -1)
        names = [""]
        for dim in others:
            names = [f"{a},{b}" if a else str(b) for a in names for b in variable[dim].values]
        moving = np.ptp(flat, axis=(0, 1)) > 0
        columns.append(flat[..., moving])
        labels += [f"{name}[{label}]" for label, keep in zip(names, moving, strict=True) if keep]
    return xr.Dataset(
        {"value": (("chain", "draw", "entry"), np.concatenate(columns, axis=-1))},
        coords={"entry": labels},
    )
