"""The command `estimator whatif`: what an answer becomes, from draws that are kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, parse_range
from estimator.errors import ConfigError, problems_text

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.show.grid import Cell
    from estimator.show.part import Part
    from estimator.studies.breakeven.event import Event
    from estimator.studies.explore.answers import Answer
    from estimator.studies.explore.world import Position, World

NEEDS_A_FIT = 3
"""Exit status where the kept draws do not reach what is asked."""

DESCRIPTION = """\
Says at once what an answer becomes under other ranges of assumptions, or without a piece of
evidence: the draws of a set are weighted as those of a sweep are. Says so if they do not reach
that far, and gives the command of the fit.

  estimator whatif central returns.rate=0.1:0.3
  estimator whatif central returns.rate=0.1:0.3 --without stocks_rusi
  estimator whatif central force.start=150000:180000 --event 'net_change[2026-01] < -5000'
  estimator whatif outputs/shipped/western unconfirmed.ratio=0.05:0.2

SET is the folder of a set, or the name of one: of a world of `estimator explore`, whose draws
reach far, else of the latest run. A range holds 90 of 100 parts of its prior.
Exit status 3: it needs a fit.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add(
        "words",
        nargs="+",
        metavar="SET KEY=LOW:HIGH",
        help="a set and ranges of its assumptions; explore.KEY=... may stand beside",
    )
    add(
        "--without",
        action="append",
        default=[],
        metavar="GROUP",
        help="leave an evidence group out",
    )
    add("--event", help="e.g. 'net_change[2026-01] < 0', 'killed[total] > 300000'")
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Answer and print; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If the set, a range, a group or the event cannot be used.
    """
    from estimator.show.part import print_part
    from estimator.studies.explore.answers import answer_at, event_of
    from estimator.studies.explore.options import ExploreOptions
    from estimator.studies.explore.world import Position

    moved = [word for word in options.words if "=" in word and not Path(word).is_dir()]
    names = [word for word in options.words if word not in moved]
    if len(names) != 1:
        raise ConfigError(f"whatif needs one set. Got {', '.join(names) or 'none'}")
    settings = [word for word in moved if word.startswith(("explore.", "output_dir="))]
    explore, outputs = ExploreOptions.shipped()
    if settings or options.config_dir:
        from estimator.assumptions.compose import plain_config

        config = plain_config(settings, options.config_dir)
        explore, outputs = ExploreOptions.from_config(config["explore"]), Path(config["output_dir"])
    ranges, problems = {}, []
    for word in moved:
        if word in settings:
            continue
        key, _, text = word.partition("=")
        try:
            ranges[key] = parse_range(text)
        except ConfigError as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise ConfigError(problems_text("These ranges cannot be read:", problems))
    world = find_world(names[0], outputs)
    position = Position(ranges, tuple(dict.fromkeys(options.without)))
    event = event_of(options.event or explore.event, world)
    before = answer_at(world, Position(), event, explore)
    after = answer_at(world, position, event, explore)
    print_part(_part(world, position, event, before, after), console)
    console.print(f"Check this by a fit: {world.command(position)}", markup=False, soft_wrap=True)
    return NEEDS_A_FIT if after.lamp == "refused" else 0


def find_world(name: str, outputs: Path) -> World:
    """Draws of a set: of a folder, of a world of the page with sliders, or of the latest run.

    Raises
    ------
    OutputError
        If there are none.
    """
    from estimator.errors import OutputError
    from estimator.paths import folder_name
    from estimator.studies.explore.world import FILE, World

    folders = [Path(name), *(outputs / run / folder_name(name) for run in ("explore", "latest"))]
    for folder in folders:
        if (folder / FILE).is_file():
            return World.read(folder / FILE)
        if (folder / "result.nc").is_file():
            from estimator.store.results import read_result
            from estimator.studies.explore.results import world_of_result

            return world_of_result(read_result(folder))
    looked = ", ".join(map(str, folders))
    raise OutputError(
        f"{name}: no draws of such a set (looked in {looked}); `estimator explore {name}` makes "
        f"them, or `estimator run assumptions={name}`"
    )


def _part(world: World, position: Position, event: Event, before: Answer, after: Answer) -> Part:
    from estimator.quantity import QUANTITIES, TOTAL
    from estimator.show import number
    from estimator.show.grid import Grid
    from estimator.show.part import Part

    moved = [
        f"{key} {number.significant(low)} to {number.significant(high)}"
        for key, (low, high) in position.ranges.items()
    ]
    moved += [f"without {name}" for name in position.without]
    title = f"{world.label}{' with ' if moved else ''}{'; '.join(moved)}: P({event})"
    trust = (
        f"{after.lamp}: k-hat {number.fixed(after.weights.k_hat, 2)}, worth "
        f"{number.fixed(after.ess)} independent draws of {len(after.weights.log_weights):,}"
    )
    failed = [f"The fit behind this missed a bound: {world.failures}."] if world.failures else []
    if after.lamp == "refused":
        refused = f"The kept draws do not reach this: it needs a fit ({trust})."
        return Part(title, [refused, *failed])
    error = number.with_error(after.probability, after.error)
    sentences = [
        f"{number.probability(after.probability)} ({error}); as it is "
        f"{number.probability(before.probability)}. {trust[:1].upper()}{trust[1:]}.",
        *failed,
    ]
    rows: list[list[Cell | str]] = [
        [
            QUANTITIES[name].words,
            unit := _unit(name, event),
            _cell(before.ranges[name], unit),
            _cell(ends, unit),
        ]
        for name, ends in after.ranges.items()
    ]
    period = "whole window" if event.period == TOTAL else number.month(event.period)
    grid = Grid.of(f"Median [90 % range], {period}", ["quantity", "unit", "as it is", "here"], rows)
    return Part(title, sentences, [grid])


def _unit(name: str, event: Event) -> str:
    from estimator.quantity import QUANTITIES, TOTAL

    quantity = QUANTITIES[name]
    return quantity.unit_of_total if event.period == TOTAL else quantity.unit


def _cell(ends: tuple[float, float, float], unit: str) -> Cell:
    from estimator.show import number
    from estimator.show.grid import Cell

    low, middle, high = (number.rounded(end, unit) for end in ends)
    return Cell(middle, f"[{low}, {high}]")
