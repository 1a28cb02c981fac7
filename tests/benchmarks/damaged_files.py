"""Damaged files: python -m tests.benchmarks.damaged_files.

Twenty random bytes are overwritten at random places of a file that a run or a sweep left. Every
command that reads it must then either give the numbers of the undamaged file, or end with one error
that names the file and says what to do.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
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
    "journal.sqlite": (("collect", "outputs/sweep", "--no-plots"), SWEEP),
    "sweep.nc": (
        ("compare", "outputs/sweep", *COMPARE),
        ("report", "outputs/sweep", "--no-fits", "--output", "reported"),
        ("collect", "outputs/sweep", "--no-plots"),
        SWEEP,
    ),
    "fits/*.nc": (("compare", "outputs/sweep", *COMPARE), SWEEP),
    "result.nc": (
        ("compare", "outputs/set", *COMPARE),
        ("collect", "outputs/set"),
        ("report", "outputs/set", "--no-fits", "--output", "reported"),
        ("whatif", "{set}", "force.start=150000:190000"),
        SETS,
    ),
}
"""Files by the commands that read them, quick ones first."""
QUICK_ONES = 2
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


def fault(ended: Ended, good: Ended, folder: Path, undamaged: Path, name: str) -> str:
    """Say what is wrong with how a command ended on a damaged file; nothing if all is well."""
    if ended.broke or ended.status is None:
        return _FAULTS[0]
    if ended.status == good.status:
        told = (ended.told, good.told)
        return (
            "" if told[0] == told[1] and same(numbers(folder), numbers(undamaged)) else _FAULTS[1]
        )
    lines = ended.said.strip().splitlines()
    clear = len(lines) == 1 and name in lines[0] and ";" in lines[0] + ":"
    return "" if clear else _FAULTS[2]


def damaged(path: Path, rng: np.random.Generator) -> None:
    """Overwrite random bytes of a file."""
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    places = rng.choice(len(content), BYTES, replace=False)
    content[places] += rng.integers(1, 256, BYTES).astype(np.uint8)
    path.write_bytes(content.tobytes())


def main() -> None:
    """Damage each kind of file so many times, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--all", type=int, default=3, help="times with the slow commands too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=READERS, metavar="FILE")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="damaged-files-") as made:
        place = Path(made)
        prepared(place / "base", SETS, SWEEP)
        for name in options.only or READERS:
            counts = dict.fromkeys(("equal", "refused", *_FAULTS), 0)
            good: dict[tuple[str, ...], Ended] = {}
            for words in READERS[name][: None if options.all else QUICK_ONES]:
                _copy(place / "base", place / f"good-{len(rows)}-{len(good)}")
                good[words] = _run(words, place / f"good-{len(rows)}-{len(good)}")
            for time in range(options.times):
                most = None if time < options.all else QUICK_ONES
                for n, words in enumerate(READERS[name][:most]):
                    folder = place / "damaged"
                    _copy(place / "base", folder)
                    rng = np.random.default_rng([options.seed, time])
                    path = sorted((folder / "outputs").rglob(name))[0]
                    damaged(path, rng)
                    ended = _run(words, folder)
                    wrong = fault(
                        ended, good[words], folder, place / f"good-{len(rows)}-{n}", path.name
                    )
                    counts[wrong or ("refused" if ended.status else "equal")] += 1
                    if wrong:
                        print(f"{name} {time}: {' '.join(words)}: {wrong}: {ended.said[-600:]}")
                    shutil.rmtree(folder)
            print(name, counts, flush=True)
            rows.append([name, f"{sum(counts.values())}", *map(str, counts.values())])
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
