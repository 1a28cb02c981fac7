"""From lists of overrides to assumption sets: thousands of them.

Hydra composes a configuration in a third of a second. The sets of a sweep share few combinations
of options and differ in values, so each combination is composed once, by Hydra, and values are put
into it, read by Hydra's own grammar.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from estimator.assumptions.catalogue import config_groups
from estimator.assumptions.compose import (
    CONFIG_NAME,
    compose_config,
    is_assumed,
    label_of,
    to_plain,
    typed,
)
from estimator.assumptions.labels import LABEL_MAXIMUM
from estimator.errors import ConfigError, EstimatorError
from estimator.paths import conf_dir, folder_name

if TYPE_CHECKING:
    from estimator.assumptions import AssumptionSet


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

    def renamed(self, label: str) -> SweepSet:
        """Give the set another label."""
        assumptions = self.assumptions
        if assumptions is not None:
            assumptions = assumptions.model_copy(update={"label": label})
        return replace(self, label=label, assumptions=assumptions)


def compose_sets(
    override_lists: Sequence[Sequence[str]],
    config_dir: str | None = None,
    composer: Composer | None = None,
) -> list[SweepSet]:
    """Compose all sets of a sweep.

    Parameters
    ----------
    override_lists
        For each set the overrides, without commas.
    config_dir
        A folder of a user's options.
    composer
        One that has composed some of the options already; None makes one.

    Notes
    -----
    A configuration that is not possible gives a set with an `error`: the others are still done.
    Override lists that make the same set of the same name twice give one set. Sets of one label,
    or of labels that would name one folder, get what differs between them in their labels.
    """
    composer = composer or Composer(config_dir)
    sets: list[SweepSet] = []
    named: dict[str, dict[Sequence[str], int]] = {}  # positions by folder and what is assumed
    for overrides in dict.fromkeys(tuple(texts) for texts in override_lists):
        label = label_of(overrides)
        try:
            config, assumptions = composer.compose(overrides)
            label = str(config.get("label") or label)
            error = ""
        except EstimatorError as problem:
            config, assumptions, error = {}, None, str(problem)
        planned = SweepSet(len(sets), overrides, "", assumptions, config, error).renamed(label)
        alike = named.setdefault(folder_name(label), {})
        assumed = tuple(text for text in overrides if is_assumed(text))
        if assumed in alike:
            if assumptions is not None and sets[alike[assumed]].assumptions == planned.assumptions:
                continue
            assumed = overrides
        alike[assumed] = planned.position
        sets.append(planned)
    folders = set(named)
    for alike in named.values():
        if len(alike) > 1:
            common = set.intersection(*(set(sets[at].overrides) for at in alike.values()))
            for at in alike.values():
                differing = [text for text in sets[at].overrides if text not in common]
                label = ",".join([sets[at].label, *differing])
                if folder_name(label) in folders or len(label) > LABEL_MAXIMUM:
                    label = f"{sets[at].label} #{at + 1}"
                folders.add(folder_name(label))
                sets[at] = sets[at].renamed(label)
    return sets


def with_short_labels(sets: Sequence[SweepSet]) -> list[SweepSet]:
    """Name sets whose labels are cut after their position: a cut label tells nothing."""
    return [
        planned.renamed(f"{planned.label.partition(',')[0]} #{planned.position + 1}")
        if "…" in planned.label
        else planned
        for planned in sets
    ]


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


class Composer:
    """Composes many configurations; each combination of options by Hydra once.

    Parameters
    ----------
    config_dir
        A folder of a user's options.
    """

    def __init__(self, config_dir: str | None) -> None:
        self.config_dir = config_dir
        self.groups = config_groups(config_dir)
        self._parser = OverridesParser.create()
        self._bases: dict[tuple[str, ...], tuple[DictConfig, dict[str, Any], bool]] = {}

    def plain(self, overrides: Sequence[str]) -> dict[str, Any]:
        """Return the plain configuration of some overrides, possible or not.

        Raises
        ------
        ConfigError
            If Hydra cannot compose it.
        """
        config = self._with_values(overrides)
        return to_plain(compose_config(overrides, self.config_dir)) if config is None else config

    def compose(self, overrides: Sequence[str]) -> tuple[dict[str, Any], AssumptionSet]:
        """Return the plain configuration of some overrides, and the set that it makes.

        Raises
        ------
        ConfigError
            If they make no possible configuration.
        """
        if not any(self._is_value(text) for text in overrides):
            composed, plain, _ = self._base(tuple(overrides))
            return plain, typed(composed, overrides)
        config = self._with_values(overrides)
        if config is None:
            whole = compose_config(overrides, self.config_dir)
            return to_plain(whole), typed(whole, overrides)
        label = config.get("label") or label_of(overrides)
        from estimator.assumptions import AssumptionSet

        return config, AssumptionSet.from_config(config, label=str(label))

    def _with_values(self, overrides: Sequence[str]) -> dict[str, Any] | None:
        """Put values into the configuration of the options; None if only Hydra can tell."""
        options = tuple(text for text in overrides if not self._is_value(text))
        values = [text for text in overrides if self._is_value(text)]
        roots = {_key_and_text(text)[0].partition(".")[0] for text in values}
        if roots - self._roots or any("${" in text for text in values):
            return None
        try:
            _, plain, simple = self._base(options)
        except ConfigError:  # options may be possible only with the values
            return None
        config = dict(plain)
        placed = simple and all(_put(config, *self._parsed(text)) for text in values)
        return config if placed else None

    @functools.cached_property
    def _roots(self) -> set[str]:
        """Groups and keys at the root: what begins otherwise is mistyped, or Hydra's own."""
        keys = (str(key) for key in OmegaConf.load(conf_dir() / f"{CONFIG_NAME}.yaml"))
        return {*self.groups, *keys}

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
