"""The command ``estimator breakeven``. Heavy imports stay inside functions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, parse_range
from estimator.errors import ConfigError, DiagnosticsError, problems_text

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.show.break_even import BreakEven

DESCRIPTION = """\
What would have to be true: the value of an assumption at which a probability crosses a level.

  estimator breakeven returns.rate --event 'net_change[2026-01] < 0'
  estimator breakeven unconfirmed.ratio assumptions=open --event 'losses[2026-01] > 50000'
  estimator breakeven returns.rate force.other_exits --event 'net_change[2026-01] < 0'
  estimator breakeven scenario.plan_share --level 0.9

Overrides (group=option, key=value) may stand anywhere; words without = are keys. breakeven.check=7
fits a plain grid as well.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add("words", nargs="*", metavar="KEY", help="one key or two, and overrides")
    add("--event", help="e.g. 'net_change[2026-01] < 0', 'killed[total] > 300000'")
    add("--level", help="probability that is crossed (default 0.5)")
    add(
        "--range",
        action="append",
        default=[],
        dest="ranges",
        metavar="LOW:HIGH",
        help="range of a key, in its unit; once a key, or not at all",
    )
    add("--output", help="folder for what is written (default: <output_dir>/<name>)")
    add("--result", help="of scenario.plan_share: a set's folder, instead of an estimate")
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Answer, print and write; the result is the exit status.

    Raises
    ------
    ConfigError
        If something that was asked for is impossible.
    DiagnosticsError
        If the answer rests on fits that missed a bound; everything is written and marked.
    """
    from estimator.studies.breakeven.parts import publish_break_evens
    from estimator.studies.breakeven.plan_share import KEY

    overrides = [word for word in options.words if "=" in word or word.startswith("~")]
    keys = [word for word in options.words if word not in overrides]
    level = _level(options.level)
    if keys == [KEY]:
        results = _plan_shares(options, overrides, level, console)
        folder = _folder(options, overrides, results[0].assumption_set, KEY)
    else:
        results, folder = _one(options, keys, overrides, level, console)
    publish_break_evens(results, folder, console)
    console.print(f"Results: {folder}", markup=False)
    failures = [f"{one.key}: {text}" for one in results for text in one.failures]
    if failures:
        raise DiagnosticsError(
            problems_text("Fits behind this missed a bound of their diagnostics:", failures)
        )
    return 0


def _level(text: str | None) -> float:
    try:
        return 0.5 if text is None else float(text)
    except ValueError as error:
        raise ConfigError(f"level {text!r}: must be a probability, e.g. 0.5") from error


def _one(
    options: argparse.Namespace,
    keys: Sequence[str],
    overrides: Sequence[str],
    level: float,
    console: Console,
) -> tuple[list[BreakEven], Path]:
    from rich.text import Text

    from estimator.assumptions.compose import assumption_set
    from estimator.store.results import check_writable
    from estimator.studies.breakeven.event import Event
    from estimator.studies.breakeven.find import break_even

    if options.result is not None:
        raise ConfigError("--result goes with scenario.plan_share alone: other keys need fits")
    if options.event is None:
        raise ConfigError("--event is missing, e.g. --event 'net_change[2026-01] < 0'")
    ranges = [parse_range(text) for text in options.ranges]
    question = "-".join([*keys, Event.parse(options.event).slug])
    label = assumption_set(overrides, options.config_dir).label
    folder = _folder(options, overrides, label, question)
    check_writable(folder)  # before minutes of fits
    with console.status("compose") as status:
        found = break_even(
            keys,
            options.event,
            level,
            overrides,
            ranges,
            config_dir=options.config_dir,
            say=lambda text: status.update(Text(text)),
        )
    return [found], folder


def _plan_shares(
    options: argparse.Namespace, overrides: Sequence[str], level: float, console: Console
) -> list[BreakEven]:
    from estimator.assumptions.compose import assumption_set, plain_config
    from estimator.run import estimate
    from estimator.store.results import read_result
    from estimator.studies.breakeven.options import BreakEvenOptions
    from estimator.studies.breakeven.plan_share import KEY, plan_shares

    if options.event is not None or options.ranges:
        raise ConfigError(f"{KEY} takes no event and no range: it asks for a level of the force")
    if options.result is not None and [text for text in overrides if not _is_place(text)]:
        raise ConfigError("--result has its own assumptions: leave out the overrides")
    config = plain_config(overrides, options.config_dir)
    search = BreakEvenOptions.from_config(config["breakeven"])
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level must lie between 0 and 1. Got {level:g}")
    if options.result is not None:
        return plan_shares(read_result(Path(options.result)), level, search)
    with console.status("estimate"):
        found = estimate(assumption_set(overrides, options.config_dir))
    return plan_shares(found.tree, level, search)


def _is_place(override: str) -> bool:
    from estimator.assumptions.compose import is_assumed

    return not is_assumed(override)


def _folder(
    options: argparse.Namespace, overrides: Sequence[str], label: str, question: str
) -> Path:
    """Where results go; without a name the set and the question give one."""
    from estimator.assumptions.compose import plain_config
    from estimator.paths import folder_name

    if options.output is not None:
        return Path(options.output)
    config = plain_config(overrides, options.config_dir)
    name = config["name"] or folder_name(f"breakeven-{label}-{question}")
    return Path(str(config["output_dir"])) / str(name)
