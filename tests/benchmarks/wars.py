"""Wars whose truth is known, from table to answer: ``make bench-wars``.

Each kind of table of `tests.benchmarks.war_tables` is made of a simulated war, ingested if it is
somebody else's, and estimated by ``estimator run experiment=other_war`` at default settings. What
counts: whether the draws are clean, whether 90 % ranges hold the truth, and how long it takes. What
was found of a war is kept in one CSV file, so that a benchmark that was stopped goes on; delete the
file to run the war again.

Months of one war are not independent: a bias moves all of them. So coverage is told of the totals
as well, of which a war has one a quantity.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from estimator.cli import main as command
from estimator.export import write_csv, write_text
from estimator.show.grid import FAILED, Cell, Grid, column
from estimator.show.number import NOTHING, compact, fixed, interval
from estimator.store.results import open_posterior, read_attrs
from tests.benchmarks.war_tables import KINDS, Kind, Table
from tests.benchmarks.war_truth import POPULATION, War

RANGE = (0.05, 0.5, 0.95)
RANGES = ["quantity", "period", "truth", "low", "middle", "high"]
TOTAL = "total"
STOCKS = ("force_size",)
JUDGED = ("losses", "killed")


@dataclass(frozen=True)
class Ran:
    """How a run ended.

    Attributes
    ----------
    status
        Its exit status; 1: it broke off with a traceback.
    said
        What it wrote to the standard error, or the traceback.
    told
        Warnings before sampling.
    attempts
        Attempts to sample.
    seconds, processor
        Time that passed, and that of all processors.
    """

    status: int
    said: str
    told: str
    attempts: int
    seconds: float
    processor: float


class _Heard(logging.Handler):
    """What the package logs: warnings, and attempts to sample that did not suffice."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.warnings: list[str] = []
        self.missed = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        if record.name == "estimator.fitting.ladder":
            self.missed += 1
        elif record.levelno >= logging.WARNING and not self.missed:
            self.warnings.append(record.getMessage())


@contextlib.contextmanager
def _listening() -> Iterator[_Heard]:
    logger, heard = logging.getLogger("estimator"), _Heard()
    before = logger.level
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    try:
        yield heard
    finally:
        logger.setLevel(before)
        logger.removeHandler(heard)


