"""One set or a Hydra multirun of many: estimate, write, collect, and end with one table.

A multirun of a few sets writes each whole (draws, prior, predictive, pictures). One of many goes to
`estimator.sweep`, which plans it. Other launchers of Hydra get one plain fit a job.

What estimates takes seconds to import: functions import it once there is something to estimate, so
that errors in what was typed come at once.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from estimator.assumptions.by_hydra import (
    CONFIG_NAME,
    explain_hydra,
    hydra_of,
    of_the_command_line,
    search_path,
)
from estimator.assumptions.compose import (
    Composer,
    is_assumed,
    label_of,
    plain_and_typed,
    plain_config,
    to_plain,
    typed,
)
from estimator.assumptions.overrides import is_several, key_of, unreadable
from estimator.errors import ConfigError, EstimatorError, OutputError
from estimator.export import read_csv, write_text
from estimator.paths import folder_name, free_name
from estimator.show.progress import progress_bar
from estimator.sweep.sets import compose_sets

if TYPE_CHECKING:
    import xarray as xr

    from estimator.assumptions import AssumptionSet
    from estimator.run import Estimate
    from estimator.show.grid import Grid
    from estimator.store.claim_draws import KeepOptions
    from estimator.studies.compare.options import CompareOptions
    from estimator.sweep.options import SweepOptions
    from estimator.sweep.run_sweep import SweepOutcome

log = logging.getLogger(__name__)

_OWN_LAUNCHER = "estimator"
_NAMED = 48  # characters of the keys that vary in the name of a multirun
_PLACES = ("name", "output_dir", "plots")


class Batch:
    """The sets of one run, estimated one after the other.

    Attributes
    ----------
    writer
        Writes and draws finished sets while the next one is sampled; None writes at once.
    folders
        Where the finished sets are.
    failed_diagnostics, errors
        By label of the set: what failed.
    sweep
        How a planned sweep ended; None if the sets were written whole.
    made_outputs
        Whether the folder of all outputs was not there before.
    """

    def __init__(self, console: Console, writer: Executor | None = None) -> None:
        self.console = console
        self.writer = writer
        self._writing: dict[str, Future[Path]] = {}
        self.folders: list[Path] = []
        self.failed_diagnostics: dict[str, str] = {}
        self.errors: dict[str, EstimatorError] = {}
        self.sweep: SweepOutcome | None = None
        self.name = "run"
        self.outputs = Path("outputs")
        self.made_outputs = False
        self.plots = True
        self.keep: KeepOptions | None = None
        self.compare: CompareOptions | None = None
        self.progress = progress_bar(
            console,
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )

    def estimate_set(
        self, assumptions: AssumptionSet, config: Mapping[str, Any], *, resume: bool = False
    ) -> None:
        """Estimate and write one set; an error is kept, so that other sets still run.

        With `resume`, a set that is there already is not estimated again.
        """
        from estimator.store.results import is_done

        try:
            self.configure(config)
            folder = is_done(assumptions, self.outputs, self.name) if resume else None
            if folder is not None:
                self.take(folder)
            else:
                self._estimate(assumptions, config)
        except EstimatorError as error:
            self.errors[assumptions.label] = error

    def take(self, folder: Path) -> None:
        """Count a set that is written already."""
        from estimator.store.results import read_attrs

        self.folders.append(folder)
        attrs = read_attrs(folder)
        if attrs["diagnostics_failures"]:
            self.failed_diagnostics[attrs["assumption_set"]] = attrs["diagnostics_failures"]

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take name, place, plots and what is kept from a plain configuration."""
        from estimator.store.claim_draws import KeepOptions
        from estimator.store.results import check_writable
        from estimator.studies.compare.options import CompareOptions

        self.name = self.name if config["name"] is None else str(config["name"])
        self.outputs = Path(str(config["output_dir"]))
        self.made_outputs = self.made_outputs or not self.outputs.exists()
        if not (self.outputs / self.name).resolve().is_relative_to(self.outputs.resolve()):
            raise ConfigError(
                f"name: must name a folder below {self.outputs} (output_dir). Got {self.name!r}"
            )
        self.plots = bool(config["plots"])
        self.keep = KeepOptions.from_config(config["keep"])
        self.compare = CompareOptions.from_config(config["compare"])
        check_writable(self.outputs / self.name)

    def _estimate(self, assumptions: AssumptionSet, config: Mapping[str, Any]) -> None:
        from estimator.run import estimate

        task = self.progress.add_task(f"{assumptions.label}: compile", total=None)

        def advance(done: int, total: int) -> None:
            text = f"{assumptions.label}: sample"
            self.progress.update(task, completed=done, total=total, description=text)

        found = estimate(assumptions, progress=advance, keep=self.keep)
        not_used = found.evidence.not_used
        log.info("%s: claims that do not count: %s", assumptions.label, not_used.to_dict())
        self.progress.update(task, description=f"{assumptions.label}: write")
        kept = {**config, "label": assumptions.label, "name": self.name}
        arguments = (found, self.outputs, self.name, kept, self.plots)
        if self.writer is None:
            self.folders.append(_write(*arguments))
        else:
            self._writing[assumptions.label] = self.writer.submit(_write, *arguments)
        self.progress.remove_task(task)
        if not found.diagnostics.ok:
            self.failed_diagnostics[assumptions.label] = "; ".join(found.diagnostics.failures)

    def wait(self) -> None:
        """Wait until all sets are written; an error is kept."""
        for label, writing in self._writing.items():
            task = self.progress.add_task(f"{label}: write", total=None)
            try:
                self.folders.append(writing.result())
            except EstimatorError as error:
                self.errors[label] = error
            self.progress.remove_task(task)
        self._writing.clear()

    def finish(self) -> None:
        """Collect what was written, and print and write the tables and pictures of the sets."""
        if self.sweep is not None:
            self._finish_sweep(self.sweep)
        elif self.folders:
            self._finish_sets()
        else:
            return
        self.console.print(f"Results: {self.outputs / self.name}", markup=False)

    def _finish_sweep(self, sweep: SweepOutcome) -> None:
        from estimator.show.part import publish
        from estimator.store.results import point_latest
        from estimator.studies.compare.of_sweep import sweep_parts

        run = self.outputs / self.name
        point_latest(self.outputs, self.name)
        publish(
            sweep_parts(run, sweep.tree, sweep.check, self._shown()),
            run,
            document="summary",
            heading=f"Sweep {self.name}",
            console=self.console,
            plots=self.plots,
            formats=("png",),
            brief=True,
        )

    def _finish_sets(self) -> None:
        from estimator.show.run_tables import run_grid, summary_markdown
        from estimator.store.results import collect, open_posteriors, point_latest

        run = self.outputs / self.name
        trees = open_posteriors(self.folders)
        labels = list(trees)
        crossed: list[Grid] = []
        if len(labels) > 1:
            from estimator.studies.compare.of_sweep import crossed_grids

            crossed = crossed_grids(run, labels, self._shown())
        if not self._is_collected(labels):
            collect(self.outputs, self.name, self.folders)
            texts = [summary_markdown(trees), *(grid.markdown() for grid in crossed)]
            write_text(run / "summary.md", "\n".join(texts))
            if self.plots:
                self._draw(trees)
        else:
            point_latest(self.outputs, self.name)
        self.console.print(run_grid(trees))
        for grid in crossed:
            self.console.print(grid)

    def _draw(self, trees: Mapping[str, xr.DataTree]) -> None:
        """Draw sets that were written whole side by side."""
        from estimator.show.figures import plot_forest, save_figure, save_figures
        from estimator.store.sets import Sets
        from estimator.studies.compare.labels import Naming
        from estimator.studies.compare.of_sweep import sweep_figures

        run = self.outputs / self.name
        sets = Sets.open([run]).only(list(trees))
        naming = Naming.of(sets)
        named = {naming.name(label): tree for label, tree in trees.items()}
        forest = plot_forest(named, heading=naming.heading)
        save_figure(forest, run, "forest", formats=("png",))
        save_figures(sweep_figures(sets, self._shown()), run, formats=("png",))

    def _shown(self) -> CompareOptions:
        """Which answers are shown of many sets, and of how many."""
        from estimator.studies.compare.options import CompareOptions

        return CompareOptions.default() if self.compare is None else self.compare

    def _is_collected(self, labels: Sequence[str]) -> bool:
        """Whether tables and picture of these very sets are there, newer than all of them."""
        run = self.outputs / self.name
        made = [run / name for name in ("summary.csv", "summary.md")]
        made += [run / "forest.png"] if self.plots else []
        if not all(path.exists() for path in made):
            return False
        newest = max((folder / "result.nc").stat().st_mtime_ns for folder in self.folders)
        if min(path.stat().st_mtime_ns for path in made) < newest:
            return False
        try:
            column = read_csv(made[0], usecols=["assumption_set"], dtype=str)["assumption_set"]
        except OutputError:
            return False
        return list(dict.fromkeys(column)) == list(labels)

    def describe(self, command: str) -> None:
        """Keep which command made the run, and what the run is, beside its results."""
        from estimator.store.results import COMMAND, describe_run

        if self.folders or self.sweep is not None:
            run = self.outputs / self.name
            write_text(run / COMMAND, f"{command}\n")
            describe_run(run)


