"""From a design to the sets that it stands for, each a list of Hydra overrides.

Every axis is a map from the unit interval to overrides, so that the designs differ only in the
points of the unit cube that they take: a lattice, its axes one by one, or points that fill it (for
Sobol indices, in blocks that are crossed axis by axis).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import scipy
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from pydantic import ValidationError

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.priors import LINKS, Prior
from estimator.errors import ConfigError, nearest, problems_text
from estimator.paths import conf_dir
from estimator.sweep.options import Axis, Design

SETS_MAXIMUM = 1_000_000
"""Sets of a product: more would fill the memory before the first is estimated."""

_DIGITS = 10
_KEYS_SHOWN = 12
_NOT_VARIED = frozenset(
    {
        *("audit", "backtest", "breakeven", "calibrate", "compare", "experiment", "ingest"),
        *("label", "sweep"),
    }
)
# A bundle sets priors of every group.
_BUNDLE = "assumptions"

# To and from the scale on which a family is a Normal.
_SCALES: dict[str, tuple[Callable[[float], Any], Callable[[float], Any]]] = {
    "identity": (float, float),
    "exp": (np.log, np.exp),
    "sigmoid": (scipy.special.logit, scipy.special.expit),
}

Overrides = tuple[str, ...]


@dataclass(frozen=True)
class _Dimension:
    """One axis: overrides at a place of the unit interval, and the places that designs take."""

    at: Callable[[float], Overrides]
    steps: tuple[float, ...]
    ends: tuple[float, ...]


@dataclass(frozen=True)
class _Configuration:
    """What can be varied: the groups of options, and every node by its dotted key."""

    groups: frozenset[str]
    nodes: Mapping[str, Any]

    def keys(self, wanted: Callable[[Any], bool]) -> list[str]:
        """Keys of the nodes that are `wanted`, those of the scalar assumptions first."""
        found = [key for key, node in self.nodes.items() if wanted(node)]
        return sorted(found, key=lambda key: not {key, key.rpartition(".")[0]} & set(ASSUMPTIONS))


def design_overrides(design: Design, plain: Mapping[str, Any]) -> list[list[str]]:
    """Expand a design into overrides, one list a set.

    Parameters
    ----------
    design
        Method and axes. A range or shift is taken in `points` equal steps by a product and at its
        two ends by one_at_a_time, whose first set is the configuration as it is (no overrides).
    plain
        The resolved configuration that the design varies around, as
        `estimator.assumptions.compose.plain_config` gives it.

    Returns
    -------
    list of list of str
        Without duplicates: a latin_hypercube or sobol design of options alone may have fewer than
        `sets`, and the blocks of a saltelli design with options may be shorter (where A and B have
        the same option, their crossing is A itself). The option that a group has is not known here,
        so that one_at_a_time leaves out the values that a key has already, but not the options.

    Raises
    ------
    ConfigError
        With every problem found: key, what was found, what is allowed. Whether an option exists is
        left to Hydra, which knows a user's folder too.

    Examples
    --------
    >>> axis = Axis(values=(0.2, 0.4))
    >>> design = Design(method="product", vary={"unconfirmed.ratio.high": axis})
    >>> design_overrides(design, {"unconfirmed": {"ratio": {"high": 0.3}}})
    [['unconfirmed.ratio.high=0.2'], ['unconfirmed.ratio.high=0.4']]
    """
    configuration = _configuration(plain)
    problems = [*_axis_problems(design, configuration), *_design_problems(design)]
    if problems:
        raise ConfigError(problems_text("The design has problems:", problems))
    dimensions = [
        _dimension(key, axis, configuration.nodes.get(key)) for key, axis in design.vary.items()
    ]
    sets: Iterable[Overrides]
    match design.method:
        case "product":
            steps = [[dimension.at(u) for u in dimension.steps] for dimension in dimensions]
            sets = (tuple(itertools.chain(*parts)) for parts in itertools.product(*steps))
        case "one_at_a_time":
            sets = _one_at_a_time(dimensions, configuration)
        case _:
            sets = (_at_point(dimensions, point) for point in _points(design))
    return [list(overrides) for overrides in dict.fromkeys(sets)]


def _one_at_a_time(
    dimensions: Sequence[_Dimension], configuration: _Configuration
) -> Iterator[Overrides]:
    yield ()
    for dimension in dimensions:
        for u in dimension.ends:
            overrides = dimension.at(u)
            if not all(_is_so_already(override, configuration) for override in overrides):
                yield overrides


def _at_point(dimensions: Sequence[_Dimension], point: np.ndarray) -> Overrides:
    parts = (dimension.at(float(u)) for dimension, u in zip(dimensions, point, strict=True))
    return tuple(itertools.chain(*parts))


def _points(design: Design) -> np.ndarray:
    """Points of the unit cube, one row a set."""
    rng = np.random.default_rng(design.seed)
    if design.method == "latin_hypercube":
        cube = scipy.stats.qmc.LatinHypercube(len(design.vary), rng=rng)
        return np.asarray(cube.random(design.sets))
    if design.method == "saltelli":
        return _saltelli_points(design)
    # A whole power of two, then the first of it: of another number scipy warns at once.
    power = (design.sets - 1).bit_length()
    points = scipy.stats.qmc.Sobol(len(design.vary), scramble=True, rng=rng).random_base2(power)
    return np.asarray(points[: design.sets])


def _saltelli_points(design: Design) -> np.ndarray:
    """Block by block: A, then for each axis A with that axis of B, then B."""
    from SALib.sample import sobol  # imported here: it takes half a second, few designs need it

    keys = list(design.vary)
    problem = {"num_vars": len(keys), "names": keys, "bounds": [[0.0, 1.0]] * len(keys)}
    points = sobol.sample(problem, design.blocks, calc_second_order=False, seed=design.seed)
    return np.asarray(points)


def _dimension(key: str, axis: Axis, node: Any) -> _Dimension:
    if axis.values is not None:
        return _of_values(key, axis.values)
    at: Callable[[float], Overrides]
    if axis.shift is not None:
        prior, (first, last) = Prior.model_validate(node), axis.shift

        def at(u: float) -> Overrides:
            low, high = _moved(prior, first + u * (last - first))
            return f"{key}.low={low}", f"{key}.high={high}"
    else:

        def at(u: float) -> Overrides:
            return (f"{key}={_number_text(_between(axis, u))}",)

    return _Dimension(at, tuple(np.linspace(0.0, 1.0, axis.points).tolist()), (0.0, 1.0))


def _of_values(key: str, values: Sequence[str | int | float | bool]) -> _Dimension:
    count = len(values)

    def at(u: float) -> Overrides:
        return (f"{key}={_text(values[min(int(u * count), count - 1)])}",)

    middles = tuple((index + 0.5) / count for index in range(count))
    return _Dimension(at, middles, middles)


def _between(axis: Axis, u: float) -> float:
    low, high = float(axis.low or 0.0), float(axis.high or 0.0)
    return low ** (1.0 - u) * high**u if axis.log else low + u * (high - low)


def _moved(prior: Prior, shift: float) -> tuple[str, str]:
    """Both ends of a range, moved by `shift` prior standard deviations, as they are written."""
    to_normal, from_normal = _SCALES[LINKS[prior.family]]
    _, scale = prior.location_scale()
    with np.errstate(over="ignore"):  # an end that is no number any more is refused as a problem
        low, high = (
            _number_text(float(from_normal(to_normal(end) + shift * scale)))
            for end in (prior.low or 0.0, prior.high or 0.0)
        )
    return low, high


def _number_text(number: float) -> str:
    """Write a number without an exponent and without the last digits, which are rounding."""
    return np.format_float_positional(number, _DIGITS, fractional=False, trim="0")


def _text(value: Any) -> str:
    """Write a value for Hydra; text is written as it is, so that it may be a list or null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return _number_text(value) if isinstance(value, float) else str(value)


