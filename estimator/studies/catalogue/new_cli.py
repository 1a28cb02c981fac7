"""`estimator new`: begin a set, a claim, a scenario or a mapping of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.errors import ConfigError, nearest

if TYPE_CHECKING:
    from rich.console import Console

KINDS = ("set", "claim", "scenario", "mapping")
DESCRIPTION = """\
Writes a commented file that runs as it is, and says how. Nothing that is there is overwritten.

  estimator new set mine           my_conf/assumptions/mine.yaml: an assumption set of your own
  estimator new scenario mine      my_conf/scenario/mine.yaml: what may happen after the last month
  estimator new claim mine         mine.csv: a table of claims of your own
  estimator new mapping mine       mine.yaml and mine.csv: what the columns of any table mean

Sets and scenarios are in a folder of your own options, my_conf unless --config-dir names another;
every command takes them with --config-dir my_conf.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="letters, digits and _")
    parser.add_argument(
        "--config-dir", default="my_conf", help="folder of your own options (my_conf)"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the files and say how to use them; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If the kind or the name cannot be used, or a file is there already.
    """
    from rich.text import Text

    from estimator.errors import OutputError
    from estimator.export import write_text
    from estimator.show.grid import printable
    from estimator.studies.catalogue import begun

    if options.kind not in KINDS:
        raise ConfigError(f"{options.kind}: unknown kind; {nearest(options.kind, KINDS)}")
    files, command = begun.files(options.kind, options.name, Path(options.config_dir))
    there = [str(path) for path in files if path.exists()]
    if there:
        raise OutputError(f"{', '.join(there)}: there already; remove it, or choose another name")
    for path, text in files.items():
        write_text(path, text)
        console.print(Text(f"Wrote {printable(str(path))}"), soft_wrap=True)
    console.print(Text(f"It runs as it is:\n  {printable(command)}"), soft_wrap=True)
    return 0
