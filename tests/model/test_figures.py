from __future__ import annotations

import math

import pytest

from estimator.assumptions.compose import assumption_set
from estimator.model.figures import Figure

NONE = math.nan


@pytest.mark.parametrize(
    ("hedge", "low", "value", "high", "thousands"),
    [
        ("range", 20_000.0, NONE, 80_000.0, 40.0),  # the middle of the logs: √(20 × 80)
        ("at_least", NONE, 20_000.0, NONE, 20.0),
        ("up_to", NONE, 20_000.0, NONE, 20.0),
    ],
)
def test_an_interval_has_its_middle_or_its_only_end_for_a_point(
    hedge: str, low: float, value: float, high: float, thousands: float
) -> None:
    assumptions = assumption_set()
    figure = Figure("losses", hedge, low, value, high)
    reporting = assumptions.reporting.default["losses"]
    point, lower, upper, _ = figure.on_scale(reporting, assumptions.hedging, 1.0)
    assert point == pytest.approx(math.log(thousands))
    assert lower <= point <= upper
