"""`estimator backtest`: forecasts from every month of the past, held against what came."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimator.commands import add_config_dir, add_overrides
from estimator.errors import ConfigError, DiagnosticsError, nearest, problems_text

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.assumptions import AssumptionSet
    from estimator.studies.backtest.backtest import Backtest
    from estimator.studies.backtest.options import BacktestOptions
    from estimator.studies.backtest.vintages import VintageBacktest

_BUNDLE = "assumptions="
DESCRIPTION = """\
Sets evidence.as_of to the day of each monthly figure of the past, estimates, forecasts the figures
that came later, and scores them: coverage, CRPS and interval score, against naive forecasts.

  estimator backtest                                         the set `central`
  estimator backtest assumptions=central,registry backtest.first=2024-01
  estimator backtest 'assumptions=glob(*)' --no-plots        every shipped set
  estimator backtest 'backtest.noise_factors=[0.4,1,2]'      other noise of the figures
  estimator backtest --vintages assumptions=central,registry what registries said later of the dead

A back-test that was stopped goes on with the same command. conf/backtest/default.yaml has all
options.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_overrides(parser, "group=option or key=value; assumptions=A,B")
    add_config_dir(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="folder (default: <output_dir>/<name>)"
    )
    parser.add_argument(
        "--vintages",
        action="store_true",
        help="predict later figures on the killed of past months, as of backtest.vintages_as_of",
    )
    parser.add_argument(
        "--plots",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="draw the pictures (default: as the key plots says)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Back-test, print the tables and write the files; the result is the exit status.

    Raises
    ------
    ConfigError, EvidenceError
        If an option cannot be used, or no set can be tested.
    DiagnosticsError
        If a fit failed its diagnostics; everything is written and marked.
    """
    from estimator.assumptions.compose import assumption_set, plain_config
    from estimator.show.part import publish
    from estimator.store.results import check_writable
    from estimator.studies.backtest.options import BacktestOptions
    from estimator.studies.backtest.parts import STEM, parts, vintage_parts

    each = expanded(options.overrides, options.config_dir)
    first = plain_config(each[0], options.config_dir)
    checked = BacktestOptions.from_config(first["backtest"])
    sets = [assumption_set(words, options.config_dir) for words in each]
    folder = _folder(options, first, sets)
    check_writable(folder)  # before minutes of fits
    backtested: Backtest | VintageBacktest
    if options.vintages:
        backtested = _vintages(sets, checked, console)
        found = vintage_parts(backtested, checked)
    else:
        backtested = _with_progress(sets, checked, folder, console)
        found = parts(backtested)
    publish(
        found,
        folder,
        document=STEM,
        heading="Back-test",
        console=console,
        plots=bool(first["plots"] if options.plots is None else options.plots),
    )
    console.print(f"Results: {folder}", markup=False)
    if backtested.failures:
        raise DiagnosticsError(
            problems_text(
                "Fits behind this missed a bound of their diagnostics:", backtested.failures
            )
        )
    return 0


def expanded(overrides: Sequence[str], config_dir: str | None = None) -> list[list[str]]:
    """Write out several bundles in one ``assumptions=``: a list, or a glob of their names.

    Parameters
    ----------
    overrides
        As on the command line.
    config_dir
        A folder with bundles of the user's own.

    Returns
    -------
    list of list
        The overrides of each set.

    Raises
    ------
    ConfigError
        If no bundle has such a name.

    Examples
    --------
    >>> expanded(["assumptions=central,open", "seed=1"])
    [['assumptions=central', 'seed=1'], ['assumptions=open', 'seed=1']]
    """
    from fnmatch import fnmatch

    from estimator.assumptions.catalogue import SETS, options

    bundles = [text for text in overrides if text.startswith(_BUNDLE)]
    others = [text for text in overrides if text not in bundles]
    if not bundles:
        return [others]
    known = options(SETS, config_dir)
    word = bundles[-1].removeprefix(_BUNDLE)
    if word.startswith("glob(") and word.endswith(")"):
        pattern = word.removeprefix("glob(").removesuffix(")").strip("'\"")
        names = [name for name in known if fnmatch(name, pattern)]
        if not names:
            raise ConfigError(f"{bundles[-1]}: no such set; {nearest(pattern, known)}")
    else:
        names = word.split(",")
    return [[f"{_BUNDLE}{name}", *others] for name in dict.fromkeys(names)]


def _folder(
    options: argparse.Namespace, config: dict[str, Any], sets: Sequence[AssumptionSet]
) -> Path:
    """Where results go; without a name the set gives one."""
    from estimator.paths import folder_name

    if options.output is not None:
        return Path(options.output)
    which = sets[0].label if len(sets) == 1 else f"{len(sets)}-sets"
    return Path(str(config["output_dir"])) / (config["name"] or folder_name(f"{which}-backtest"))


def _vintages(
    sets: Sequence[AssumptionSet], options: BacktestOptions, console: Console
) -> VintageBacktest:
    from estimator.show.progress import counting_bar
    from estimator.studies.backtest.vintages import backtest_vintages

    with counting_bar(console, "compose") as tell:
        return backtest_vintages(sets, options, cores=sets[0].sampler.cores, progress=tell)


def _with_progress(
    sets: Sequence[AssumptionSet], options: BacktestOptions, folder: Path, console: Console
) -> Backtest:
    from estimator.show.progress import counting_bar
    from estimator.store.journal import Journal
    from estimator.studies.backtest.backtest import FILE, backtest

    with (
        Journal(folder / FILE, "back-test") as journal,
        counting_bar(console, "compose") as tell,
    ):
        cores = sets[0].sampler.cores
        return backtest(sets, options, cores=cores, journal=journal, progress=tell)
