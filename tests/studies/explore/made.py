"""Worlds without a sampler: made up draws, consistent as those of `tests.sweep.synthetic`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions.compose import plain_config
from estimator.fitting.reweighting import Hyperparameters, NaturalDraws
from estimator.studies.explore import cover
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.planning import Planning
from estimator.studies.explore.world import World
from estimator.studies.report.options import ReportOptions
from estimator.sweep.journal import SweepJournal
from estimator.sweep.options import SweepOptions
from estimator.sweep.set_fit import Fit, FitTask, Shared, task_inputs
from tests.sweep import synthetic


@cache
def plain() -> dict[str, dict[str, object]]:
    return plain_config([])


def options() -> ExploreOptions:
    return ExploreOptions.from_config(plain()["explore"])


def report_options() -> ReportOptions:
    return ReportOptions.from_config(plain()["report"])


def noisy_fit(task: FitTask, shared: Shared) -> Fit:
    """A synthetic fit whose recruits and reports move from draw to draw as far as is usual."""
    found = synthetic.synthetic_fit(task, shared)
    assert found.core is not None
    core = found.core
    inputs = task_inputs(task, shared.evidences[task.evidence_key])
    rng = np.random.default_rng(5)
    shape = (core.sizes["chain"], core.sizes["draw"])
    level = xr.DataArray(rng.normal(0.0, 3000.0, shape), dims=("chain", "draw"))
    for name in ("recruits", "net_change"):
        core[name] = (core[name] + level).astype(np.float32).assign_attrs(core[name].attrs)
    figures = inputs.data["claim_figures"]
    report = inputs.data["claim_value"] + 0.7 * figures[2] * rng.normal(
        size=(*shape, figures.shape[1])
    )
    core["claim_location"] = (core["claim_location"].dims, report.astype(np.float32))
    return found


def made_world(
    folder: Path, overrides: Sequence[str], groups: Sequence[str] | None = None
) -> World:
    """A covering world of a short window, fitted by `noisy_fit`."""
    asked = options()
    planning = Planning(None)
    window = [synthetic.WINDOW]
    planned = planning.cover([*overrides, *window], asked.groups if groups is None else groups)
    others = [
        planning.plan([f"assumptions={name}", *window])
        for name in ("few_return", "no_january_gap", "registry")
    ]
    sweep = SweepOptions.from_config(plain()["sweep"])
    with pytest.MonkeyPatch.context() as patch, SweepJournal(folder) as journal:
        patch.setattr(cover, "fit", noisy_fit)
        patch.setattr(cover, "pilot_of", synthetic.synthetic_pilot)
        return cover.covering_world(planned, others, asked, sweep, journal, lambda _: None)


@dataclass(frozen=True)
class Recorded:
    """A world, and the draws and the fits' priors that it was made of."""

    world: World
    natural: list[NaturalDraws]
    fitted: list[Hyperparameters]
