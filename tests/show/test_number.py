from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.show import number

NAN = float("nan")
HARD = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "sign", "text"),
    [
        (33417.0, "persons/month", False, "33,400"),
        (1268345.0, "persons", False, "1,270,000"),
        (2904.0, "persons", False, "2,900"),
        (-307.2, "persons", True, "−310"),
        (12.4, "persons", False, "12"),
        (0.2, "persons", False, "0"),
        (-0.2, "persons", True, "0"),
        (0.0, "persons", True, "0"),
        (4912.0, "persons", True, "+4,900"),
        (0.31, "ratio", False, "0.31"),
        (0.02, "ratio", False, "0.02"),
        (1.0, "ratio", False, "1"),
        (-0.1234, "log ratio", False, "−0.123"),
        (0.2148, "share", False, f"21{HARD}%"),
        (0.0212, "share", False, f"2.1{HARD}%"),
        (-0.0212, "share", True, f"−2.1{HARD}%"),
        (0.0212, "share", True, f"+2.1{HARD}%"),
        (0.0, "share", False, f"0{HARD}%"),
        (0.021, "probability", False, f"2{HARD}%"),
        (0.001, "probability", False, f"under 1{HARD}%"),
        (0.999, "probability", False, f"over 99{HARD}%"),
        (1.0, "probability", False, f"100{HARD}%"),
        (0.0, "probability", False, f"0{HARD}%"),
        (NAN, "persons", False, "–"),
        (float("inf"), "share", False, "–"),
    ],
)
def test_a_number_is_written_as_precisely_as_it_is_known(
    value: float, unit: str, sign: bool, text: str
) -> None:
    assert number.rounded(value, unit, sign=sign) == text


def test_a_range_with_an_unknown_end_is_none() -> None:
    assert number.span(1000.0, 2000.0) == "1,000 to 2,000"
    assert number.span(NAN, 2000.0) == "–"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.98, None, "98 of 100"),
        (0.981, 0.984, "98 of 100"),
        (0.3, 0.96, "30 to 96 of 100"),
        (0.9999, None, "more than 99 of 100"),
        (0.001, 0.5, "fewer than 1 to 50 of 100"),
        (1.0, None, "100 of 100"),
        (0.0, None, "0 of 100"),
    ],
)
def test_chances_are_counted_in_draws(low: float, high: float | None, text: str) -> None:
    assert number.chances(low, high) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-01-01", "2026-01-31", "January 2026"),
        ("2025-12-01", "2026-01-31", "December 2025 to January 2026"),
        ("2022-02-24", "2024-02-23", "2022-02-24 to 2024-02-23"),
        ("2023-01-01", "2023-01-01", "2023-01-01"),
        (None, None, "no period said"),
        ("", "", "no period said"),
    ],
)
def test_periods_are_written_by_month_where_they_are_whole(
    start: str | None, end: str | None, text: str
) -> None:
    assert number.dates(start, end) == text


@pytest.mark.parametrize(
    ("value", "resolution", "text"),
    [
        (0.4137, 0.03, "0.41"),
        (0.4137, 0.003, "0.414"),
        (8213.4, 350.0, "8,200"),
        (164_900.0, 2000.0, "165,000"),
        (1.5, 0.0, "1.5"),
        (15_000.0, 0.0, "15,000"),
    ],
)
def test_a_number_has_the_digits_that_are_known(value: float, resolution: float, text: str) -> None:
    assert number.resolved(value, resolution) == text


def test_numbers_have_no_exponents_and_errors_one_digit() -> None:
    assert number.significant(15_000.0) == "15,000"
    assert number.significant(0.000123456) == "0.0001235"
    assert number.with_error(0.15354, 0.0041) == "0.154 ± 0.004"
    assert number.with_error(0.5, 0.2) == "0.50 ± 0.20"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (list("abcdefgh"), "a, b, c, d, e, f and 2 more"),
    ],
)
def test_names_are_listed(names: list[str], text: str) -> None:
    assert number.listed(names) == text


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_number_with_decimals_reads_back_as_itself_and_zero_has_no_sign(
    value: float, digits: int
) -> None:
    text = number.fixed(value, digits)
    assert "-" not in text
    read = float(text.replace(",", "").replace("−", "-"))
    assert math.isclose(read, value, rel_tol=1e-12, abs_tol=0.51 * 10.0**-digits)
    assert read != 0 or not text.startswith("−")


@given(st.floats(0.0, 1.0), st.integers(1, 4))
def test_a_probability_is_never_written_as_certain(value: float, digits: int) -> None:
    text = number.probability(value, digits)
    assert float(text.lstrip("<>")) not in (0.0, 1.0)
    assert abs(float(text.lstrip("<>")) - value) <= 1.001 * 10.0**-digits


@pytest.mark.parametrize(
    ("unit", "values", "more", "texts", "shown"),
    [
        ("persons/month", [33417.0, NAN], 0, "33.4", "thousand persons/month"),
        ("persons/month", [33417.0], 1, "33.42", "thousand persons/month"),
        ("persons", [1_268_345.0, 33417.0], 0, "33", "thousand persons"),
        ("persons", [NAN], 0, "33.4", "thousand persons"),
        ("share", [0.2], 1, "33,417.0000", "share"),
        ("probability", [0.2], 1, "33,417.000", "probability"),
        ("persons/km", [0.2], 0, "33,417.0", "persons/km"),
    ],
)
def test_a_column_has_as_many_decimals_as_its_size_asks_for(
    unit: str, values: list[float], more: int, texts: str, shown: str
) -> None:
    write, unit_text = number.scale(unit, np.array(values), more)
    assert (write(33417.0), unit_text) == (texts, shown)


def test_what_is_missing_leaves_its_brackets_and_its_error_out() -> None:
    assert number.interval(1.0, 3.0) == "[1, 3]"
    assert number.interval(NAN, NAN) == ""
    assert number.with_error(NAN, NAN) == number.NOTHING
