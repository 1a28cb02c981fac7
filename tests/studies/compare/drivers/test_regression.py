from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import rbd_fast

from estimator.studies.compare.drivers import drivers, recognise
from estimator.studies.compare.drivers.levels import Levels
from estimator.studies.compare.drivers.regression import Regression, Shares
from estimator.studies.compare.drivers.terms import Basis, is_determined
from tests.studies.compare.drivers.sweeps import (
    NET,
    designed,
    g_function,
    g_indices,
    ishigami,
    ishigami_indices,
    points,
    write_sweep,
)

SLOPES = np.array([3.0, 2.0, 1.0, 0.0])


def smooth(u: np.ndarray) -> np.ndarray:
    """Three slopes, one interaction, and an assumption that does nothing."""
    z = 2.0 * u - 1.0
    return np.asarray(z @ SLOPES + 1.5 * z[:, 0] * z[:, 1])


WHOLE = (9.0 + 4.0 + 1.0) / 3.0 + 2.25 / 9.0
FIRST = np.array([3.0, 4.0 / 3.0, 1.0 / 3.0, 0.0]) / WHOLE
TOTAL = FIRST + np.array([0.25, 0.25, 0.0, 0.0]) / WHOLE


def shares_of(keys: dict[str, np.ndarray], values: np.ndarray, errors: np.ndarray) -> Shares:
    return Regression(Basis.of(Levels.of(pd.DataFrame(keys))), values).shares(errors, 1)


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
@pytest.mark.parametrize(
    ("function", "indices", "axes", "sets", "off"),
    [
        (ishigami, ishigami_indices, 3, 128, 0.02),
        (ishigami, ishigami_indices, 3, 512, 0.005),
        (g_function, g_indices, 6, 256, 0.02),
        (smooth, lambda: (FIRST, TOTAL), 4, 64, 0.005),
    ],
    ids=["Ishigami 128", "Ishigami 512", "g-function 256", "smooth 64"],
)
def test_shares_agree_with_the_analytic_values(
    tmp_path: Path, method: str, function, indices, axes: int, sets: int, off: float
) -> None:
    keys = designed(axes, method=method, sets=sets, seed=5)
    found = write_sweep(tmp_path, keys, {NET: function(points(keys))})
    table = drivers(found, [NET]).sort_values("assumption")
    assert set(table["method"]) == {"regression"}
    for name, truth in zip(("first_order", "total"), indices(), strict=True):
        np.testing.assert_allclose(table[name], truth, atol=off)
        assert (table[f"{name}_low"] <= truth + off / 2).all()
        assert (table[f"{name}_high"] >= truth - off / 2).all()


def test_shares_agree_with_rbd_fast_on_a_latin_hypercube(tmp_path: Path) -> None:
    keys = designed(3, method="latin_hypercube", sets=1000)
    values = ishigami(points(keys))
    table = drivers(write_sweep(tmp_path, keys, {NET: values}), [NET]).sort_values("assumption")
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    other = rbd_fast.analyze(problem, points(keys), values, seed=1)
    off = np.abs(table["first_order"].to_numpy() - np.array(other["S1"], dtype=float))
    assert (off < 1.5 * np.array(other["S1_conf"], dtype=float)).all()


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_intervals_hold_the_truth_where_part_of_the_variance_is_noise(share: float) -> None:
    spread = np.sqrt(WHOLE * share / (1.0 - share))
    first, total = [], []
    for seed in range(12):
        keys = designed(4, method="latin_hypercube", sets=200, seed=seed)
        noise = np.random.default_rng(seed).normal(scale=spread, size=200)
        found = shares_of(keys, smooth(points(keys)) + noise, np.zeros((60, 200)))
        first.append((found.first_range[0] <= FIRST * (1 - share) + 1e-3)
                     & (found.first_range[1] >= FIRST * (1 - share) - 1e-3))  # fmt: skip
        total.append((found.total_range[0] <= TOTAL * (1 - share) + 1e-3)
                     & (found.total_range[1] >= TOTAL * (1 - share) - 1e-3))  # fmt: skip
        assert found.unexplained == pytest.approx(share, abs=0.08)
    assert np.mean(first) > 0.85
    assert np.mean(total) > 0.85


def test_an_error_that_near_sets_share_is_no_driver() -> None:
    """Errors of reweighted sets are smooth: they look as if an assumption did something."""
    keys = designed(4, method="latin_hypercube", sets=200)
    z = 2.0 * points(keys)[:, 3] - 1.0
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(100, 1)) * z
    found = shares_of(keys, smooth(points(keys)) + 1.2 * z, errors)
    blind = shares_of(keys, smooth(points(keys)) + 1.2 * z, 0.0 * errors)
    assert blind.first_range[0, 3] > 0.05
    assert found.first[3] < 0.04
    assert found.first_range[0, 3] == 0.0
    assert found.first_range[1, 3] > 0.1


