"""From option names and overrides to a typed assumption set.

Hydra composes a configuration in a third of a second. Configurations that are asked for one after
the other share few combinations of options and differ in values, so each combination is composed
once, by Hydra, and values are put into it, read by Hydra's own grammar. What the shipped files make
is kept for later processes (`composed`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from estimator.assumptions import composed
from estimator.assumptions.by_hydra import (
    CONFIG_NAME,
    explain_hydra,
    hydra_of,
    of_the_command_line,
    search_path,
)
from estimator.assumptions.catalogue import config_groups, root
from estimator.assumptions.composed import Composed
from estimator.assumptions.labels import label_of_changes
from estimator.assumptions.overrides import key_and_text, override_problems, repeated
from estimator.errors import ConfigError, nearest, problems_text
from estimator.paths import conf_dir

if TYPE_CHECKING:
    from estimator.assumptions import AssumptionSet

_NOT_ASSUMED = ("name", "output_dir", "label", "plots", "keep", "hydra", "experiment")


def compose_config(
    overrides: Sequence[str] = (), config_dir: str | Path | None = None
) -> DictConfig:
    """Compose the configuration from the shipped groups, a user's folder and overrides.

    Parameters
    ----------
    overrides
        As on the command line, e.g. ``["assumptions=sceptical", "unconfirmed.ratio.high=1.5"]``.
    config_dir
        A folder whose options are found beside the shipped ones.

    Raises
    ------
    ConfigError
        If an option or key does not exist, naming the nearest valid one, or if an override or a
        file is malformed.
    """
    words = [*overrides, *search_path(config_dir)]
    problems = override_problems(overrides)
    if problems:
        raise ConfigError(of_the_command_line(problems))
    try:
        with hydra_of():
            config = compose(CONFIG_NAME, overrides=words)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise ConfigError(explain_hydra(error, overrides)) from error
    return config


def assumption_set(
    overrides: Sequence[str] = (), config_dir: str | Path | None = None
) -> AssumptionSet:
    """Compose and check an assumption set.

    Parameters
    ----------
    overrides, config_dir
        As for `compose_config`.

    Examples
    --------
    >>> assumption_set(["assumptions=registry"]).label
    'registry'
    """
    return _composer(config_dir).compose(overrides)[1]


def plain_config(
    overrides: Sequence[str] = (), config_dir: str | Path | None = None
) -> dict[str, Any]:
    """Compose a configuration and resolve it into nested dicts and lists.

    Parameters
    ----------
    overrides, config_dir
        As for `compose_config`.
    """
    return copy.deepcopy(_composer(config_dir).plain(overrides))


def plain_and_typed(
    overrides: Sequence[str] = (), config_dir: str | Path | None = None
) -> tuple[dict[str, Any], AssumptionSet]:
    """Compose a configuration; return it plain, as `plain_config`, and the set that it makes."""
    plain, assumptions = _composer(config_dir).compose(overrides)
    return copy.deepcopy(plain), assumptions


def check_once(overrides: Sequence[str]) -> None:
    """Refuse what is assumed twice on a command line: only the last would count.

    Raises
    ------
    ConfigError
        With every key that is given more than once.
    """
    problems = repeated([text for text in overrides if is_assumed(text.lstrip("+~"))])
    if problems:
        raise ConfigError(of_the_command_line(problems))


def option_choices(
    overrides: Sequence[str] = (), config_dir: str | Path | None = None
) -> dict[str, str]:
    """Option of each group that a configuration is composed of; of several a list as text.

    Parameters
    ----------
    overrides, config_dir
        As for `compose_config`, which says what is wrong with them.
    """
    with hydra_of():
        words = [*overrides, *search_path(config_dir)]
        config = compose(CONFIG_NAME, overrides=words, return_hydra_config=True)
    chosen = config.hydra.runtime.choices
    return {str(group): str(name) for group, name in chosen.items() if "hydra" not in str(group)}


def to_plain(config: DictConfig) -> dict[str, Any]:
    """Resolve a configuration into nested dicts and lists, without what is Hydra's own."""
    if "hydra" in config:
        config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    try:
        plain: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(explain_hydra(error)) from error
    return {str(key): value for key, value in plain.items()}


def label_of(overrides: Sequence[str]) -> str:
    """Name a set after its bundle and what was changed on top of it.

    Examples
    --------
    >>> label_of(["assumptions=sceptical", "unconfirmed.ratio.high=1.5", "name=mine"])
    'sceptical,unconfirmed.ratio.high=1.5'
    """
    bundle = "central"
    changes = []
    for override in overrides:
        if override.startswith("assumptions="):
            bundle = override.removeprefix("assumptions=")
        elif is_assumed(override.lstrip("+~")):
            changes.append(override)
    return label_of_changes(bundle, changes)


def is_assumed(override: str) -> bool:
    """Whether an override changes what is assumed, and not where or how it is worked out."""
    begin = re.split(r"[./@=]", override, maxsplit=1)[0]
    return begin not in _NOT_ASSUMED and begin not in _groups_of_studies()


@cache
def _groups_of_studies() -> set[str]:
    """Return the groups that say how something is worked out, not what is assumed."""
    from estimator.assumptions import AssumptionSet

    return config_groups() - set(AssumptionSet.model_fields) - {"assumptions", "experiment"}


def _top_keys() -> list[str]:
    """Keys allowed at the root: the groups of an assumption set and what config.yaml has beside."""
    from estimator.assumptions import AssumptionSet

    keys = [key for key in root() if key not in ("defaults", "hydra", "label")]
    return [*AssumptionSet.model_fields, *sorted(_groups_of_studies()), *keys]


