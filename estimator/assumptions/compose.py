"""From option names and overrides to a typed assumption set, by Hydra's compose."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hydra import compose, version
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from estimator.assumptions.catalogue import config_groups, options
from estimator.assumptions.labels import label_of_changes
from estimator.assumptions.overrides import key_of, meant, override_problems, repeated, unreadable
from estimator.assumptions.problems import RENAMED
from estimator.errors import ConfigError, nearest, problems_text
from estimator.paths import conf_dir

if TYPE_CHECKING:
    from estimator.assumptions import AssumptionSet

CONFIG_NAME = "config"
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
        raise ConfigError(_command_line(problems))
    try:
        with hydra_of():
            config = compose(CONFIG_NAME, overrides=words)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise ConfigError(explain_hydra(error, overrides)) from error
    return config


def check_once(overrides: Sequence[str]) -> None:
    """Refuse what is assumed twice on a command line: only the last would count.

    Raises
    ------
    ConfigError
        With every key that is given more than once.
    """
    problems = repeated([text for text in overrides if is_assumed(text.lstrip("+~"))])
    if problems:
        raise ConfigError(_command_line(problems))


def _command_line(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    return problems_text("The command line has problems:", problems)


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


def search_path(config_dir: str | Path | None) -> list[str]:
    """Return the override with which Hydra finds a user's options beside the shipped ones.

    Raises
    ------
    ConfigError
        If the folder does not exist.
    """
    if config_dir is None:
        return []
    folder = Path(config_dir).resolve()
    if not folder.is_dir():
        raise ConfigError(f"--config-dir {config_dir}: no such folder")
    # Quoted: a path may hold what has a meaning in Hydra's grammar, e.g. a comma.
    quoted = str(folder).replace("'", r"\'")
    return [f"hydra.searchpath=['file://{quoted}']"]


@contextmanager
def hydra_of(job: str = "app") -> Iterator[Hydra]:
    """Let Hydra read the shipped options, in a process that may have used it before."""
    GlobalHydra.instance().clear()
    version.setbase("1.3")
    SourcesRegistry.instance().register(_ReadOnce)
    folder = create_config_search_path(f"{_ReadOnce.scheme()}://{conf_dir()}")
    try:
        yield Hydra.create_main_hydra2(job, folder)
    finally:
        GlobalHydra.instance().clear()


class _ReadOnce(FileConfigSource):
    """A folder of options whose files are parsed once: parsing them is a third of composing."""

    parsed: ClassVar[dict[tuple[str, int], ConfigResult]] = {}

    @staticmethod
    def scheme() -> str:
        return "options"

    def load_config(self, config_path: str) -> ConfigResult:
        path = Path(self.path, self._normalize_file_name(config_path))
        if not path.exists():
            return super().load_config(config_path)  # says what is missing
        key = (str(path), path.stat().st_mtime_ns)
        if key not in self.parsed:
            self.parsed[key] = super().load_config(config_path)
        return copy.deepcopy(self.parsed[key])


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
    config = compose_config(overrides, config_dir)
    return typed(config, overrides)


def typed(config: DictConfig, overrides: Sequence[str]) -> AssumptionSet:
    """Check a composed configuration; the label comes from it, or from the overrides."""
    from estimator.assumptions import AssumptionSet

    plain: dict[str, Any] = to_plain(config)
    known = _top_keys()
    unknown = [f"{key}: unknown key; {nearest(key, known)}" for key in plain if key not in known]
    if unknown:
        raise ConfigError(problems_text("The configuration has problems:", unknown))
    label = plain.get("label") or label_of(overrides)
    return AssumptionSet.from_config(plain, label=str(label))


def to_plain(config: DictConfig) -> dict[str, Any]:
    """Resolve a configuration into nested dicts and lists."""
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
    root = re.split(r"[./@=]", override, maxsplit=1)[0]
    return root not in _NOT_ASSUMED and root not in _groups_of_studies()


@cache
def _groups_of_studies() -> set[str]:
    """Return the groups that say how something is worked out, not what is assumed."""
    from estimator.assumptions import AssumptionSet

    return config_groups() - set(AssumptionSet.model_fields) - {"assumptions", "experiment"}


def explain_hydra(error: Exception, overrides: Sequence[str] = ()) -> str:
    """Turn Hydra's and OmegaConf's texts into one that names the key and the nearest valid name.

    Parameters
    ----------
    error
        What was raised.
    overrides
        What was typed, for hints at the options that it may mean.
    """
    problems = unreadable(overrides)
    if problems:
        return _command_line(problems)
    text = str(error)
    if isinstance(error.__cause__, Exception):
        text = f"{text}\n{error.__cause__}"
    option = re.search(r"Could not (?:find|load) '([^']+)/([^'/]*)'", text)
    if option:
        group, name = option.groups()
        # Hydra lists the options of all folders that it searched, where it lists any.
        found = re.search(r"Available options in '[^']*':\n((?:\t\S+\n?)+)", text)
        valid = found[1].split() if found else options(group)
        elsewhere = [text for text in meant(name, group) if text != f"{group}={name}"]
        hint = f"did you mean {elsewhere[0]}?" if elsewhere else nearest(name, valid)
        return f"{group}={name}: unknown option; {hint}"
    group_match = re.search(r"config group '([^']+)' does not exist", text)
    if group_match:
        groups = sorted(config_groups())
        return f"{group_match[1]}: unknown group; {nearest(group_match[1], groups)}"
    key = re.search(r"Could not override '([^']+)'", text)
    full_key = re.search(r"full_key: (\S+)", text)
    if key and "not in struct" in text:
        # Of a mapping that is put in, the key inside it; of a path, all of it.
        inside = full_key is not None and full_key[1].startswith(f"{key[1]}.")
        name = full_key[1] if full_key and inside else key[1]
        if name in RENAMED:
            return f"{name}: unknown key; it is {RENAMED[name]} now"
        typed_as = [text.partition("=")[2] for text in overrides if key_of(text) == name]
        options_meant = [text for value in typed_as for text in meant(value, name)]
        if options_meant:
            return f"{name}: unknown key; did you mean {options_meant[0]}?"
        # Options that a shipped file leaves out, as undercount or delay, are no unknown names.
        add = f" (a key that the file does not have: +{name}=…)" if "." in name else ""
        keys = _keys()
        beside = [text for text in keys if text.rpartition(".")[0] == name.rpartition(".")[0]]
        return f"{name}: unknown key; {nearest(name, keys, listed=beside)}{add}"
    if full_key:
        reason = text.partition("full_key:")[0].split("\n")
        return f"{full_key[1]}: {' '.join(' '.join(reason).split())}"
    return f"The configuration cannot be composed: {' '.join(text.split())}"


def _top_keys() -> list[str]:
    """Keys allowed at the root: the groups of an assumption set and what config.yaml has beside."""
    from estimator.assumptions import AssumptionSet

    shipped = OmegaConf.load(conf_dir() / f"{CONFIG_NAME}.yaml")
    keys = [str(key) for key in shipped if key not in ("defaults", "hydra", "label")]
    return [*AssumptionSet.model_fields, *sorted(_groups_of_studies()), *keys]


def _keys() -> list[str]:
    keys: list[str] = []

    def walk(node: Any, prefix: str) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                keys.append(f"{prefix}{name}")
                walk(value, f"{prefix}{name}.")

    with hydra_of():
        walk(OmegaConf.to_container(compose(CONFIG_NAME), resolve=False), "")
    return keys
