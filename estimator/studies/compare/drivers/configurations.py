"""What sets that were written whole were varied in, from their configurations.

A multirun of a few sets keeps no list of varied keys, but each result holds its whole
configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from estimator.store.results import read_attrs

_NO_ASSUMPTIONS = frozenset({"label", "sampler", "scenario"})
_WORDS = frozenset({"source", "unit", "description"})  # what is said of a prior, not what it is
_ENDS = {"low", "high"}
_EACH_ITS_OWN = "evidence.groups."
DEFAULT = "(default)"
"""Text of a key, or of a group of options, that a set does not name."""


def keys_of_results(run: Path, set_ids: pd.Series) -> pd.DataFrame:
    """Return a column for each key in which the sets of a run differ.

    Parameters
    ----------
    run
        The folder of ``<set>/result.nc``.
    set_ids
        Of the sets, by label.

    Returns
    -------
    pandas.DataFrame
        Index as `set_ids`. Of each group of options the innermost key that holds all differences:
        a number, the two ends of a range, or the group itself, whose levels then have the names
        that the sets' labels give. `DEFAULT` stands where a set does not have the key. No columns
        if a set is not there.
    """
    found = {}
    for path in sorted(run.glob("*/result.nc")):
        attrs = read_attrs(path.parent)
        found[str(attrs["assumption_set_id"])] = (
            str(attrs["assumption_set"]), json.loads(attrs["configuration"]),
        )  # fmt: skip
    if not set(set_ids.astype(str)) <= set(found):
        return pd.DataFrame(index=set_ids.index)
    named = [_overrides(found[set_id][0]) for set_id in set_ids.astype(str)]
    flat = [dict(_leaves(found[set_id][1])) for set_id in set_ids.astype(str)]
    columns: dict[str, list[Any]] = {}
    for keys in _differing(flat).values():
        node = _common(keys)
        option = next(
            (key for key in named[0] if node == key or node.startswith(f"{key}.")), None
        )  # fmt: skip
        contents = [json.dumps([leaves.get(key, DEFAULT) for key in keys]) for leaves in flat]
        if option is not None and _tells([one.get(option) for one in named], contents):
            columns[option] = [one[option] for one in named]
        elif keys == [node] or set(keys) <= {f"{node}.{end}" for end in _ENDS}:
            columns |= {key: [leaves.get(key, DEFAULT) for leaves in flat] for key in keys}
        else:
            order = {content: n for n, content in enumerate(dict.fromkeys(contents), start=1)}
            columns[node] = [f"variant {order[content]}" for content in contents]
    return pd.DataFrame(columns, index=set_ids.index)


def _overrides(label: str) -> dict[str, str]:
    """Keys and values in a label, e.g. ``central,returns=none``."""
    pairs = (part.partition("=") for part in label.split(","))
    return {key: value for key, equals, value in pairs if equals}


def _leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if name in _WORDS or (not prefix and name in _NO_ASSUMPTIONS):
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            # Pandas counts None as missing, and would drop it from what differs.
            text = value is None or isinstance(value, list)
            yield f"{prefix}{name}", json.dumps(value) if text else value


def _differing(flat: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Keys that differ between the sets, by group; evidence groups are each an assumption."""
    groups: dict[str, list[str]] = {}
    for key in dict.fromkeys(key for one in flat for key in one):
        if len({str(leaves.get(key, DEFAULT)) for leaves in flat}) > 1:
            own = key.startswith(_EACH_ITS_OWN)
            groups.setdefault(key if own else key.partition(".")[0], []).append(key)
    return groups


def _common(keys: list[str]) -> str:
    """Innermost key that all of some keys are, or lie in."""
    parts = [key.split(".") for key in keys]
    shared = []
    for names in zip(*parts, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return ".".join(shared)


def _tells(options: list[str | None], contents: list[str]) -> bool:
    """Whether options stand one to one for contents."""
    if None in options:
        return False
    both = len(set(zip(options, contents, strict=True)))
    return both == len(set(options)) == len(set(contents))
