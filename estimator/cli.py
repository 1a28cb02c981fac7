"""The command line: a table of commands, whose modules are imported when they are chosen.

The module of a command has ``DESCRIPTION``, ``add_arguments(parser)`` and ``run(options,
console)``, which returns the exit status. Heavy imports stay inside functions, so that ``--help``
and errors in what was typed come at once.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from estimator import distribution
from estimator.errors import EstimatorError, nearest, shortened

if TYPE_CHECKING:
    from rich.console import Console

COMMANDS = {
    "run": ("estimator.batch_cli", "estimate one assumption set, or many with -m"),
    "collect": (
        "estimator.collect_cli",
        "rebuild tables and pictures of a sweep from what is on disk",
    ),
    "compare": ("estimator.studies.compare.cli", "set the answers of runs and sweeps side by side"),
    "audit": ("estimator.studies.audit.cli", "hold the claims against the posterior of each set"),
    "breakeven": (
        "estimator.studies.breakeven.cli",
        "find the value of an assumption at which a probability crosses a level",
    ),
    "when": (
        "estimator.studies.when.cli",
        "find the month in which a quantity first falls below a number",
    ),
    "discover": (
        "estimator.studies.discover.cli",
        "find the region of the assumptions in which an event is probable",
    ),
    "backtest": (
        "estimator.studies.backtest.cli",
        "hold forecasts from every month of the past against what came",
    ),
    "score": (
        "estimator.studies.score.cli",
        "score anybody's dated estimates against what came later",
    ),
    "calibrate": (
        "estimator.studies.calibrate.cli",
        "check in simulated worlds whether ranges mean what they say",
    ),
    "explore": (
        "estimator.studies.explore.cli",
        "make one page with a slider for each assumption, on which the answer moves at once",
    ),
    "whatif": (
        "estimator.studies.explore.whatif_cli",
        "say what an answer becomes under other ranges, from draws that are kept",
    ),
    "report": ("estimator.studies.report.cli", "make two self-contained pages on a run"),
    "ingest": ("estimator.ingest.cli", "bring a public table of others into the claims table"),
    "list": ("estimator.studies.catalogue.list_cli", "list options, priors, quantities, evidence"),
    "show": (
        "estimator.studies.catalogue.show_cli",
        "show every prior of a set, or one key, with its source",
    ),
    "new": (
        "estimator.studies.catalogue.new_cli",
        "begin a set, a claim, a scenario or a mapping of your own",
    ),
    "completion": ("estimator.completion", "let bash or zsh complete commands, options and keys"),
    "cache": ("estimator.cache_cli", "show or clear what was compiled before"),
}
"""Module and summary of each command."""

_DESCRIPTION = (
    "Posterior ranges for monthly losses and the net change of a force, from published claims."
)
_FILE_WIDTH = 100  # columns of output that goes to a file
_UNDECODED = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are not UTF-8
_COLLECT_EVERY = 100_000  # objects more than were freed, after which cycles are searched for


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit status.

    0: done. 2: bad input, nothing written for it. 3: sampling failed its diagnostics; everything
    is written and marked. 4: sets of a sweep failed, or a check of reweighted sets did; all else is
    written.
    """
    words = sys.argv[1:] if arguments is None else arguments
    undecoded = [word for word in words if _UNDECODED.search(word)]
    if undecoded:
        sys.stderr.write(f"estimator: {undecoded[0]!a}: not UTF-8; allowed: text in UTF-8\n")
        return EstimatorError.exit_status
    module, options = parse(words)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        if getattr(options, "overrides", None):
            from estimator.assumptions.compose import check_once

            check_once(options.overrides)
        return int(module.run(options, _console()))
    except EstimatorError as error:
        sys.stderr.write(f"estimator: {shortened(str(error))}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("estimator: stopped; finished sets are kept\n")
        return 130


def entry() -> None:
    """Entry point of the installed script."""
    # What imports and graphs of models make lives to the end: to search it for cycles as often as
    # Python does takes a tenth of a run.
    gc.set_threshold(_COLLECT_EVERY)
    if "_ARGCOMPLETE" in os.environ:
        from estimator.completion import complete

        complete({name: module for name, (module, _) in COMMANDS.items()})
    status = main()
    executors = sys.modules.get("estimator.sweep.executors")
    if executors is not None and executors.are_at_work():
        # A sweep stopped early, and a thread is sampling: to end Python under it is a crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def parse(words: Sequence[str]) -> tuple[ModuleType, argparse.Namespace]:
    """Return the module of the command that was typed, and its arguments.

    Folders and overrides may stand before and after options.
    """
    parser = _parser("estimator", _DESCRIPTION)
    listing = parser.add_argument_group("commands", "estimator COMMAND --help has examples.")
    version = f"estimator {distribution.version()}"
    parser.add_argument("--version", action="version", version=version)
    listing.add_argument("command", metavar="COMMAND", help=argparse.SUPPRESS)
    width = max(map(len, COMMANDS))
    parser.epilog = "\n".join(
        f"  estimator {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items()
    )
    command = parser.parse_args(words[:1]).command
    if command not in COMMANDS:
        parser.error(f"{command}: unknown command; {nearest(command, COMMANDS)}")
    module, parser = command_parser(command)
    return module, parser.parse_intermixed_args(words[1:])


def command_parser(command: str) -> tuple[ModuleType, argparse.ArgumentParser]:
    """Return the module of one of `COMMANDS`, and the parser of its arguments."""
    module = importlib.import_module(COMMANDS[command][0])
    parser = _parser(f"estimator {command}", module.DESCRIPTION)
    module.add_arguments(parser)
    return module, parser


def _parser(program: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=program,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _console() -> Console:
    from rich.console import Console

    # Not what rich asks: notebooks set FORCE_COLOR, with which it takes their pipe for a terminal.
    return Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH, force_terminal=False)