class Job:
    """What Hydra runs: a job with other launchers, a whole batch with ours.

    Parameters
    ----------
    batch
        Where results are kept; left behind where Hydra sends the job to another process.
    config_dir
        A folder of a user's options.
    name
        Of the run, for jobs that get none.
    """

    def __init__(self, batch: Batch, config_dir: str | None, name: str) -> None:
        self.batch: Batch | None = batch
        self.config_dir = config_dir
        self.name = name
        self.__name__ = "job"  # Hydra asks for it

    def __getstate__(self) -> dict[str, Any]:
        """Leave the batch behind: it holds a console and a pool of processes."""
        return self.__dict__ | {"batch": None}

    def __call__(self, config: DictConfig) -> None:
        """Estimate and write one set: what launchers of others run."""
        batch = self.batch or Batch(Console(quiet=True))
        batch.name = self.name
        overrides = [str(text) for text in HydraConfig.get().overrides.task]
        try:
            plain = to_plain(config)
            batch.estimate_set(typed(plain, overrides), plain, resume=True)
        except EstimatorError as error:
            batch.errors[label_of(overrides)] = error
        if self.batch is None and batch.errors:
            raise next(iter(batch.errors.values()))

    def fail(self, overrides: Sequence[str], error: EstimatorError) -> None:
        """Keep why a set has no job with another launcher, or why its job failed."""
        if self.batch is None:
            raise RuntimeError("a batch is launched where it was made")
        self.batch.errors[",".join(overrides)] = error

    def launch(self, combinations: Sequence[Sequence[str]]) -> None:
        """Run all sets of a multirun with the planner, or whole if they are few.

        Parameters
        ----------
        combinations
            Overrides of each job that Hydra's sweeper makes; a design makes several sets of each.
        """
        batch = self.batch
        if batch is None:
            raise RuntimeError("a batch is launched where it was made")
        batch.name = self.name
        composer = Composer(self.config_dir)
        options: SweepOptions | None = None
        override_lists: list[list[str]] = []
        for overrides in combinations:
            try:
                config = composer.plain(overrides)
            except EstimatorError as error:
                batch.errors[label_of(overrides)] = error
                override_lists.append(list(overrides))
                continue
            if options is None:
                from estimator.sweep.options import SweepOptions

                batch.configure(config)
                options = SweepOptions.from_config(config["sweep"])
            override_lists += with_design(config, overrides)
        if options is None:
            return
        from estimator.sweep.journal import SweepJournal

        batch.errors.clear()  # they are kept once more, with their sets
        if options.method == "auto" and len(override_lists) <= options.whole_results:
            sets = compose_sets(override_lists, composer=composer)
            batch.errors |= {
                planned.label: ConfigError(planned.error) for planned in sets if planned.error
            }
            with SweepJournal(batch.outputs / batch.name):  # nobody else may write there
                for planned in sets:
                    if planned.assumptions is not None:
                        batch.estimate_set(planned.assumptions, planned.config, resume=True)
            return
        from estimator.sweep.run_sweep import run_sweep

        batch.progress.stop()
        folder = batch.outputs / batch.name
        batch.sweep = run_sweep(override_lists, options, folder, batch.console, composer=composer)


