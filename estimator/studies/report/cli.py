"""The command `estimator report`. Heavy imports stay inside functions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, outputs_and_overrides

if TYPE_CHECKING:
    from rich.console import Console

_GROUPS = ("report", "compare", "audit", "breakeven")
DESCRIPTION = """\
Makes two pages on a run, which open without a network. report.html has the verdicts, recruits
against losses, the sets and their disputes, what-ifs, and what nobody can know; details.html has
all that they rest on: what drives the answers, the claims held against the sets, every prior and
claim with its source, and the checks. Further outputs are sweeps whose drivers are shown.

  estimator report outputs/shipped
  estimator report outputs/shipped outputs/tornado --output outputs/pages

Where the table counts other forces than report=default is about, the pages do not ask its
question (report=plain and audit=claims_only are the default then).
An audit that is there (estimator audit) is taken; else one without fits is made.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "outputs",
        nargs="+",
        metavar="OUTPUT",
        help="folder of a run, then sweeps; or an option of the groups report, compare, audit and "
        "breakeven, e.g. report.title=...",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="of the pages (OUTPUT)")
    parser.add_argument("--no-fits", action="store_true", help="no break-even that needs fits")
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Make the pages; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If an output or option cannot be used.
    """
    from estimator.assumptions.compose import plain_config

    outputs, overrides = outputs_and_overrides(
        options.outputs, _GROUPS, needs="report needs the folder of a run"
    )
    plain_config(
        overrides, options.config_dir
    )  # what is wrong with them is told before imports that take seconds
    from estimator.store.results import check_writable
    from estimator.studies.report.gather import gather
    from estimator.studies.report.page import write_report

    folder = options.output or outputs[0]
    check_writable(folder)
    data = gather(
        outputs, overrides, console, fits=not options.no_fits, config_dir=options.config_dir
    )
    console.print(f"Report: {write_report(data, folder)}", markup=False)
    return 0
