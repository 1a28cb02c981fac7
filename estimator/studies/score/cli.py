"""`estimator score`: anybody's dated estimates against what came later."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = "score"
DESCRIPTION = """\
Scores dated estimates, anybody's beside ours, against what came later: coverage, interval scores,
CRPS from quantiles and the error of the median, by model, on the months and days that all have.

  estimator score theirs.csv outputs/b/estimates.csv --against outputs/b/later.csv
  estimator score outputs/b/estimates.csv --against outputs/b/later.csv --log

Both files have the columns of the hubverse: model_id, reference_date, target, target_end_date,
output_type, output_type_id, value; and target, target_end_date, observation or oracle_value, as_of.
A run writes its own as SET/estimates.csv, a back-test estimates.csv and later.csv (above, with
`estimator backtest --output outputs/b`; --log is the scale of its own scores). The target
losses is the truth, which nobody sees; general_staff_ukraine:losses is what the General Staff says.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add("estimates", nargs="+", metavar="ESTIMATES", type=Path, help="table of dated estimates")
    add("--against", required=True, metavar="LATER", type=Path, help="table of what came later")
    add("--log", action="store_true", help="score logarithms: errors are ratios, not persons")
    add("--output", type=Path, metavar="FOLDER", help="folder (beside the first ESTIMATES: score)")
    add("--plots", action=argparse.BooleanOptionalAction, default=True, help="draw the pictures")


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the tables and write them; the result is the exit status.

    Raises
    ------
    ScoreError
        If a file has errors, or nothing can be scored.
    OutputError
        If the folder cannot be written.
    """
    from estimator.show.part import publish
    from estimator.store.model_out import read_tables
    from estimator.studies.score.parts import STEM, parts
    from estimator.studies.score.scores import held_against, scores

    tables = read_tables(options.estimates, options.against)
    cases = held_against(tables)
    table = scores(cases, log=options.log)
    folder = options.output or options.estimates[0].parent / FOLDER
    publish(
        parts(cases, table, remarks=tables.remarks, log=options.log),
        folder,
        document=STEM,
        heading=f"Estimates against {options.against.name}",
        console=console,
        plots=options.plots,
    )
    console.print(f"Results: {folder}", markup=False)
    return 0
