from __future__ import annotations

import numpy as np
import pytest

from estimator.errors import OutputError
from estimator.store.sets import Sets
from estimator.studies.compare.table import COLUMNS, compare_sets, reference_of
from tests.studies.compare.made import CHANCE, GAP, LOSSES, TOTAL, Made, alone

ANSWERS = [LOSSES, GAP, CHANCE, TOTAL]


@pytest.fixture
def sets() -> Sets:
    return Sets([alone("one", 1), alone("central", 2, shift=500.0), alone("three", 3)])


def test_there_is_a_row_for_each_answer_and_set_in_their_orders(sets):
    table = compare_sets(sets, ANSWERS)
    assert tuple(table.columns) == COLUMNS
    assert table["answer"].tolist() == [str(a) for a in ANSWERS for _ in range(3)]
    assert table["assumption_set"].tolist() == ["one", "central", "three"] * 4
    assert table["month"].tolist()[::3] == ["2026-01", "2026-01", "2026-01", "total"]
    units = ["persons/month", "persons/month", "probability", "persons"]
    assert table["unit"].tolist()[::3] == units


def test_quantiles_are_those_of_the_draws_and_differences_those_of_the_medians(sets):
    table = compare_sets(sets, [LOSSES]).set_index("assumption_set")
    [chunk] = sets.chunks([LOSSES], ["one"])
    expected = np.quantile(chunk.values[0], [0.05, 0.25, 0.5, 0.75, 0.95])
    found = table.loc["one", ["q05", "q25", "q50", "q75", "q95"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    difference = table["q50"] - table.loc["central", "q50"]
    np.testing.assert_allclose(table["difference"], difference)
    assert set(table["reference"]) == {"central"}


def test_the_reference_differs_from_itself_by_nothing_and_without_error(sets):
    own = compare_sets(sets, ANSWERS)
    own = own[own["assumption_set"] == "central"]
    assert (own["difference"] == 0).all()
    assert (own["difference_mcse"] == 0).all()
    assert own["p_above"].dropna().tolist() == pytest.approx([0.5] * 3)


def test_a_probability_stands_in_the_middle_with_its_error_and_without_a_range(sets):
    table = compare_sets(sets, [CHANCE])
    np.testing.assert_allclose(table["q50"], table["below_zero"])
    p = table["q50"].to_numpy()
    np.testing.assert_allclose(table["mcse_q50"], np.sqrt(p * (1 - p) / 1000), rtol=1e-3)
    assert table[["q05", "q25", "q75", "q95"]].isna().all().all()


def test_a_probability_of_one_from_draws_has_an_error_too():
    sure = Made({GAP: np.full(400, -1.0)}, {"a": np.ones(400)})
    [row] = compare_sets(Sets([sure]), [CHANCE]).to_dict("records")
    assert row["q50"] == 1.0
    assert 0 < row["mcse_q50"] < 1 / 400


def test_the_reference_is_central_else_the_first_set_else_what_is_asked_for(sets):
    assert reference_of(sets) == "central"
    assert reference_of(Sets([alone("b", 1), alone("a", 2)])) == "b"
    assert reference_of(sets, "three") == "three"
    with pytest.raises(OutputError, match="did you mean 'three'"):
        reference_of(sets, "thrree")


def test_central_of_the_first_folder_is_the_reference_where_two_folders_have_one():
    sets = Sets([alone("central", 1, folder="x/run"), alone("central", 2, folder="x/sweep")])
    assert reference_of(sets) == "run/central"


def test_totals_of_other_windows_are_not_set_against_each_other_and_months_are():
    short = "2025-01-01 to 2026-01-31"
    sets = Sets([alone("central", 1), alone("short", 2, window=short)])
    table = compare_sets(sets, [LOSSES, TOTAL])
    month, total = (table[table["assumption_set"] == "short"].iloc[n] for n in (0, 1))
    assert np.isfinite(month["difference"])
    assert month["note"] == ""
    assert np.isnan([total["difference"], total["difference_mcse"], total["p_above"]]).all()
    assert total["note"] == "window: 2025-01-01 to 2026-01-31, not 2022-02-24 to 2026-01-31"
    assert np.isfinite(total["q50"])


def test_an_answer_that_no_set_has_is_refused_with_what_there_is(sets):
    with pytest.raises(OutputError, match=r"killed\[2026-01\]: no set has it"):
        compare_sets(sets, [type(LOSSES).parse("killed[2026-01]")])


def test_a_set_that_lacks_an_answer_has_no_numbers_and_the_others_do():
    lacking = Made({GAP: np.arange(10.0)}, {"lacking": np.ones(10)}, pool=9)
    table = compare_sets(Sets([alone("central", 1), lacking]), [LOSSES])
    row = table.set_index("assumption_set").loc["lacking"]
    assert np.isnan([row["q50"], row["difference"], row["p_above"]]).all()


def test_what_failed_stands_in_the_table():
    sets = Sets([alone("central", 1), alone("poor", 2, failures="R-hat 1.08 > 1.01")])
    failures = compare_sets(sets, [LOSSES])["failures"].tolist()
    assert failures == ["", "R-hat 1.08 > 1.01"]
