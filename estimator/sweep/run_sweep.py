"""Run a sweep in its folder, with one progress bar, and end with its dataset and tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import arviz_base  # noqa: F401 - looks through all modules that are there, so it comes first
import pandas as pd
import xarray as xr
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from estimator.assumptions.compose import Composer
from estimator.errors import ConfigError, SweepError, problems_text
from estimator.export import write_csv
from estimator.show.progress import progress_bar
from estimator.store.versions import versions
from estimator.sweep.check import check_table, disagreements
from estimator.sweep.collect import collect_sweep, facts_of, set_table
from estimator.sweep.engine import Engine, Event
from estimator.sweep.executors import executor_of
from estimator.sweep.journal import SweepJournal
from estimator.sweep.options import SweepOptions
from estimator.sweep.sets import SweepSet, compose_sets, varied, with_short_labels

CHECK = "check.csv"


@dataclass(frozen=True)
class SweepOutcome:
    """What a sweep ended with.

    Attributes
    ----------
    folder
        Where it is.
    tree
        As `estimator.sweep.collect.collect_sweep` gives it.
    failed
        Why sets have no numbers, or numbers that missed a bound; by label.
    check
        As `estimator.sweep.check.check_table` gives it; empty without checks.
    doubtful
        Which reweighted sets do not agree with a fit of theirs; by label.
    densities
        How many models were compiled in this process for it.
    """

    folder: Path
    tree: xr.DataTree
    failed: dict[str, str]
    check: pd.DataFrame
    doubtful: dict[str, str]
    densities: int

    def raise_for_failures(self) -> None:
        """Raise an error if sets failed, or if their checks did.

        Raises
        ------
        SweepError
            With all of them.
        """
        texts = [
            problems_text(heading, [f"{label}: {problem}" for label, problem in problems.items()])
            for heading, problems in (
                ("These sets failed:", self.failed),
                (
                    "Reweighted sets do not agree with their fits, so that others may be wrong too "
                    "(sweep.method=fit fits every set):",
                    self.doubtful,
                ),
            )
            if problems
        ]
        if texts:
            raise SweepError("\n".join(texts))


def run_sweep(
    override_lists: Sequence[Sequence[str]],
    options: SweepOptions,
    folder: Path,
    console: Console,
    config_dir: str | None = None,
    composer: Composer | None = None,
) -> SweepOutcome:
    """Run a sweep, or go on with one that was stopped.

    Parameters
    ----------
    override_lists
        For each set the overrides, as on the command line, without commas.
    options
        Of the sweep.
    folder
        Where its results are, or shall be.
    console
        For the progress bar; quiet if it is no terminal.
    config_dir
        A folder of a user's options.
    composer
        One that has composed some of the options already; None makes one.

    Raises
    ------
    ConfigError
        If no set is a possible configuration.
    OutputError
        If the folder is in use, cannot be written, or the disk is full. What is finished is kept.
    SweepError
        If a set failed and `options.fail_fast` is set. What is finished is kept.
    """
    from estimator.fitting.compiled import densities

    before = densities()
    with SweepJournal(folder) as journal, _Bar(console, len(override_lists)) as bar:
        sets = with_short_labels(compose_sets(override_lists, config_dir, composer))
        if all(one.assumptions is None for one in sets):
            raise ConfigError(sets[0].error)
        bar.total(len(sets))
        stopped: SweepError | None = None
        with executor_of(options) as executor:
            engine = Engine(sets, options, journal, executor, bar.tell)
            try:
                engine.prepare()
                journal.set_about(**_about(sets, engine, options))
                engine.run()
            except SweepError as error:
                stopped = error
            bar.say("collect")
            tree = collect_sweep(journal)
            check = check_table(journal, engine)
        if len(check):
            write_csv(check, folder / CHECK, "%.4g")
        else:
            (folder / CHECK).unlink(missing_ok=True)  # of another sweep
        if stopped is not None:
            raise stopped
        table = set_table(journal)
        failed = dict(zip(table["label"], table["failures"], strict=True))
        failed = {label: reason for label, reason in failed.items() if reason}
        doubtful = disagreements(check, options.max_check_errors)
        return SweepOutcome(folder, tree, failed, check, doubtful, densities() - before)


def _about(sets: Sequence[SweepSet], engine: Engine, options: SweepOptions) -> dict[str, str]:
    """Facts of a sweep: its sets with their varied keys, options, data and versions."""
    ids = {one.set.position: set_id for set_id, (_, one) in engine.by_id.items()}
    columns = varied(sets)
    rows = [
        {
            "set_id": ids.get(one.position, f"impossible-{one.position}"),
            "label": one.label,
            "error": "" if one.position in ids else (one.error or engine.failed.get(one.label, "")),
            **(facts_of(one.assumptions) if one.assumptions is not None else {}),
            **{key: values[one.position] for key, values in columns.items()},
        }
        for one in sets
        if one.position in ids or one.error or one.label in engine.failed
    ]
    hashes = sorted({evidence.data_hash for evidence in engine.evidences.values()})
    return {
        "sets": json.dumps(rows),
        "sweep_options": options.model_dump_json(),
        "data_hash": " ".join(hashes),
        "versions": json.dumps(versions()),
        "groups": str(len(engine.groups)),
    }


class _Bar:
    """Sets done, fitted, reweighted, failed, sets per second, time left."""

    def __init__(self, console: Console, total: int) -> None:
        self._counts: Counter[str] = Counter()
        self._progress = progress_bar(
            console,
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("compose", total=total, counts="")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def total(self, total: int) -> None:
        """Say how many sets there are."""
        self._progress.update(self._task, total=total, description="compile")

    def say(self, what: str) -> None:
        """Say what is going on."""
        self._progress.update(self._task, description=what)

    def tell(self, event: Event) -> None:
        """Count what was done."""
        self._counts[event.kind] += 1
        if event.kind in ("fit", "pilot"):
            self._progress.update(self._task, description=event.kind)
            return
        task = self._progress.tasks[0]
        done = sum(self._counts[kind] for kind in ("fitted", "reweighted", "failed"))
        rate = done / task.elapsed if task.elapsed else 0.0
        counts = " · ".join(
            f"{self._counts[kind]} {kind}" for kind in ("fitted", "reweighted", "failed")
        )
        self._progress.update(
            self._task, completed=done, description="sweep", counts=f"{counts} · {rate:.1f} sets/s"
        )