def with_design(config: Mapping[str, Any], overrides: Sequence[str]) -> list[list[str]]:
    """Override lists of all sets of the design that a plain configuration asks for."""
    from estimator.sweep.design import design_overrides
    from estimator.sweep.options import SweepOptions

    options = SweepOptions.from_config(config["sweep"])
    if options.design is None:
        return [list(overrides)]
    return [[*overrides, *more] for more in design_overrides(options.design, config)]


def run_one(overrides: Sequence[str], config_dir: str | None, console: Console) -> Batch:
    """Estimate the one set of a configuration that is composed from overrides."""
    plain, assumptions = plain_and_typed(overrides, config_dir)
    batch = Batch(console)
    batch.name = free_name(Path(str(plain["output_dir"])), assumptions.label)
    with batch.progress:
        batch.estimate_set(assumptions, plain)
    return batch


def run_many(overrides: Sequence[str], config_dir: str | None, console: Console) -> Batch:
    """Estimate every set of a Hydra multirun."""
    if problems := unreadable(overrides):
        raise ConfigError(of_the_command_line(problems))
    with _writer() as writer:
        batch = Batch(console, writer)
        name = _sweep_name(overrides, config_dir)
        with batch.progress:
            _multirun(Job(batch, config_dir, name), overrides, config_dir)
            batch.wait()
        if _launcher_of_others(overrides) and not batch.folders:
            # Its jobs wrote the sets from processes of their own.
            batch.name = name
            places = [text for text in overrides if text.partition("=")[0] in _PLACES]
            batch.configure(plain_config(places, config_dir))
            for path in sorted((batch.outputs / batch.name).glob("*/result.nc")):
                batch.take(path.parent)
    if batch.folders:
        from estimator.sweep.results import collect_results

        collect_results(batch.outputs / batch.name)
    elif batch.sweep is None:
        _remove_lock(batch.outputs / batch.name)
        if batch.made_outputs and not any(batch.outputs.iterdir()):
            batch.outputs.rmdir()
    return batch


