"""`estimator cache`: where machine code is kept, how much of it, and how to be rid of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from estimator import cache
from estimator.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console

DESCRIPTION = f"""\
Shows the folder in which compiled densities are kept, and its size. Deleting them costs nothing but
the ten seconds in which the next estimate compiles its density again.

  estimator cache
  estimator cache --clear

{cache.VARIABLE} names another folder; empty turns the cache off.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--clear", action="store_true", help="delete what is kept")


def run(options: argparse.Namespace, console: Console) -> int:
    """Show or clear the cache; the result is the exit status.

    Raises
    ------
    OutputError
        If there is no folder that can be used.
    """
    try:
        number, size = cache.contents()
        if options.clear:
            cache.clear()
    except OSError as error:
        raise OutputError(f"nothing is kept: {error}") from error
    done = "deleted" if options.clear else "kept"
    text = f"{cache.location()}: {number:,} files {done}, {size / 1e6:,.1f} MB"
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    return 0
