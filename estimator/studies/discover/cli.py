"""`estimator discover`: in which region of the assumptions an event is probable."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from estimator import distribution
from estimator.commands import add_config_dir, outputs_and_overrides

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.studies.discover.options import DiscoverOptions

FOLDER = "discover"
DESCRIPTION = f"""\
Says in which region of the assumptions of a sweep an event is more likely than not (scenario
discovery): boxes, each with the share of its sets that have the event (density) and the share of
all sets with the event that lie in it (coverage). Needs scikit-learn:
{distribution.install("discover")}.

  estimator run -m experiment=latin_hypercube name=hypercube
  estimator discover outputs/hypercube --event 'net_change[2026-01] < 0'
  estimator discover outputs/hypercube --event 'losses[2026-01] > 35000' discover.level=0.9
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add(
        "outputs",
        nargs="+",
        metavar="SWEEP",
        help="folder of a sweep; beside it discover.KEY=VALUE (conf/discover)",
    )
    add("--event", required=True, help="quantity[period] < number, or > number")
    add("--output", type=Path, metavar="FOLDER", help="where files go (SWEEP/discover/EVENT)")
    add("--no-plots", action="store_true", help="no picture")
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Find the boxes, print and write them; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If scikit-learn is missing, or the event, an option or the sweep cannot be used.
    """
    from importlib.util import find_spec

    from estimator.errors import ConfigError, OutputError
    from estimator.show.part import publish
    from estimator.store.sets import Sets
    from estimator.studies.breakeven.event import Event
    from estimator.studies.compare.drivers.levels import NoSweep
    from estimator.studies.discover.parts import discovery

    if find_spec("sklearn") is None:
        raise ConfigError(f"discover needs scikit-learn: {distribution.install('discover')}")
    outputs, overrides = outputs_and_overrides(
        options.outputs, [FOLDER], needs="discover needs the folder of a sweep"
    )
    event, chosen = Event.parse(options.event), _options(overrides, options.config_dir)
    try:
        part = discovery(Sets.open(outputs), event, chosen)
    except NoSweep as error:
        raise OutputError(f"{', '.join(map(str, outputs))}: {error}") from error
    folder = options.output or outputs[0] / FOLDER / event.slug
    publish(
        [part],
        folder,
        document=FOLDER,
        heading=f"Where {event.words}",
        console=console,
        plots=not options.no_plots,
    )
    console.print(f"Boxes: {folder}", markup=False)
    return 0


def _options(overrides: list[str], config_dir: str | None) -> DiscoverOptions:
    from estimator.assumptions.compose import plain_config
    from estimator.studies.discover.options import DiscoverOptions

    return DiscoverOptions.from_config(plain_config(overrides, config_dir)[FOLDER])
