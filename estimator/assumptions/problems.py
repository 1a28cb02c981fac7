"""What pydantic found, said in the words of the configuration."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from estimator.assumptions.catalogue import options
from estimator.errors import nearest

RENAMED = {
    "confirmed.counts": "definitions.confirmed_severe and definitions.confirmed_light",
    "sweep.fit_draws": "sweep.fit.draws",
    "sweep.tune": "sweep.fit.tune",
    "sweep.base_max_depth": "sweep.fit.max_depth",
    "sweep.fit_max_depth": "sweep.fit.max_depth",
    "sweep.target_accept": "sweep.fit.target_accept",
    "audit.refit_draws": "audit.fit.draws",
    **{f"audit.{key}": f"audit.fit.{key}" for key in ("tune", "max_depth", "target_accept")},
    **{
        f"backtest.{key}": f"backtest.fit.{key}"
        for key in ("draws", "tune", "max_depth", "target_accept", "attempts")
    },
}
"""Keys of earlier versions, and what they are called now."""


def explained(error: ValidationError, kind: type[BaseModel], group: str = "") -> list[str]:
    """Say each of pydantic's findings with its key, what was found, and what is allowed.

    Parameters
    ----------
    error, kind
        What pydantic found, of which class.
    group
        Group of options that the class describes; it is no part of the keys.
    """
    problems = []
    for item in error.errors():
        place = [str(part) for part in item["loc"] if part != "[key]"]
        key = ".".join(place)
        if item["type"] == "extra_forbidden":
            siblings = _fields_at(kind, place[:-1])
            renamed = RENAMED.get(f"{group}.{key}")
            hint = f"it is {renamed} now" if renamed else "remove it"
            hint = nearest(place[-1], siblings) if siblings and not renamed else hint
            problems.append(f"{key}: unknown key; {hint}")
        elif item["type"] == "missing":
            names = [] if group or "." in key else list(options(key))
            chosen = ", ".join(f"{key}={name}" for name in names[:3])
            hint = f"no option is chosen, such as {chosen}" if chosen else "it has no default"
            problems.append(f"{key}: missing; {hint}")
        elif item["type"] == "model_type" and item["ctx"]["class_name"] == "Prior":
            found = item["input"]
            option = f"{key.partition('.')[0]}={found}"
            from estimator.assumptions.overrides import meant  # Hydra's parser takes a while

            hint = f"; did you mean {option}?" if option in meant(str(found)) else ""
            problems.append(
                f"{key}: must be a number, which is held, or a range {{family, low, high}}. Got "
                f"{found!r}{hint}"
            )
        elif item["type"] == "value_error":
            lines = item["msg"].removeprefix("Value error, ").splitlines()
            # A line that begins with a dot goes on with the key; at the root it has its own.
            problems += [
                f"{key}{line}" if line.startswith(".") or not key else f"{key}: {line}"
                for line in lines
            ]
        else:
            found = item.get("input")
            allowed = re.findall(r"'([^']+)'", item.get("ctx", {}).get("expected", ""))
            hint = nearest(str(found), allowed) if allowed else ""
            hint = f"; {hint}" if hint.startswith("did you mean") else ""
            problems.append(f"{key}: {item['msg']}. Got {found!r}{hint}")
    return problems


def _fields_at(root: type[BaseModel], place: list[str]) -> list[str]:
    """Names of the fields allowed at a place of the configuration, where the type says so."""
    kind: Any = root
    for part in place:
        fields = getattr(kind, "model_fields", {})
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif get_origin(kind) is tuple:
            kind = get_args(kind)[0]
        elif part in fields:
            kind = fields[part].annotation
        else:
            return []
        if type(None) in get_args(kind):  # an optional section
            kind = get_args(kind)[0]
    return list(getattr(kind, "model_fields", {}))
