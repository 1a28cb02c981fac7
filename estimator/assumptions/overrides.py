"""What is wrong with an override as it was typed, and how to write it so that it can be read."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from estimator.assumptions.catalogue import SETS, config_groups, defaults, options
from estimator.errors import nearest


def key_and_text(override: str) -> tuple[str, str]:
    """Split an override into its key, without the sign that adds or deletes it, and its value."""
    key, _, text = override.partition("=")
    return key.lstrip("+~"), text


def key_of(override: str) -> str:
    """Key of an override, without the sign that adds or deletes it."""
    return key_and_text(override)[0]


def is_several(override: str) -> bool:
    """Whether an override stands for several values, one after the other."""
    parser = OverridesParser.create()
    return _is_readable(override, parser) and parser.parse_override(override).is_sweep_override()


LOOK_UP = re.compile(r"\$\{\s*[\w.]+\s*:[^}]*\}?")
"""What OmegaConf would look up elsewhere: ``${oc.env:HOME}``."""
_TEXTS = ("label", "name", "output_dir")
NO_LOOK_UP = "allowed: a value, or ${KEY} for that of another key"


def override_problems(overrides: Sequence[str]) -> list[str]:
    """Say which overrides cannot be read, or name several options where one can be taken."""
    unread = unreadable(overrides)
    if unread:
        return unread
    parser = OverridesParser.create()
    single = {group for group, chosen in defaults().items() if len(chosen) == 1}
    problems = []
    for text in overrides:
        key, _, value = text.partition("=")
        if not key.startswith("hydra") and (found := LOOK_UP.search(value)):
            problems.append(f"{text}: found {found[0]}; {NO_LOOK_UP}")
        elif parser.parse_override(text).is_sweep_override():
            whole = f'"{value}"' if key in _TEXTS else f"[{value}]"
            one = "text with a comma" if key in _TEXTS else "list"
            a_list = f"; a {one} is written {shlex.quote(f'{key}={whole}')}"
            problems.append(
                f"{text}: several values; to run each in turn: estimator run -m "
                f"{shlex.quote(text)}{'' if key in single else a_list}"
            )
        elif key in single and value.startswith("["):
            each = re.sub(r"[\[\]\s]", "", value)
            problems.append(
                f"{text}: one option at a time, since a list would mix them into one set; run "
                f"each: estimator run -m {key}={each}"
            )
    return problems


def unreadable(overrides: Sequence[str]) -> list[str]:
    """Say which overrides cannot be read, and the quoting with which they can."""
    parser = OverridesParser.create()
    problems = [_unreadable(text, parser) for text in overrides if not _is_readable(text, parser)]
    for text in overrides:
        key, _, value = text.partition("=")
        if key.startswith("~") and value and _is_readable(text, parser):
            parsed = parser.parse_override(text)
            if not parsed.is_sweep_override() and not isinstance(parsed.value(), str):
                problems.append(f"{text}: found {value}; allowed: {key}, or the option after it")
    return problems


def _is_readable(text: str, parser: OverridesParser) -> bool:
    try:
        parser.parse_override(text)
    except HydraException:
        return False
    return True


def repeated(overrides: Sequence[str]) -> list[str]:
    """Say which keys are given more than once, so that only the last would count."""
    keys = [key_of(text) for text in overrides]
    return [
        f"{key}: given {keys.count(key)} times ("
        + ", ".join(text for text in overrides if key_of(text) == key)
        + f"); one of them, or each in turn: estimator run -m {key}=…,…"
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]


def meant(option: str, group: str = SETS) -> list[str]:
    """List the overrides that take an option of this name, that of the nearest group first."""
    groups = [name for name in sorted(config_groups()) if option in options(name)]
    close = get_close_matches(group, groups, n=len(groups), cutoff=0.0) if groups else []
    return [f"{name}={option}" for name in close]


def _unreadable(text: str, parser: OverridesParser) -> str:
    key, equals, value = text.partition("=")
    if not equals:
        found = meant(text) or meant(_nearest_set(text))
        hint = f"; did you mean {found[0]}?" if found else ""
        return f"{text}: must be GROUP=OPTION or KEY=VALUE{hint}"
    for quoted in _quoted(value):
        if _is_readable(f"{key}={quoted}", parser):
            return (
                f"{key}: {value} cannot be read: spaces, brackets, = and letters outside ASCII "
                "need quotes of their own inside those of the shell; write "
                f"{shlex.quote(f'{key}={quoted}')}"
            )
    return f"{text}: cannot be read; brackets and quotes must come in pairs"


def _nearest_set(word: str) -> str:
    return nearest(word, options(SETS)).partition("'")[2].partition("'")[0]


def _quoted(value: str) -> Iterator[str]:
    """Yield ways of quoting a value: each element of a plain list, else all of it."""
    inside = re.fullmatch(r"\[([^\[\]{}]*)\]", value)
    if inside:
        texts = [text.strip().strip("'\"") for text in inside[1].split(",")]
        yield f"[{','.join(json.dumps(text, ensure_ascii=False) for text in texts)}]"
    elif value.count("[") == value.count("]") and value.count("{") == value.count("}"):
        yield json.dumps(value, ensure_ascii=False)
