"""What the commands share: the arguments of their command lines."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from estimator.errors import ConfigError

_RANGE = re.compile(r"(?P<low>[^:]+):(?P<high>[^:]+)")


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """Add the argument for a folder of a user's options."""
    parser.add_argument(
        "--config-dir",
        metavar="FOLDER",
        help="your own options beside the shipped ones: FOLDER/returns/mine.yaml is returns=mine; "
        "`estimator new set NAME` begins one",
    )


def add_overrides(parser: argparse.ArgumentParser, text: str) -> None:
    """Add overrides of the configuration, with the text that ``--help`` shows."""
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help=text)


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


def parse_range(text: str) -> tuple[float, float]:
    """Read ``0.1:0.9``.

    Raises
    ------
    ConfigError
        If it is no range of two numbers.
    """
    found = _RANGE.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        return float(found["low"]), float(found["high"])
    except ValueError as error:
        raise ConfigError(f"range {text!r}: must be LOW:HIGH, e.g. 0.1:0.9") from error
