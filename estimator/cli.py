"""The command line: `estimator run` estimates assumption sets.

Heavy imports stay inside functions, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_command, add_config_dir
from estimator.errors import DiagnosticsError, EstimatorError, problems_text
from estimator.ingest import cli as ingest_cli
from estimator.studies.audit import cli as audit_cli
from estimator.studies.backtest import cli as backtest_cli
from estimator.studies.breakeven import cli as breakeven_cli
from estimator.studies.calibrate import cli as calibrate_cli
from estimator.studies.compare import cli as compare_cli
from estimator.studies.report import cli as report_cli

if TYPE_CHECKING:
    from rich.console import Console

_DESCRIPTION = """\
Posterior ranges for monthly losses and the net change of a force, from published claims.

  estimator run                                              the set `central`
  estimator run assumptions=sceptical unconfirmed.ratio.high=1.5
  estimator run -m 'assumptions=glob(*)'                     every shipped set
  estimator run -m killed_share=article,registry,western     any product of options and values
  estimator run -m experiment=tornado                        a preset of conf/experiment
  estimator collect outputs/NAME                             dataset and table of what is finished
  estimator compare outputs/NAME [outputs/OTHER ...]         sets side by side, and what drives them
  estimator audit outputs/NAME                               claims against the posterior
  estimator breakeven KEY --event 'losses[2026-01] > 50000'  what would have to be true
  estimator backtest                                         past forecasts against what came
  estimator calibrate                                        ranges against simulated truths
  estimator report outputs/NAME                              one page on all of it
  estimator ingest FORMAT FILE -o claims.csv                 a public table as claims
"""

_RUN_DESCRIPTION = """\
Estimates one assumption set, or with -m every product of the overrides. conf/ has all groups and
keys; README.md the table of shipped sets. Quotes keep a shell from reading brackets and stars.

  estimator run assumptions=sceptical unconfirmed.ratio.high=1.5
  estimator run 'evidence.files=[shipped,my.csv]' name=mine
  estimator run -m 'assumptions=glob(*)' name=shipped
  estimator run -m experiment=tornado name=tornado

Results go to outputs/NAME. Exit status 2: bad input; 3: a set failed its diagnostics, and is
marked; 4: sets of a sweep failed, the others are there, or reweighted sets that were fitted as a
check (sweep.check, 3 by default) do not agree with their fits.
"""
_FILE_WIDTH = 100  # columns of output that goes to a file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit status.

    0: done. 2: bad input, nothing written for it. 3: sampling failed its diagnostics; everything
    is written and marked. 4: sets of a sweep failed, or a check of reweighted sets did; all else is
    written.
    """
    options = _parse(sys.argv[1:] if arguments is None else list(arguments))
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        return int(options.command(options, _console()))
    except EstimatorError as error:
        sys.stderr.write(f"estimator: {error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("estimator: stopped; finished sets are kept\n")
        return 130


def entry() -> None:
    """Entry point of the installed script."""
    sys.exit(main())


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse, with words of a list (folders, overrides) before and after options."""
    parser = _parser()
    options, left = parser.parse_known_args(arguments)
    lists = [getattr(options, name, None) for name in ("overrides", "outputs")]
    words = next((found for found in lists if isinstance(found, list)), None)
    if left and (words is None or any(word.startswith("-") for word in left)):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    elif words is not None:
        words.extend(left)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="estimator",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = add_command(
        commands,
        "run",
        summary="estimate one assumption set, or many with -m",
        description=_RUN_DESCRIPTION,
    )
    run.add_argument("-m", "--multirun", action="store_true", help="every product of the overrides")
    add_config_dir(run)
    run.add_argument("overrides", nargs="*", help="group=option or key=value, as Hydra takes them")
    run.set_defaults(command=_run)
    gather = commands.add_parser(
        "collect", help="rebuild sweep.nc and summary.parquet of a run from what is on disk"
    )
    gather.add_argument("folder", type=Path, help="of the run, e.g. outputs/NAME")
    gather.set_defaults(command=_collect)
    for module in (
        compare_cli,
        audit_cli,
        breakeven_cli,
        backtest_cli,
        calibrate_cli,
        report_cli,
        ingest_cli,
    ):
        module.add_parser(commands).set_defaults(command=module.run)
    return parser


def _collect(options: argparse.Namespace, console: Console) -> int:
    from estimator.show.run_tables import sweep_grid
    from estimator.sweep.results import collect_folder

    console.print(sweep_grid(collect_folder(options.folder)))
    console.print(f"Results: {options.folder}", markup=False)
    return 0


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)


def _run(options: argparse.Namespace, console: Console) -> int:
    from estimator.batch import run_many, run_one

    run = run_many if options.multirun else run_one
    batch = run(options.overrides, options.config_dir, console)
    batch.finish()
    batch.write_command(_command(options))
    if batch.sweep is not None:
        batch.sweep.raise_for_failures()
    if batch.errors:
        raise (
            next(iter(batch.errors.values()))
            if len(batch.errors) == 1
            else EstimatorError(
                problems_text("These sets could not be estimated:", _texts(batch.errors))
            )
        )
    if batch.failed_diagnostics:
        raise DiagnosticsError(
            problems_text(
                "The draws of these sets failed their diagnostics; the results are marked:",
                _texts(batch.failed_diagnostics),
            )
        )
    return 0


def _command(options: argparse.Namespace) -> str:
    words = ["estimator", "run", *(["-m"] if options.multirun else [])]
    words += ["--config-dir", options.config_dir] if options.config_dir is not None else []
    return shlex.join([*words, *options.overrides])


def _texts(problems: Mapping[str, object]) -> list[str]:
    return [f"{label}: {problem}" for label, problem in problems.items()]
