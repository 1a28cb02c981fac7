from __future__ import annotations

import itertools

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from scipy.integrate import quad

from estimator.model.confirmation import FloorTransform, Pivots, confirmed_figures

INTERPRETED = Mode(linker="py", optimizer="fast_compile")
N_MONTHS = 6
FEW = settings(max_examples=15, deadline=None)


class Table:
    """Floors under weighted sums of a short series, and the transform that they make."""

    def __init__(
        self,
        figure: np.ndarray,
        weight: np.ndarray,
        offset: np.ndarray,
        coordinates: np.ndarray | None = None,
        *,
        reported: bool = True,
        pace: float = 1.0,
    ) -> None:
        self.figure, self.weight, self.offset = figure, weight, offset
        self.coordinates = np.eye(weight.shape[1]) if coordinates is None else coordinates
        self.pivots = Pivots.of(weight > 0, np.array([reported] * weight.shape[1]))
        transform = FloorTransform(
            self.pivots, lambda value: pt.dot(self.coordinates, value), paced=pace != 1.0
        )
        x = pt.vector("x", shape=(weight.shape[1],))
        given = (figure, offset, weight, self.coordinates, np.array(0.2), np.array(pace))
        inputs = [pt.as_tensor(array) for array in given]
        outputs = [
            transform.backward(x, *inputs),
            transform.forward(x, *inputs),
            transform.log_jac_det(x, *inputs),
        ]
        self._function = pytensor.function([x], outputs, mode=INTERPRETED)

    def backward(self, value: np.ndarray) -> np.ndarray:
        return np.asarray(self._function(value)[0])

    def forward(self, series: np.ndarray) -> np.ndarray:
        return np.asarray(self._function(series)[1])

    def log_jac_det(self, value: np.ndarray) -> float:
        return float(self._function(value)[2])

    def totals(self, value: np.ndarray) -> np.ndarray:
        return np.asarray(self.weight @ np.exp(self.backward(value)))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Floors of single months and of sums, which may overlap and may be less than a month."""
    weight, figure = [], []
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, N_MONTHS - 1))
        length = draw(st.integers(1, N_MONTHS - start))
        row = np.zeros(N_MONTHS)
        row[start : start + length] = draw(st.floats(0.5, 1.1))
        weight.append(row)
        figure.append(draw(st.sampled_from([0.0, 5.0, 20.0])) * length)
    offset = draw(st.lists(st.floats(-0.3, 0.3), min_size=N_MONTHS, max_size=N_MONTHS))
    below = draw(st.floats(0.0, 0.3))
    coordinates = np.diag(np.linspace(0.7, 1.2, N_MONTHS)) + below * np.eye(N_MONTHS, k=-1)
    return Table(
        np.array(figure),
        np.array(weight),
        np.array(offset),
        coordinates,
        reported=draw(st.booleans()),
        pace=draw(st.sampled_from([1.0, 0.6, 1.7])),
    )


samples = st.lists(st.floats(0.0, 3.5), min_size=N_MONTHS, max_size=N_MONTHS).map(np.array)


@FEW
@given(tables(), samples)
def test_forward_undoes_backward(table: Table, value: np.ndarray) -> None:
    np.testing.assert_allclose(table.forward(table.backward(value)), value, atol=1e-8)


@FEW
@given(tables(), samples)
def test_the_log_jacobian_is_the_numerical_one_but_for_a_constant(
    table: Table, value: np.ndarray
) -> None:
    step = 1e-5
    columns = [
        (table.backward(value + step * unit) - table.backward(value - step * unit)) / (2 * step)
        for unit in np.eye(N_MONTHS)
    ]
    sign, numerical = np.linalg.slogdet(np.array(columns).T)
    assert sign == 1.0
    # The constant of the linear map is left out.
    constant = np.linalg.slogdet(table.coordinates)[1]
    np.testing.assert_allclose(table.log_jac_det(value) + constant, numerical, atol=1e-4)


@FEW
@given(tables(), st.lists(st.floats(-8.0, 8.0), min_size=N_MONTHS, max_size=N_MONTHS).map(np.array))
def test_every_floor_holds_whatever_is_sampled(table: Table, value: np.ndarray) -> None:
    assert (table.totals(value) >= table.figure - 1e-9 * np.maximum(table.figure, 1.0)).all()


def test_a_month_without_a_floor_is_only_shifted_by_its_offset() -> None:
    weight = np.zeros((1, N_MONTHS))
    weight[0, 2] = 1.0
    table = Table(np.array([30.0]), weight, np.full(N_MONTHS, 0.2))
    value = np.linspace(1.0, 3.0, N_MONTHS)
    free = np.arange(N_MONTHS) != 2
    np.testing.assert_allclose(table.backward(value)[free], value[free] - 0.2)
    np.testing.assert_allclose(np.exp(table.backward(value)[2]), 30.0 + np.exp(value[2] - 0.2))


def test_a_sum_lifts_a_month_that_has_no_floor_of_its_own() -> None:
    covered = np.array([[0, 1, 1, 1], [0, 0, 0, 1], [0, 1, 0, 0]], dtype=bool)
    pivots = Pivots.of(covered, np.zeros(4, dtype=bool))
    assert pivots.single == (1, 2)
    assert pivots.sums == ((2, (0,)),)


def test_a_sum_of_which_nobody_reports_a_month_lifts_all_of_them_by_one_factor() -> None:
    covered = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]], dtype=bool)
    reported = np.array([0, 0, 0, 1, 0, 0], dtype=bool)
    assert Pivots.of(covered, reported).whole == (0, 2)
    table = Table(np.full(3, 30.0), covered.astype(float), np.zeros(6), reported=False)
    value = np.linspace(1.0, 2.0, 6)
    series = table.backward(value)
    np.testing.assert_allclose(np.diff(series)[::2], np.diff(value)[::2])  # by one factor
    above = np.exp(covered @ value / 2 + 0.2)  # from the mean of its months, and the ratio
    np.testing.assert_allclose(table.totals(value)[[0, 2]], 30.0 + above[[0, 2]])


def test_a_series_below_its_floor_is_moved_just_above_it() -> None:
    weight = np.eye(N_MONTHS)[:1]
    table = Table(np.array([30.0]), weight, np.zeros(N_MONTHS))
    moved = table.backward(table.forward(np.full(N_MONTHS, np.log(10.0))))
    assert 30.0 < np.exp(moved[0]) < 30.1


@pytest.fixture(scope="module")
def log_density() -> pytensor.compile.Function:
    """Log density of one confirmed figure given total, true share, ratio, spread and use."""
    figure = pt.vector("figure", shape=(1,))
    total, used = pt.vector("total", shape=(1,)), pt.vector("used", shape=(1,))
    share, ratio, spread = pt.scalars("share", "ratio", "spread")
    with pm.Model(coords={"confirmed_claim": ["F"]}):
        variable = confirmed_figures(
            "figure", total, share, pt.log(ratio), spread, used, pt.zeros(1), np.array([1.0])
        )
    density = pm.logp(variable, figure)
    return pytensor.function([figure, total, share, ratio, spread, used], density, mode=INTERPRETED)


@pytest.mark.parametrize(
    ("total", "share", "ratio", "spread"),
    [(30.0, 1.0, 0.1, 0.5), (30.0, 0.9, 0.1, 0.5), (5.0, 1.0, 1.5, 1.0), (30.0, 0.7, 0.03, 0.25)],
)
def test_the_density_of_a_confirmed_figure_integrates_to_one(
    log_density: pytensor.compile.Function, total: float, share: float, ratio: float, spread: float
) -> None:
    def density(figure: float) -> float:
        return float(np.exp(log_density([figure], [total], share, ratio, spread, [1.0])[0]))

    typical = total / (share * (1 + ratio))
    edges = (1e-6, 0.5 * typical, typical, (typical + total / share) / 2, total / share)
    pieces = [quad(density, a, b, limit=100)[0] for a, b in itertools.pairwise(edges)]
    assert sum(pieces) == pytest.approx(1.0, abs=2e-4)


def test_a_confirmed_figure_above_the_losses_is_impossible(
    log_density: pytensor.compile.Function,
) -> None:
    assert log_density([30.1], [30.0], 1.0, 0.1, 0.5, [1.0])[0] == -np.inf
    assert np.isfinite(log_density([30.1], [30.0], 0.9, 0.1, 0.5, [1.0])[0])


def test_a_confirmed_figure_that_does_not_count_says_nothing(
    log_density: pytensor.compile.Function,
) -> None:
    assert log_density([99.0], [30.0], 1.0, 0.1, 0.5, [0.0])[0] == 0.0
