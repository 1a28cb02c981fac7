from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from SALib.test_functions import Ishigami

from estimator.studies.compare.drivers import drivers, recognise
from estimator.studies.compare.drivers.design import Factorial, Saltelli
from estimator.studies.compare.drivers.variance import anova, sobol_indices
from tests.studies.compare.drivers.sweeps import (
    CHANCE,
    NET,
    designed,
    g_function,
    g_indices,
    ishigami,
    ishigami_indices,
    points,
    write_sweep,
)

A, B, C = np.array([-1.0, 0.0, 1.0]), np.array([-2.0, 2.0]), np.array([0.0, 0.0, 0.0, 0.0])
# 10 + 3 a + b + a b + 0 c: variances 6, 4 and, together, 8/3.
KEYS = dict(
    zip(
        ("a.value", "b.value", "c.value"),
        (grid.ravel() for grid in np.meshgrid(A, B, np.arange(4.0), indexing="ij")),
        strict=True,
    )
)
TRUTH = 10.0 + 3.0 * KEYS["a.value"] + KEYS["b.value"] + KEYS["a.value"] * KEYS["b.value"]
WHOLE = 6.0 + 4.0 + 8.0 / 3.0
FIRST = np.array([6.0, 4.0, 0.0]) / WHOLE
TOTAL = FIRST + np.array([8.0, 8.0, 0.0]) / 3.0 / WHOLE


def no_errors(count: int) -> np.ndarray:
    return np.zeros((20, count))


def within(low: np.ndarray, truth: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (low - 1e-9 <= truth) & (truth <= high + 1e-9)


def test_an_analysis_of_variance_gives_the_shares_of_an_additive_and_an_interacting_part(
    tmp_path: Path,
) -> None:
    sets = write_sweep(tmp_path, KEYS, {NET: TRUTH})
    table = drivers(sets, [NET])
    assert table["assumption"].tolist() == ["a.value", "b.value", "c.value"]
    assert set(table["method"]) == {"anova"}
    np.testing.assert_allclose(table["first_order"], FIRST, atol=1e-6)
    np.testing.assert_allclose(table["total"], TOTAL, atol=1e-6)
    assert table["note"].tolist() == ["not explained by main effects: 21 %"] * 3
    assert set(table["reference"]) == {10.0}
    ends = table.set_index("assumption").loc[["a.value", "b.value"], ["value_low", "value_high"]]
    np.testing.assert_allclose(ends, [[7.0, 13.0], [8.0, 12.0]], atol=1e-5)


def test_intervals_of_an_analysis_of_variance_hold_the_truth_where_answers_have_errors(
    tmp_path: Path,
) -> None:
    design = recognise(write_sweep(tmp_path, KEYS, {NET: TRUTH}))
    assert isinstance(design, Factorial)
    rng = np.random.default_rng(3)
    first, total, inert = [], [], []
    for _ in range(60):
        errors = rng.normal(size=(200, len(TRUTH)))
        found = anova(design, TRUTH + rng.normal(size=len(TRUTH)), errors)
        first.append(within(found.first_range[0], FIRST, found.first_range[1]))
        total.append(within(found.total_range[0], TOTAL, found.total_range[1]))
        inert.append(found.total[2])
    assert np.mean(first, axis=0)[:2] == pytest.approx([0.95, 0.95], abs=0.09)
    assert np.mean(total, axis=0)[:2] == pytest.approx([0.95, 0.95], abs=0.09)
    # Without taking them out, errors of variance 1 would make 7 % of the variance in c's name.
    assert np.mean(inert) < 0.03


def test_an_error_that_all_sets_share_makes_no_share_uncertain(tmp_path: Path) -> None:
    design = recognise(write_sweep(tmp_path, KEYS, {NET: TRUTH}))
    assert isinstance(design, Factorial)
    common = np.random.default_rng(0).normal(size=(50, 1)) * np.ones(len(TRUTH))
    found = anova(design, TRUTH, common)
    np.testing.assert_allclose(found.first_range, [FIRST, FIRST], atol=1e-6)


def test_an_answer_that_varies_little_more_than_its_error_has_no_shares(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=len(TRUTH))
    table = drivers(write_sweep(tmp_path, KEYS, {NET: noise}, error=1.5), [NET])
    assert table[["first_order", "total"]].isna().all(axis=None)
    assert set(table["note"]) == {"most of the variance is Monte-Carlo error"}


def test_a_constant_answer_has_no_shares(tmp_path: Path) -> None:
    sets = write_sweep(tmp_path, KEYS, {NET: TRUTH, CHANCE: np.ones(len(TRUTH))})
    table = drivers(sets, [CHANCE])
    assert table["total"].isna().all()
    assert len(table) == 3


def test_ishigami_is_that_of_salib() -> None:
    places = np.random.default_rng(0).random((50, 3))
    expected = Ishigami.evaluate(np.pi * (2.0 * places - 1.0))
    np.testing.assert_allclose(ishigami(places), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "indices", "axes"),
    [(ishigami, ishigami_indices, 3), (g_function, g_indices, 6)],
    ids=["Ishigami", "g-function"],
)
def test_sobol_indices_agree_with_the_analytic_values_within_their_intervals(
    tmp_path: Path, function, indices, axes: int
) -> None:
    inside = []
    for seed in range(8):
        keys = designed(axes, method="saltelli", blocks=256, seed=seed)
        sets = write_sweep(tmp_path / str(seed), keys, {NET: function(points(keys))})
        table = drivers(sets, [NET])
        assert set(table["method"]) == {"sobol"}
        assert set(table["note"]) == {"256 blocks"}
        clear = [f"unconfirmed.assumption_{n}" for n in np.argsort(-indices()[1])[:2]]
        assert set(table["assumption"][:2]) == set(clear)
        table = table.sort_values("assumption")
        for name, truth in zip(("first_order", "total"), indices(), strict=True):
            low, high = (table[f"{name}_{end}"].to_numpy() for end in ("low", "high"))
            inside.append(within(low - 1e-3, truth, high + 1e-3))
            np.testing.assert_allclose(table[name], truth, atol=0.15)
    assert np.mean(inside) >= 0.9