def _is_so_already(override: str, configuration: _Configuration) -> bool:
    key, _, text = override.partition("=")
    if key in configuration.groups:
        return False
    node = configuration.nodes[key]
    if not _is_number(node):
        return text == _text(node)
    try:
        return float(text) == float(_number_text(float(node)))
    except ValueError:
        return False


def _configuration(plain: Mapping[str, Any]) -> _Configuration:
    nodes: dict[str, Any] = {}

    def walk(node: Mapping[str, Any], prefix: str) -> None:
        for name, value in node.items():
            nodes[f"{prefix}{name}"] = value
            if isinstance(value, Mapping):
                walk(value, f"{prefix}{name}.")

    assumed = [key for key in AssumptionSet.model_fields if key not in _NOT_VARIED]
    walk({key: plain[key] for key in assumed if key in plain}, "")
    folders = {path.name for path in conf_dir().iterdir() if path.is_dir()}
    return _Configuration(frozenset(folders - _NOT_VARIED), nodes)


def _axis_problems(design: Design, configuration: _Configuration) -> Iterator[str]:
    for key, axis in design.vary.items():
        if key not in configuration.groups and key not in configuration.nodes:
            known = [*sorted(configuration.groups), *ASSUMPTIONS, *configuration.nodes]
            problem = f"unknown key; {_hint(key, known)}"
        elif axis.values is not None:
            problem = _values_problem(key, axis.values, configuration)
        elif axis.shift is not None:
            problem = _shift_problem(key, axis.shift, configuration)
        else:
            problem = _range_problem(key, axis, configuration)
        if problem:
            yield f"sweep.design.vary.{key}: {problem}"


