"""The commented files with which a user begins: made from what ships, so that they stay true."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.catalogue import SETS, defaults, options
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.priors import Prior
from estimator.errors import ConfigError
from estimator.evidence.schema import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from estimator.show.assumed import LEFT_OUT

_LONGEST = 100  # characters of a name
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST - 1}}}")

Files = dict[Path, str]


def files(kind: str, name: str, config_dir: Path) -> tuple[Files, str]:
    """Texts of the files of a kind by their paths, and the command that uses them.

    Raises
    ------
    ConfigError
        If the name is no name, or that of an option that ships.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r}: must begin with a letter, and have letters, digits and _ alone, at most "
            f"{_LONGEST}, since it is typed in commands"
        )
    match kind:
        case "set":
            path = _option(SETS, name, config_dir)
            return {path: _set(name)}, _run(config_dir, f"{SETS}={name}")
        case "scenario":
            path = _option("scenario", name, config_dir)
            return {path: _scenario(name)}, _run(config_dir, f"scenario=[status_quo,{name}]")
        case "claim":
            path = Path(f"{name}.csv")
            tables = f"evidence.files=[shipped,registries,{path}]"
            return {path: _claim(name)}, shlex.join(["estimator", "run", tables])
        case _:
            return _mapping(name)


def _option(group: str, name: str, config_dir: Path) -> Path:
    if name in options(group):
        raise ConfigError(f"{group}={name} ships already, and would win: choose another name")
    return config_dir / group / f"{name}.yaml"


def _run(config_dir: Path, override: str) -> str:
    return shlex.join(["estimator", "run", "--config-dir", str(config_dir), override])


def _set(name: str) -> str:
    return f"""\
# @package _global_
# As central. Say here in one sentence what the set believes, and take a # away below.
# `estimator list {SETS}` shows the first sentence, `estimator show {name}` all of it.
#
# 1. Whole options: take the [] away, and the # before the lines that you want.
#    `estimator list GROUP` says what each option believes.
defaults: []
{"\n".join(_overridden())}
#
# 2. Single numbers, here as in central. `mass` of what you believe lies from low to high, half of
#    the rest on either side; a bare number (rate: 0.2) is held. To make a range of a number that
#    is held, add `value: null`. Say in `source` where your values come from.
#    `estimator show KEY` has what every option says of a number.
{"\n".join(_numbers(assumption_set().priors()))}
#
# 3. Which claims count: `estimator list evidence_groups`.
# evidence:
#   as_of: 2025-12-31   # only what was published by then
#   drop: [P53]         # single claims
#   groups:
#     january_gap: none # a whole piece of evidence
"""


def _overridden() -> Iterator[str]:
    """Yield a line in comments for every group of a set that has another option."""
    for group, chosen in defaults().items():
        others = [name for name in options(group) if name not in chosen]
        believed = group in AssumptionSet.model_fields and group not in LEFT_OUT
        if believed and len(chosen) == 1 and others:
            line = f"#   - override /{group}: {others[0]}"
            yield f"{line:<50} # {', '.join([f'{chosen[0]} (default)', *others])}"


def _numbers(priors: Iterable[tuple[str, Prior]]) -> Iterator[str]:
    """Yield lines in comments for every prior, by group in the order of ``config.yaml``."""
    order = list(defaults())
    ordered = sorted(priors, key=lambda prior: order.index(prior[0].partition(".")[0]))
    for group, members in itertools.groupby(ordered, lambda prior: prior[0].partition(".")[0]):
        yield f"# {group}:"
        for key, prior in members:
            yield f"#   # {ASSUMPTIONS[key].description}"
            unsaid = {"mass"} if prior.is_fixed else set()
            fields = prior.model_dump(exclude_none=True, exclude=unsaid)
            yield f"#   {key.partition('.')[2]}: {_flow(fields)}"


def _flow(fields: Mapping[str, Any]) -> str:
    """Write a mapping on one line of YAML."""
    plain = {"family", "unit"}
    inside = ", ".join(
        f"{key}: {value if key in plain or not isinstance(value, str) else json.dumps(value)}"
        for key, value in fields.items()
    )
    return f"{{{inside}}}"


def _scenario(name: str) -> str:
    return f"""\
# @package scenario
# What is set differently after the last month. All that is not named goes on by its own dynamics.
# `estimator list scenario` shows the first sentence; `estimator show scenario=goal_50000` has one
# that ships.
{name}:
  description: losses of 35,000 to 40,000 a month, and recruits as they are
  # Persons a month: for each draw a number between low and high, reached in a straight line
  # after `by` months.
  losses: {{low: 35000, high: 40000, by: 3}}
  # Recruits in the same way, or in their place a share of derived.plan_persons_per_year:
  # recruits: {{low: 30000, high: 40000, by: 1}}
  # plan_share: 1.2
  # Killed of the losses:
  # killed_share: {{low: 0.65, high: 0.75, by: 1}}
  # So many recruits more, evenly over `months` from the first_month after the last:
  # mobilisation: {{persons: 300000, first_month: 2, months: 3}}
"""


def _claim(name: str) -> str:
    row = {
        "id": f"{name}1",
        "quantity": "losses",
        "period_start": "2026-01-01",
        "period_end": "2026-01-31",
        "value": "30000",
        "unit": "persons",
        "hedge": "about",
        "status": "context",
        "origin": name,
        "source": name,
        "published": "2026-02-15",
        "citation": "who said it, where and when",
        "population": "russian_forces",
        "note": "An example that counts for nothing: write your own rows, and make the status "
        "claimed, estimated or confirmed (a floor). Each column: data/README.md",
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, [*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


def _mapping(name: str) -> tuple[Files, str]:
    from estimator.ingest.mapping_options import EXAMPLE, TEMPLATE

    mapping, table = Path(f"{name}.yaml"), Path(f"{name}.csv")
    command = (
        f"estimator ingest mapping {table} --mapping {mapping} --war-start 2022-02-24 "
        f"-o {name}_claims.csv"
    )
    return {mapping: TEMPLATE, table: EXAMPLE}, command
