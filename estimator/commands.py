"""What the commands share: the arguments of their command lines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estimator.errors import ConfigError


def add_command(
    commands: Any, name: str, *, summary: str, description: str, usage: str | None = None
) -> argparse.ArgumentParser:
    """Add a command to the parsers of a command line, and return its parser.

    Parameters
    ----------
    commands
        What ``ArgumentParser.add_subparsers`` gave.
    name
        Of the command.
    summary
        One line, for the list of commands.
    description
        What ``--help`` shows, with its line breaks.
    usage
        None for what argparse makes of the arguments.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        usage=usage,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """Add the argument for a folder of a user's options."""
    parser.add_argument(
        "--config-dir", help="a folder of your own options, beside the shipped ones"
    )


def outputs_and_overrides(
    words: Sequence[str], groups: Sequence[str], *, needs: str
) -> tuple[list[Path], list[str]]:
    """Tell folders of runs from overrides that stand beside them.

    Parameters
    ----------
    words
        As on the command line.
    groups
        Of ``conf/``, whose options may be overridden.
    needs
        What there must be at least one of, as the error says it.

    Returns
    -------
    outputs, overrides
        In the order of `words`. An override is ``GROUP=OPTION`` or ``GROUP.KEY=VALUE``.

    Raises
    ------
    ConfigError
        If no word is a folder.

    Examples
    --------
    >>> words = ["outputs/mine", "audit.refit=none"]
    >>> outputs_and_overrides(words, ["audit"], needs="audit needs a run")[1]
    ['audit.refit=none']
    """
    overrides = [word for word in words if _is_override(word, groups)]
    outputs = [Path(word) for word in words if word not in overrides]
    if not outputs:
        raise ConfigError(f"{needs}. Got none")
    return outputs, overrides


def _is_override(word: str, groups: Sequence[str]) -> bool:
    key, equals, _ = word.partition("=")
    return bool(equals) and key.partition(".")[0] in groups
