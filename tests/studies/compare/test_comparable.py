from __future__ import annotations

import numpy as np
import pytest

from estimator.quantities.answers import Answer
from estimator.store.sets import Sets
from estimator.studies.compare.comparable import days_in, problems, some, unlike
from tests.studies.compare.made import GAP, LOSSES, TOTAL, Made

SHORT = "2025-01-01 to 2026-01-31"
FORCE = Answer.parse("force_size[2026-01]")
RATIO = Answer.parse("unconfirmed_ratio[P04]")
TYPICAL = Answer.parse("assumption_value[unconfirmed.ratio]")
LEVEL = Answer.parse("assumption_value[losses.level]")
RATE = Answer.parse("assumption_value[returns.rate]")
DECEMBER = Answer.parse("losses[2025-12]")
EVERY = (LOSSES, GAP, TOTAL, FORCE, RATIO, TYPICAL, LEVEL, RATE, DECEMBER)


def made(label: str, pool: int, **facts) -> Made:
    draws = {answer: np.arange(20.0) for answer in EVERY}
    return Made(draws, {label: np.ones(20)}, pool=pool, **facts)


def two(**facts) -> Sets:
    return Sets([made("a", 1), made("b", 2, **facts)])


def test_sets_of_one_window_and_meaning_have_no_problem():
    assert problems(two(), EVERY) == []
    assert [unlike(two(), answer, 0).tolist() for answer in EVERY] == [["", ""]] * len(EVERY)


@pytest.mark.parametrize("answer", [TOTAL, FORCE, LEVEL], ids=str)
def test_another_first_day_matters_for_what_adds_up_or_begins_there(answer):
    [problem] = problems(two(window=SHORT), [answer])
    assert problem.startswith(f"{answer}: ")
    assert "2022-02-24" in problem
    assert "2025-01-01" in problem
    assert "(a)" in problem
    assert "(b)" in problem


@pytest.mark.parametrize("answer", [LOSSES, GAP, RATE, RATIO, DECEMBER], ids=str)
def test_another_window_does_not_matter_for_a_month_that_both_cover(answer):
    assert problems(two(window=SHORT), [answer]) == []


def test_another_last_day_matters_for_totals_and_not_for_the_force():
    sets = two(window="2022-02-24 to 2025-12-31")
    assert len(problems(sets, [TOTAL])) == 1
    assert problems(sets, [FORCE, LEVEL, DECEMBER]) == []


def test_a_month_that_is_covered_in_part_is_not_that_month():
    sets = two(window="2022-02-24 to 2026-01-15")
    [problem] = problems(sets, [LOSSES])
    assert problem == "losses[2026-01]: days of 2026-01 differs: 31 (a), 15 (b)"
    assert unlike(sets, LOSSES, 0)[1] == "days of 2026-01: 15, not 31"


@pytest.mark.parametrize("answer", [RATIO, TYPICAL], ids=str)
def test_what_a_confirmed_figure_counts_matters_for_the_unconfirmed(answer):
    sets = two(counts="killed")
    [problem] = problems(sets, [answer])
    assert "what a confirmed figure counts differs: losses (a), killed (b)" in problem
    assert problems(sets, [LOSSES, TOTAL, RATE]) == []


def test_other_units_are_a_problem():
    sets = two(units={RATE: "percent"})
    assert problems(sets, [LOSSES]) == []
    assert "percent, not" in unlike(sets, RATE, 0)[1]
    assert "unit differs" in problems(sets, [RATE])[0]


def test_a_set_without_the_answer_is_no_problem():
    lacking = Made({GAP: np.arange(20.0)}, {"b": np.ones(20)}, window=SHORT)
    assert problems(Sets([made("a", 1), lacking]), [TOTAL]) == []


def test_only_the_sets_that_are_meant_count():
    sets = Sets([made("a", 1), made("b", 2, window=SHORT), made("c", 3)])
    assert problems(sets, [TOTAL], np.array([True, False, True])) == []
    assert len(problems(sets, [TOTAL], np.array([True, True, False]))) == 1


@pytest.mark.parametrize(
    ("window", "month", "days"),
    [
        ("2022-02-24 to 2026-01-31", "2022-02", 5),
        ("2022-02-24 to 2026-01-31", "2024-02", 29),
        ("2022-02-24 to 2026-01-31", "2021-12", 0),
        ("", "2024-02", None),
        ("2022-02-24 to 2026-01-31", "returns.rate", None),
    ],
)
def test_days_of_a_month_in_a_window(window, month, days):
    assert days_in(window, month) == days


def test_of_many_sets_some_are_named():
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some([str(n) for n in range(10)]) == "0, 1, 2 and 7 more"


def test_a_set_that_does_not_say_its_window_is_told_apart():
    [problem] = problems(two(window=""), [TOTAL])
    assert "? (b)" in problem
