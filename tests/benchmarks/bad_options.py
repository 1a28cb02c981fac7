"""Bad files of options, and bad overrides."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from estimator.assumptions import AssumptionSet
from estimator.assumptions.catalogue import config_groups, options
from estimator.assumptions.compose import plain_config
from tests.benchmarks import nasty
from tests.benchmarks.forks import FEW, QUICK
from tests.benchmarks.nasty import one

_STUDIES = {
    "backtest": ["backtest", "backtest.horizons=0"],
    "calibrate": ["calibrate", "calibrate.parts=[x]"],
    "explore": ["explore", "explore.draws=x"],
    "breakeven": ["breakeven", "returns.rate", "--level", "x"],
}
"""Groups that only one command reads: it is told something else that it refuses, as it is long."""
_READ = frozenset((*AssumptionSet.model_fields, "scenario", "assumptions", "experiment", "compare"))
_TEXTS = (
    "\t", "a: b: c\n", "- 1\n", "*alias\n", "&a [*a]\n", "!!python/object/apply:os.getcwd []\n",
    "? [1]\n: 2\n", "---\na: 1\n---\nb: 2\n", "%YAML 9.9\n", "'", "{", "${oc.env:HOME}: 1\n",
    "# @package _global_\n", "defaults:\n  - nothing\n", "defaults: 3\n", "<<: {a: 1}\n", "\0",
    "defaults:\n  - /returns: few\n  - _self_\n", "defaults: [mine]\n", "x: ${mine}\n",
)  # fmt: skip


def option(rng: np.random.Generator, folder: Path, base: Path) -> list[str]:
    """Write a bad option into a folder of a user's; return the command that takes it."""
    group = one(rng, sorted(config_groups() - {"sampler"}))
    given = one(rng, list(options(group).values()))
    text = given.read_text(encoding="utf-8")
    if rng.random() < 0.7:
        text = _changed(rng, text)
    if rng.random() < 0.35:
        lines = text.splitlines(keepends=True)
        lines.insert(int(rng.integers(len(lines) + 1)), one(rng, (*_TEXTS, lines[-1])))
        text = "".join(lines)
    content = text.encode("utf-8", "replace")
    if rng.random() < 0.2:
        content = nasty.garbled(rng, content)
    path = folder / "my_conf" / group / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    where = ["--config-dir", "my_conf"]
    chosen = f"{group}=[mine]" if group == "scenario" else f"{group}=mine"
    if group in _STUDIES:
        return [*_STUDIES[group], *where, chosen]
    if rng.random() < 0.15:
        return ["list", group, *where]
    if group not in _READ or rng.random() < 0.15:
        return ["show", *where, chosen]
    few = [] if group in ("scenario", "assumptions", "experiment") else [FEW]
    return ["run", *where, *QUICK, *few, chosen]


def _changed(rng: np.random.Generator, text: str) -> str:
    """Change values and keys of a mapping, one to three times."""
    head = "".join(line for line in text.splitlines(keepends=True) if "@package" in line)
    found = yaml.safe_load(text)
    for _ in range(int(rng.integers(1, 4))):
        node: Any = found
        while isinstance(node, dict) and node:
            key = one(rng, list(node))
            if isinstance(node[key], dict) and node[key] and rng.random() < 0.75:
                node = node[key]
                continue
            way = int(rng.integers(10))
            value = node.pop(key) if way in (0, 1) else None
            if way == 1:
                node[nasty.misspelt(rng, str(key))] = value
            elif way:
                node[key] = one(rng, nasty.VALUES)
            break
    if not isinstance(found, dict) or rng.random() < 0.05:
        found = one(rng, nasty.VALUES)
    dumped: str = yaml.safe_dump(found, allow_unicode=True, sort_keys=False)
    return head + dumped


@functools.cache
def _keys() -> list[str]:
    """All keys of the configuration, those of mappings too."""
    found: list[str] = []

    def walk(node: Any, place: str) -> None:
        for key, value in node.items() if isinstance(node, dict) else ():
            found.append(f"{place}{key}")
            walk(value, f"{place}{key}.")

    walk(plain_config([]), "")
    return [key for key in found if key.partition(".")[0] in {*_READ, "name", "label", "keep"}]


def override(rng: np.random.Generator, folder: Path, base: Path) -> list[str]:
    """Return a command with one to three overrides of which most are bad."""
    bad = [_override(rng) for _ in range(int(rng.integers(1, 4)))]
    command = one(rng, ("run", "run", "run", "run", "show", "-m"))
    if command == "show":
        return ["show", *bad]
    return ["run", *(["-m"] if command == "-m" else []), *QUICK, *bad]


def _override(rng: np.random.Generator) -> str:
    key = one(rng, [*_keys(), *sorted(config_groups() - {"sampler"})])
    if rng.random() < 0.3:
        key = nasty.misspelt(rng, key)
    sign = one(rng, ("",) * 8 + ("+", "~", "++", "-"))
    equals = one(rng, ("=",) * 9 + ("", "==", ":", " = "))
    pool = nasty.WORDS if rng.random() < 0.9 else (*nasty.RAW, nasty.UNDECODED)
    value = one(rng, pool)
    if rng.random() < 0.25:
        value = one(
            rng,
            (
                f"[{value}]", f"{{low: {value}, high: {value}}}", f'"{value}"', f"{value},{value}",
                f"{{family: {value}}}", "{family: LogNormal, low: 1}", "glob(*)", "range(1,5)",
                "choice(1)", f"{{{value}: 1}}", "interval(0,1)", "sort(1,2)", "shuffle(", "tag(a)",
            ),
        )  # fmt: skip
    return f"{sign}{key}{equals}{value}"
