from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from estimator.quantities.answers import Answer
from estimator.store.sets import Sets
from estimator.studies.compare.drivers import statement
from estimator.studies.compare.drivers.statement import words
from estimator.studies.compare.drivers.table import NEGLIGIBLE, Row, joined, rows_table
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.parts import width_of, with_negligible
from tests.studies.compare.drivers.sweeps import CHANCE, NET
from tests.studies.compare.made import GAP, alone

WITHIN = "within its Monte-Carlo error (up to 12)"


def tornado(
    *rows: tuple[str, tuple[str, str], tuple[float, float], str],
    answer: Answer = NET,
    method: str = "one_at_a_time",
    reference: float = 3600.0,
) -> pd.DataFrame:
    made = [
        Row(name, levels, values, reference, abs(values[1] - values[0]), notes=[note])
        for name, levels, values, note in rows
    ]
    return rows_table(str(answer), answer.unit, method, made, [])


REPORTING = ("reporting", ("face_value", "radford"), (-10563.0, 5639.0), "")
RETURNS = ("returns", ("none", "wide"), (-6760.0, 5916.0), "")
CONFIRMED = ("confirmed", ("killed", "as it is"), (-2509.0, 3555.0), "")
LOSSES = ("losses.step", ("0.08 to 0.16", "0.12 to 0.25"), (3560.0, 3556.0), WITHIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("net_change[2026-01]", "net change in 2026-01"),
        ("killed_share[total]", "killed share over the window"),
        ("unconfirmed[P04]", "unconfirmed of P04"),
        ("P(net_change[2026-01] < 0)", "the probability of net change in 2026-01 below 0"),
    ],
)
def test_an_answer_is_named_in_words(text: str, expected: str) -> None:
    assert words(Answer.parse(text)) == expected


def test_a_tornado_in_a_sentence() -> None:
    assert statement(tornado(REPORTING, RETURNS, CONFIRMED, LOSSES), NET) == (
        "Of the 4 assumptions varied one at a time, reporting moves net change in 2026-01 most: "
        "from −10.6 (face_value) to 5.6 (radford) thousand persons/month, with 3.6 as it is; "
        "returns (−6.8 to 5.9) and confirmed (−2.5 to 3.6) follow; 1 stays within Monte-Carlo "
        "error."
    )


def test_shifts_in_a_sentence_with_what_could_not_be_reached() -> None:
    lost = ("losses.level", ("", ""), (np.nan, np.nan), "not reached")
    table = tornado(RETURNS, REPORTING, lost, method="shift")
    assert statement(table, NET) == (
        "Of the 3 priors moved down and up by one of their standard deviations, reporting moves "
        "net change in 2026-01 most: from −10.6 (face_value) to 5.6 (radford) thousand "
        "persons/month, with 3.6 as it is; returns (−6.8 to 5.9) follows; of 1 there are no "
        "numbers."
    )


def test_a_tornado_in_which_nothing_moves_says_so() -> None:
    other = ("losses.level", *LOSSES[1:])
    assert statement(tornado(LOSSES, other), NET) == (
        "None of the 2 assumptions varied one at a time moves net change in 2026-01 by more than "
        "its Monte-Carlo error."
    )
    assert statement(tornado(LOSSES), NET) == (
        "losses.step moves net change in 2026-01 by no more than its Monte-Carlo error."
    )


def test_a_single_assumption_is_not_said_to_be_the_first_of_one() -> None:
    assert statement(tornado(RETURNS), NET) == (
        "returns moves net change in 2026-01: from −6.8 (none) to 5.9 (wide) thousand "
        "persons/month, with 3.6 as it is."
    )


def test_a_probability_is_written_with_two_digits_and_no_unit() -> None:
    table = tornado(("returns", ("wide", "none"), (0.07, 0.9987), ""), answer=CHANCE, reference=0.1)
    assert "from 0.07 (wide) to 1.00 (none), with 0.10 as it is." in statement(table, CHANCE)


def test_without_a_base_set_nothing_is_said_of_it() -> None:
    assert "as it is" not in statement(tornado(REPORTING, reference=np.nan), NET)


