"""The command `estimator explore`. Heavy imports stay inside functions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir
from estimator.errors import DiagnosticsError, problems_text

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.studies.explore.planning import Planned, Planning

FILE = "explore.html"
_MEGABYTE = 1e6
DESCRIPTION = """\
Makes one page that opens without a network: a slider for each assumption in dispute, switches for
pieces of evidence, and an answer that moves at once. Each set is fitted once, over the ranges of
all sliders; a fit that is there already is not made again.

  estimator explore                                  # the sets of explore.worlds
  estimator explore central western                  # these sets
  estimator explore central killed_share=registry    # an option of all of them
  estimator explore explore.months=25 explore.groups=[stocks_rusi]

`estimator whatif` answers from the same draws in the terminal.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="SET",
        help="sets (options of the group assumptions), and overrides of all of them",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="(<output_dir>/explore)")
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Fit what is missing and write the page; the result is the exit status.

    Raises
    ------
    ConfigError, EvidenceError, OutputError
        If a set or an option cannot be used, or nothing can be written.
    DiagnosticsError
        If a fit missed a bound; the page is written and says so.
    """
    from rich.text import Text

    from estimator.assumptions.compose import is_assumed, plain_config
    from estimator.evidence import quiet_evidence
    from estimator.export import write_text
    from estimator.paths import folder_name
    from estimator.store.results import check_writable
    from estimator.studies.about import counted_populations, options_about
    from estimator.studies.explore.cover import covering_world
    from estimator.studies.explore.options import ExploreOptions
    from estimator.studies.explore.page import render
    from estimator.studies.explore.planning import Planning
    from estimator.studies.explore.world import FILE as WORLD
    from estimator.studies.report.options import ReportOptions
    from estimator.sweep.journal import SweepJournal
    from estimator.sweep.options import SweepOptions

    overrides = [word for word in options.words if "=" in word]
    config = plain_config(overrides, options.config_dir)
    explore = ExploreOptions.from_config(config["explore"])
    sweep = SweepOptions.from_config(config["sweep"])
    sets = [word for word in options.words if word not in overrides]
    folder = options.output or Path(config["output_dir"]) / "explore"
    check_writable(folder)
    assumed = [word for word in overrides if is_assumed(word)]
    planning = Planning(options.config_dir)
    first = planning.plan([f"assumptions={(sets or explore.worlds)[0]}", *assumed])
    counted = counted_populations([first.evidence.dataset])
    words = options_about(counted, overrides, ("report", "explore"), options.config_dir)
    if words != overrides:
        config = plain_config(words, options.config_dir)
        explore = ExploreOptions.from_config(config["explore"])
    report = ReportOptions.from_config(config["report"])
    names = list(dict.fromkeys(sets or explore.worlds))
    covers = [planning.cover([f"assumptions={name}", *assumed], explore.groups) for name in names]
    with console.status("plan") as status, SweepJournal(folder) as journal:

        def say(text: str) -> None:
            status.update(Text(text))

        with quiet_evidence():
            others = _shipped(planning, assumed)
        worlds = []
        for cover in covers:
            world = covering_world(cover, others, explore, sweep, journal, say)
            world.write(folder / folder_name(world.label) / WORLD)
            worlds.append(world)
        say("page")
        page = render(worlds, explore, report)
    path = write_text(folder / FILE, page)
    size = len(page.encode()) / _MEGABYTE
    console.print(f"Page: {path} ({size:.1f} MB)", markup=False)
    if size > explore.most_megabytes:
        console.print(
            f"It is larger than {explore.most_megabytes:g} MB: fewer sets, explore.months or "
            "explore.quantities make it smaller."
        )
    failed = [f"{world.label}: {world.failures}" for world in worlds if world.failures]
    if failed:
        raise DiagnosticsError(problems_text("Fits behind the page missed a bound:", failed))
    return 0


def _shipped(planning: Planning, assumed: Sequence[str]) -> list[Planned]:
    """Plan the sets of the group `assumptions` that are possible with the overrides."""
    from estimator.errors import EstimatorError
    from estimator.paths import conf_dir

    found = []
    for path in sorted((conf_dir() / "assumptions").glob("*.yaml")):
        try:
            found.append(planning.plan([f"assumptions={path.stem}", *assumed]))
        except EstimatorError:
            continue  # a shipped set that these overrides make impossible is no button
    return found
