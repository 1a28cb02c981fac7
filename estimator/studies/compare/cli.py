"""The command `estimator compare`: several outputs side by side, in the terminal and as files.

Heavy imports stay inside functions, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, outputs_and_overrides
from estimator.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.quantities.answers import Answer
    from estimator.store.sets import Sets
    from estimator.studies.compare.options import CompareOptions

DESCRIPTION = """\
Sets the answers of runs and sweeps side by side: ranges, differences to a reference set, who is
above whom, one range across all sets, and within a set whether prior or claims decided. Prints
one table of all sets by all answers, with --full the others too; writes all of them as CSV and
Markdown, with pictures as PNG and SVG.

  estimator compare outputs/shipped
  estimator compare outputs/shipped --full
  estimator compare outputs/shipped outputs/tornado --reference shipped/central
  estimator compare outputs/lhs --answer 'losses[2026-01]' --answer 'P(net_change[2026-01] < 0)'
  estimator compare outputs/shipped --sets central,western --weights central=2,western=1
"""
_GROUPS = ("compare",)
_FOLDER = "compare"
_FILES = "files.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add(
        "outputs",
        nargs="+",
        metavar="OUTPUT",
        help="folder of a run, a set or a sweep; beside them compare.KEY=VALUE (conf/compare)",
    )
    add(
        "--answer",
        action="append",
        metavar="ANSWER",
        help="quantity[month], quantity[total] or P(quantity[month] < 0); may be repeated",
    )
    add("--reference", metavar="LABEL", help="the set from which differences are taken")
    add("--sets", action="append", metavar="LABEL,...", help="these sets and no others")
    add(
        "--weights",
        action="append",
        metavar="LABEL=WEIGHT,...",
        help="weights of sets for the pooled range; sets that are not named get none",
    )
    add("--output", type=Path, metavar="FOLDER", help="where files go (first OUTPUT/compare)")
    add("--full", action="store_true", help="print all tables, which comparison.md has")
    add("--no-plots", action="store_true", help="no pictures")
    add_config_dir(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare, print and write; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If an output, set, answer, weight or option cannot be used.
    """
    from estimator.quantities.answers import Answer
    from estimator.show.part import publish
    from estimator.store.results import check_writable
    from estimator.store.sets import Sets
    from estimator.studies.compare.parts import Comparison, parts_of

    outputs, overrides = outputs_and_overrides(
        options.outputs, _GROUPS, needs="compare needs the folder of at least one run or sweep"
    )
    chosen = _options(overrides, options.config_dir)
    sets = Sets.open(outputs)
    weights = None if options.weights is None else split_weights(options.weights, sets.labels)
    if options.sets is not None:
        sets = sets.only(split_labels(options.sets, sets.labels))
    answers = [Answer.parse(text) for text in options.answer or ()] or _answers(chosen, sets)
    comparison = Comparison.of(sets, answers, chosen, options.reference, weights)
    folder = outputs[0] / _FOLDER if options.output is None else options.output
    check_writable(folder)
    written = publish(
        parts_of(comparison),
        folder,
        document="comparison",
        heading=f"Comparison of {len(sets):,} assumption sets",
        console=console,
        plots=not options.no_plots,
        brief=not options.full,
    )
    _remove_older(folder, written)
    more = "" if options.full else "; ranges, differences and drivers: comparison.md, or --full"
    console.print(f"Comparison of {len(sets):,} sets: {folder}{more}", markup=False)
    return 0


def _options(overrides: Sequence[str], config_dir: str | None) -> CompareOptions:
    from estimator.studies.compare.options import CompareOptions

    if not overrides and config_dir is None:
        return CompareOptions.default()
    from estimator.assumptions.compose import plain_config

    return CompareOptions.from_config(plain_config(overrides, config_dir)["compare"])


def _answers(options: CompareOptions, sets: Sets) -> list[Answer]:
    if not sets.months:
        raise OutputError("these sets have no month in common: name what to compare by --answer")
    return options.answers_of(sets.last_month)


def _remove_older(folder: Path, written: Sequence[Path]) -> None:
    """Remove files of an earlier comparison, which would not fit to those of this one."""
    from estimator.export import read_text, write_text

    names = [path.name for path in written]
    listed = folder / _FILES
    older = read_text(listed).splitlines() if listed.exists() else []
    for name in set(older) - set(names):
        (folder / Path(name).name).unlink(missing_ok=True)
    write_text(listed, "\n".join(names) + "\n")


def split_labels(texts: Sequence[str], known: Collection[str]) -> list[str]:
    """Split lists of labels at commas; the labels of sweeps have commas themselves.

    Examples
    --------
    >>> split_labels(["central,returns=none,western"], ["central,returns=none", "western"])
    ['central,returns=none', 'western']
    """
    labels = set(known)
    return [part for text in texts for part in _parts(text, lambda part: part in labels)]


def split_weights(texts: Sequence[str], known: Collection[str]) -> Mapping[str, float]:
    """Split lists of ``label=weight``; labels may have commas and equal signs themselves.

    Raises
    ------
    ConfigError
        If a part has no number behind its last equal sign, or a label is named twice.

    Examples
    --------
    >>> split_weights(["central,returns=none=2,western=1"], ["central,returns=none", "western"])
    {'central,returns=none': 2.0, 'western': 1.0}
    """
    labels = set(known)
    found: dict[str, float] = {}
    for text in texts:
        for part in _parts(text, lambda part: part.rpartition("=")[0] in labels):
            label, _, number = part.rpartition("=")
            weight = _number(number)
            if not label or weight is None or label in found:
                reason = "is named twice" if label in found else "must be LABEL=NUMBER"
                raise ConfigError(f"--weights: {part!r} {reason}")
            found[label] = weight
    return found


def _parts(text: str, is_known: Callable[[str], bool]) -> Iterator[str]:
    """Split a list at commas, but for those inside the longest part that is known."""
    words = text.split(",")
    begin = 0
    while begin < len(words):
        parts = {end: ",".join(words[begin:end]) for end in range(len(words), begin, -1)}
        end = next((end for end, part in parts.items() if is_known(part)), begin + 1)
        yield parts[end]
        begin = end


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
