"""Where configuration and data are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

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


def default_name() -> str:
    """Name of a run that was given none: the time of its start."""
    return dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
