"""`estimator list`: the groups of options, what each option believes, and what can be asked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir
from estimator.errors import ConfigError, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.show.grid import Grid

DESCRIPTION = """\
Lists what can be chosen and asked.

  estimator list                      every group of options, and what its default believes
  estimator list assumptions          the assumption sets, and what each believes
  estimator list returns              the options of one group, and its priors
  estimator list scenario             what may happen after the last month
  estimator list priors               every assumed number, with its unit and range
  estimator list quantities           what claims and answers can be about
  estimator list evidence_groups      claims that rest on one underlying count

Your own options are in a folder that --config-dir names (`estimator new` begins one).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "group", nargs="?", metavar="GROUP", help="a group, priors, quantities or evidence_groups"
    )
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the tables; the result is the exit status.

    Raises
    ------
    ConfigError
        If there is no such group.
    """
    for grid in _grids(options.group, options.config_dir):
        console.print(grid)
    return 0


def _grids(name: str | None, config_dir: str | None) -> list[Grid]:
    from estimator.assumptions.by_hydra import search_path
    from estimator.assumptions.catalogue import config_groups
    from estimator.studies.catalogue import tables

    search_path(config_dir)  # says if there is no such folder
    topics = {
        "priors": tables.every_prior,
        "quantities": tables.quantities,
        "evidence_groups": tables.evidence_groups,
    }
    if name is None:
        return [tables.groups(config_dir)]
    if name in topics:
        return [topics[name]()]
    known = config_groups(config_dir)
    if name not in known:
        raise ConfigError(f"{name}: no such group; {nearest(name, [*topics, *sorted(known)])}")
    return tables.one_group(name, config_dir)
