from __future__ import annotations

import pytest

from estimator.errors import (
    ConfigError,
    DiagnosticsError,
    EstimatorError,
    EvidenceError,
    OutputError,
    nearest,
    problems_text,
    shortened,
)


def test_nearest_names_the_one_close_name() -> None:
    assert nearest("aboutt", ["about", "nearly", "exact"]) == "did you mean 'about'?"


def test_nearest_lists_all_names_if_none_is_close() -> None:
    assert nearest("zzz", ["about", "nearly"]) == "allowed: about, nearly"


def test_nearest_gives_as_many_names_as_are_wanted() -> None:
    assert nearest("plan_10", ["plan_100", "plan_101"], count=2).count("plan_10") == 2


def test_problems_stand_one_to_a_line_under_the_heading() -> None:
    assert problems_text("Bad:", ["one", "two"]) == "Bad:\n  - one\n  - two"


def test_a_message_has_twenty_lines_at_most_and_says_how_many_more_there_are() -> None:
    whole = problems_text("Bad:", map(str, range(19)))
    assert shortened(whole) == whole
    cut = shortened(problems_text("Bad:", map(str, range(1019)))).splitlines()
    assert len(cut) == 20
    assert cut[18:] == ["  - 17", "  and 1,001 more"]
    assert shortened(problems_text("Bad:", map(str, range(1019)), 30)).splitlines() == cut


def test_of_a_long_line_the_middle_is_left_out() -> None:
    line = shortened(f"a.csv: row 2: found '{'x' * 100_000}'; allowed: a number")
    assert len(line) < 2_100
    assert line.startswith("a.csv: row 2: found 'xxx")
    assert line.endswith("'; allowed: a number")


@pytest.mark.parametrize("error", [ConfigError, EvidenceError, OutputError, DiagnosticsError])
def test_every_error_on_purpose_is_an_estimator_error(error: type[EstimatorError]) -> None:
    assert issubclass(error, EstimatorError)


def test_failed_diagnostics_have_an_exit_status_of_their_own() -> None:
    assert DiagnosticsError.exit_status == 3
    assert {ConfigError.exit_status, EvidenceError.exit_status, OutputError.exit_status} == {2}
