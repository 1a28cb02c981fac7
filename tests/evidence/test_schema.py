from __future__ import annotations

import math
import re

import pandas as pd
import pytest

from estimator.evidence import read_claims
from estimator.evidence.schema import (
    HEDGES,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    STATUSES,
    derivation_problems,
    inconsistent_rows,
    number,
    row_problems,
)
from estimator.paths import data_dir
from estimator.quantity import CLAIMED
from tests.evidence.tables import row


def problems(**cells: str) -> list[tuple[str, str, str]]:
    return row_problems(pd.Series(row(**cells)))


def documented(heading: str) -> set[str]:
    """Names in the first column of the data card's table under a heading."""
    card = (data_dir() / "README.md").read_text(encoding="utf-8")
    section = card.split(f"# {heading}\n")[1].split("\n#")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_data_card_documents_every_column() -> None:
    assert documented("Columns") == {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}


def test_the_data_card_documents_every_quantity_hedge_and_status() -> None:
    assert documented("Quantities and units") == set(CLAIMED)
    assert documented("Hedges") == set(HEDGES)
    assert documented("Statuses") == set(STATUSES)


def test_the_data_card_documents_every_origin_and_population_of_the_table() -> None:
    claims = read_claims()
    assert set(claims["origin"]) == documented("Origins")
    assert set(claims["population"]) == documented("Populations")


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("-2.5", -2.5), ("1e3", 1000.0), (".5", 0.5), ("+7.", 7.0)]
)
def test_a_plain_number_is_read(text: str, value: float) -> None:
    assert number(text) == value


def test_an_empty_cell_is_nan() -> None:
    assert math.isnan(number(""))


@pytest.mark.parametrize(
    "text", ["1,000", "1_000", "nan", "inf", "1e999", "٣", "many", " ", " 5", "0x10", "5 %"]
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text) if text != "1e999" else "1e999"):
        number(text)


def test_a_good_row_has_no_problem() -> None:
    assert problems() == []


def test_a_published_standard_error_and_the_level_of_an_interval_are_good() -> None:
    assert problems(low="20000", high="40000", sd="5100", level="0.95") == []


def test_a_row_with_an_empty_population_is_good() -> None:
    assert problems(population="") == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"unit": "km"}, ("unit", "km", "for losses: persons, persons/month, persons/day")),
        (
            {"quantity": "killed_share", "value": "0.3"},
            ("unit", "persons", "for killed_share: share"),
        ),
        ({"value": "-5"}, ("value", "-5", "0 or more")),
        ({"low": "-5"}, ("low", "-5", "0 or more")),
        ({"low": "9", "high": "8", "hedge": "range"}, ("low", "9", "not above high 8")),
        ({"low": "40000", "high": "50000"}, ("value", "30000", "between low 40000 and high 50000")),
        (
            {"period_end": "2024-12-31"},
            ("period_end", "2024-12-31", "not before period_start 2025-01-01"),
        ),
        (
            {"period_end": ""},
            ("period_start", "'2025-01-01' to ''", "both dates, for a claim that counts"),
        ),
        ({"hedge": ""}, ("hedge", "", "a hedge, for a claim that counts")),
        ({"value": ""}, ("value", "", "a value, for hedge about")),
        ({"value": "0"}, ("value", "0", "above 0, for a claim that counts")),
        ({"hedge": "range", "low": "5"}, ("low", "'5' to ''", "low below high, for a range")),
        (
            {"hedge": "range", "low": "5", "value": "5", "high": "5"},
            ("low", "'5' to '5'", "low below high, for a range"),
        ),
        (
            {"quantity": "killed_share", "unit": "share", "value": "1.1"},
            ("value", "1.1", "a share from 0 to 1"),
        ),
        (
            {"quantity": "killed_share", "unit": "share", "value": "1"},
            ("value", "1", "below 1, for a claim that counts"),
        ),
        (
            {"quantity": "recruits", "status": "confirmed"},
            (
                "status",
                "confirmed",
                "confirmed only for quantity losses or irrecoverable or killed",
            ),
        ),
        (
            {"status": "confirmed", "hedge": "up_to"},
            ("hedge", "up_to", "a confirmed figure is a floor: not under or up_to"),
        ),
        (
            {"status": "confirmed", "hedge": "range", "low": "0", "high": "9", "value": ""},
            ("low", "0", "above 0, for a floor"),
        ),
        (
            {"quantity": "force_size"},
            ("period_end", "2025-01-31", "the same day as period_start 2025-01-01, for a stock"),
        ),
        (
            {"quantity": "statement", "unit": "", "status": "context", "hedge": ""},
            ("value", "30000", "empty, for a statement"),
        ),
        (
            {"quantity": "statement", "unit": "", "status": "context", "value": ""},
            ("hedge", "about", "empty, for a statement"),
        ),
        ({"sd": "0"}, ("sd", "0", "above 0")),
        (
            {"quantity": "statement", "unit": "", "status": "context", "value": "", "hedge": ""}
            | {"sd": "5"},
            ("sd", "5", "empty, for a statement"),
        ),
        (
            {"low": "20000", "high": "40000", "level": "95"},
            ("level", "95", "between 0 and 1, both left out"),
        ),
        ({"level": "0.95"}, ("level", "0.95", "empty, without low and high")),
        ({"status": "goal", "value": ""}, ("value", "", "a value, for hedge about")),
        (
            {"status": "goal", "hedge": "range", "value": ""},
            ("low", "'' to ''", "low below high, for a range"),
        ),
    ],
    ids=str,
)
def test_a_row_that_contradicts_itself_has_exactly_one_problem(
    cells: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert problems(**cells) == [expected]


@pytest.mark.parametrize("quantity", ["replacement_gap", "net_change"])
def test_a_difference_may_be_negative_or_zero(quantity: str) -> None:
    assert problems(quantity=quantity, value="-9000") == []
    assert problems(quantity=quantity, value="0") == []


def test_a_plan_may_be_above_its_whole_and_without_a_period() -> None:
    cells = {"quantity": "plan_share", "unit": "share", "status": "context", "value": "1.03"}
    assert problems(**cells, period_start="", period_end="") == []


def test_the_rows_of_a_table_have_the_problems_of_each() -> None:
    cells = [{}, {"unit": "km", "value": "-5"}, {"period_end": ""}, {"value": "many"}]
    table = pd.DataFrame([row(**changed) for changed in cells], index=[2, 3, 5, 8], dtype=str)
    expected = [
        (line, *problem)
        for line, changed in zip(table.index, cells, strict=True)
        for problem in problems(**changed)
    ]
    assert len(expected) == 3
    assert inconsistent_rows(table) == expected


def test_a_claim_that_is_derived_from_a_circle_is_not_in_it() -> None:
    found = derivation_problems(pd.Series({"A": "B", "B": "A", "C": "B", "D": ""}), set("ABCD"))
    assert sorted(found) == ["A", "B"]


def test_a_long_chain_of_claims_is_no_circle() -> None:
    ids = [f"C{n}" for n in range(30_000)]  # each with all before it: 450 million
    assert derivation_problems(pd.Series(["", *ids[:-1]], index=ids), set(ids)) == {}


def test_of_many_ids_that_are_in_no_table_the_first_get_a_hint() -> None:
    ids = [f"C{n:04}" for n in range(1000)]
    found = derivation_problems(pd.Series([f"X{n}" for n in range(1000)], index=ids), set(ids))
    assert len(found) == 1000
    assert found["C0000"].startswith("ids of other claims; ")
    assert found["C0999"] == "ids of other claims"
    assert max(map(len, found.values())) < 300
