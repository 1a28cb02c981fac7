from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from estimator.fitting.entries import (
    STATISTICS,
    Entries,
    EntryLayout,
    Variable,
    flatten,
    statistics,
    statistics_of_sets,
)

quick = settings(max_examples=50, deadline=None)
PROBABILITIES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
WITH_ERROR = ("q05", "q50", "q95")


@pytest.fixture
def dataset() -> xr.Dataset:
    rng = np.random.default_rng(0)
    months, keys = ["2025-12", "2026-01"], ["losses.level", "returns.rate", "returns.delay"]
    return xr.Dataset(
        {
            "losses": (
                ("chain", "draw", "month"),
                rng.normal(3e4, 1e3, (2, 5, 2)),
                {"units": "persons/month"},
            ),
            "total_losses": (("total", "chain", "draw"), rng.random((1, 2, 5)), {"units": "%"}),
            "assumption_value": (("chain", "draw", "assumption"), rng.random((2, 5, 3))),
        },
        coords={
            "month": months,
            "total": ["total"],
            "assumption": keys,
        },
    )


def entries_of(draws: np.ndarray, relative_ess: float = 1.0) -> Entries:
    """Entries of draws (entry, draw)."""
    order = np.argsort(draws, axis=1)
    layout = EntryLayout((Variable("x", "row", tuple(map(str, range(len(draws)))), ("",)),))
    ordered = np.take_along_axis(draws, order, axis=1)
    return Entries(layout, ordered, order, np.full(len(draws), relative_ess))


def summary(
    draws: np.ndarray, weights: np.ndarray | None = None, relative_ess: float = 1.0
) -> dict[str, np.ndarray]:
    """Each statistic of draws (entry, draw). (entry,)."""
    table = statistics(entries_of(draws, relative_ess), weights)
    assert table.shape == (len(draws), len(STATISTICS))
    return dict(zip(STATISTICS, table.T.astype(float), strict=True))


# Layouts


def test_each_row_is_what_the_layout_says(dataset: xr.Dataset) -> None:
    layout, draws = flatten(dataset)
    assert draws.shape == (6, 2, 5)
    assert draws.dtype == np.float32
    for name, rows in layout.slices.items():
        variable = dataset[name]
        (dim,) = set(variable.dims) - {"chain", "draw"}
        expected = variable.transpose(dim, "chain", "draw").values
        np.testing.assert_array_equal(draws[rows], expected.astype(np.float32))


def test_entries_have_names_and_units(dataset: xr.Dataset) -> None:
    layout, _ = flatten(dataset)
    assert layout.names == [
        *("losses[2025-12]", "losses[2026-01]", "total_losses[total]"),
        *(f"assumption_value[{key}]" for key in ("losses.level", "returns.rate", "returns.delay")),
    ]
    units = [unit for variable in layout.variables for unit in variable.units]
    assert units == ["persons/month", "persons/month", "%", "persons/month", "share", "months"]