def _values_problem(
    key: str, values: Sequence[str | int | float | bool], configuration: _Configuration
) -> str:
    node = configuration.nodes.get(key)
    if key not in configuration.groups and isinstance(node, Mapping):
        if not _is_prior(node):
            keys = configuration.keys(lambda other: not isinstance(other, Mapping))
            return f"values need a group or a key with one value. Got a section; {_hint(key, keys)}"
        if others := [value for value in values if not _is_number(value)]:
            return f"the values that a prior is fixed at must be numbers. Got {others}"
    if several := [text for text in values if isinstance(text, str) and not _is_one(key, text)]:
        return f"each of the values must be one value in Hydra's grammar. Got {several}"
    return ""


def _is_one(key: str, text: str) -> bool:
    """Whether Hydra reads a text as one value, and not as several or not at all."""
    try:
        return not OverridesParser.create().parse_override(f"{key}={text}").is_sweep_override()
    except HydraException:
        return False


def _shift_problem(key: str, shift: tuple[float, float], configuration: _Configuration) -> str:
    node = configuration.nodes.get(key)
    if not _can_shift(node):
        families = ", ".join(LINKS)
        return (
            f"a shift needs a prior given as a range low..high of {families}. "
            f"Got {_found(key, configuration)}; {_hint(key, configuration.keys(_can_shift))}"
        )
    prior = Prior.model_validate(node)
    for by in shift:
        low, high = _moved(prior, by)
        try:
            Prior(family=prior.family, low=float(low), high=float(high), mass=prior.mass)
        except ValidationError:
            return (
                f"a shift by {by:g} makes the {prior.family} {prior.low:g}..{prior.high:g} "
                f"{low}..{high}, which it cannot be. Allowed: smaller shifts"
            )
    return ""


def _range_problem(key: str, axis: Axis, configuration: _Configuration) -> str:
    if not _is_number(configuration.nodes.get(key)):
        hint = _hint(key, configuration.keys(_is_number))
        return f"low and high need a number. Got {_found(key, configuration)}; {hint}"
    if not math.isfinite(axis.low or 0.0) or not math.isfinite(axis.high or 0.0):
        return f"low and high must be finite. Got low={axis.low}, high={axis.high}"
    return ""


def _design_problems(design: Design) -> Iterator[str]:
    """Problems of several axes together; one at a time they never meet."""
    if design.method == "one_at_a_time":
        return
    for key in (key for key, axis in design.vary.items() if axis.shift is not None):
        if others := [other for other in design.vary if other != key and _meet(key, other)]:
            yield (
                f"sweep.design.vary.{key}: the shift is that of one prior, which "
                f"{' and '.join(others)} would change. Allowed: one of them, or method: "
                "one_at_a_time"
            )
    if design.method == "saltelli":
        yield from _saltelli_problems(design)
    sizes = [len(axis.values) if axis.values else axis.points for axis in design.vary.values()]
    if design.method == "product" and math.prod(sizes) > SETS_MAXIMUM:
        yield (
            f"sweep.design: the product has {math.prod(sizes):,} sets. Allowed: at most "
            f"{SETS_MAXIMUM:,}; vary less, or take method: latin_hypercube"
        )


def _saltelli_problems(design: Design) -> Iterator[str]:
    if len(design.vary) < 2:
        yield "sweep.design.vary: a saltelli design needs two axes or more. Got one"
    if all(axis.values is not None for axis in design.vary.values()):
        yield (
            "sweep.design.vary: a saltelli design needs an axis that is a range or a shift. Got "
            "values alone. Allowed: method: product, which takes all their combinations"
        )
    sets = design.blocks * (len(design.vary) + 2)
    if sets > SETS_MAXIMUM:
        yield (
            f"sweep.design: {design.blocks:,} blocks of {len(design.vary) + 2} make {sets:,} sets. "
            f"Allowed: at most {SETS_MAXIMUM:,}"
        )


def _meet(prior: str, other: str) -> bool:
    """Whether an axis changes the prior that another one shifts."""
    return other == _BUNDLE or prior.startswith(f"{other}.") or other.startswith(f"{prior}.")


def _is_number(node: Any) -> bool:
    return isinstance(node, (int, float)) and not isinstance(node, bool)


def _is_prior(node: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(node, Mapping) and "family" in node


def _can_shift(node: Any) -> bool:
    if not _is_prior(node) or node["family"] not in LINKS:
        return False
    try:
        return Prior.model_validate(node).is_range
    except ValidationError:
        return False


def _found(key: str, configuration: _Configuration) -> str:
    node = configuration.nodes.get(key)
    if key in configuration.groups:
        return "a group"
    if _is_prior(node):
        inside = ", ".join(
            f"{name}={value}"
            for name, value in node.items()
            if _is_number(value) and name != "mass"
        )
        return f"the prior {node['family']}({inside})"
    if isinstance(node, Mapping):
        return "a section"
    return "null" if node is None else repr(node)


def _hint(key: str, valid: Sequence[str]) -> str:
    """Name the nearest valid key, or the first ones: there are hundreds."""
    hint = nearest(key, valid)
    if hint.startswith("did you mean") or len(valid) <= _KEYS_SHOWN:
        return hint
    return f"{nearest(key, valid[:_KEYS_SHOWN])}, …"
