"""Configurations that Hydra has composed, in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from estimator import cache
from estimator.paths import conf_dir, package_dir

Composed = tuple[dict[str, Any], bool]
"""A plain configuration, and whether it is without interpolations."""

_LIBRARIES = ("hydra-core", "omegaconf", "pyyaml")
_COMPOSING_ROOM = "assumptions"


def state() -> str:
    """Return a hash of all that composing hangs on: shipped options, this code, the libraries."""
    digest = hashlib.sha256(repr([version(library) for library in _LIBRARIES]).encode())
    files = [*conf_dir().rglob("*.yaml"), *(package_dir() / _COMPOSING_ROOM).glob("*.py")]
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"\n{path.parent.name}/{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def load(state: str, options: Sequence[str]) -> Composed | None:
    """Return what some options made before, in this state; None if that is not known."""
    payload = cache.load(_key(state, options))
    if payload is None:
        return None
    plain, simple = json.loads(payload)
    return plain, simple


def save(state: str, options: Sequence[str], composed: Composed) -> None:
    """Keep what some options make, unless JSON would change it."""
    text = json.dumps(composed)
    if tuple(json.loads(text)) == composed:
        cache.save(_key(state, options), text.encode())


def _key(state: str, options: Sequence[str]) -> str:
    return hashlib.sha256(repr(("composed", state, *options)).encode()).hexdigest()
