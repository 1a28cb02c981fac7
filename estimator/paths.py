"""Where configuration and data are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

_SHORT = 40  # characters of a label that stand in the name of a run
_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def package_dir() -> Path:
    """Folder of the package's own code."""
    return _PACKAGE


def conf_dir() -> Path:
    """Folder of the shipped configuration groups."""
    return _shipped("conf")


def data_dir() -> Path:
    """Folder of the shipped claims table and its data card."""
    return _shipped("data")


def folder_name(label: str) -> str:
    """Turn a label into a folder name that every file system takes."""
    return "".join(c if c.isalnum() or c in "._=,-+" else "_" for c in label)


def free_name(outputs: Path, label: str) -> str:
    """Name of a run that was given none: the minute of its start (UTC) and what it estimates.

    Parameters
    ----------
    outputs
        Where the folder will be; a name that is taken there gets a number.
    label
        Of the set.
    """
    start = dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%d_%H%M")
    name = f"{start}_{folder_name(label.removeprefix('central,'))[:_SHORT].rstrip('_,.=')}"
    taken = (f"{name}-{n}" if n > 1 else name for n in itertools.count(1))
    return next(one for one in taken if not (outputs / one).exists())
