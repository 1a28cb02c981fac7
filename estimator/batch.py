"""One set or a Hydra multirun of many: estimate, write, collect, and end with one table."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import hydra
import xarray as xr
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from estimator.assumptions import AssumptionSet
from estimator.compose import compose_config, explain_hydra, to_plain, typed
from estimator.errors import ConfigError, EstimatorError
from estimator.paths import conf_dir
from estimator.results import check_writable
from estimator.run import Estimate, collect, default_name, estimate, write_estimate
from estimator.tables import markdown_table, terminal_table

log = logging.getLogger(__name__)


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
    """

    def __init__(self, console: Console, writer: Executor | None = None) -> None:
        self.console = console
        self.writer = writer
        self._writing: dict[str, Future[Path]] = {}
        self.folders: list[Path] = []
        self.failed_diagnostics: dict[str, str] = {}
        self.errors: dict[str, EstimatorError] = {}
        self.name = default_name()
        self.outputs = Path("outputs")
        self.plots = True
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def estimate_one(self, config: DictConfig, overrides: Sequence[str]) -> None:
        """Estimate and write one set; an error is kept, so that other sets still run."""
        try:
            assumptions = typed(config, overrides)
            self._settings(config)
            self._estimate(assumptions, config)
        except EstimatorError as error:
            self.errors[",".join(overrides) or "central"] = error

    def _settings(self, config: DictConfig) -> None:
        self.name = str(config.name) if config.name is not None else self.name
        self.outputs = Path(str(config.output_dir))
        self.plots = bool(config.plots)
        check_writable(self.outputs / self.name)

    def _estimate(self, assumptions: AssumptionSet, config: DictConfig) -> None:
        task = self.progress.add_task(f"{assumptions.label}: compile", total=None)

        def advance(done: int, total: int) -> None:
            text = f"{assumptions.label}: sample"
            self.progress.update(task, completed=done, total=total, description=text)

        found = estimate(assumptions, progress=advance)
        not_used = found.evidence.not_used
        log.info("%s: claims that do not count: %s", assumptions.label, not_used.to_dict())
        self.progress.update(task, description=f"{assumptions.label}: write")
        plain = to_plain(config) | {"label": assumptions.label, "name": self.name}
        plain.pop("hydra", None)
        arguments = (found, self.outputs, self.name, plain, self.plots)
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
        """Collect what was written, and print and write the table and the forest of the sets."""
        if not self.folders:
            return
        _, trees = collect(self.outputs, self.name, self.folders)
        run = self.outputs / self.name
        (run / "summary.md").write_text(markdown_table(trees), encoding="utf-8")
        if self.plots:
            from estimator.plots import DPI, plot_forest

            plot_forest(trees).savefig(run / "forest.png", dpi=DPI)
        self.console.print(terminal_table(trees))
        self.console.print(f"Results: {run}")


def run_one(overrides: Sequence[str], config_dir: str | None, console: Console) -> Batch:
    """Estimate the one set that the overrides name."""
    config = compose_config(overrides, config_dir)
    batch = Batch(console)
    with batch.progress:
        batch.estimate_one(config, list(overrides))
    return batch


def run_many(overrides: Sequence[str], config_dir: str | None, console: Console) -> Batch:
    """Estimate every set of a Hydra multirun, in this process, so that they share compilations."""
    # Spawned, not forked: a fork of a process with threads may hang.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as writer:
        writer.submit(_plots)  # imported while the first set compiles
        batch = Batch(console, writer)
        with batch.progress:
            _multirun(_job(batch), overrides, config_dir)
            batch.wait()
    return batch


def _job(batch: Batch) -> Callable[[DictConfig], None]:
    def job(config: DictConfig) -> None:
        task = [str(text) for text in HydraConfig.get().overrides.task]
        batch.estimate_one(
            OmegaConf.masked_copy(config, [str(k) for k in config if k != "hydra"]), task
        )

    return job


def _multirun(
    job: Callable[[DictConfig], None], overrides: Sequence[str], config_dir: str | None
) -> None:
    arguments = ["estimator", "--multirun", *overrides]
    if config_dir is not None:
        if not Path(config_dir).is_dir():
            raise ConfigError(f"--config-dir {config_dir}: no such folder")
        arguments[1:1] = ["--config-dir", str(Path(config_dir).resolve())]
    decorated = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
    # HYDRA_FULL_ERROR: raise instead of printing and exiting, so that errors get our one text.
    # Hydra's own log and multirun.yaml: the one is off, the other goes with the folder.
    with (
        tempfile.TemporaryDirectory(prefix="estimator-") as folder,
        mock.patch.object(
            sys, "argv", [*arguments, "hydra/job_logging=none", f"hydra.sweep.dir='{folder}'"]
        ),
        mock.patch.dict(os.environ, {"HYDRA_FULL_ERROR": "1"}),
    ):
        try:
            decorated(job)()
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(explain_hydra(error)) from error


def _write(found: Estimate, outputs: Path, name: str, config: dict[str, Any], plots: bool) -> Path:
    return write_estimate(found, outputs, name, config, _plots() if plots else None)


def _plots() -> Callable[[xr.DataTree, Path], Any]:
    from estimator.plots import save_plots

    return save_plots
