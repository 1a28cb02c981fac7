"""`estimator collect`: dataset and table of what a sweep has finished."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

DESCRIPTION = """\
Rebuilds sweep.nc and summary.parquet of a run from what is on disk.

  estimator collect outputs/NAME
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", type=Path, help="of the run, e.g. outputs/NAME")


def run(options: argparse.Namespace, console: Console) -> int:
    """Collect, and print the table; the result is the exit status."""
    from estimator.show.run_tables import sweep_grid
    from estimator.sweep.results import collect_folder

    console.print(sweep_grid(collect_folder(options.folder)))
    console.print(f"Results: {options.folder}", markup=False)
    return 0
