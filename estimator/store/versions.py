"""Versions of what the numbers hang on."""

from __future__ import annotations

import functools
import hashlib

from estimator import distribution
from estimator.paths import package_dir

_LIBRARIES = ("pymc", "pytensor", "nutpie", "arviz", "xarray", "numpy", "hydra-core")


def versions() -> dict[str, str]:
    """Versions of what the numbers hang on, and a hash of this package's own code."""
    libraries = {name: distribution.version_of(name) for name in _LIBRARIES}
    return {"estimator": distribution.version(), **libraries, "estimator code": _code_hash()}


@functools.cache
def _code_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(package_dir().rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
