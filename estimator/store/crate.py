"""What a folder of results is and how it came about, as an RO-Crate (version 1.2).

One JSON file that repositories and other tools read: which claims (by their hash), which
assumption set, seed, command and versions went in, and which files came out. It names no place of
the machine and no user: of what is a path in a command or a label, only the last part is kept.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from estimator import distribution
from estimator.evidence.load import SHIPPED, data_hash
from estimator.export import write_text
from estimator.paths import data_dir

CRATE = "ro-crate-metadata.json"
"""Name of the file, which the standard fixes."""

_STANDARD = "https://w3id.org/ro/crate"
_VERSION = f"{_STANDARD}/1.2"
_CODE_LICENCE = "https://spdx.org/licenses/MIT"
_DATA_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
_OTHER_DATA = "Not stated: the claims come from tables that this package does not ship."
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".nc": "application/x-netcdf",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".sqlite": "application/vnd.sqlite3",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}
_DESCRIPTIONS = {
    "result.nc": "draws, predictions and all facts of the set, in ArviZ's convention",
    "summary.csv": "every quantity by month and in total, with its ranges",
    "estimates.csv": "the months as dated estimates, in the columns of the hubverse",
    "claims.csv": "every claim, and why it counts or not",
    "diagnostics.json": "whether the draws can be trusted",
    "config.yaml": "the whole configuration",
    "summary.md": "the main table",
    "command.txt": "the command that made the run",
    "sweep.nc": "statistics of every set, and the weights that they come from",
    "summary.parquet": "statistics of every set, one row a number",
    "journal.sqlite": "what is finished, so that the run can go on",
}
# A path from the root, where a text, an item of a list or a value begins.
_PLACE = re.compile(r"(?<![^\s=,:'\"\[({])/[^,'\"\])}]*")


def write_crate(
    folder: Path,
    *,
    name: str,
    facts: Mapping[str, object],
    data_hashes: Sequence[str],
    versions: Mapping[str, str],
    command: str = "",
) -> Path:
    """Describe a folder in a file of its own, in one step; return its path.

    Parameters
    ----------
    folder
        Of a set or of a run. Folders in it that have such a file are named, not described again.
    name
        For readers.
    facts
        What went in beside claims and code, by what it is called.
    data_hashes
        Of the claims (see `estimator.evidence.load.data_hash`).
    versions
        As `estimator.store.versions.versions` gives them.
    command
        That made it, if it is known.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    software = _software(versions)
    inputs = [*(_claims(one) for one in data_hashes), *_properties(facts)]
    parts, described = _parts(folder)
    ours = all(map(_shipped, data_hashes))
    shown = shlex.join(map(without_places, shlex.split(command)))
    now = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
    action = {
        "@id": "#estimation",
        "@type": "CreateAction",
        "name": "Estimation",
        "description": shown or "Estimated as config.yaml says.",
        "instrument": _reference(software[0]),
        "object": [_reference(one) for one in inputs],
        "result": [_reference(one) for one in parts],
        "endTime": now,
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": without_places(name),
        "description": "Posterior ranges for monthly losses and the net change of a force.",
        "datePublished": now,
        "license": {"@id": _DATA_LICENCE} if ours else _OTHER_DATA,
        "mentions": _reference(action),
        "hasPart": [_reference(one) for one in parts],
    }
    descriptor = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": _reference(root),
        "conformsTo": {"@id": _VERSION},
    }
    licences = [_licence(_CODE_LICENCE, "MIT License", "The code that made these files.")]
    if ours:
        text = "The compilation of claims, and what follows from it."
        licences.append(_licence(_DATA_LICENCE, "CC BY 4.0", text))
    graph = [descriptor, root, action, *software, *inputs, *licences, *parts, *described]
    crate = {"@context": f"{_VERSION}/context", "@graph": graph}
    return write_text(folder / CRATE, json.dumps(crate, indent=2, ensure_ascii=False) + "\n")


def without_places(text: str) -> str:
    """Keep of every path from the root in a label, or in a word of a command, its last part.

    Examples
    --------
    >>> without_places("evidence.files=[shipped,/home/me/my.csv]")
    'evidence.files=[shipped,my.csv]'
    """
    return _PLACE.sub(lambda found: Path(found[0]).name, text)


def _reference(entity: Mapping[str, Any]) -> dict[str, str]:
    return {"@id": entity["@id"]}


def _software(versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Describe the estimator first, then what it needs."""
    libraries = [
        {
            "@id": f"#{name}",
            "@type": "SoftwareApplication",
            "name": name,
            "version": version,
        }
        for name, version in versions.items()
        if name not in ("estimator", "estimator code")
    ]
    code = versions.get("estimator code", "not known")
    own = {
        "@id": "#estimator",
        "@type": "SoftwareApplication",
        "name": "estimator",
        "version": versions.get("estimator", "not known"),
        "description": f"Distribution {distribution.NAME}; hash of its code: {code}",
        "license": {"@id": _CODE_LICENCE},
        "softwareRequirements": [_reference(one) for one in libraries],
    }
    return [own, *libraries]


def _shipped(found: str) -> str:
    """Names of the shipped tables that have a hash together; empty if none have."""
    tables = {name: (data_dir() / name).read_bytes() for name in SHIPPED.values()}
    for size in range(1, len(tables) + 1):
        for names in itertools.permutations(tables, size):
            if data_hash(tables[name] for name in names) == found:
                return ", ".join(names)
    return ""


def _claims(found: str) -> dict[str, Any]:
    return {
        "@id": f"#claims-{found[:16]}",
        "@type": "Dataset",
        "name": f"Claims: {_shipped(found) or 'tables of the user'}",
        "identifier": f"sha256:{found}",
    }


def _properties(facts: Mapping[str, object]) -> list[dict[str, Any]]:
    return [
        {
            "@id": f"#{name.replace(' ', '-')}",
            "@type": "PropertyValue",
            "name": name,
            "value": without_places(value) if isinstance(value, str) else value,
        }
        for name, value in facts.items()
    ]


def _licence(address: str, name: str, description: str) -> dict[str, Any]:
    return {"@id": address, "@type": "CreativeWork", "name": name, "description": description}


def _parts(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Entities of files and of folders with a crate, and those of the latter's crates."""
    parts: list[dict[str, Any]] = []
    described: list[dict[str, Any]] = []
    for path in _walk(folder):
        address = quote(path.relative_to(folder).as_posix(), safe="/=,+")
        if path.is_dir():
            metadata = {
                "@id": f"{address}/{CRATE}",
                "@type": "CreativeWork",
                "encodingFormat": "application/ld+json",
            }
            described.append(metadata)
            parts.append(
                {
                    "@id": f"{address}/",
                    "@type": "Dataset",
                    "name": path.name,
                    "conformsTo": {"@id": _STANDARD},
                    "subjectOf": _reference(metadata),
                }
            )
            continue
        description = _DESCRIPTIONS.get(path.name)
        parts.append(
            {
                "@id": address,
                "@type": "File",
                "name": path.name,
                **({"description": description} if description else {}),
                "encodingFormat": _MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
                "contentSize": str(path.stat().st_size),
            }
        )
    return parts, described


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files but hidden and passing ones, and folders that have a crate, in order."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == CRATE or path.name.endswith(("-wal", "-shm")):
            continue
        if not path.is_dir() or (path / CRATE).exists():
            yield path
        else:
            yield from _walk(path)