def test_monte_carlo_errors_are_taken_out_of_sobol_indices_and_widen_them(tmp_path: Path) -> None:
    keys = designed(3, method="saltelli", blocks=256)
    design = recognise(write_sweep(tmp_path, keys, {NET: ishigami(points(keys))}))
    assert isinstance(design, Saltelli)
    rng = np.random.default_rng(4)
    truth = ishigami(points(keys))
    errors = rng.normal(size=(60, len(truth)))
    noisy = truth + rng.normal(size=len(truth))
    with_errors = sobol_indices(design, noisy, 2.0 * errors, 1)
    without = sobol_indices(design, noisy, np.zeros_like(errors), 1)
    exact = ishigami_indices()[1]
    assert without.total[2] > with_errors.total[2]
    own = sobol_indices(design, noisy, errors, 1)
    assert abs(own.total[2] - exact[2]) < abs(without.total[2] - exact[2]) + 0.02
    assert (np.ptp(own.total_range, axis=0) > np.ptp(without.total_range, axis=0)).all()


def test_only_complete_blocks_count(tmp_path: Path) -> None:
    keys = designed(3, method="saltelli", blocks=256)
    values = ishigami(points(keys))
    spoiled = values.copy()
    spoiled[5:10] = 1e6  # the second block
    sets = write_sweep(tmp_path / "holes", keys, {NET: spoiled}, failed=[7])
    table = drivers(sets, [NET]).sort_values("assumption")
    assert set(table["method"]) == {"sobol"}
    assert "1 of 1280 sets have no numbers and are left out" in table["note"].iloc[0]
    assert "255 blocks" in table["note"].iloc[0]
    np.testing.assert_allclose(table["total"], ishigami_indices()[1], atol=0.12)


def test_blocks_with_too_many_holes_are_left_to_a_regression(tmp_path: Path) -> None:
    keys = designed(3, method="saltelli", blocks=64)
    holes = [5 * block + block % 5 for block in range(60)]
    sets = write_sweep(tmp_path, keys, {NET: ishigami(points(keys))}, failed=holes)
    table = drivers(sets, [NET]).sort_values("assumption")
    assert set(table["method"]) == {"regression"}
    np.testing.assert_allclose(table["total"], ishigami_indices()[1], atol=0.05)
