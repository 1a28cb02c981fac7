"""The shipped tables as a Data Package (Frictionless, version 2): ``data/datapackage.json``.

Types and constraints come from `estimator.evidence.schema`, the words for the columns from the
data card, the rest from the tables. ``make datapackage`` writes the file again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

from estimator.evidence.load import SHIPPED
from estimator.evidence.schema import CLAIMS_SCHEMA
from estimator.export import write_text
from estimator.paths import data_dir

FILE = "datapackage.json"
_CARD = "README.md"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TITLES = {
    "claims.csv": "Published claims on losses, recruits and forces",
    "registries.csv": "Killed by month of death, as known at several dates",
    "general_staff_halves.csv": "Claimed losses of the first half of each month",
}
_ROW = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]* \| (.*) \|$", re.MULTILINE)


def datapackage(folder: Path) -> dict[str, Any]:
    """Describe the shipped tables of a folder.

    Parameters
    ----------
    folder
        With the tables and their data card.

    Returns
    -------
    dict
        What JSON can hold of it: licence, and for each table its size, SHA-256, sources and fields.
    """
    meanings = _meanings((folder / _CARD).read_text(encoding="utf-8"))
    return {
        "$schema": _PROFILE,
        "name": "claims-on-russian-losses",
        "title": "Published figures on Russian losses, recruits and forces in the war on Ukraine",
        "description": f"One row is one claim. {_CARD} in this folder is the data card.",
        "licenses": [
            {
                "name": "CC-BY-4.0",
                "path": "https://creativecommons.org/licenses/by/4.0/",
                "title": "Creative Commons Attribution 4.0 International",
            }
        ],
        "contributors": [{"title": "The estimator authors", "roles": ["creator"]}],
        "resources": [_resource(folder / name, meanings) for name in SHIPPED.values()],
    }


def datapackage_json(folder: Path) -> str:
    """Return the text of the file."""
    return json.dumps(datapackage(folder), indent=2, ensure_ascii=False) + "\n"


def _meanings(card: str) -> dict[str, str]:
    """Return what the data card says of each column."""
    columns = card.partition("\n## Columns\n")[2].partition("\n### ")[0]
    return {
        name: meaning
        for names, meaning in _ROW.findall(columns)
        for name in names[1:-1].split("`, `")
    }


def _resource(path: Path, meanings: dict[str, str]) -> dict[str, Any]:
    content = path.read_bytes()
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    # The months of a running total are one source.
    sources = dict.fromkeys(row["citation"].partition(", difference over ")[0] for row in rows)
    return {
        "name": path.stem,
        "type": "table",
        "path": path.name,
        "title": _TITLES[path.name],
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "sources": [{"title": source} for source in sources],
        "dialect": {"delimiter": ",", "doubleQuote": True, "lineTerminator": "\n"},
        "schema": {
            "fields": [_field(name, meanings[name]) for name in rows.fieldnames or ()],
            "missingValues": [""],
            "primaryKey": ["id"],
        },
    }


def _field(name: str, meaning: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for check in CLAIMS_SCHEMA.columns[name].checks:
        found |= check.statistics
    kind = found.pop("type")
    constraints = {key: value for key, value in found.items() if value is not False}
    field = {"name": name, "type": kind, "description": meaning}
    return field | ({"constraints": constraints} if constraints else {})


if __name__ == "__main__":
    write_text(data_dir() / FILE, datapackage_json(data_dir()))
