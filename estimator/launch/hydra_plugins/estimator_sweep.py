"""Hydra's front door to sweeps: a sweeper that knows designs, and a launcher that plans a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from estimator.assumptions.by_hydra import explain_hydra
from estimator.assumptions.compose import label_of, to_plain
from estimator.errors import ConfigError, EstimatorError
from estimator.paths import folder_name

NAME = "estimator"


_MODULE = "hydra_plugins.estimator_sweep"

# What Hydra makes its plugins from: names of this module, which come from no configuration.
ConfigStore.instance().store(
    group="hydra/sweeper",
    name=NAME,
    node={"_target_": f"{_MODULE}.DesignSweeper", "max_batch_size": None, "params": None},
    provider=NAME,
)
ConfigStore.instance().store(
    group="hydra/launcher",
    name=NAME,
    node={"_target_": f"{_MODULE}.PlanningLauncher"},
    provider=NAME,
)


class DesignSweeper(BasicSweeper):
    """Hydra's own sweeper, and the sets of `sweep.design` for each combination of its overrides."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Let no set that fails with a launcher of others take the rest along."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self.task_function: Any = task_function
        self.plans = isinstance(self.launcher, PlanningLauncher)
        if not self.plans and self.launcher is not None:
            self.launcher = _Forgiving(self.launcher, task_function)

    def get_job_batch(self) -> Sequence[Sequence[str]]:
        """Return the overrides of all sets of the next batch."""
        from estimator.batch import with_design

        combinations = super().get_job_batch()
        if self.plans:
            return combinations  # what plans them composes them too
        batch = []
        folders: dict[str, Sequence[str]] = {}
        for combined in combinations:
            if self.hydra_context is None or self.config is None:
                raise RuntimeError("Hydra sets a sweeper up before it asks for sets")
            loader = self.hydra_context.config_loader
            try:
                config = loader.load_sweep_config(self.config, list(combined))
            except HydraException as error:
                self.task_function.fail(combined, ConfigError(explain_hydra(error)))
                continue
            plain = to_plain(config)
            for overrides in with_design(plain, combined):
                label = str(plain.get("label") or label_of(overrides))
                other = folders.setdefault(folder_name(label), overrides)
                if other is overrides:
                    batch.append(overrides)
                else:  # they would be written to one folder
                    text = f"label {label!r} is also that of the set {','.join(other)}"
                    self.task_function.fail(overrides, ConfigError(f"{text}; leave label out"))
        return batch

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Leave it to whoever composes: Hydra would compose every set once more, 0.3 s each."""


class _Forgiving(Launcher):
    """A launcher of others; errors of its jobs that a user can mend go to the task function."""

    def __init__(self, inner: Launcher, task_function: Any) -> None:
        self.inner, self.task_function = inner, task_function

    def setup(self, **_: Any) -> None:
        """Do nothing: the launcher inside is set up."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs, if there are any; return those that have no such error."""
        done = []
        results = self.inner.launch(job_overrides, initial_job_idx) if job_overrides else ()
        for overrides, result in zip(job_overrides, results, strict=True):
            if isinstance(result._return_value, EstimatorError):
                self.task_function.fail(overrides, result._return_value)
            else:
                done.append(result)
        return done


class PlanningLauncher(Launcher):
    """Hands a whole batch to the task function's `launch`, which plans it."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the task function."""
        self.task_function: Any = task_function

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run all sets of a batch; failures are the task function's business."""
        self.task_function.launch(job_overrides)
        return []
