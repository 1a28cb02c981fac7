"""`estimator completion`: what a shell may complete, told by argcomplete.

The shell runs `estimator` with the line so far. Only the module of the command on that line is
imported, and of the configuration only file names and keys are read.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from estimator.errors import ConfigError, nearest

if TYPE_CHECKING:
    from rich.console import Console

SHELLS = ("bash", "zsh")
DESCRIPTION = """\
Prints what a shell needs to complete commands, options, groups, keys and folders.

  eval "$(estimator completion bash)"      in ~/.bashrc
  eval "$(estimator completion zsh)"       in ~/.zshrc
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("shell", metavar="SHELL", help=" or ".join(SHELLS))


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the code for the shell; the result is the exit status.

    Raises
    ------
    ConfigError
        If the shell is another one.
    """
    from argcomplete.shell_integration import shellcode

    if options.shell not in SHELLS:
        raise ConfigError(f"{options.shell}: unknown shell; {nearest(options.shell, SHELLS)}")
    code = shellcode(["estimator"], shell=options.shell)
    console.print(code, markup=False, highlight=False, soft_wrap=True, end="")
    return 0


def complete(commands: Mapping[str, str]) -> None:
    """Answer the shell and end, if it asks.

    Parameters
    ----------
    commands
        Module of each command.
    """
    import argcomplete

    argcomplete.autocomplete(_parser(commands, os.environ.get("COMP_LINE", "").split()))


def _parser(commands: Mapping[str, str], words: list[str]) -> argparse.ArgumentParser:
    """Make a parser of all commands, with the arguments of the one that was typed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="store_true")
    chosen = parser.add_subparsers()
    for name, place in commands.items():
        command = chosen.add_parser(name)
        if name in words:
            importlib.import_module(place).add_arguments(command)
            for action in command._actions:
                completer = _COMPLETERS.get(action.dest)
                if completer is not None:
                    action.completer = completer  # type: ignore[attr-defined]
    return parser


def overrides(prefix: str, **_: object) -> list[str]:
    """Complete an override: groups, the keys of a group after its dot, options after ``=``."""
    from estimator.assumptions.catalogue import config_groups, keys, options

    key, equals, value = prefix.partition("=")
    if equals:
        before, comma, _last = value.rpartition(",")
        return [f"{key}={before}{comma}{option}" for option in options(key)]
    group, dot, _rest = key.partition(".")
    if dot:
        return [f"{name}=" for name in keys(group)] if group in config_groups() else []
    groups = sorted(config_groups())
    return [f"{name}=" for name in groups] + [f"{name}." for name in groups if keys(name)]


def _groups(**_: object) -> list[str]:
    from estimator.assumptions.catalogue import config_groups

    return ["priors", "quantities", "evidence_groups", *sorted(config_groups())]


def _sets_and_keys(prefix: str, **_: object) -> list[str]:
    from estimator.assumptions.catalogue import SETS, options

    return [*options(SETS), *(text.rstrip("=") for text in overrides(prefix))]


def _shells(**_: object) -> list[str]:
    return list(SHELLS)


_COMPLETERS: dict[str, Callable[..., list[str]]] = {
    "overrides": overrides,
    "group": _groups,
    "what": _sets_and_keys,
    "shell": _shells,
}
