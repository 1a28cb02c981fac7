from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estimator.store.sets import Sets
from estimator.studies.compare.drivers import drivers, recognise, why_not
from estimator.studies.compare.drivers.design import Factorial, OneAtATime, Saltelli, Scattered
from estimator.studies.compare.drivers.levels import Levels, NoSweep, varied_keys
from estimator.sweep.design import design_overrides
from estimator.sweep.options import Design
from tests.studies.compare.drivers.sweeps import NET, designed, write_sweep

DEFAULT = "(default)"
# As `estimator.sweep.sets.varied` gives it for a tornado: an option brings values of its own.
TORNADO = {
    "returns": [DEFAULT, "none", "wide", DEFAULT, DEFAULT, DEFAULT],
    "unconfirmed": [DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, "wide"],
    "returns.rate.low": ["0.3", DEFAULT, "0.2", "0.215", "0.401", "0.3"],
    "returns.rate.high": ["0.65", DEFAULT, "0.65", "0.543", "0.744", "0.65"],
}


def opened(folder: Path, keys: dict[str, Any], **more: Any) -> Sets:
    count = len(next(iter(keys.values())))
    return write_sweep(folder, keys, {NET: np.arange(count, dtype=float)}, **more)


def grid(*sizes: int) -> dict[str, np.ndarray]:
    codes = np.indices(sizes).reshape(len(sizes), -1)
    return {f"key{n}.value": code.astype(float) for n, code in enumerate(codes)}


def test_a_tornado_is_known_though_options_change_values_of_their_group(tmp_path: Path) -> None:
    design = recognise(opened(tmp_path, TORNADO))
    assert isinstance(design, OneAtATime)
    assert design.base == 0
    names = np.array([*design.levels.names, "as it is"])
    assert names[design.moved].tolist() == [
        *("as it is", "returns", "returns", "returns.rate", "returns.rate", "unconfirmed")
    ]


def test_low_and_high_of_a_prior_that_moves_as_a_whole_are_one_assumption(tmp_path: Path) -> None:
    levels = recognise(opened(tmp_path, TORNADO)).levels
    assert levels.names == ("returns", "unconfirmed", "returns.rate")
    assert levels.texts[2][:4] == ("0.2 to 0.65", "0.215 to 0.543", "0.3 to 0.65", "0.401 to 0.744")
    assert levels.ordered.tolist() == [False, False, True]
    assert levels.texts[0] == ("as it is", "none", "wide")


def test_low_and_high_that_move_apart_are_two_assumptions() -> None:
    keys = pd.DataFrame({"a.low": [0.1, 0.2, 0.1, 0.2], "a.high": [0.5, 0.5, 0.6, 0.6]})
    assert Levels.of(keys).names == ("a.low", "a.high")
    alone = pd.DataFrame({"a.high": [0.5, 0.6]})
    assert Levels.of(alone).names == ("a.high",)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0148985, "0.0149"), (15000.0, "15,000"), (-2.5, "−2.5"), ("wide", "wide"), (True, "True")],
)
def test_a_level_is_written_shortly(value: object, text: str) -> None:
    levels = Levels.of(pd.DataFrame({"a": [value, "other"]}))
    assert text in levels.texts[0]