def shares(method: str, **more: Any) -> pd.DataFrame:
    found = {
        "returns.rate": ((0.67, 0.61, 0.73), (0.70, 0.64, 0.76), (2356.0, 4651.0)),
        "force.other_exits": ((0.20, 0.14, 0.26), (0.23, 0.17, 0.29), (4547.0, 2742.0)),
        "losses.step": ((0.001, 0.0, 0.01), (0.001, 0.0, 0.01), (3600.0, 3601.0)),
    }
    rows = [
        Row(name, ("0.2 to 0.5", "0.4 to 0.7"), values, 3600.0, abs(values[1] - values[0]),
            first_order=first, total=total)
        for name, (first, total, values) in found.items()
    ]  # fmt: skip
    return rows_table(str(NET), NET.unit, method, rows, [])


@pytest.mark.parametrize(("method", "rest"), [("regression", 3), ("sobol", 13), ("anova", 13)])
def test_shares_in_a_sentence(method: str, rest: int) -> None:
    assert statement(shares(method), NET) == (
        "67 % [61, 73] of the variance of net change in 2026-01 comes from returns.rate, 20 % "
        f"[14, 26] from force.other_exits; interactions add about {rest} %; with returns.rate from "
        "(0.2 to 0.5) to (0.4 to 0.7) it goes from 2.4 to 4.7 thousand persons/month on average."
    )


def test_an_answer_that_does_not_vary_has_no_drivers() -> None:
    table = rows_table(str(NET), NET.unit, "anova", [Row("returns"), Row("losses")], [])
    assert statement(table, NET) == (
        "What varies between these sets in net change in 2026-01 is mostly Monte-Carlo error."
    )


def test_an_answer_that_is_not_in_the_table_cannot_be_told() -> None:
    text = "What drives net change in 2026-01 cannot be told from these sets."
    assert statement(joined([]), NET) == text
    assert statement(tornado(REPORTING, answer=CHANCE), NET) == text


def test_an_effect_that_is_small_beside_the_range_of_a_set_is_called_negligible() -> None:
    table = tornado(("returns", ("none", "wide"), (32800.0, 33600.0), ""))
    told = statement(table, NET, 6000.0, 0.2)
    assert told == (
        "Net change in 2026-01: all drivers are negligible; the largest, returns, moves it from "
        "32.8 to 33.6 thousand persons/month, while the 90 % range of a set alone is 6.0 wide."
    )
    assert "negligible" not in statement(table, NET, 3000.0, 0.2)
    assert "negligible" not in statement(table, NET)  # the range is not known
    chance = tornado(("returns", ("none", "wide"), (0.51, 0.54), ""), answer=CHANCE)
    assert "negligible; the largest, returns, moves it from 0.51 to 0.54." in statement(
        chance, CHANCE, 1.0, 0.05
    )


def test_of_drivers_some_of_which_are_negligible_these_are_not_named_among_the_large() -> None:
    table = tornado(REPORTING, RETURNS, ("losses.level", ("1", "2"), (3600.0, 4100.0), ""))
    told = statement(table, NET, 12_000.0, 0.2)
    assert told.endswith(
        "returns (−6.8 to 5.9) follows; 1 is negligible beside what each set leaves open."
    )
    told = statement(shares("sobol"), NET, 10_000.0, 0.2)
    assert told.endswith(f"All others: {NEGLIGIBLE}.")
    told = statement(shares("sobol"), NET, 8_000.0, 0.2)
    assert told.endswith(f"losses.step: {NEGLIGIBLE}.")


@pytest.mark.parametrize(
    ("method", "effect", "noted"), [("sobol", 1100.0, True), ("shift", 1300.0, False)]
)
def test_each_negligible_driver_is_noted_in_the_table(
    method: str, effect: float, noted: bool
) -> None:
    sets = Sets([alone("central", 1)])
    width = width_of(sets, GAP)
    options = CompareOptions.default()
    row = Row("returns", ("a", "b"), (0.0, 1.0), 0.5, effect / 6000.0 * width, notes=["other"])
    table = with_negligible(rows_table(str(GAP), GAP.unit, method, [row], []), sets, options)
    assert table["note"].tolist() == [f"{NEGLIGIBLE}; other" if noted else "other"]
