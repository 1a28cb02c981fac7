"""The break-even of the real model against a plain grid of real fits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from estimator.fitting.compiled import densities
from estimator.show.break_even import BreakEven
from estimator.studies.breakeven.crossing import find_places
from estimator.studies.breakeven.find import break_even
from tests.studies.breakeven import toy

pytestmark = [pytest.mark.sampling, pytest.mark.calibration]

LOOSE = ("sampler.min_ess=100", "sampler.max_rhat=1.05", "sampler.max_divergences=3")


@pytest.fixture(scope="module")
def found() -> tuple[BreakEven, int]:
    """Where P(net change in January < 0) falls under one half, and how often was compiled."""
    options = toy.options(
        points=21, cover_draws=1000, bridges=2, refits=4, refit_draws=500, check=7, min_ess=100
    )
    before = densities()
    one = break_even("returns.rate", "net_change[2026-01] < 0", 0.5, LOOSE, options=options)
    return one, densities() - before


def test_the_curve_agrees_with_real_fits_within_their_errors(found: tuple[BreakEven, int]) -> None:
    fits = found[0].refits
    assert (fits["failures"] == "").all()
    known = fits.dropna(subset=["curve"])
    assert len(known) >= 6
    z = (known["probability"] - known["curve"]) / np.hypot(known["error"], known["curve_error"])
    assert z.abs().max() < 4.0
    assert np.sqrt((z**2).mean()) < 2.0


def test_the_crossing_agrees_with_that_of_a_grid_of_real_fits(
    found: tuple[BreakEven, int],
) -> None:
    one = found[0]
    (crossing,) = one.crossings
    assert not crossing.rising
    assert crossing.fits >= 3
    grid = one.refits[one.refits["kind"] == "check"].sort_values("value")
    assert len(grid) == 7
    (place,) = find_places(
        logit(grid["value"].to_numpy()),
        grid["probability"].to_numpy(),
        grid["error"].to_numpy(),
        np.ones(7, bool),
        0.5,
        0.95,
    )
    own = logit([crossing.value, crossing.low, crossing.high])
    error = np.hypot(own[2] - own[1], place.high - place.low) / (2 * 1.96)
    # Straight lines between seven places of the grid add to its error.
    assert abs(own[0] - place.x) < 4.0 * error + 0.1
    assert 0.15 < crossing.value < 0.35


def test_all_fits_share_one_compiled_model(found: tuple[BreakEven, int]) -> None:
    assert found[1] <= 1