def _remove_lock(folder: Path) -> None:
    """Remove the folder of a run of which nothing could be estimated, if only its lock is there."""
    from estimator.sweep.journal import FILE

    left = list(folder.iterdir()) if folder.is_dir() else []
    if left and all(Path(FILE).stem in path.name for path in left):
        for path in left:
            path.unlink()
        folder.rmdir()


def _given(overrides: Sequence[str], key: str) -> str | None:
    found = [text.partition("=")[2] for text in overrides if text.startswith(f"{key}=")]
    return found[-1] if found else None


def _launcher_of_others(overrides: Sequence[str]) -> bool:
    return _given(overrides, "hydra/launcher") not in (None, _OWN_LAUNCHER)


def _sweep_name(overrides: Sequence[str], config_dir: str | None) -> str:
    """Name of a multirun that was given none: the same for the same command, so that it goes on.

    It begins with the experiment, or with the keys that vary.
    """
    relevant = sorted(text for text in overrides if is_assumed(text) or "experiment" in text)
    varied = [key_of(text) for text in overrides if is_several(text)]
    what = _given(overrides, "experiment") or "+".join(varied)[:_NAMED] or "sweep"
    text = "\n".join([*relevant, *(t for t in overrides if "design" in t), str(config_dir)])
    return f"{folder_name(what)}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


@contextmanager
def _writer() -> Iterator[Executor]:
    # Spawned, not forked: a fork of a process with threads may hang.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as writer:
        yield writer


def _multirun(job: Job, overrides: Sequence[str], config_dir: str | None) -> None:
    import estimator.launch  # noqa: F401 - makes the launcher known to Hydra

    own = [
        f"hydra/{part}={_OWN_LAUNCHER}"
        for part in ("launcher", "sweeper")
        if _given(overrides, f"hydra/{part}") is None
    ]
    # Hydra's own log and multirun.yaml: the one is off, the other goes with the folder. SLURM jobs
    # are handed over in it: it has to be where other machines see it. Their logs may outlive it.
    place = Path.cwd() if _launcher_of_others(overrides) else None
    with tempfile.TemporaryDirectory(
        prefix=".estimator-", dir=place, ignore_cleanup_errors=True
    ) as folder:
        kept = ["hydra/job_logging=none", f"hydra.sweep.dir='{folder}'"]
        words = [*overrides, *own, *kept, *search_path(config_dir)]
        try:
            # `hydra.main` would compose everything once before this, to learn that many are run.
            with hydra_of(job.__name__) as running:
                running.multirun(CONFIG_NAME, job, words)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(explain_hydra(error, overrides)) from error


def _write(found: Estimate, outputs: Path, name: str, config: dict[str, Any], plots: bool) -> Path:
    from estimator.run import write_estimate

    return write_estimate(found, outputs, name, config, _plots() if plots else None)


def _plots() -> Callable[[xr.DataTree, Path], Any]:
    from estimator.show.figures import save_plots

    return save_plots
