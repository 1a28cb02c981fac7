from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from estimator.studies.breakeven.curve import standard_error
from estimator.studies.breakeven.refine import NarrowedCrossing, RealFit, Refinement
from tests.studies.breakeven import toy

GRID = np.linspace(-3.0, 3.0, 41)
ESS = 2000.0


class Bench:
    """Answers as real fits would: binomial shares around a known probability."""

    def __init__(
        self,
        truth: Callable[[float], float],
        fails: Callable[[float], bool] = lambda _: False,
        seed: int = 0,
    ) -> None:
        self.truth, self.fails = truth, fails
        self.rng = np.random.default_rng(seed)
        self.calls: list[tuple[float, str]] = []

    def __call__(self, x: np.ndarray, kind: str) -> RealFit:
        self.calls.append((float(x[0]), kind))
        share = self.rng.binomial(int(ESS), self.truth(float(x[0]))) / ESS
        failures = "R-hat 1.3 > 1.01" if self.fails(float(x[0])) else ""
        return RealFit(x, share, standard_error(share, ESS), ESS, failures, 1.0, kind)


def line(x: float, at: float = 0.3, slope: float = 1.0) -> float:
    return float(stats.norm.cdf(-slope * (x - at)))


def hill(x: float) -> float:
    return float(stats.norm.cdf(1.0 - x**2))


def search(
    truth: Callable[[float], float],
    bench: Bench,
    *,
    level: float = 0.5,
    shift: float = 0.0,
    used: np.ndarray | None = None,
    **changes: object,
) -> tuple[list[NarrowedCrossing], Refinement]:
    """Search with a curve that is off by `shift` along the key."""
    rough = toy.curve(GRID, np.array([truth(x + shift) for x in GRID]))
    if used is not None:
        rough = toy.curve(GRID, np.where(used, rough.probability, 0.99))
        rough.used[~used] = False
    found = Refinement(rough, level, bench, toy.options(**changes))
    return found.run(), found


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_one_crossing_is_narrowed_to_the_tolerance(level: float, seed: int) -> None:
    (found,), _ = search(line, Bench(line, seed=seed), level=level)
    truth = 0.3 - stats.norm.ppf(level)
    assert found.fits >= 3
    assert found.narrow
    assert found.place.high - found.place.low <= 0.02 * 6.0
    assert found.place.low - 0.05 < truth < found.place.high + 0.05
    assert not found.place.rising


def test_real_fits_put_a_curve_right_that_is_off() -> None:
    (found,), _ = search(line, Bench(line), shift=0.25)
    assert found.place.x == pytest.approx(0.3, abs=0.06)


def test_fits_go_on_outwards_until_they_lie_on_both_sides() -> None:
    bench = Bench(line)
    (found,), _ = search(line, bench, shift=1.2)
    assert found.place.x == pytest.approx(0.3, abs=0.1)
    assert 3 <= len(bench.calls) <= 8


def test_two_crossings_are_both_narrowed() -> None:
    found, search_made = search(hill, Bench(hill), refits=8)
    assert [one.place.rising for one in found] == [True, False]
    assert [one.place.x for one in found] == [
        pytest.approx(-1.0, abs=0.05),
        pytest.approx(1.0, abs=0.05),
    ]
    assert len(search_made.held) <= 8


def test_no_more_fits_are_made_than_allowed() -> None:
    for refits in (0, 1, 2, 5):
        bench = Bench(line)
        (found,), _ = search(line, bench, refits=refits, tolerance=1e-6)
        assert len(bench.calls) == refits
        assert not found.narrow


def test_without_fits_the_answer_is_the_curves() -> None:
    (found,), _ = search(line, Bench(line), refits=0)
    assert found.fits == 0
    assert found.place.x == pytest.approx(0.3, abs=0.01)


def test_failed_fits_are_kept_and_not_used() -> None:
    """Fits beyond 0.35 fail, and would say nonsense."""

    def lying(x: float) -> float:
        return line(x) if x < 0.35 else 0.99

    (found,), made = search(line, Bench(lying, fails=lambda x: x >= 0.35))
    assert any(not one.ok for one in made.held)
    assert found.place.x == pytest.approx(0.3, abs=0.1)


def test_if_every_fit_fails_the_answer_is_the_curves() -> None:
    bench = Bench(line, fails=lambda _: True)
    (found,), made = search(line, bench)
    assert found.fits == 0
    assert found.place.x == pytest.approx(0.3, abs=0.01)
    assert len(made.held) == len(bench.calls) <= 8


def test_a_level_that_is_never_crossed_is_looked_for_at_the_ends_and_where_it_is_nearest() -> None:
    def low(x: float) -> float:
        return 0.3 * hill(x)

    bench = Bench(low)
    found, _ = search(low, bench, level=0.5)
    assert found == []
    assert [kind for _, kind in bench.calls] == ["end", "end", "nearest"]
    assert sorted(x for x, _ in bench.calls) == [-3.0, pytest.approx(0.0), 3.0]


def test_ends_that_the_curve_does_not_reach_are_fitted_and_may_show_a_crossing() -> None:
    bench = Bench(line)
    found, _ = search(line, bench, used=GRID < -0.5)
    assert bench.calls[0] == (3.0, "end")
    assert len(found) == 1
    assert found[0].place.x == pytest.approx(0.3, abs=0.1)


def test_fits_that_are_there_already_are_used_and_not_made_again() -> None:
    bench = Bench(line)
    known = [bench(np.array([x]), "scan") for x in np.linspace(-3, 3, 7)]
    bench.calls.clear()
    rough = toy.curve(
        np.array([one.x[0] for one in known]), np.array([one.probability for one in known])
    )
    (found,) = Refinement(rough, 0.5, bench, toy.options()).run(known)
    assert found.place.x == pytest.approx(0.3, abs=0.06)
    assert {kind for _, kind in bench.calls} <= {"refit"}


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        (found,), _ = search(line, Bench(line, seed=seed), refits=3)
        covered += found.place.low <= 0.3 <= found.place.high
    assert 0.90 <= covered / 200 <= 0.995