def test_options_are_told_apart_though_they_have_no_order(tmp_path: Path) -> None:
    keys = designed(3, method="latin_hypercube", sets=240)
    u = points(keys)
    options = np.array(["low", "high", "middle", "other"])[(4 * u[:, 0]).astype(int)]
    effect = {"low": -3.0, "high": 4.0, "middle": 1.0, "other": -2.0}
    own = np.array([effect[option] for option in options])
    z = 2.0 * u[:, 1] - 1.0
    first, *others = keys
    sets = write_sweep(
        tmp_path, {"group": options, **{key: keys[key] for key in others}}, {NET: own + z + own * z}
    )
    table = drivers(sets, [NET]).set_index("assumption")
    alone, slope = np.var(list(effect.values())), 1.0 / 3.0
    parts = np.array([alone, slope, alone * slope])
    shares = parts / parts.sum()
    assert first not in table.index
    np.testing.assert_allclose(table.loc["group", "first_order"], shares[0], atol=0.02)
    np.testing.assert_allclose(table.loc["group", "total"], shares[0] + shares[2], atol=0.02)
    assert table.loc["group", ["level_low", "level_high"]].tolist() == ["low", "high"]
    np.testing.assert_allclose(table.loc["group", ["value_low", "value_high"]].astype(float),
                               [-3.0, 4.0], atol=0.1)  # fmt: skip


def test_combinations_with_holes_are_filled_by_a_regression(tmp_path: Path) -> None:
    codes = np.indices((3, 3, 4)).reshape(3, -1)
    a, b, c = codes - np.array([[1], [1], [0]])
    keys = {"a.value": a * 1.0, "b.value": b * 1.0, "c.value": c * 1.0}
    values = 3.0 * a + b + a * b
    sets = write_sweep(tmp_path, keys, {NET: values}, failed=[0, 7, 20, 35])
    table = drivers(sets, [NET])
    assert table["assumption"].tolist() == ["a.value", "b.value", "c.value"]
    assert set(table["method"]) == {"regression"}
    assert set(table["note"]) == {"4 of 36 sets have no numbers and are left out"}
    whole = 6.0 + 2.0 / 3.0 + 4.0 / 9.0
    np.testing.assert_allclose(table["first_order"], [6.0 / whole, 2.0 / 3.0 / whole, 0.0],
                               atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(table["total"], [58.0 / 9.0 / whole, 10.0 / 9.0 / whole, 0.0],
                               atol=1e-6)  # fmt: skip


def test_an_answer_that_too_few_sets_have_gives_no_rows(tmp_path: Path) -> None:
    keys = designed(4, method="latin_hypercube", sets=64)
    values = smooth(points(keys))
    values[8:] = np.nan
    assert drivers(write_sweep(tmp_path, keys, {NET: values}), [NET]).empty


def test_the_ends_are_those_of_each_assumption_alone(tmp_path: Path) -> None:
    keys = designed(4, method="latin_hypercube", sets=64)
    table = drivers(write_sweep(tmp_path, keys, {NET: smooth(points(keys))}), [NET])
    table = table.sort_values("assumption")
    np.testing.assert_allclose(table["value_high"] - table["value_low"], 2 * SLOPES, atol=0.15)
    assert table["level_low"].str.startswith("0.0").all()


def test_the_same_sets_give_the_same_table(tmp_path: Path) -> None:
    keys = designed(3, method="sobol", sets=64)
    sets = write_sweep(tmp_path, keys, {NET: ishigami(points(keys))}, error=0.1)
    first, again = drivers(sets, [NET]), drivers(sets, [NET])
    assert first.equals(again)


def test_main_effects_that_hang_together_are_not_determined() -> None:
    place = np.random.default_rng(0).random(100)
    other = np.random.default_rng(1).random(100)
    assert is_determined(Levels.of(pd.DataFrame({"a": place, "b": other})))
    near = {"a": place, "b": place + 0.01 * other}
    assert not is_determined(Levels.of(pd.DataFrame(near)))


@pytest.mark.slow
def test_ten_thousand_sets_take_seconds(tmp_path: Path, record_property) -> None:
    keys = designed(6, method="latin_hypercube", sets=10_000)
    sets = write_sweep(tmp_path, keys, {NET: g_function(points(keys))}, error=0.01)
    assert len(recognise(sets).levels) == 10_000
    begin = time.perf_counter()
    table = drivers(sets, [NET])
    seconds = time.perf_counter() - begin
    record_property("seconds", seconds)
    assert len(table) == 6
    assert seconds < 60.0
