from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.model.figures import FIGURES, Figure, figures_of_claims
from tests.evidence import tables

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


def noise_of(figure: Figure, *overrides: str) -> float:
    """Noise of a figure whose origin adds none of its own."""
    assumptions = assumption_set(overrides)
    reporting = assumptions.reporting.default[figure.quantity].model_copy(update={"noise": 0.0})
    return figure.on_scale(reporting, assumptions.hedging, 1.0)[3]


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        # a standard error of 2,000 in 40,000
        (Figure("losses", "about", NONE, 40_000.0, NONE, sd=2_000.0), 0.05),
        (Figure("losses", "range", 36_000.0, 40_000.0, 44_000.0, sd=2_000.0), 0.05),
        # d log odds = d share / (share × (1 - share))
        (Figure("killed_share", "about", NONE, 0.25, NONE, sd=0.03), 0.16),
        (Figure("replacement_gap", "about", NONE, -9_000.0, NONE, sd=500.0), 0.5),
        # 95 %: 2 × 1.959964 standard errors; without a level those of `hedging.range_level`
        (Figure("losses", "about", 20_000.0, 28_000.0, 40_000.0, level=0.95), 0.176827),
        (Figure("losses", "range", 20_000.0, NONE, 40_000.0, level=0.95), 0.176827),
        (Figure("losses", "range", 20_000.0, 28_000.0, 40_000.0), 0.270433),
    ],
)
def test_a_published_error_or_interval_is_the_error_of_the_figure(
    figure: Figure, expected: float
) -> None:
    assert figure.is_point
    assert noise_of(figure, "hedging.range_level=0.8") == pytest.approx(expected, rel=1e-4)


def test_a_best_guess_inside_a_range_is_its_figure_and_a_range_without_one_a_band() -> None:
    guess = Figure("killed", "range", 40_000.0, 47_000.0, 55_000.0)
    reporting, hedging = assumption_set().reporting.default["killed"], assumption_set().hedging
    assert guess.on_scale(reporting, hedging, 1.0)[0] == pytest.approx(math.log(47.0))
    assert not Figure("killed", "range", 40_000.0, NONE, 55_000.0).is_point
    assert not Figure("killed", "range", 40_000.0, 55_000.0, 55_000.0).is_point
    assert not Figure("killed", "at_least", NONE, 40_000.0, NONE, sd=500.0).is_point


def figures_of(tmp_path: Path, *rows: dict[str, str]) -> dict[str, np.ndarray]:
    """Figures of a table of one origin, by row of `FIGURES`."""
    cells = [tables.row(id=f"C{at}", **row) for at, row in enumerate(rows)]
    assumptions = assumption_set(["window.start=2025-01-01", "window.end=2025-12-31"])
    data = load_evidence(assumptions, tables.claims(tmp_path, *cells)).dataset
    figures = figures_of_claims(data, assumptions)[1]
    return dict(zip(FIGURES, figures, strict=True))


def days(first: str, last: str, **cells: str) -> dict[str, str]:
    return {"period_start": f"2025-{first}", "period_end": f"2025-{last}", **cells}


def test_two_sums_of_one_source_over_the_same_days_say_as_much_as_one(tmp_path: Path) -> None:
    year = days("01-01", "12-31", status="estimated")
    alone = figures_of(tmp_path, year)["noise"]
    other = days("01-01", "12-30", status="estimated")
    both = figures_of(tmp_path, year, other)["noise"]
    assert (both**-2.0).sum() == pytest.approx(alone[0] ** -2.0, rel=0.01)


def test_months_side_by_side_keep_errors_of_their_own(tmp_path: Path) -> None:
    january, february = days("01-01", "01-31"), days("02-01", "02-28")
    alone = [figures_of(tmp_path, one)["noise"][0] for one in (january, february)]
    np.testing.assert_allclose(figures_of(tmp_path, january, february)["noise"], alone)


@pytest.mark.parametrize("hedge", ["at_least", "under", "up_to"])
def test_bounds_of_one_source_weigh_together_as_much_as_one_by_their_days(
    tmp_path: Path, hedge: str
) -> None:
    parts = [
        days("01-01", "01-31", hedge=hedge),
        days("02-01", "02-28", hedge=hedge),
        days("03-01", "03-01", hedge=hedge),
        days("04-01", "04-30"),
    ]
    used = figures_of(tmp_path, *parts)["used"]
    np.testing.assert_allclose(np.sort(used), np.sort([31 / 60, 28 / 60, 1 / 60, 1.0]))
    single = figures_of(tmp_path, days("01-01", "12-31", hedge=hedge))["used"]
    assert single == pytest.approx(1.0)
