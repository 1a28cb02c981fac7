"""`estimator show`: every prior of a set, one key, or the file of an option, with its sources."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, add_overrides

if TYPE_CHECKING:
    from rich.console import Console

DESCRIPTION = """\
Shows what is assumed, and where it comes from.

  estimator show sceptical                     its options, and every prior with its source
  estimator show sceptical --diff central      all in which two sets differ
  estimator show central returns.rate=0.2      a set with what you change
  estimator show returns.rate                  one key: what every option says of it
  estimator show returns=few                   the file of an option, with all its comments

`estimator list` has the names.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "what", metavar="SET|KEY|GROUP=OPTION", help="an assumption set, a key, or an option"
    )
    parser.add_argument("--diff", metavar="OTHER", help="all in which the set differs from OTHER")
    add_config_dir(parser)
    add_overrides(parser, "what to change in the set before it is shown")


def run(options: argparse.Namespace, console: Console) -> int:
    """Print what is asked for; the result is the exit status.

    Raises
    ------
    ConfigError
        If there is no such set, key or option.
    """
    from estimator.assumptions.catalogue import SETS
    from estimator.assumptions.catalogue import options as options_of
    from estimator.errors import ConfigError
    from estimator.export import read_text
    from estimator.show.part import print_part
    from estimator.studies.catalogue import shown

    what, config_dir = options.what, options.config_dir
    group, is_option, name = what.partition("=")
    is_set = what in options_of(SETS, config_dir)
    if options.diff is not None and not is_set:
        raise ConfigError(f"--diff compares two sets, and {what} is none (estimator list {SETS})")
    if is_option:
        path = shown.option_file(group, name, config_dir)
        for text in (read_text(path).rstrip("\n"), f"# {path}"):
            console.print(text, markup=False, highlight=False, soft_wrap=True)
        return 0
    if is_set and options.diff is not None:
        part = shown.difference(what, options.diff, options.overrides, config_dir)
    elif is_set:
        part = shown.one_set(what, options.overrides, config_dir)
    else:
        part = shown.one_key(what, options.overrides, config_dir)
    print_part(part, console)
    return 0
