"""Slopes of the log density at the truths of simulated worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimator.assumptions.compose import plain_config
from estimator.model.inputs import ModelInputs
from estimator.studies.calibrate import slopes
from estimator.studies.calibrate.calibration import worlds_of
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.calibrate.simulate import simulate
from estimator.studies.calibrate.slopes import judged_slopes, slopes_at_truths
from estimator.studies.calibrate.uniformity import holm
from estimator.studies.calibrate.worlds import Worlds

COUNT = 250


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    options = CalibrateOptions.from_config(plain_config()["calibrate"])
    return worlds_of("since_2025", options.structures["since_2025"], (), options, None)


def smallest_p(worlds: Worlds) -> float:
    p = judged_slopes(*slopes_at_truths(worlds, COUNT, lambda *_: None))
    return float(holm(p.ravel()).min())


@pytest.mark.slow
def test_figures_are_simulated_as_the_model_reads_them(worlds: Worlds) -> None:
    assert smallest_p(worlds) > 0.01


@pytest.mark.slow
def test_figures_that_lie_too_high_are_noticed(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_high(*given: object) -> ModelInputs:
        found = simulate(*given)  # type: ignore[arg-type]
        confirmed = 0.97 * found.data["confirmed_value"]
        return replace(found, data={**found.data, "confirmed_value": confirmed})

    monkeypatch.setattr(slopes, "simulate", too_high)
    assert smallest_p(worlds) < 1e-4


@pytest.mark.parametrize(
    ("shift", "scale", "passes"), [(0, 1, True), (0.3, 1, False), (0, 1.3, False)]
)
def test_a_normal_density_has_slopes_of_nought_where_it_is_drawn_from(
    shift: float, scale: float, *, passes: bool
) -> None:
    points = np.random.default_rng(1).standard_normal((1000, 5))
    slope = -(points - shift) / scale**2
    smallest = judged_slopes(points, slope).min()
    assert (smallest > 0.01) if passes else (smallest < 1e-6)