@quick
@given(
    st.lists(
        st.tuples(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_a_layout_comes_back_from_json_with_its_name(
    parts: list[tuple[str, str, list[tuple[str, str]]]],
) -> None:
    layout = EntryLayout(
        tuple(
            Variable(name, dim, tuple(label for label, _ in rows), tuple(unit for _, unit in rows))
            for name, dim, rows in parts
        )
    )
    again = EntryLayout.from_json(layout.to_json())
    assert again == layout
    assert again.name == layout.name
    assert json.loads(layout.to_json())


def test_layouts_that_differ_have_other_names(dataset: xr.Dataset) -> None:
    layout, _ = flatten(dataset)
    others = [
        flatten(dataset.isel(month=[0]))[0],
        flatten(dataset.assign_coords(month=["2025-11", "2026-01"]))[0],
        flatten(dataset.rename(losses="killed"))[0],
        flatten(dataset.assign_coords(assumption=["losses.level", "returns.rate", "force.start"]))[
            0
        ],
    ]
    assert len({layout.name, *(other.name for other in others)}) == 5


# Statistics


def test_with_equal_weights_mean_and_deviation_are_numpy_s() -> None:
    rng = np.random.default_rng(1)
    draws = np.stack([rng.normal(1e6, 2.0, 999), rng.lognormal(size=999), rng.random(999)])
    for weights in (None, np.ones(999), np.full(999, 1e-9)):
        found = summary(draws, weights)
        np.testing.assert_allclose(found["mean"], draws.mean(axis=1), rtol=1e-6)
        np.testing.assert_allclose(found["sd"], draws.std(axis=1), rtol=1e-6)


def test_with_equal_weights_quantiles_lie_between_numpy_s_neighbours() -> None:
    draws = np.random.default_rng(2).standard_normal((3, 400))
    found = summary(draws)
    for name, probability in PROBABILITIES.items():
        hazen = np.quantile(draws, probability, axis=1, method="hazen")
        np.testing.assert_allclose(found[name], hazen, rtol=1e-5)
        for at, method in ((found[name], "lower"), (-found[name], "higher")):
            edge = np.quantile(draws, probability, axis=1, method=method)
            sign = 1.0 if method == "lower" else -1.0
            assert (at >= sign * edge - 0.05).all()


@quick
@given(data=st.data(), counts=st.lists(st.integers(0, 5), min_size=3, max_size=30))
def test_whole_weights_are_draws_repeated(data: st.DataObject, counts: list[int]) -> None:
    counts[0] = max(counts[0], 1)
    numbers = st.floats(-100, 100, width=32)
    draws = np.array(data.draw(st.lists(numbers, min_size=len(counts), max_size=len(counts))))
    weighted = summary(draws[None], np.array(counts, dtype=float))
    repeated = summary(np.repeat(draws, counts)[None])
    for name in ("mean", "sd", "below_zero"):
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=1e-5, atol=1e-4)
    # A quantile is linear between the middles of steps, which are longer for heavy draws.
    values, heights = np.unique(np.repeat(draws, counts), return_counts=True)
    for name, probability in PROBABILITIES.items():
        at = int(np.searchsorted(np.cumsum(heights) / heights.sum(), probability - 1e-9))
        near = values[max(at - 1, 0) : at + 2]
        for found in (weighted, repeated):
            assert near.min() - 1e-4 <= found[name][0] <= near.max() + 1e-4


def test_many_draws_of_whole_weights_have_the_quantiles_of_draws_repeated() -> None:
    rng = np.random.default_rng(3)
    draws, counts = rng.standard_normal(5000), rng.integers(0, 4, 5000)
    weighted = summary(draws[None], counts.astype(float))
    repeated = summary(np.repeat(draws, counts)[None])
    for name in PROBABILITIES:
        assert weighted[name] == pytest.approx(repeated[name], abs=2e-3)


def test_below_zero_is_the_weight_of_negative_draws_and_zero_is_none_of_them() -> None:
    draws = np.array([[-2.0, -1.0, 0.0, 1.0], [1.0, 2.0, 3.0, 4.0], [-1.0, -1.0, -1.0, -1.0]])
    assert summary(draws)["below_zero"].tolist() == [0.5, 0.0, 1.0]
    heavy = summary(draws, np.array([4.0, 2.0, 1.0, 1.0]))["below_zero"]
    assert heavy.tolist() == [0.75, 0.0, 1.0]


def test_rows_that_hold_nan_stay_nan_and_leave_the_others_as_they_are() -> None:
    draws = np.random.default_rng(4).standard_normal((3, 50)).astype(np.float32)
    clean = statistics(entries_of(draws))
    draws[0], draws[2, 7] = np.nan, np.nan
    table = statistics(entries_of(draws))
    assert np.isnan(table[[0, 2]]).all()
    assert np.isfinite(clean[1]).all()
    np.testing.assert_array_equal(table[1], clean[1])


def test_a_constant_has_no_deviation_and_no_error() -> None:
    found = summary(np.full((1, 100), 0.3))
    for name, values in found.items():
        expected = 0.3 if name in {"mean", *PROBABILITIES} else 0.0
        assert values[0] == pytest.approx(expected, abs=1e-6), name


def test_draws_without_weight_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    draws, weights = rng.standard_normal((2, 200)), rng.random(200)
    far = np.concatenate([draws, np.full((2, 2), [1e4, -1e4])], axis=1)
    with_far = summary(far, np.append(weights, [0.0, 0.0]))
    for name, values in summary(draws, weights).items():
        np.testing.assert_allclose(with_far[name], values, rtol=2e-3, err_msg=name)


def test_a_draw_with_all_the_weight_is_every_quantile() -> None:
    draws = np.arange(10.0)[None]
    found = summary(draws, np.eye(10)[4])
    assert [found[name][0] for name in ("mean", *PROBABILITIES)] == [4.0] * 6


def by_definition(values: np.ndarray, weights: np.ndarray, relative_ess: float) -> list[float]:
    """All statistics of one entry, step by step from sums over all sorted draws. (statistic,)."""
    order = np.argsort(values)
    x, w = values[order], (weights / weights.sum())[order]
    middles = np.cumsum(w) - w / 2
    some = np.flatnonzero(w)
    x_some, middles_some = x[some[0] : some[-1] + 1], middles[some[0] : some[-1] + 1]
    mean = np.sum(w * x)

    def quantile(p: float) -> float:
        return float(np.interp(p, middles_some, x_some))

    def error(p: float) -> float:
        up_to = np.cumsum(w**2)[min(np.searchsorted(middles, p), len(w) - 1)]
        variance = ((1 - 2 * p) * up_to + p * p * np.sum(w**2)) / relative_ess
        spread = np.sqrt(max(variance, 0.0))
        return (quantile(p + 2 * spread) - quantile(p - 2 * spread)) / 4

    return [
        mean,
        np.sqrt(np.sum(w * (x - mean) ** 2)),
        *(quantile(p) for p in PROBABILITIES.values()),
        np.sum(w[x < 0]),
        *(error(PROBABILITIES[name]) for name in WITH_ERROR),
    ]


@quick
@given(
    n_sets=st.integers(1, 35),
    n_draws=st.integers(2, 150),
    share_without_weight=st.sampled_from([0.0, 0.5, 0.9]),
    seed=st.integers(0, 2**31),
)
def test_statistics_of_many_sets_are_those_of_their_definition(
    n_sets: int, n_draws: int, share_without_weight: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(3, n_draws))
    weights = rng.exponential(size=(n_sets, n_draws))
    weights *= rng.random(weights.shape) >= share_without_weight
    weights[:, rng.integers(n_draws)] += 0.1
    found = statistics_of_sets(entries_of(draws, 0.7), weights)
    expected = [[by_definition(row, one, 0.7) for row in draws] for one in weights]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# Monte-Carlo errors: over many replications the quantiles spread as their errors say


def spread_and_error(
    draws: np.ndarray, weights: np.ndarray | None = None, relative_ess: float = 1.0
) -> dict[str, tuple[float, float]]:
    """Of draws (replication, draw): spread of each quantile, and its error in the mean square."""
    rows = []
    for n, replication in enumerate(draws):
        weight = None if weights is None else weights[n]
        rows.append(summary(replication[None], weight, relative_ess))
    return {
        name: (
            float(np.std([row[name][0] for row in rows])),
            float(np.sqrt(np.mean([row[f"mcse_{name}"][0] ** 2 for row in rows]))),
        )
        for name in WITH_ERROR
    }


def test_the_error_of_a_quantile_is_its_spread() -> None:
    draws = np.random.default_rng(6).standard_normal((1000, 2000))
    for name, (spread, error) in spread_and_error(draws).items():
        assert error == pytest.approx(spread, rel=0.1), name
        p = PROBABILITIES[name]
        exact = np.sqrt(p * (1 - p) / 2000) / stats.norm.pdf(stats.norm.ppf(p))
        assert error == pytest.approx(exact, rel=0.06), name


@pytest.mark.parametrize("shift", [0.5, -0.8])
def test_the_error_of_a_weighted_quantile_is_its_spread(shift: float) -> None:
    draws = np.random.default_rng(7).standard_normal((800, 6000))
    weights = np.exp(shift * draws)  # draws of N(0, 1) as draws of N(shift, 1)
    weighted, equal = spread_and_error(draws, weights), spread_and_error(draws)
    for name, (spread, error) in weighted.items():
        assert error == pytest.approx(spread, rel=0.15), name
    light = "q05" if shift < 0 else "q95"
    assert weighted[light][1] > 1.5 * equal[light][1]


def test_the_error_of_correlated_draws_counts_the_effective_ones() -> None:
    draws = np.repeat(np.random.default_rng(8).standard_normal((800, 1000)), 4, axis=1)
    for name, (spread, error) in spread_and_error(draws, relative_ess=0.25).items():
        assert error == pytest.approx(spread, rel=0.15), name
