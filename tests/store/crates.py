"""What every folder of a set, and its RO-Crate, has to hold."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from estimator.store.crate import CRATE

FILES = {
    "claims.csv",
    "result.nc",
    "summary.csv",
    "estimates.csv",
    "diagnostics.json",
    "config.yaml",
    CRATE,
}
"""Files of every set."""
REQUIRED = {"name", "description", "datePublished", "license", "hasPart"}


def entities(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the entities of a folder's crate by their ids, checked against standard and folder."""
    crate = json.loads((folder / CRATE).read_text(encoding="utf-8"))
    assert crate["@context"] == "https://w3id.org/ro/crate/1.2/context"
    found = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(found) == len(crate["@graph"])
    assert all(entity["@type"] for entity in found.values())
    assert found[CRATE]["about"] == {"@id": "./"}
    assert found[CRATE]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = found["./"]
    assert set(root) >= REQUIRED
    assert dt.datetime.fromisoformat(root["datePublished"]).tzinfo is not None
    assert found["#estimation"]["result"] == root["hasPart"]
    assert {named for entity in found.values() for named in references(entity)} <= {
        *found,
        "https://w3id.org/ro/crate",
        "https://w3id.org/ro/crate/1.2",
    }
    parts = [part["@id"] for part in root["hasPart"]]
    assert not [part for part in parts if part.startswith("/") or ":" in part or ".." in part]
    files = [part for part in parts if not part.endswith("/")]
    assert all(found[name]["@type"] == "File" for name in files)
    for name in files:
        assert found[name]["contentSize"] == str((folder / unquote(name)).stat().st_size)
        assert found[name]["encodingFormat"] != "application/octet-stream", name
    nested = {unquote(part) for part in parts if part.endswith("/")}
    assert {unquote(name) for name in files} == {
        name
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != CRATE
        for name in [path.relative_to(folder).as_posix()]
        if not name.startswith(tuple(nested))
    }
    assert all((folder / name / CRATE).is_file() for name in nested)
    return found


def references(value: Any) -> list[str]:
    """Return the ids that an entity refers to."""
    if isinstance(value, list):
        return [name for item in value for name in references(item)]
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            return [value["@id"]]
        return [name for key, item in value.items() if key != "@id" for name in references(item)]
    return []
