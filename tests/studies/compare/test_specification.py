from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimator.store.sets import Sets
from estimator.studies.compare.drivers import drivers
from estimator.studies.compare.specification import MOST_KEYS, Specification
from tests.studies.compare.drivers.sweeps import CHANCE, NET, write_sweep
from tests.studies.compare.made import LOSSES, alone

RATES, SHARES = [0.1, 0.2, 0.3], ["all", "registry", "western"]


@pytest.fixture
def product(tmp_path: Path) -> Sets:
    """Nine sets; killed_share moves the net change most, and the last set failed."""
    keys = {
        "returns.rate": [rate for rate in RATES for _ in SHARES],
        "killed_share": SHARES * len(RATES),
    }
    values = np.array([100.0 * r + 5000.0 * s for r in range(3) for s in range(3)])
    chances = 0.5 + 0.1 * np.sign(values - 5000.0)
    return write_sweep(tmp_path, keys, {NET: values, CHANCE: chances}, failed=[8])


def test_each_set_has_its_answer_beside_what_it_assumed(product: Sets) -> None:
    found = Specification.of(product, NET, drivers(product, [NET]))
    assert found is not None
    assert found.levels.names == ("killed_share", "returns.rate")  # what moves it most is first
    assert found.table["q50"][:8].tolist() == product.value(NET)[:8].tolist()
    assert np.isnan(found.table["q50"][8])
    assert found.table["failures"].tolist() == [*[""] * 8, "gave up"]
    assert found.table["assumption_set"][5] == "returns.rate 0.2, killed_share western"
    assert found.levels.row(5) == ("western", "0.2")
    assert found.base == ""  # of a product none is the set as it is


def test_a_probability_has_no_range(product: Sets) -> None:
    found = Specification.of(product, CHANCE, drivers(product, [CHANCE]))
    assert found is not None
    assert found.table["q05"].isna().all()
    assert found.table["q50"][:8].tolist() == pytest.approx(product.value(CHANCE)[:8])


def test_the_set_that_others_change_in_one_thing_is_the_base_and_few_keys_are_drawn(
    tmp_path: Path,
) -> None:
    count = MOST_KEYS + 3
    keys = {f"key_{n}": [1.0, *[1.0] * n, 2.0, *[1.0] * (count - 1 - n)] for n in range(count)}
    sets = write_sweep(tmp_path, keys, {NET: 1000.0 * np.arange(count + 1.0)})
    found = Specification.of(sets, NET, drivers(sets, [NET]))
    assert found is not None
    assert found.base == "set 0"
    assert found.levels.names == tuple(f"key_{n}" for n in reversed(range(3, count)))
    assert "3 assumptions more" in found.note


@pytest.mark.parametrize("one_key", [True, False])
def test_sets_that_do_not_vary_several_keys_have_no_curve(one_key: bool, tmp_path: Path) -> None:
    if one_key:
        keys = {"returns.rate": RATES}
        sets = write_sweep(tmp_path, keys, {NET: np.arange(3.0)})
    else:
        sets = Sets([alone("central", 1), alone("western", 2)])
    answer = NET if one_key else LOSSES
    assert Specification.of(sets, answer, pd.DataFrame(columns=["answer"])) is None
