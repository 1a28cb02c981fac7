"""The loop of simulations on a model whose posterior is known: no sampler is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions.compose import plain_config
from estimator.errors import ConfigError, OutputError
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.pilot import Pilot
from estimator.fitting.whitening import Whitening
from estimator.studies.calibrate.calibration import Calibration
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import CalibrateOptions, StructureOptions
from estimator.studies.calibrate.parts import parts, structures_grid, verdict_text
from estimator.studies.calibrate.ranked import Ranked
from estimator.studies.calibrate.sbc import (
    finished,
    record,
    sbc_table,
    simulate_structure,
    summary_table,
)
from estimator.studies.calibrate.worlds import Prepared, WorldFit, Worlds

pytestmark = pytest.mark.slow

NAMES = ("unconfirmed.ratio", "losses[2026-01]", "losses[total]", "reporting_bias[x:losses]")


@dataclass
class Conjugate:
    """Worlds of a normal mean with a normal prior; `shrink` makes its posterior wrong."""

    name: str = "conjugate"
    shrink: float = 1.0
    fails: tuple[int, ...] = ()
    kind: str = "prior"
    seed: int = 1
    entries: tuple[str, ...] = NAMES
    fitted: int = 0

    @cached_property
    def assumptions(self) -> Any:
        return SimpleNamespace(identity=lambda data_hash: f"{self.name} {self.shrink}")

    @cached_property
    def evidence(self) -> Any:
        return SimpleNamespace(data_hash="")

    def kept_truths(self, sims: int) -> int:
        return 0

    def prepare(self, n_truths: int, cores: int) -> Prepared:
        names = ("assumption_location", "assumption_scale")
        names += ("reporting_location", "reporting_scale")
        priors = {name: np.zeros(1) for name in names}
        maps = {name: np.eye(1)[None] for name in ("step_maps", "losses_map", "losses_step_map")}
        whitening = Whitening(np.zeros(1), np.ones(1), np.zeros(0, np.int64), np.zeros((0, 0)))
        return Prepared(Pilot(whitening, priors, maps), None)

    def truth(self, number: int, prepared: Prepared) -> xr.Dataset:
        rng = np.random.default_rng([number, 1])
        return xr.Dataset({"theta": ("entry", rng.standard_normal(len(NAMES)))})

    def figures(self, number: int, truth: xr.Dataset) -> np.ndarray:
        noise = np.random.default_rng([number, 2]).standard_normal(len(NAMES))
        return np.asarray(truth["theta"].values + noise)

    def fit(self, number: int, world: np.ndarray, prepared: Prepared) -> WorldFit:
        self.fitted += 1
        if number in self.fails:
            return WorldFit(None, None, "RuntimeError: gave up", 3, 1.0)
        rng = np.random.default_rng([number, 3])
        noise = rng.standard_normal((len(NAMES), 2, 400))
        draws = world[:, None, None] / 2 + self.shrink * np.sqrt(0.5) * noise
        ok = Diagnostics(1.0, 800.0, 800.0, {}, 0, ())
        return WorldFit((xr.Dataset(), Ranked(NAMES, draws)), ok, "", 1, 1.0)

    def true_values(self, truth: xr.Dataset) -> Ranked:
        return Ranked(NAMES, truth["theta"].values[:, None, None])


def options(**changes: object) -> CalibrateOptions:
    config = plain_config()["calibrate"]
    return CalibrateOptions.from_config({**config, **changes})


OPTIONS = options()


def silent(what: str, done: int, total: int) -> None:
    pass


def carried_out(folder: Path, sims: int, worlds: Conjugate) -> tuple[pd.DataFrame, pd.DataFrame]:
    spec = StructureOptions(overrides=(), sims=sims, kind="prior")
    with CalibrationJournal(folder) as journal:
        simulate_structure(cast(Worlds, worlds), spec, OPTIONS, journal, silent)
        chosen = {worlds.name: spec}
        table = sbc_table(journal, chosen, OPTIONS)
        return table, summary_table(journal, chosen, table, OPTIONS)


def test_an_exact_posterior_passes(tmp_path: Path) -> None:
    table, summary = carried_out(tmp_path, 200, Conjugate())
    assert list(table["entry"]) == list(NAMES)
    assert bool(summary["passed"].all())
    assert table["spread"].between(0.9, 1.1).all()
    found = Calibration(summary=summary, sbc=table)
    assert verdict_text(found, OPTIONS).startswith("Calibration PASSED: 200 simulated worlds")
    shown = list(parts(found, OPTIONS))
    assert [grid.title for part in shown for grid in part.grids] == [
        "Simulation-based calibration",
        "Ranks: conjugate",
    ]
    assert shown[-1].sentences == [verdict_text(found, OPTIONS)]


def test_a_posterior_that_is_a_fifth_too_narrow_fails(tmp_path: Path) -> None:
    table, summary = carried_out(tmp_path, 500, Conjugate(shrink=0.8))
    assert not summary["passed"].any()
    assert (table["spread"] > 1.03).all()
    text = verdict_text(Calibration(summary=summary, sbc=table), OPTIONS)
    assert text.startswith("Calibration FAILED for conjugate")


def test_only_structures_with_enough_worlds_are_judged(tmp_path: Path) -> None:
    specs = {
        name: StructureOptions(overrides=(), sims=sims, kind="prior")
        for name, sims in (("good", 60), ("bad", 60), ("few", 5))
    }
    with CalibrationJournal(tmp_path) as journal:
        for name, one in specs.items():
            worlds = Conjugate(name, shrink=0.2 if name == "bad" else 1.0)
            simulate_structure(cast(Worlds, worlds), one, OPTIONS, journal, silent)
        table = sbc_table(journal, specs, OPTIONS)
        found = Calibration(summary=summary_table(journal, specs, table, OPTIONS), sbc=table)
    assert found.not_calibrated == ["bad"]
    said = verdict_text(found, OPTIONS)
    assert said.startswith("Calibration FAILED for bad: ")
    assert "too few worlds to judge few" in said
    assert [row[-1] for row in structures_grid(found.summary, OPTIONS).texts] == ["yes", "NO", "–"]


def test_a_calibration_that_was_stopped_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, _ = carried_out(tmp_path / "whole", 40, Conjugate())
    for sims in (3, 17):
        carried_out(tmp_path / "stopped", sims, Conjugate())
    last = Conjugate()
    again, _ = carried_out(tmp_path / "stopped", 40, last)
    assert last.fitted == 40 - 17
    pd.testing.assert_frame_equal(whole, again)


def test_worlds_of_another_configuration_are_done_again_and_the_others_kept(
    tmp_path: Path,
) -> None:
    first, _ = carried_out(tmp_path, 12, Conjugate())
    other = Conjugate(shrink=0.8)
    carried_out(tmp_path, 12, other)
    assert other.fitted == 12
    again = Conjugate()
    table, _ = carried_out(tmp_path, 12, again)
    assert again.fitted == 0
    pd.testing.assert_frame_equal(table, first)


def test_fits_without_draws_are_counted_and_told(tmp_path: Path) -> None:
    _, summary = carried_out(tmp_path, 30, Conjugate(fails=(4, 5)))
    row = summary.iloc[0]
    assert (row["worlds"], row["failed"], row["without_draws"]) == (30, 2, 2)
    assert not row["passed"]
    assert Calibration(summary=summary).failed_fits == ["conjugate: 2 of 30 fits"]


def test_ranges_and_scores_of_each_world_are_kept(tmp_path: Path) -> None:
    carried_out(tmp_path, 20, Conjugate())
    with CalibrationJournal(tmp_path) as journal:
        spec = StructureOptions(overrides=(), sims=20, kind="prior")
        last = Conjugate()
        simulate_structure(cast(Worlds, last), spec, OPTIONS, journal, silent)
        layout, numbers, table, facts = finished(journal, "conjugate", 20)
    assert last.fitted == 0
    assert layout == list(NAMES)
    assert numbers == list(range(20))
    n_levels = len(OPTIONS.coverage.levels)
    assert table.shape == (20, len(NAMES), 5 + 2 * n_levels)
    assert (table[..., 5 : 5 + n_levels] < table[..., 5 + n_levels :]).all()
    assert facts["ok"].all()


def test_two_calibrations_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with (
        CalibrationJournal(tmp_path),
        pytest.raises(OutputError, match="another calibration"),
        CalibrationJournal(tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"only": ["centrl"]}, "calibrate.only: unknown structure; did you mean 'central'"),
        ({"parts": ["sbd"]}, "did you mean 'sbc'"),
        ({"sims": 0}, "calibrate.sims"),
    ],
)
def test_options_that_cannot_be_are_refused(changes: Mapping[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        options(**changes)


def test_a_small_version_has_no_more_worlds_than_are_asked_for() -> None:
    small = options(sims=7, only=["central", "open"]).chosen()
    assert {name: spec.sims for name, spec in small.items()} == {"central": 7, "open": 7}


def test_a_truth_among_equal_draws_has_a_place_by_chance() -> None:
    draws = np.where(np.arange(400) < 200, 0.0, np.arange(400.0))
    n_worlds = 300
    picked = Ranked(("x",) * n_worlds, np.tile(draws, (n_worlds, 1))[:, None, :])
    truth = Ranked(picked.names, np.zeros((n_worlds, 1, 1)))
    first, again = (record(picked, truth, 100, (0.5, 0.9)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    ranks = first[:, 1]
    assert ranks.min() <= 2
    assert 48 <= ranks.max() <= 50
    assert ranks.mean() == pytest.approx(25.0, abs=4 * 15 / np.sqrt(n_worlds))
