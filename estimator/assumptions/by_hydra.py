"""Hydra over the shipped options: where it looks, what it reads, and its errors in our words."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import yaml
from hydra import compose, version
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from estimator.assumptions.catalogue import config_groups, options
from estimator.assumptions.overrides import LOOK_UP, NO_LOOK_UP, key_of, meant, unreadable
from estimator.assumptions.problems import RENAMED
from estimator.errors import ConfigError, nearest, problems_text
from estimator.paths import conf_dir

CONFIG_NAME = "config"


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
    try:
        there = folder.is_dir()
    except OSError:  # longer than a name may be
        there = False
    if not there:
        raise ConfigError(f"--config-dir {config_dir}: no such folder")
    # Quoted: a path may hold what has a meaning in Hydra's grammar, e.g. a comma.
    quoted = str(folder).replace("'", r"\'")
    return [f"hydra.searchpath=['{_ReadOnce.scheme()}://{quoted}']"]


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
    """A folder of options whose files are parsed once: parsing them is a third of composing.

    They are kept pickled: unpickling is five times faster than copying what was parsed.
    """

    parsed: ClassVar[dict[tuple[str, int], bytes]] = {}

    @staticmethod
    def scheme() -> str:
        return "options"

    def load_config(self, config_path: str) -> ConfigResult:
        path = Path(self.path, self._normalize_file_name(config_path))
        if not path.exists():
            return super().load_config(config_path)  # says what is missing
        key = (str(path), path.stat().st_mtime_ns)
        if key not in self.parsed:
            try:
                _refuse_look_ups(path)
                self.parsed[key] = pickle.dumps(super().load_config(config_path))
            except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
                raise ConfigError(f"{path}: {_unreadable(error, path)}") from error
        read: ConfigResult = pickle.loads(self.parsed[key])  # noqa: S301 - this process's own
        return read


def _unreadable(error: Exception, path: Path) -> str:
    """Say why a file of options cannot be read."""
    if isinstance(error, UnicodeError):
        return "not UTF-8; save it as UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deeply; options have a few levels"
    reason = getattr(error, "strerror", None) or str(error).replace(f' in "{path}",', " in")
    return f"cannot be read ({' '.join(reason.split())}); options are a mapping of keys to values"


def _refuse_look_ups(path: Path) -> None:
    """Refuse a file of options that looks something up elsewhere, or repeats parts of itself.

    OmegaConf would put the user's environment into results, and a few aliases of aliases would fill
    the memory.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    if "*" not in text and not LOOK_UP.search(text):
        return
    problems = []
    try:
        for token in yaml.scan(text):
            place = f"{path}: line {token.start_mark.line + 1}: found"
            if isinstance(token, yaml.AliasToken):
                problems.append(f"{place} *{token.value}; allowed: values that are written out")
            elif isinstance(token, yaml.ScalarToken) and (found := LOOK_UP.search(token.value)):
                problems.append(f"{place} {found[0]}; {NO_LOOK_UP}")
    except yaml.YAMLError:
        return  # Hydra says what cannot be read
    if problems:
        once = list(dict.fromkeys(problems))
        raise ConfigError(problems_text("The configuration has problems:", once))


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
        return of_the_command_line(problems)
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


def of_the_command_line(problems: Sequence[str]) -> str:
    """Join the problems of what was typed into one text."""
    if len(problems) == 1:
        return problems[0]
    return problems_text("The command line has problems:", problems)


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