class Composer:
    """Composes many configurations; each combination of options by Hydra once.

    Parameters
    ----------
    config_dir
        A folder of a user's options.

    Notes
    -----
    What it returns shares parts with what it returned before, and is not to be changed.
    """

    def __init__(self, config_dir: str | Path | None) -> None:
        self.config_dir = config_dir
        self.groups = config_groups(config_dir)
        self._parser = OverridesParser.create()
        self._bases: dict[tuple[str, ...], Composed] = {}
        self._checked: dict[int, Any] = {}  # groups of bases, once checked, by the id of the plain
        self._parsed = lru_cache(maxsize=65_536)(self._parse)

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
        plain = self.plain(overrides)
        # Ten thousand sets differ in a few groups and share the others: a sixth of the memory.
        checked = {key: self._checked.get(id(group)) for key, group in plain.items()}
        groups = {key: group for key, group in checked.items() if group is not None}
        assumptions = typed(plain | groups, overrides)
        for key, group in plain.items():
            if id(group) in self._checked:
                self._checked[id(group)] = getattr(assumptions, key, None)
        return plain, assumptions

    def _with_values(self, overrides: Sequence[str]) -> dict[str, Any] | None:
        """Put values into the configuration of the options; None if only Hydra can tell."""
        options = tuple(text for text in overrides if not self._is_value(text))
        values = [text for text in overrides if self._is_value(text)]
        roots = {key_and_text(text)[0].partition(".")[0] for text in values}
        if roots - {*self.groups, *root()} or any("${" in text or "???" in text for text in values):
            return None
        try:
            plain, simple = self._base(options)
            config = dict(plain)
            placed = simple and all(_put(config, text, self._parsed(text)) for text in values)
        # Options may be possible only with the values, and Hydra says what it cannot read.
        except (ConfigError, HydraException, OmegaConfBaseException):
            return None
        return config if placed else None

    def _is_value(self, override: str) -> bool:
        key, text = key_and_text(override)
        return (
            bool(text)
            and not override.startswith(("~", "++"))
            and key.partition("@")[0].replace(".", "/") not in self.groups
            and not key.startswith("hydra")
        )

    def _base(self, options: tuple[str, ...]) -> Composed:
        if options not in self._bases:
            made = self._bases[options] = self._composed(options)
            groups = (group for group in made[0].values() if isinstance(group, dict))
            self._checked |= {id(group): None for group in groups}
        return self._bases[options]

    def _composed(self, options: tuple[str, ...]) -> Composed:
        """Compose by Hydra, or take what it made of the same files before."""
        ours = self.config_dir is None
        kept = composed.load(self._state, options) if ours else None
        if kept is not None:
            return kept
        config = compose_config(options, self.config_dir)
        # An interpolation may refer to a value, so that only Hydra knows what it gives.
        simple = "${" not in str(OmegaConf.to_container(config, resolve=False))
        made = to_plain(config), simple
        if ours and self._state == composed.state():  # no file was changed meanwhile
            composed.save(self._state, options, made)
        return made

    @cached_property
    def _state(self) -> str:
        return composed.state()

    def _parse(self, override: str) -> Any:
        _, text = key_and_text(override)
        if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
            return float(text)
        value = self._parser.parse_override(override).value()
        # As Hydra does, so that lists, quoted texts and nulls are what they are in a file.
        return OmegaConf.to_container(OmegaConf.create({"value": value}))["value"]  # type: ignore[index,call-overload]


def _composer(config_dir: str | Path | None) -> Composer:
    """Return the composer that this process has for the options as they are now."""
    search_path(config_dir)  # says if there is no such folder
    folders = [conf_dir(), *([Path(config_dir).resolve()] if config_dir is not None else [])]
    depths = ("*.yaml", "*/*.yaml", "*/*/*.yaml")
    paths = [path for one in folders for depth in depths for path in one.glob(depth)]
    files = [(path, path.stat().st_mtime_ns) for path in paths]
    return _kept(None if config_dir is None else folders[1], frozenset(files))


@lru_cache(maxsize=4)
def _kept(config_dir: Path | None, files: frozenset[tuple[Path, int]]) -> Composer:
    return Composer(config_dir)


def typed(plain: dict[str, Any], overrides: Sequence[str]) -> AssumptionSet:
    """Check a plain configuration; the label comes from it, or from the overrides."""
    from estimator.assumptions import AssumptionSet

    known = _top_keys()
    unknown = [f"{key}: unknown key; {nearest(key, known)}" for key in plain if key not in known]
    if unknown:
        raise ConfigError(problems_text("The configuration has problems:", unknown))
    label = plain.get("label") or label_of(overrides)
    return AssumptionSet.from_config(plain, label=str(label))


def _put(config: dict[str, Any], override: str, value: Any) -> bool:
    """Put a value in place, copying what leads to it; False if only Hydra knows what it does."""
    *path, last = key_and_text(override)[0].split(".")
    for part in path:
        inner = config.get(part)
        if not isinstance(inner, dict):
            return False
        config[part] = dict(inner)
        config = config[part]
    if override.startswith("+"):
        if config.get(last) is not None or isinstance(value, dict):
            return False
        config[last] = value
        return True
    return last in config and _merge(config, last, value)


def _merge(config: dict[str, Any], key: str, value: Any) -> bool:
    """Put a value over another; of a mapping each key that is there already."""
    inner = config[key]
    if not isinstance(value, dict):
        config[key] = value
        return not (isinstance(value, list) and isinstance(inner, dict))
    if not isinstance(inner, dict) or value.keys() - inner.keys():
        return False
    config[key] = dict(inner)
    return all(_merge(config[key], *item) for item in value.items())
