"""What `estimator show` says of a set, of a key, and of how two sets differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.catalogue import SETS, belief, config_groups, defaults, leaves, options
from estimator.assumptions.compose import assumption_set, option_choices
from estimator.assumptions.priors import Prior
from estimator.errors import ConfigError, nearest
from estimator.show.assumed import (
    LEFT_OUT,
    as_written,
    became,
    priors,
    source_of,
    value_text,
)
from estimator.show.grid import Cell, Grid, column
from estimator.show.number import NOTHING
from estimator.show.part import Part
from estimator.studies.report import words

_RANGES = {"real": "any number", "positive": "0 or more", "share": "0 to 1"}


def option_file(group: str, name: str, config_dir: str | None) -> Path:
    """File of an option.

    Raises
    ------
    ConfigError
        If there is no such group or option, with the nearest one.
    """
    known = config_groups(config_dir)
    if group not in known:
        raise ConfigError(f"{group}: no such group; {nearest(group, sorted(known))}")
    found = options(group, config_dir)
    if name not in found:
        raise ConfigError(f"{group}={name}: no such option; {nearest(name, found)}")
    return found[name]


def one_set(name: str, overrides: Sequence[str], config_dir: str | None) -> Part:
    """Belief, options and every prior of a set."""
    words_of = [f"{SETS}={name}", *overrides]
    assumptions = assumption_set(words_of, config_dir)
    chosen, usual = option_choices(words_of, config_dir), defaults()
    other = [
        f"{group}={chosen[group]}"
        for group in AssumptionSet.model_fields
        if group in chosen and (chosen[group],) != usual[group]
    ]
    changed = ", ".join([*other, *overrides]) or "none"
    rows = [
        (
            Cell(key, words.assumption(key)),
            _prior_cell(key, prior),
        )
        for key, prior in priors(_plain(assumptions))
    ]
    grid = Grid.of(
        f"Every prior of {assumptions.label}",
        (column("assumption", "name"), column("prior", "long", below="source")),
        rows,
        [
            "All other settings: estimator show GROUP=OPTION has the file of an option; "
            f"estimator show {name} --diff OTHER has all in which two sets differ."
        ],
    )
    return Part(
        assumptions.label,
        [belief(options(SETS, config_dir)[name]), f"Options other than the defaults: {changed}."],
        [grid],
    )


def difference(name: str, other: str, overrides: Sequence[str], config_dir: str | None) -> Part:
    """All in which two sets differ: priors with their sources, and every other setting.

    Raises
    ------
    ConfigError
        If the other is no set.
    """
    sets = [
        assumption_set([f"{SETS}={option_file(SETS, one, config_dir).stem}", *more], config_dir)
        for one, more in ((name, overrides), (other, ()))
    ]
    mine, theirs = (dict(leaves(_plain(one))) for one in sets)
    rows = [
        (Cell(key, _described(key)), _cell(mine, key), _cell(theirs, key))
        for key in dict.fromkeys([*mine, *theirs])
        if _alike(mine.get(key)) != _alike(theirs.get(key))
    ]
    heads = (column(one.label, "long", below="source") for one in sets)
    title = f"{sets[0].label} and {sets[1].label}: "
    if not rows:
        return Part(f"{title}the same in all that is assumed")
    return Part(grids=[Grid.of(f"{title}where they differ", (column("key", "name"), *heads), rows)])


def one_key(key: str, overrides: Sequence[str], config_dir: str | None) -> Part:
    """Say what a key is, and what each option of its group says of it.

    Raises
    ------
    ConfigError
        If no set and no key has this name.
    """
    group = key.partition(".")[0]
    inside = _inside(_plain(assumption_set(overrides, config_dir)), key)
    if not inside:
        known = [*options(SETS, config_dir), *dict(leaves(_plain(assumption_set())))]
        hint = nearest(key, known, listed=options(SETS, config_dir))
        raise ConfigError(f"{key}: no set and no key of one; {hint} (estimator list has the names)")
    has_source = any(isinstance(node, dict) and "family" in node for node in inside.values())
    rows = []
    for option in options(group, config_dir):
        found = _inside(_plain(assumption_set([*overrides, f"{group}={option}"], config_dir)), key)
        usual = "(default)" if option in defaults()[group] else ""
        rows += [
            (Cell(option if n == 0 else "", usual if n == 0 else ""), place, _cell(found, place))
            for n, place in enumerate(found)
        ]
    several = len(inside) > 1
    grid = Grid.of(
        f"What the options of {group} say",
        (
            "option",
            *([column("key", "long")] if several else []),
            column("value", "long", below="source" if has_source else ""),
        ),
        rows if several else [(name, cell) for name, _, cell in rows],
    )
    return Part(key, list(_ways(key, inside)), [grid])


def _ways(key: str, inside: Mapping[str, Any]) -> Iterable[str]:
    """Say what a key is, and how it is changed."""
    if key not in ASSUMPTIONS:
        described = _described(key)
        yield from [f"{described.capitalize()}."] if described else []
        return
    spec = ASSUMPTIONS[key]
    yield f"{spec.description.capitalize()}, in {spec.unit}: {_RANGES[spec.support]}."
    prior = Prior.model_validate(inside[key])
    low, middle, high = (f"{prior.quantile(p):.3g}" for p in (0.05, 0.5, 0.95))
    yield f"Hold it at a value: estimator run {key}={middle}"
    if not prior.is_fixed:
        yield f"At several in turn: estimator run -m {key}={low},{middle},{high}"
    if prior.is_range and prior.low is not None:
        yield f"Change its range: estimator run {key}.low={prior.low:g} {key}.high={prior.high:g}"
    yield f"Where an answer crosses a level: estimator breakeven {key} --event EVENT"


def _plain(assumptions: AssumptionSet) -> dict[str, Any]:
    """Write a set as nested texts and numbers, without what is not assumed."""
    return assumptions.model_dump(mode="json", exclude=set(LEFT_OUT))


def _inside(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Leaves at a key and below it, by their whole keys."""
    return {
        place: node for place, node in leaves(config) if place == key or place.startswith(f"{key}.")
    }


def _alike(node: Any) -> Any:
    """Take what is said of its source out of a prior."""
    return {**node, "source": ""} if isinstance(node, dict) and "family" in node else node


def _described(key: str) -> str:
    described = words.assumption(key)
    return "" if described == words.plain(key) else described


def _cell(leaves_by_key: Mapping[str, Any], key: str) -> Cell:
    if key not in leaves_by_key:
        return Cell(NOTHING)
    node = leaves_by_key[key]
    if isinstance(node, dict) and "family" in node:
        return _prior_cell(key, Prior.model_validate(node))
    return Cell(value_text(node))


def _prior_cell(key: str, prior: Prior) -> Cell:
    unit = ASSUMPTIONS[key].unit if key in ASSUMPTIONS else prior.unit
    written = as_written(prior.model_copy(update={"unit": unit}))
    return Cell(f"{written} {unit or ''}, {became(prior)}".replace(" ,", ","), source_of(prior))
