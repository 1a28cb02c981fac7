"""`estimator when`: the first month ahead in which a quantity lies beyond a number."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = "when"
DESCRIPTION = """\
Says for each set in which month ahead a quantity first falls below, or rises above, a number, and
how probable it is that it does so within the horizon of the scenarios.

  estimator when 'force_size < 600000' outputs/shipped
  estimator when 'losses > 40000' outputs/shipped --scenario goal_50000 --sets central,article
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add("event", metavar="EVENT", help="quantity < number, or quantity > number")
    add("outputs", nargs="+", metavar="OUTPUT", type=Path, help="folder of a run or a set")
    add("--scenario", default="status_quo", help="what carries the sets on (status_quo)")
    add("--sets", action="append", metavar="LABEL,...", help="these sets alone")
    add("--output", type=Path, metavar="FOLDER", help="folder (first OUTPUT/when)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the tables and write them; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If the event, an output, a set or the scenario cannot be used.
    """
    from estimator.show.part import publish
    from estimator.store.sets import Sets
    from estimator.studies.compare.cli import split_labels
    from estimator.studies.when.first import Beyond, as_part, first_months

    beyond = Beyond.parse(options.event)
    sets = Sets.open(options.outputs)
    if options.sets is not None:
        sets = sets.only(split_labels(options.sets, sets.labels))
    found, failed = [], {}
    for label in sets.whole:
        tree = sets.tree(label, ("scenarios",))
        if tree is not None:
            found.append(first_months(label, tree, options.scenario, beyond))
            failed[label] = bool(sets.facts.loc[label, "failures"])
    if not found:
        raise _nothing(options.outputs)
    folder = options.output or options.outputs[0] / FOLDER
    part = as_part(beyond, found, failed)
    publish([part], folder, document="when", heading=str(beyond), console=console)
    return 0


def _nothing(outputs: list[Path]) -> Exception:
    from estimator.errors import OutputError

    names = ", ".join(map(str, outputs))
    return OutputError(f"{names}: no set that was written whole; a sweep keeps no scenarios")
