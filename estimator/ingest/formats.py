"""The formats that can be read, and which options each understands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from estimator.errors import IngestError, nearest
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.settings import Settings

Reader = Callable[[Path, Settings], tuple[Ledger, list[Draft]]]
_ALWAYS = (
    "origins",
    "source",
    "citation",
    "population",
    "speaker",
    "speakers",
    "prefix",
    "max_megabytes",
)
_NO_FLAG = ("speakers", "dense_totals", "gap_steps", "coarse", "restart")


@dataclass(frozen=True)
class Format:
    """A format: what it is, its reader, and the options it understands beside the common ones."""

    says: str
    module: str
    function: str
    options: tuple[str, ...]
    several_sources: bool = False

    def reader(self) -> Reader:
        """Return the function that reads a file of the format."""
        module = import_module(f"estimator.ingest.{self.module}")
        return cast(Reader, getattr(module, self.function))


_SERIES = ("every", "cumulative", "dense_days", "dense_totals", "gap_steps", "coarse", "restart")
_TOTALS = ("war_start", *_SERIES)
FORMATS: dict[str, Format] = {
    "general-staff": Format(
        "daily running totals (JSON) of the 2022-Ukraine-Russia-War dataset",
        "general_staff",
        "read",
        ("war_start", "every", "cumulative", "coarse", "restart"),
    ),
    "economist-raw": Format(
        "The Economist's raw estimates (CSV, one row a bound)",
        "economist",
        "read_raw",
        ("country", "published", "week_start", *_TOTALS),
        several_sources=True,
    ),
    "economist-list": Format(
        "The Economist's list of estimates (CSV, dd/mm/yyyy)",
        "economist",
        "read_list",
        ("country", "published", "week_start", *_TOTALS),
        several_sources=True,
    ),
    "radford": Format(
        "reports of losses, replication data of Radford and others, PNAS 2023 (CSV)",
        "radford",
        "read",
        ("country", "published", *_SERIES),
        several_sources=True,
    ),
    "ucdp-ged": Format(
        "events of the UCDP Georeferenced Event Dataset (CSV)",
        "ucdp",
        "read",
        ("country", "sides", "published", "war_start", "every"),
    ),
    "weekly-registry": Format(
        "counts of the dead by ISO week (CSV), as Mediazona and Meduza publish them",
        "registry",
        "read",
        ("country", "published", "war_start"),
    ),
    "mapping": Format(
        "any CSV table, by a file that says what its columns mean",
        "mapping",
        "read",
        ("mapping", "published", "week_start", *_TOTALS),
        several_sources=True,
    ),
}


def format_of(name: str, settings: Settings) -> Format:
    """Look up a format and check that it understands the options that were given.

    Raises
    ------
    IngestError
        If there is no such format, or an option would do nothing.
    """
    if name not in FORMATS:
        raise IngestError(f"unknown format {name!r}; {nearest(name, FORMATS)}")
    found = FORMATS[name]
    defaults = Settings()
    idle = [
        key
        for key in defaults.__dataclass_fields__
        if key not in (*_ALWAYS, *found.options)
        and getattr(settings, key) != getattr(defaults, key)
    ]
    if idle:
        flags = ", ".join(_flag(key) for key in idle)
        allowed = ", ".join(_flag(key) for key in (*_ALWAYS, *found.options) if key not in _NO_FLAG)
        raise IngestError(f"{name} has no use for {flags}; allowed: {allowed}")
    for flag, given, of in (
        ("--origin", settings.origins, "NAME"),
        ("--speaker", settings.speakers, "WHO"),
    ):
        named = [key for key in given if key]
        if named and not found.several_sources:
            raise IngestError(f"{name} has one source: {flag} {of}. Got {flag} {named[0]}=…")
    return found


def _flag(key: str) -> str:
    return f"--{ {'sides': 'side', 'origins': 'origin'}.get(key, key).replace('_', '-') }"
