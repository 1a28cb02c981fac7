"""Bad inputs, made at random from the shipped ones: python -m tests.benchmarks.bad_inputs.

Four kinds: tables, files of options, overrides, and the arguments, folders and files of the other
commands. Each should end within five seconds with one message of at most twenty lines, no
traceback, and nothing left behind. Some are no error after all: they are estimated from the prior
and told apart. ``--only N`` runs one again and shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from estimator.cli import main as estimator
from estimator.errors import OutputError
from estimator.show.grid import Grid, column
from tests.benchmarks import bad_commands, bad_options, bad_tables
from tests.benchmarks.forks import QUICK, Ended, forked

SECONDS, LINES = 5.0, 20
KINDS: dict[str, Callable[[np.random.Generator, Path, Path], list[str]]] = {
    "tables": bad_tables.table,
    "options": bad_options.option,
    "overrides": bad_options.override,
    "commands": bad_commands.command,
}
_SET = ("run", *QUICK, "name=set")
SWEEP = (
    *("run", "-m", *QUICK, "assumptions=article", "returns.rate=0.1,0.2,0.3", "name=sweep"),
    *("sweep.method=plan", "sweep.base_draws=50"),
)
MADE = (
    (*_SET, "assumptions=article", "label=article"),
    (*_SET, "assumptions=registry", "label=registry"),
    SWEEP,
    ("new", "mapping", "mine"),
)
"""Commands that make what others read."""
FAULTS = (
    "tracebacks",
    "over 5 s",
    "over 20 lines",
    "status without message, or the reverse",
    "left half-made",
)


@dataclass(frozen=True)
class Judged:
    """One case: what was typed, how it ended, and what is wrong with that."""

    number: int
    kind: str
    words: list[str]
    ended: Ended
    faults: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Whether it was taken for bad input."""
        return self.ended.status not in (0, 3, 4, None)


def faults_of(ended: Ended) -> list[str]:
    """Say what is wrong with how a bad input ended, in the words of `FAULTS`."""
    if ended.broke:
        return [FAULTS[0]]
    refused = ended.status == 2
    lines = ended.said.strip().splitlines()
    found = [
        refused and ended.seconds > SECONDS,
        refused and len(lines) > LINES,
        (ended.status not in (0, None) and not lines)
        or (ended.status == 0 and "estimator:" in ended.said),
        refused and bool(ended.left),
    ]
    return [fault for fault, there in zip(FAULTS[1:], found, strict=True) if there]


def judged(number: int, seed: int, base: Path, place: Path) -> Judged:
    """Make a case, run it and judge it."""
    kind = list(KINDS)[number % len(KINDS)]
    rng = np.random.default_rng([seed, number])
    folder = place / f"{number}"
    folder.mkdir()
    words = KINDS[kind](rng, folder, base)
    ended = forked(words, folder)
    return Judged(number, kind, words, ended, tuple(faults_of(ended)))


def table(cases: Sequence[Judged]) -> Grid:
    """Count the cases of each kind, and what is wrong with them."""
    heads = [column("kind", "name"), column("cases"), column("refused"), column("accepted")]
    rows = []
    for kind in (*KINDS, "all"):
        some = [case for case in cases if kind in (case.kind, "all")]
        refused = sum(case.refused for case in some)
        counts = [sum(fault in case.faults for case in some) for fault in FAULTS]
        rows.append([kind, *(f"{n:,}" for n in (len(some), refused, len(some) - refused, *counts))])
    longest = max((case.ended.seconds for case in cases if case.refused), default=0.0)
    stopped = sum(case.ended.status is None for case in cases)
    notes = [f"The slowest refusal took {longest:.1f} s; {stopped} were stopped while at work."]
    return Grid.of("Bad inputs", [*heads, *map(column, FAULTS)], rows, notes)


def prepared(base: Path, *commands: Sequence[str]) -> None:
    """Run the commands that make what others read, in a folder.

    Raises
    ------
    OutputError
        If one fails.
    """
    base.mkdir(parents=True, exist_ok=True)
    for words in commands:
        # Not in forks: what is imported and compiled here is so in all forks.
        with contextlib.chdir(base), contextlib.redirect_stdout(io.StringIO()):
            if estimator(words):
                raise OutputError(f"cannot prepare: estimator {shlex.join(words)}")
    gc.freeze()  # a search for cycles would copy the pages that a fork shares
    gc.set_threshold(100_000)


def main() -> None:
    """Run the cases and print the table, and what is wrong with which."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first")
    parser.add_argument("--only", type=int, metavar="N", help="run one, and show it")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.cases)
    with tempfile.TemporaryDirectory(prefix="bad-inputs-") as name:
        place = Path(name)
        prepared(place / "base", *MADE)
        found = []
        for number in numbers if options.only is None else [options.only]:
            case = judged(number, options.seed, place / "base", place)
            found.append(case)
            if case.faults or options.only is not None:
                _show(case, options.only is not None)
            if options.only is None:
                shutil.rmtree(place / f"{number}")
    print(table(found).markdown())


def _show(case: Judged, whole: bool) -> None:
    text = shlex.join(case.words)
    print(f"{case.number}: {', '.join(case.faults)}: estimator {text[:400]!a}")
    said = case.ended.said.strip().splitlines()
    print(*(f"    {line[:300]}" for line in (said if whole else said[-2:])), sep="\n")
    print(f"    status {case.ended.status}, {case.ended.seconds:.1f} s, left {case.ended.left[:5]}")


if __name__ == "__main__":
    main()
