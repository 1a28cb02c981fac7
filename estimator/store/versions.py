"""Versions of what the numbers hang on."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata

from estimator.paths import package_dir

_PACKAGES = ("estimator", "pymc", "pytensor", "nutpie", "arviz", "xarray", "numpy", "hydra-core")


def versions() -> dict[str, str]:
    """Versions of what the numbers hang on, and a hash of this package's own code."""
    return {name: _version(name) for name in _PACKAGES} | {"estimator code": _code_hash()}


@functools.cache
def _code_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(package_dir().rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
