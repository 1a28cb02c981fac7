from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator.studies.compare.drivers import COLUMNS, drivers
from tests.studies.compare.drivers.sweeps import CHANCE, NET, write_sweep

BASE = {"a": 1.0, "b": 1.0, "c": 1.0, "group": "(default)"}
# Answer 100 + 10 a - 30 b + 1 c, and options of a group.
CHANGES: list[dict[str, Any]] = [
    {},
    *({"a": value} for value in (0.0, 2.0)),
    *({"b": value} for value in (0.0, 2.0)),
    *({"c": value} for value in (0.0, 2.0)),
    *({"group": option} for option in ("low", "high", "middle")),
]
OPTIONS = {"(default)": 0.0, "low": -5.0, "high": 8.0, "middle": 2.0}
ROWS = [BASE | change for change in CHANGES]
KEYS = {key: [row[key] for row in ROWS] for key in BASE}
VALUES = np.array([100.0 + 10 * r["a"] - 30 * r["b"] + r["c"] + OPTIONS[r["group"]] for r in ROWS])


def test_the_assumptions_that_matter_come_in_the_right_order(tmp_path: Path) -> None:
    table = drivers(write_sweep(tmp_path, KEYS, {NET: VALUES}), [NET])
    assert tuple(table.columns) == COLUMNS
    assert table["assumption"].tolist() == ["b", "a", "group", "c"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["effect"].tolist() == [60.0, 20.0, 13.0, 2.0]
    assert set(table["method"]) == {"one_at_a_time"}
    assert set(table["unit"]) == {"persons/month"}
    assert set(table["reference"]) == {81.0}
    assert (table["note"] == "").all()


def test_a_number_has_its_lower_level_first_and_an_option_its_lower_answer(tmp_path: Path) -> None:
    table = drivers(write_sweep(tmp_path, KEYS, {NET: VALUES}), [NET]).set_index("assumption")
    columns = ["level_low", "value_low", "level_high", "value_high"]
    assert table.loc["b", columns].tolist() == ["0", 111.0, "2", 51.0]
    assert table.loc["group", columns].tolist() == ["low", 76.0, "high", 89.0]


def test_an_effect_that_may_be_monte_carlo_error_is_marked(tmp_path: Path) -> None:
    table = drivers(write_sweep(tmp_path, KEYS, {NET: VALUES}, error=1.0), [NET])
    notes = table.set_index("assumption")["note"]
    assert notes["c"].startswith("within its Monte-Carlo error (up to ")
    assert (notes[["a", "b", "group"]] == "").all()
    np.testing.assert_allclose(table["effect_mcse"], np.sqrt(2.0), rtol=0.2)


@pytest.mark.parametrize("options", [2, 6])
def test_pure_error_is_marked_in_nineteen_of_twenty_sweeps(tmp_path: Path, options: int) -> None:
    rng = np.random.default_rng(1)
    count, repeats = options + 1, 40
    keys = {f"group{n}": ["(default)"] * (1 + repeats * options) for n in range(repeats)}
    for n, column in enumerate(keys.values()):
        begin = 1 + n * options
        column[begin : begin + options] = [f"option {k}" for k in range(options)]
    values = rng.normal(size=1 + repeats * options)
    # One base for all would make the 40 tests hang together: give it no part.
    values[0] = 0.0
    table = drivers(write_sweep(tmp_path, keys, {NET: values}, error=1.0), [NET])
    marked = table["note"].str.contains("within its Monte-Carlo error").mean()
    assert len(table) == repeats
    assert count > 2
    assert 0.85 <= marked <= 1.0


def test_a_missing_set_leaves_the_other_end_and_is_named(tmp_path: Path) -> None:
    sets = write_sweep(tmp_path, KEYS, {NET: VALUES}, failed=[3])
    row = drivers(sets, [NET]).set_index("assumption").loc["b"]
    assert (row["level_low"], row["level_high"]) == ("1", "2")
    assert row["effect"] == 30.0
    assert row["note"] == "no numbers at 0"


def test_an_assumption_without_any_numbers_comes_last_and_says_so(tmp_path: Path) -> None:
    table = drivers(write_sweep(tmp_path, KEYS, {NET: VALUES}, failed=[3, 4]), [NET])
    last = table.iloc[-1]
    assert (last["assumption"], last["note"]) == ("b", "no numbers at 0, 2")
    assert np.isnan(last["effect"])
    assert last["rank"] == 4


def test_without_the_base_set_there_is_no_reference_but_both_ends(tmp_path: Path) -> None:
    table = drivers(write_sweep(tmp_path, KEYS, {NET: VALUES}, failed=[0]), [NET])
    assert table["reference"].isna().all()
    assert table.set_index("assumption").loc["b", "effect"] == 60.0


def test_an_answer_that_turns_between_the_ends_is_marked(tmp_path: Path) -> None:
    keys = {"a": [0.0, 1.0, 2.0, 3.0]}
    sets = write_sweep(tmp_path, keys, {NET: np.array([1.0, 5.0, 9.0, 2.0])})
    [row] = drivers(sets, [NET]).to_dict("records")
    assert (row["value_low"], row["value_high"], row["effect"]) == (1.0, 2.0, 8.0)
    assert row["note"] == "turns within: highest at 2"


def test_probabilities_have_the_errors_of_probabilities(tmp_path: Path) -> None:
    chances = np.array([0.5, 0.4, 0.6, *[0.5] * 7])
    table = drivers(write_sweep(tmp_path, KEYS, {CHANCE: chances}), [CHANCE])
    first = table.iloc[0]
    assert (first["assumption"], first["unit"]) == ("a", "probability")
    assert first["effect_mcse"] == pytest.approx(np.sqrt(2 * 0.24 / 1000), rel=0.2)


def test_sets_that_failed_their_diagnostics_count_and_are_counted(tmp_path: Path) -> None:
    sets = write_sweep(tmp_path, KEYS, {NET: VALUES})
    sets.facts.loc[sets.labels[1], "failures"] = "R-hat 1.08"
    assert set(drivers(sets, [NET])["note"]) == {"1 of 10 sets failed their diagnostics"}


def test_an_answer_that_no_set_has_gives_no_rows(tmp_path: Path) -> None:
    sets = write_sweep(tmp_path, KEYS, {NET: np.full(len(VALUES), np.nan)})
    table = drivers(sets, [NET])
    assert table.empty
    assert tuple(table.columns) == COLUMNS