def test_the_base_of_a_tornado_need_not_come_first(tmp_path: Path) -> None:
    order = [3, 1, 0, 2, 4, 5]
    keys = {key: [column[n] for n in order] for key, column in TORNADO.items()}
    design = recognise(opened(tmp_path, keys))
    assert isinstance(design, OneAtATime)
    assert design.base == 2


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2), (2, 3, 4), (5, 5, 5)])
def test_all_combinations_are_a_factorial(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    keys = grid(*sizes)
    order = np.random.default_rng(0).permutation(len(keys["key0.value"]))
    sets = opened(tmp_path, {key: column[order] for key, column in keys.items()})
    design = recognise(sets)
    assert isinstance(design, Factorial)
    assert design.cells.shape == sizes
    assert order[design.cells].ravel().tolist() == list(range(len(order)))


@pytest.mark.parametrize(("axes", "blocks"), [(2, 4), (3, 8), (6, 16)])
def test_saltelli_blocks_are_known_from_their_values(
    tmp_path: Path, axes: int, blocks: int
) -> None:
    design = recognise(opened(tmp_path, designed(axes, method="saltelli", blocks=blocks)))
    assert isinstance(design, Saltelli)
    assert design.blocks.ravel().tolist() == list(range(blocks * (axes + 2)))


@pytest.mark.parametrize("ranges", [1, 2])
def test_saltelli_blocks_are_known_where_options_make_sets_coincide(
    tmp_path: Path, ranges: int
) -> None:
    plain = {"unconfirmed": {"one": 0.5, "two": 0.5}}
    vary: dict[str, Any] = {
        "killed_share": {"values": ["all", "article", "wide"]},
        "unconfirmed.one": {"low": 0, "high": 1},
        "returns": {"values": ["central", "none"]},
    }
    if ranges == 2:
        vary["unconfirmed.two"] = {"low": 0, "high": 1}
    made = Design.model_validate({"method": "saltelli", "blocks": 64, "vary": vary})
    rows = [dict(text.split("=") for text in texts) for texts in design_overrides(made, plain)]
    assert len(rows) < 64 * (len(vary) + 2)
    design = recognise(opened(tmp_path, pd.DataFrame(rows).to_dict("list")))
    assert isinstance(design, Saltelli)
    assert design.blocks.shape == (64, len(vary) + 2)
    codes = design.levels.codes[design.blocks]
    for axis in range(len(vary)):
        crossed = np.arange(len(vary)) == axis
        expected = np.where(crossed, codes[:, -1], codes[:, 0])
        assert (codes[:, 1 + axis] == expected).all()


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
def test_points_that_fill_the_space_are_for_a_regression(tmp_path: Path, method: str) -> None:
    design = recognise(opened(tmp_path, designed(4, method=method, sets=64)))
    assert isinstance(design, Scattered)
    assert design.levels.ordered.all()


def test_combinations_of_which_some_were_never_made_are_for_a_regression(tmp_path: Path) -> None:
    keys = {key: np.delete(column, [3, 11]) for key, column in grid(3, 4, 2).items()}
    assert isinstance(recognise(opened(tmp_path, keys)), Scattered)


def test_bundles_tell_no_single_assumption_and_the_reason_names_what_would(tmp_path: Path) -> None:
    sets = opened(tmp_path, {"assumptions": ["central", "article", "open"]})
    assert drivers(sets, [NET]).empty
    assert why_not(sets) == (
        "Which assumption drives the answers cannot be told: these sets differ in whole bundles "
        "(assumptions=…). One at a time would tell: estimator run -m experiment=tornado"
    )


def test_nothing_is_said_against_a_sweep_that_tells(tmp_path: Path) -> None:
    assert why_not(opened(tmp_path, TORNADO)) == ""


def test_assumptions_that_move_together_are_told_apart_by_nobody(tmp_path: Path) -> None:
    place = np.linspace(0.0, 1.0, 40)
    sets = opened(tmp_path, {"a.value": place, "b.value": place**2})
    assert "move their 2 assumptions together" in why_not(sets)
    assert drivers(sets, [NET]).empty


def test_too_few_sets_for_so_many_assumptions_tell_nothing(tmp_path: Path) -> None:
    sets = opened(tmp_path, designed(6, method="latin_hypercube", sets=12))
    assert "are too few" in why_not(sets)


def test_two_sweeps_are_not_mixed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        opened(tmp_path / name, TORNADO)
    sets = Sets.open([tmp_path / "one", tmp_path / "two"])
    assert "the sets come from 2 sweeps (one, two): give one" in why_not(sets)
    of_one = [label for label in sets.labels if label.startswith("one")]
    assert why_not(sets, of_one) == ""
    assert len(drivers(sets, [NET], of_one)) == 3


def test_only_the_sets_that_are_named_count(tmp_path: Path) -> None:
    sets = opened(tmp_path, TORNADO)
    table = drivers(sets, [NET], ["set 0", "set 3", "set 4"])
    assert table["assumption"].tolist() == ["returns.rate"]


def test_sets_without_varied_keys_are_no_sweep(tmp_path: Path) -> None:
    facts = pd.DataFrame({"set_id": ["a", "b"], "run": [str(tmp_path)] * 2}, index=["a", "b"])
    with pytest.raises(NoSweep, match="no sweep made these sets"):
        varied_keys(facts)
