"""One compiled model a structure: its density for NUTS, and functions of all draws at once.

`compiled` keeps the models of the process (the only global state of the package): sets that differ
only in data share one. NUTS runs on a numba-compiled density, whose machine code is kept in the
user's cache folder. Everything that is computed once a draw (deterministics, pointwise log
likelihood) is evaluated for all draws at once by PyTensor's own Python code, which needs no
compilation.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import xarray as xr
from numba import carray, types
from pymc.distributions.distribution import SymbolicRandomVariable
from pymc.initial_point import make_initial_point_fn
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Constant
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.printing import debugprint
from pytensor.tensor import expand_dims
from pytensor.tensor.random.op import RandomVariable

from estimator import object_code
from estimator.model.build import FLOWS, build_from_inputs
from estimator.model.inputs import ModelInputs, Structure

# Equal nodes are made one. All other rewriting took twice the time, and evaluation is no quicker.
_INTERPRETED = Mode(linker="py", optimizer="merge")


def _lightly() -> Any:
    """PyTensor without its C compiler, and without notes on where each node was made.

    Both took a third of the time in which graphs and functions are made, and serve nothing here.
    """
    return pytensor.config.change_flags(cxx="", traceback__limit=0)


Shapes = dict[str, tuple[int, ...]]
"""Shapes by name of what the sampler moves, in its order."""


@dataclass
class CompiledStructure:
    """A model of one structure, with its compiled functions.

    Attributes
    ----------
    model
        The PyMC model; its `pm.Data` are those of the set evaluated last.
    """

    model: pm.Model

    @cached_property
    def density(self) -> Any:
        """The nutpie model: density and gradient, as machine code from the cache or from numba."""
        entry = object_code.key("density", *_graph_of_density(self.model))
        kept = object_code.load(entry)
        if kept is None:
            kept = _compiled_density(self.model, self._shapes)
            object_code.save(entry, *kept)
        return _nutpie_model(self.model, self._shapes, *kept)

    @cached_property
    def _from_sampled(self) -> Any:
        """Function from what the sampler moves (transformed values) to the free variables."""
        values = self.model.value_vars
        free = self.model.replace_rvs_by_values(self.model.free_RVs)
        return _vectorised(values, free)

    @cached_property
    def _to_sampled(self) -> Any:
        """Function from the free variables to what the sampler moves, in its order."""
        free = {rv.name: rv for rv in self.model.free_RVs}
        moved = []
        for name in self.places:
            rv = free[name]
            transform = self.model.rvs_to_transforms.get(rv)
            moved.append(rv if transform is None else transform.forward(rv, *rv.owner.inputs))
        inputs = [rv.type(name=rv.name) for rv in free.values()]
        known = dict(zip(free.values(), inputs, strict=True))
        return _vectorised(inputs, graph_replace(moved, known, strict=False))

    @cached_property
    def _from_free(self) -> Any:
        """Function from the free variables to deterministics and pointwise log likelihood."""
        model = self.model
        free = list(model.free_RVs)
        outputs = [*self._deterministics]
        outputs += [pm.logp(rv, model.rvs_to_values[rv]) for rv in model.observed_RVs]
        inputs = [rv.type(name=rv.name) for rv in free]
        return _vectorised(inputs, graph_replace(outputs, dict(zip(free, inputs, strict=True))))

    @cached_property
    def _from_prior(self) -> tuple[Any, list[Any]]:
        """Function of a number of draws: the free variables from the prior; its generators."""
        draws = pytensor.tensor.lscalar("draws")
        with _lightly():
            free, generators = _drawn_at_once(self.model.free_RVs, draws)
            return pytensor.function([draws], free, mode=_INTERPRETED), generators

    def draw_prior(self, draws: int, seed: int) -> dict[str, np.ndarray]:
        """Draw the free variables from the prior that the model's data say.

        Returns
        -------
        Arrays (chain of length 1, draw, ...) by name.
        """
        function, generators = self._from_prior
        streams = np.random.SeedSequence(seed).spawn(len(generators))
        for generator, stream in zip(generators, streams, strict=True):
            generator.set_value(np.random.default_rng(stream))
        names = [rv.name for rv in self.model.free_RVs]
        return {name: value[None] for name, value in zip(names, function(draws), strict=True)}

    @property
    def _deterministics(self) -> list[Any]:
        """Deterministics that are evaluated; the others follow from them."""
        return [one for one in self.model.deterministics if one.name not in FLOWS]

    @cached_property
    def _deterministics_from_free(self) -> Any:
        free = list(self.model.free_RVs)
        inputs = [rv.type(name=rv.name) for rv in free]
        known = dict(zip(free, inputs, strict=True))
        return _vectorised(inputs, graph_replace(self._deterministics, known))

    def set_data(self, inputs: ModelInputs) -> None:
        """Give the model the data of a set of this structure.

        `pymc.set_data` compiles a function for every length that it compares.
        """
        for name, array in _checked(inputs, self).items():
            shared = self.model[name]
            shared.set_value(array.astype(shared.dtype))

    def with_data(self, inputs: ModelInputs) -> Any:
        """Density of a set of this structure, ready to be sampled; the model gets the set's data.

        Chains start where priors and data of the model say, so it must keep these until they have.
        """
        self.set_data(inputs)
        needed = {variable.name for variable in self.density.shared_var_keys}
        return self.density.with_data(
            **{name: array for name, array in inputs.data.items() if name in needed}
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
    def _shapes(self) -> Shapes:
        """Shapes of what the sampler moves, in its order; no transform changes them."""
        dims, coords = self.model.named_vars_to_dims, self.model.coords
        shapes = {
            rv.name: tuple(len(coords[dim] or ()) for dim in dims[rv.name])
            if rv.name in dims
            else tuple(rv.type.shape)
            for rv in self.model.free_RVs
        }
        names = {value: rv.name for rv, value in self.model.rvs_to_values.items()}
        return {value.name: shapes[names[value]] for value in self.model.value_vars}

    @cached_property
    def places(self) -> dict[str, slice]:
        """Which of the coordinates that the sampler moves are those of each free variable."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()]).tolist()
        names = {value.name: rv.name for rv, value in self.model.rvs_to_values.items()}
        pairs = zip(self._shapes, [0, *ends], ends, strict=False)
        return {names[name]: slice(start, end) for name, start, end in pairs}

    def free_variables(self, sampled: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Free variables from what the sampler moved; keys are names, arrays (chain, draw, ...)."""
        arrays = [sampled[value.name] for value in self.model.value_vars]
        names = [rv.name for rv in self.model.free_RVs]
        return dict(zip(names, _call(self._from_sampled, arrays), strict=True))

    def sampled(self, free: dict[str, np.ndarray]) -> np.ndarray:
        """Return what the sampler moves where the free variables are these.

        The inverse of `free_variables`, with the data that the model has. Dims chain, draw,
        coordinate.
        """
        arrays = [free[rv.name] for rv in self.model.free_RVs]
        moved = _call(self._to_sampled, arrays)
        return np.concatenate([array.reshape(*array.shape[:2], -1) for array in moved], axis=-1)

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
        n_determined = len(self._deterministics)
        variables = {rv.name: free[rv.name] for rv in model.free_RVs}
        for variable, array in zip(self._deterministics, results[:n_determined], strict=True):
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
        labels = [variable.name for variable in self._deterministics]
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
    with _lightly():
        vectorised = vectorize_graph(outputs, dict(zip(inputs, batched, strict=True)))
        return pytensor.function(batched, vectorised, mode=_INTERPRETED, on_unused_input="ignore")


def _drawn_at_once(variables: Sequence[Any], draws: Any) -> tuple[list[Any], list[Any]]:
    """Make random variables draw many times in one evaluation, in place of one time after another.

    Parameters
    ----------
    variables
        Random variables with scalar support, or symbolic ones that are made of such.
    draws
        How often each is drawn.

    Returns
    -------
    variables, generators
        The variables with a first dim more; the shared generators that they draw from.
    """
    opened = _opened(variables)
    batched: dict[Any, Any] = {}
    generators = []
    for node in io_toposort([], opened):
        if not isinstance(node.op, RandomVariable):
            continue
        alone = node.op.dist_params(node)
        parameters = vectorize_graph(alone, batched) if batched else alone
        n_dims = node.outputs[1].type.ndim
        pairs = list(zip(alone, parameters, strict=True))
        first = [b[0] if b.type.ndim > a.type.ndim else b for a, b in pairs]
        shape = node.op._infer_shape(node.op.size_param(node), first)
        aligned = [
            expand_dims(b, tuple(range(1, 1 + n_dims - a.type.ndim)))
            if a.type.ndim < b.type.ndim
            else b
            for a, b in pairs
        ]
        generators.append(pytensor.shared(np.random.default_rng(0)))
        drawn = node.op.make_node(generators[-1], (draws, *shape), *aligned)
        batched[node.outputs[1]] = drawn.outputs[1]
    return vectorize_graph(opened, batched), generators


def _opened(variables: Sequence[Any]) -> list[Any]:
    """Put the graphs of symbolic random variables in their places."""
    opened = list(variables)
    while node := _first_symbolic(opened):
        inside = dict(zip(node.outputs, node.op.fgraph.bind(node.inputs), strict=True))
        opened = graph_replace(opened, inside, strict=False)
    return opened


def _first_symbolic(variables: Sequence[Any]) -> Any:
    """Node of a symbolic random variable that no other one leads to; None if there is none."""
    nodes = io_toposort([], variables)
    return next((node for node in nodes if isinstance(node.op, SymbolicRandomVariable)), None)


def _call(function: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    chains, draws = arrays[0].shape[:2]
    flat = [np.asarray(a, dtype=float).reshape(chains * draws, *a.shape[2:]) for a in arrays]
    return [np.asarray(out).reshape(chains, draws, *out.shape[1:]) for out in function(*flat)]


def _graph_of_density(model: pm.Model) -> tuple[str, ...]:
    """Texts that are equal for two models only if their densities compile to the same code."""
    with _lightly():
        log_density = model.logp()
    constants = [v.data for v in ancestors([log_density]) if isinstance(v, Constant)]
    values = [(value.name, str(value.type)) for value in model.value_vars]
    sizes = {name: len(labels) for name, labels in model.coords.items()}
    return (
        debugprint(log_density, print_type=True, file="str"),
        *(repr(c.tobytes()) if isinstance(c, np.ndarray) else repr(c) for c in constants),
        repr((values, sizes, pytensor.config.get_config_hash(), pytensor.config.numba__fastmath)),
    )


def _compiled_density(model: pm.Model, shapes: Shapes) -> tuple[Any, list[str]]:
    """Compile the density, and list the data in the order in which its machine code takes them."""
    from estimator.fitting.nuts import nutpie

    results, recorder = object_code.recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nutpie_model = nutpie.compile_pymc_model(model, var_names=[], pipeline_class=recorder)
    address = nutpie_model.compiled_logp_func.address
    density = next(result for result in results if object_code.address(result) == address)
    names, _, moved = nutpie_model.shape_info
    laid_out = [(name, tuple(map(int, shape))) for name, shape in zip(names, moved, strict=True)]
    if laid_out != list(shapes.items()):
        raise AssertionError(f"nutpie moves {laid_out}, the model has {shapes}")
    return object_code.closed(density), [v.name for v in nutpie_model.shared_var_keys]


def _nutpie_model(model: pm.Model, shapes: Shapes, density: Any, names: list[str]) -> Any:
    """Make the nutpie model of a density.

    It expands nothing: what the sampler moves is all that its trace holds.
    """
    from estimator.fitting.nuts import CompiledPyMCModel, make_user_data

    sizes = [math.prod(shape) for shape in shapes.values()]
    ends = np.cumsum(sizes).tolist()
    slices = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    keys = {model[name]: name for name in names}
    data = {name: np.array(model[name].get_value(), order="C") for name in names}
    return CompiledPyMCModel(
        _n_dim=ends[-1],
        n_expanded=ends[-1],
        dims={},
        _coords={"unconstrained_parameter": np.arange(ends[-1])},
        _shapes=shapes,
        shape_info=(list(shapes), slices, list(shapes.values())),
        compiled_logp_func=SimpleNamespace(address=object_code.address(density), code=density),
        compiled_expand_func=_copy,
        initial_point_func=Start(model, list(shapes)),
        shared_data=data,
        shared_var_keys=keys,
        user_data=make_user_data(keys, data),
        logp_func=None,
        expand_func=None,
        reparameterized_names=[],
    )


_DOUBLES = types.CPointer(types.double)


@object_code.cfunc(types.int64(types.uint64, types.uint64, _DOUBLES, _DOUBLES, types.voidptr))
def _copy(size, n_expanded, sampled, expanded, data):
    carray(expanded, (n_expanded,))[:] = carray(sampled, (size,))
    return 0


class Start:
    """A function of a seed that draws where a chain starts, as nutpie's own does.

    It is made when it is first wanted, for half a second: chains in whitened coordinates start by
    themselves. It should be asked for by `prepare` where nothing else uses PyTensor, since nutpie's
    chains start in threads.
    """

    def __init__(self, model: pm.Model, names: list[str]) -> None:
        self._model = model
        self._names = names
        self._lock = threading.Lock()

    @cached_property
    def _draw(self) -> Any:
        return make_initial_point_fn(
            model=self._model,
            default_strategy="support_point",
            jitter_rvs=set(self._model.free_RVs),
            return_transformed=True,
        )

    def prepare(self) -> None:
        """Make the function, if it is not made yet."""
        with self._lock:
            _ = self._draw

    def __call__(self, seed: int | None = None) -> np.ndarray:
        """Draw a point. (coordinate,)."""
        with self._lock:
            point = self._draw(seed)
        return np.concatenate([np.ravel(point[name]).astype(float) for name in self._names])


_COMPILED: dict[str, CompiledStructure] = {}


def compiled(structure: Structure, inputs: ModelInputs) -> CompiledStructure:
    """Return the model of a structure, built at its first use in the process."""
    if structure.identity not in _COMPILED:
        with _lightly():
            _COMPILED[structure.identity] = CompiledStructure(build_from_inputs(inputs))
    return _COMPILED[structure.identity]


def densities() -> int:
    """How many densities this process has compiled or loaded."""
    return sum("density" in vars(entry) for entry in _COMPILED.values())


def _checked(inputs: ModelInputs, entry: CompiledStructure) -> dict[str, np.ndarray]:
    """Check lengths, which nutpie does not: a wrong one would read beyond the array."""
    for name, array in inputs.data.items():
        expected = entry.model[name].get_value(borrow=True).shape
        if array.shape != expected:
            raise ValueError(f"{name} must have shape {expected}. Got {array.shape}")
    return inputs.data
