"""What package managers know this package as.

The name `estimator` on the public index has belonged to another project since 2018, so the
distribution has a name of its own. The import, the command and the user's cache keep theirs.
"""

from __future__ import annotations

import importlib.metadata

NAME = "loss-ranges"


def version() -> str:
    """Version that is installed; ``not installed`` in a checkout that is run in place."""
    return version_of(NAME)


def version_of(distribution: str) -> str:
    """Version of any distribution, or ``not installed``."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def install(extra: str) -> str:
    """Command that adds what an extra needs, to a wheel and to a checkout alike.

    Examples
    --------
    >>> install("ray")
    "pip install 'loss-ranges[ray]'"
    """
    return f"pip install '{NAME}[{extra}]'"
