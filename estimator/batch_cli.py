"""`estimator run`: one assumption set, or with ``-m`` every product of overrides."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, add_overrides
from estimator.errors import DiagnosticsError, EstimatorError, problems_text

if TYPE_CHECKING:
    from rich.console import Console

DESCRIPTION = """\
Estimates one assumption set, or with -m every product of the overrides. conf/ has all groups and
keys, and `estimator list` shows them. Quotes keep a shell from reading brackets and stars.

  estimator run                                              the set `central`
  estimator run assumptions=sceptical unconfirmed.ratio.high=1.5
  estimator run 'evidence.files=[shipped,my.csv]' name=mine
  estimator run -m 'assumptions=glob(*)' name=shipped        every shipped set
  estimator run -m killed_share=article,registry,western     any product of options and values
  estimator run -m experiment=tornado name=tornado           a preset of conf/experiment
  estimator run --config-dir my_conf assumptions=mine        a set of your own (estimator new set)

Results go to outputs/NAME. Exit status 2: bad input; 3: a set failed its diagnostics, and is
marked; 4: sets of a sweep failed, the others are there, or reweighted sets that were fitted as a
check (sweep.check, 3 by default) do not agree with their fits.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "-m", "--multirun", action="store_true", help="every product of the overrides"
    )
    add_config_dir(parser)
    add_overrides(parser, "group=option or key=value, as Hydra takes them")


def run(options: argparse.Namespace, console: Console) -> int:
    """Estimate, print and write; the result is the exit status.

    Raises
    ------
    EstimatorError
        If sets could not be estimated or missed their diagnostics; the others are written.
    """
    from estimator.batch import run_many, run_one

    if options.multirun:
        batch = run_many(options.overrides, options.config_dir, console)
    else:
        batch = run_one(options.overrides, options.config_dir, console)
    batch.finish()
    batch.describe(_command(options))
    if batch.sweep is not None:
        batch.sweep.raise_for_failures()
    if len(batch.errors) == 1:
        raise next(iter(batch.errors.values()))
    if batch.errors:
        heading = "These sets could not be estimated:"
        raise EstimatorError(problems_text(heading, _texts(batch.errors)))
    if batch.failed_diagnostics:
        heading = "The draws of these sets failed their diagnostics; the results are marked:"
        raise DiagnosticsError(problems_text(heading, _texts(batch.failed_diagnostics)))
    return 0


def _command(options: argparse.Namespace) -> str:
    words = ["estimator", "run", *(["-m"] if options.multirun else [])]
    words += ["--config-dir", options.config_dir] if options.config_dir is not None else []
    return shlex.join([*words, *options.overrides])


def _texts(problems: Mapping[str, object]) -> list[str]:
    return [f"{label}: {problem}" for label, problem in problems.items()]
