"""Damaged files: python -m tests.benchmarks.damaged_files.

Twenty random bytes are overwritten at random places of a file that a run or a sweep left. Every
command that reads it must then either give the numbers of the undamaged file, or end with one error
that names the file and says what to do.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from estimator.show.grid import Grid, column
from tests.benchmarks.bad_inputs import SWEEP, prepared
from tests.benchmarks.forks import QUICK, Ended, forked

BYTES = 20
SETS = ("run", "-m", *QUICK, "assumptions=article", "returns.rate=0.1,0.2", "name=set")
COMPARE = ("--no-plots", "--output", "compared")
READERS = {
    "sweep/journal.sqlite": (("collect", "outputs/sweep", "--no-plots"), SWEEP),
    "sweep/sweep.nc": (
        ("compare", "outputs/sweep", *COMPARE),
        ("report", "outputs/sweep", "--no-fits", "--output", "reported"),
        ("collect", "outputs/sweep", "--no-plots"),
        SWEEP,
    ),
    "sweep/fits/*.nc": (("compare", "outputs/sweep", *COMPARE), SWEEP),
    "set/*/result.nc": (
        ("compare", "outputs/set", *COMPARE),
        ("collect", "outputs/set"),
        ("report", "outputs/set", "--no-fits", "--output", "reported"),
        ("whatif", "{set}", "force.start=150000:190000"),
        SETS,
    ),
}
"""Files by the commands that read them, a quick one first."""
HELD = (
    "compared/*.csv",
    "reported/pictures/*.csv",
    "outputs/*/summary.csv",
    "outputs/*/summary.parquet",
)
"""Tables with the numbers that a command wrote."""
_FAULTS = ("tracebacks", "other numbers", "errors that do not name the file")


def numbers(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables that a command wrote."""
    paths = sorted(path for pattern in HELD for path in folder.glob(pattern))
    return {
        str(path.relative_to(folder)): (
            pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        )
        for path in paths
    }


def same(ours: dict[str, pd.DataFrame], theirs: dict[str, pd.DataFrame]) -> bool:
    """Whether two commands wrote the same numbers."""
    return list(ours) == list(theirs) and all(
        ours[name]
        .drop(columns="seconds", errors="ignore")
        .equals(theirs[name].drop(columns="seconds", errors="ignore"))
        for name in ours
    )


def fault(
    ended: Ended, folder: Path, name: str, undamaged: Callable[[], tuple[Ended, Path]]
) -> str:
    """Say what is wrong with how a command ended on a damaged file; nothing if all is well."""
    if ended.broke or ended.status is None:
        return _FAULTS[0]
    if ended.status == 0:
        good, there = undamaged()
        equal = ended.told == good.told and same(numbers(folder), numbers(there))
        return "" if equal else _FAULTS[1]
    lines = ended.said.strip().splitlines()
    clear = len(lines) == 1 and name in lines[0] and "; " in lines[0]
    return "" if clear else _FAULTS[2]


def damaged(path: Path, rng: np.random.Generator) -> None:
    """Overwrite random bytes of a file."""
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    places = rng.choice(len(content), BYTES, replace=False)
    content[places] += rng.integers(1, 256, BYTES).astype(np.uint8)
    path.write_bytes(content.tobytes())


class Undamaged:
    """How commands end on files without damage, each run when it is first asked for."""

    def __init__(self, base: Path, place: Path) -> None:
        self._base, self._place = base, place
        self._found: dict[tuple[str, ...], tuple[Ended, Path]] = {}

    def __call__(self, words: tuple[str, ...]) -> tuple[Ended, Path]:
        """Return how a command ended, and in which folder."""
        if words not in self._found:
            folder = self._place / f"undamaged-{len(self._found)}"
            _copy(self._base, folder)
            self._found[words] = _run(words, folder), folder
        return self._found[words]


def counted(name: str, times: int, slow: int, seed: int, place: Path) -> list[str]:
    """Damage a kind of file so many times; count how the commands that read it end."""
    undamaged = Undamaged(place / "base", place)
    counts = dict.fromkeys(("equal", "refused", *_FAULTS), 0)
    for time in range(times):
        for words in READERS[name][: None if time < slow else 1]:
            folder = place / "damaged"
            _copy(place / "base", folder)
            rng = np.random.default_rng([seed, time])
            path = min((folder / "outputs").glob(name))
            damaged(path, rng)
            ended = _run(words, folder)
            wrong = fault(ended, folder, path.name, partial(undamaged, words))
            counts[wrong or ("refused" if ended.status else "equal")] += 1
            if wrong:
                print(f"{name} {time}: {' '.join(words)}: {wrong}: {ended.said[-600:]}")
            shutil.rmtree(folder)
    for folder in place.glob("undamaged-*/"):
        shutil.rmtree(folder)
    return [name, f"{sum(counts.values())}", *map(str, counts.values())]


def main() -> None:
    """Damage each kind of file so many times, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--slow", type=int, default=3, help="times with the slow commands too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=READERS, metavar="FILE")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="damaged-files-") as made:
        prepared(Path(made) / "base", SETS, SWEEP)
        for name in options.only or READERS:
            rows.append(counted(name, options.times, options.slow, options.seed, Path(made)))
            print(*rows[-1], flush=True)
    heads = [column("file", "name"), column("readings"), column("the same numbers")]
    heads += [column(text) for text in ("one clear error", *_FAULTS)]
    print(Grid.of(f"Damaged files: {BYTES} random bytes each", heads, rows).markdown())


def _copy(folder: Path, place: Path) -> None:
    shutil.copytree(folder, place, symlinks=True)


def _run(words: tuple[str, ...], folder: Path) -> Ended:
    one = min(path.parent for path in folder.glob("outputs/set/*/result.nc"))
    return forked([word.format(set=one.relative_to(folder)) for word in words], folder)


if __name__ == "__main__":
    main()
