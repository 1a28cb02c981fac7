"""`estimator collect`: dataset, tables and pictures of what a sweep has finished."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

DESCRIPTION = """\
Rebuilds sweep.nc, summary.parquet, summary.md, summary.csv and the pictures of a sweep from what is
on disk; of sets that were written whole the first two.

  estimator collect outputs/NAME
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", type=Path, help="of the run, e.g. outputs/NAME")
    parser.add_argument("--no-plots", action="store_true", help="no pictures")


def run(options: argparse.Namespace, console: Console) -> int:
    """Collect, and print the table; the result is the exit status."""
    import pandas as pd

    from estimator.export import read_csv
    from estimator.show.part import publish
    from estimator.show.run_tables import sweep_grid
    from estimator.store.results import describe_run
    from estimator.studies.compare.of_sweep import sweep_parts
    from estimator.studies.compare.options import CompareOptions
    from estimator.sweep.results import collect_folder
    from estimator.sweep.run_sweep import CHECK

    folder: Path = options.folder
    tree = collect_folder(folder)
    if any(folder.glob("*/result.nc")):
        console.print(sweep_grid(tree))
    else:
        checked = folder / CHECK
        check = read_csv(checked) if checked.exists() else pd.DataFrame()
        publish(
            sweep_parts(folder, tree, check, CompareOptions.default()),
            folder,
            document="summary",
            heading=f"Sweep {folder.name}",
            console=console,
            plots=not options.no_plots,
            formats=("png",),
            brief=True,
        )
    describe_run(folder)
    console.print(f"Results: {folder}", markup=False)
    return 0
