"""The groups of options: those that ship and those of a user's folder, and what each believes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from estimator.paths import conf_dir

SETS = "assumptions"
"""The group whose options are whole assumption sets."""

_SENTENCE = re.compile(r"(?<=[.?])\s+")


def config_groups(config_dir: str | Path | None = None) -> set[str]:
    """Names of all groups of options, the shipped ones and those of a user's folder."""
    folders = [conf_dir(), *([Path(config_dir)] if config_dir is not None else [])]
    return {path.name for folder in folders for path in folder.iterdir() if path.is_dir()}


def options(group: str, config_dir: str | Path | None = None) -> dict[str, Path]:
    """Files of a group by the name of the option; Hydra lets a shipped one win over a user's."""
    folders = [*([Path(config_dir)] if config_dir is not None else []), conf_dir()]
    found = {path.stem: path for one in folders for path in (one / group).glob("*.yaml")}
    return dict(sorted(found.items()))


def root() -> dict[str, Any]:
    """Return what ``config.yaml`` has: the defaults, and keys of no group."""
    path = conf_dir() / "config.yaml"
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _read(path: Path, modified: int) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def defaults() -> dict[str, tuple[str, ...]]:
    """Options that are taken unless others are named, by group in the order of ``config.yaml``."""
    groups = [next(iter(item.items())) for item in root()["defaults"] if isinstance(item, dict)]
    return {
        group: tuple(names) if isinstance(names, list) else (names,) if names else ()
        for group, names in groups
    }


def leaves(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Walk a configuration by key; what is written as a prior is one leaf."""
    if isinstance(node, Mapping) and "family" not in node and node:
        for key, value in node.items():
            yield from leaves(value, f"{place}.{key}" if place else str(key))
    else:
        yield place, node


def keys(group: str) -> list[str]:
    """Keys that the default option of a group has, by their whole names."""
    chosen = defaults().get(group, ())
    if len(chosen) != 1:
        return []
    node = yaml.safe_load(options(group)[chosen[0]].read_text(encoding="utf-8"))
    return [key for key, _ in leaves(node, group) if not key.endswith(".defaults")]


def belief(path: Path) -> str:
    """First sentence of the comment at the head of an option's file; empty without a comment."""
    lines = []
    # What is wrong with the file is said where it is composed.
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("# @package"):
            continue
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return _SENTENCE.split(" ".join(lines).strip(), maxsplit=1)[0]
