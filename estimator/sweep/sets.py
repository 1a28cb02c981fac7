"""From lists of overrides to assumption sets: thousands of them.

Hydra composes a configuration in a third of a second. The sets of a sweep share few combinations
of options and differ in values, so each combination is composed once, by Hydra, and values are put
into it, read by Hydra's own grammar.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import (
    compose_config,
    config_groups,
    is_assumed,
    label_of,
    to_plain,
    typed,
)
from estimator.errors import ConfigError, EstimatorError


@dataclass(frozen=True)
class SweepSet:
    """One set of a sweep.

    Attributes
    ----------
    position
        In the sweep.
    overrides
        What makes it, as on the command line.
    label
        Its name; unique in the sweep.
    assumptions
        None if they are no possible configuration.
    config
        The whole configuration, plain.
    error
        Why there are no assumptions; empty if there are.
    """

    position: int
    overrides: tuple[str, ...]
    label: str
    assumptions: AssumptionSet | None
    config: Mapping[str, Any]
    error: str = ""


def compose_sets(
    override_lists: Sequence[Sequence[str]], config_dir: str | None = None
) -> list[SweepSet]:
    """Compose all sets of a sweep.

    Parameters
    ----------
    override_lists
        For each set the overrides, without commas.
    config_dir
        A folder of a user's options.

    Notes
    -----
    A configuration that is not possible gives a set with an `error`: the others are still done. An
    override list that stands twice gives one set.
    """
    composer = _Composer(config_dir)
    sets: list[SweepSet] = []
    taken: set[str] = set()
    for overrides in dict.fromkeys(tuple(texts) for texts in override_lists):
        position = len(sets)
        label = label_of(overrides)
        if "…" in label:  # too long to tell sets apart
            label = f"{label.partition(',')[0]} #{position + 1}"
        try:
            config, assumptions = composer.compose(overrides)
            label = str(config.get("label") or label)
            error = ""
        except EstimatorError as problem:
            config, assumptions, error = {}, None, str(problem)
        if label in taken:
            label = f"{label} #{position + 1}"
        taken.add(label)
        if assumptions is not None:
            assumptions = assumptions.model_copy(update={"label": label})
        sets.append(SweepSet(position, overrides, label, assumptions, config, error))
    return sets


def varied(sets: Sequence[SweepSet]) -> dict[str, list[Any]]:
    """Values of every key that differs between the sets, in the order of the sets.

    A set that does not name a key has the value of its configuration; a group that it does not name
    is ``(default)``.
    """
    keys = dict.fromkeys(
        key
        for one in sets
        for key, _ in (_key_and_text(text) for text in one.overrides)
        if is_assumed(key)
    )
    columns = {key: [_value_of(one, key) for one in sets] for key in keys}
    return {key: values for key, values in columns.items() if len(set(map(str, values))) > 1}


def _value_of(one: SweepSet, key: str) -> Any:
    named = {k: text for k, text in map(_key_and_text, one.overrides)}
    found: Any = one.config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping) or found is None:
        return named.get(key, "(default)")
    return found


def _key_and_text(override: str) -> tuple[str, str]:
    key, _, text = override.partition("=")
    return key.lstrip("+~"), text


class _Composer:
    def __init__(self, config_dir: str | None) -> None:
        self.config_dir = config_dir
        self.groups = config_groups(config_dir)
        self._parser = OverridesParser.create()
        self._bases: dict[tuple[str, ...], tuple[DictConfig, dict[str, Any], bool]] = {}

    def compose(self, overrides: Sequence[str]) -> tuple[dict[str, Any], AssumptionSet]:
        options = tuple(text for text in overrides if not self._is_value(text))
        values = [text for text in overrides if self._is_value(text)]
        if not values:
            composed, plain, _ = self._base(options)
            return plain, typed(composed, overrides)
        try:
            _, plain, simple = self._base(options)
        except ConfigError:  # options may be possible only with the values
            plain, simple = {}, False
        changed = dict(plain)
        if (
            not simple
            or any("${" in text for text in values)
            or not all(_put(changed, *self._parsed(text)) for text in values)
        ):
            whole = compose_config(overrides, self.config_dir)
            return to_plain(whole), typed(whole, overrides)
        label = changed.get("label") or label_of(overrides)
        return changed, AssumptionSet.from_config(changed, label=str(label))

    def _is_value(self, override: str) -> bool:
        key, text = _key_and_text(override)
        return (
            bool(text)
            and override[0] not in "+~"
            and key.partition("@")[0].replace(".", "/") not in self.groups
            and not key.startswith("hydra")
        )

    def _base(self, options: tuple[str, ...]) -> tuple[DictConfig, dict[str, Any], bool]:
        if options not in self._bases:
            config = compose_config(options, self.config_dir)
            typed(config, options)  # unknown keys are found here
            # An interpolation may refer to a value, so that only Hydra knows what it gives.
            simple = "${" not in OmegaConf.to_yaml(config, resolve=False)
            self._bases[options] = (config, to_plain(config), simple)
        return self._bases[options]

    @functools.lru_cache(maxsize=65_536)  # noqa: B019 - lives as long as the sweep is composed
    def _parsed(self, override: str) -> tuple[str, Any]:
        key, text = _key_and_text(override)
        try:
            return key, float(text) if _is_plain_number(text) else self._parse(override)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(f"{override}: {error}") from error

    def _parse(self, override: str) -> Any:
        parsed = self._parser.parse_override(override)
        value = parsed.value()
        # As Hydra does, so that lists, quoted texts and nulls are what they are in a file.
        return OmegaConf.to_container(OmegaConf.create({"value": value}))["value"]  # type: ignore[index,call-overload]


def _is_plain_number(text: str) -> bool:
    return re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text) is not None


def _put(config: dict[str, Any], key: str, value: Any) -> bool:
    """Put a value in place, copying what leads to it; False if there is no such place."""
    *path, last = key.split(".")
    for part in path:
        inner = config.get(part)
        if not isinstance(inner, dict):
            return False
        config[part] = dict(inner)
        config = config[part]
    if last not in config or isinstance(value, dict):
        return False
    config[last] = value
    return True