def written(tables: list[Table], folder: Path) -> list[Path]:
    """Write the tables of a war, ingest those of others, and return the claims tables."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        claims = [table.claims(folder) for table in tables]
    write_text(folder / "ingest.txt", printed.getvalue())
    return claims


def overrides(war: War, claims: list[Path]) -> list[str]:
    """Return what a user would type: the claims, whom they count, and the days of the war."""
    files = ",".join(f"'{path}'" for path in claims)
    return [
        "experiment=other_war",
        f"evidence.files=[{files}]",
        f"evidence.populations=[{POPULATION}]",
        f"window.start={war.first}",
        f"window.end={war.last}",
        "plots=false",
    ]


def run(war: War, claims: list[Path], folder: Path) -> Ran:
    """Estimate a war as the command line does."""
    words = ["run", *overrides(war, claims), f"output_dir='{folder}'", "name=run", "label=war"]
    begin, busy = time.perf_counter(), time.process_time()
    said = io.StringIO()
    printed = io.StringIO()
    with (
        _listening() as heard,
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(printed),
    ):
        try:
            status = command(words)
        except Exception:  # a traceback is what is looked for
            status = 1
            said.write(traceback.format_exc())
    write_text(folder / "run.txt", printed.getvalue() + said.getvalue())
    return Ran(
        status,
        said.getvalue().strip(),
        "; ".join(heard.warnings),
        heard.missed + (status == 0),
        time.perf_counter() - begin,
        time.process_time() - busy,
    )


def ranges(war: War, kind: Kind, folder: Path) -> pd.DataFrame:
    """Return the truth beside the 90 % range of each quantity and month, and of totals."""
    posterior = open_posterior(folder)["posterior"].to_dataset()
    rows = []
    for quantity in (*JUDGED, *kind.also):
        truth, draws = war.by_month(quantity), posterior[quantity]
        for month in truth.index:
            quantiles = np.quantile(draws.sel(month=month).values, RANGE)
            rows.append((quantity, month, truth[month], *quantiles))
        if quantity not in STOCKS:
            quantiles = np.quantile(draws.sum("month").values, RANGE)
            rows.append((quantity, TOTAL, truth.sum(), *quantiles))
    return pd.DataFrame(rows, columns=RANGES)


def judged(name: str, seed: int, base: Path) -> pd.DataFrame:
    """Make, run and judge a war; return what was found, or what an earlier run found."""
    kept = base / f"{name}-{seed}.csv"
    if kept.exists():
        return pd.read_csv(kept, keep_default_na=False, na_values=[""])
    kind, folder = KINDS[name], base / f"{name}-{seed}"
    war, tables = kind.made(name, seed)
    claims = written(tables, folder)
    ran = run(war, claims, folder)
    facts: dict[str, object] = {"war": name, "seed": seed, **asdict(ran)}
    facts["claims"] = sum(len(pd.read_csv(path)) for path in claims)
    found = pd.DataFrame([["", "", *[np.nan] * 4]], columns=RANGES)
    if (folder / "run" / "war" / "result.nc").exists():
        found = ranges(war, kind, folder / "run" / "war")
        facts["diagnostics"] = read_attrs(folder / "run" / "war")["diagnostics"]
    found = found.assign(**facts)
    write_csv(found, kept)
    return pd.read_csv(kept, keep_default_na=False, na_values=[""])


def holds(found: pd.DataFrame) -> pd.Series:
    """Whether each range holds the truth; persons are whole, so that 0.4 to 2.2 is 0 to 3."""
    low, high = np.floor(found["low"]), np.ceil(found["high"])
    return (low <= found["truth"]) & (found["truth"] <= high)


def _share(inside: pd.Series) -> str:
    return f"{int(inside.sum())} of {len(inside)}" if len(inside) else NOTHING


def _row(one: pd.DataFrame) -> list[Cell | str]:
    """Cells of one war."""
    ran = one.iloc[0]
    clean = ran["status"] == 0
    inside = holds(one)
    cells: list[Cell | str] = [
        Cell(f"{ran['war']} {ran['seed']}", style="" if clean else FAILED),
        f"{ran['claims']}",
        "clean" if clean else {2: "refused", 3: "failed"}.get(ran["status"], "broke off"),
        f"{ran['attempts']}",
        fixed(ran["seconds"]),
        fixed(ran["processor"]),
    ]
    for quantity in JUDGED:
        of = one["quantity"] == quantity
        total = one[of & (one["period"] == TOTAL)]
        cells.append(_share(inside[of & (one["period"] != TOTAL)]))
        if total.empty:
            cells += [NOTHING, NOTHING]
            continue
        low, middle, high, truth = (total[c].iloc[0] for c in ("low", "middle", "high", "truth"))
        mark = "" if inside[total.index[0]] else " *"
        cells += [f"{compact(truth)}{mark}", Cell(compact(middle), interval(low, high, compact))]
    return cells


def table(found: pd.DataFrame) -> Grid:
    """Return the table of all wars: draws, time, months in range, and totals beside the truth."""
    wars = [one for _, one in found.groupby(["war", "seed"], sort=False)]
    heads = [
        column("war", "name"),
        column("claims"),
        column("draws", "text"),
        "tries",
        "s",
        "CPU s",
    ]
    for quantity in JUDGED:
        heads += [f"{quantity}: months", f"true {quantity}", "range"]
    return Grid.of(
        "Wars whose truth is known",
        [head if not isinstance(head, str) else column(head) for head in heads],
        [_row(one) for one in wars],
        notes(found),
    )


def notes(found: pd.DataFrame) -> list[str]:
    """Say how many wars have clean draws, and how often ranges hold the truth."""
    wars = found.drop_duplicates(["war", "seed"])
    clean = (wars["status"] == 0).sum()
    lines = [
        f"{clean} of {len(wars)} wars have clean draws; "
        f"{fixed(wars['processor'].median())} s of the processor in the middle."
    ]
    judged = found.dropna(subset=["truth"])
    for words, kept in (
        ("months", judged["period"] != TOTAL),
        ("totals", judged["period"] == TOTAL),
    ):
        parts = [
            f"{quantity} {_share(inside)} ({fixed(100 * inside.mean())} %)"
            for quantity, inside in holds(judged[kept]).groupby(judged[kept]["quantity"])
        ]
        lines.append(f"90 % ranges that hold the truth, {words}: {', '.join(parts)}.")
    lines.append("*: outside of the range of the total. Months of one war are not independent.")
    return lines


def main() -> None:
    """Run the wars that were asked for, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=KINDS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1, help="wars of each kind")
    parser.add_argument("--output", type=Path, default=Path("outputs/wars"), metavar="FOLDER")
    options = parser.parse_args()
    base: Path = options.output.resolve()
    base.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(options.seeds):
        for name in options.only or KINDS:
            one = judged(name, seed, base)
            print(*(getattr(c, "line", c) for c in _row(one)), sep=" | ", flush=True)
            found.append(one)
    grid = table(pd.concat(found, ignore_index=True))
    write_csv(pd.concat(found, ignore_index=True), base / "wars.csv")
    write_text(base / "wars.md", grid.markdown())
    Console(width=160).print(grid)


if __name__ == "__main__":
    main()
