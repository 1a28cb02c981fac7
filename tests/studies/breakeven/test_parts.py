from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimator.errors import OutputError
from estimator.show.break_even import BreakEven, Crossing
from estimator.studies.breakeven.parts import (
    crossing_rows,
    publish_break_evens,
    read_break_evens,
    refit_rows,
    tidy_table,
)
from tests.studies.breakeven import toy


def assert_same(one: BreakEven, other: BreakEven) -> None:
    for name in ("curve", "refits", "contour"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_dtype=False)
    plain_one, plain_other = one.to_dict(), other.to_dict()
    assert json.dumps(plain_one, sort_keys=True) == json.dumps(plain_other, sort_keys=True)


@pytest.mark.parametrize("one", [toy.result(), toy.result_of_two_keys(),
                                 toy.result(as_it_is=np.nan, as_it_is_error=np.nan)])  # fmt: skip
def test_what_is_written_is_read_back(one: BreakEven, tmp_path: Path) -> None:
    files = publish_break_evens([one], tmp_path / "new")
    assert {path.name for path in files} == {
        f"breakeven.{kind}" for kind in ("csv", "md", "json", "png", "svg")
    }
    assert all(path.stat().st_size > 200 for path in files)
    (found,) = read_break_evens(tmp_path / "new")
    assert_same(found, one)


def test_the_facts_of_the_contract_are_there() -> None:
    one = toy.result()
    assert (one.key, one.unit, one.low, one.high) == ("returns.rate", "share", 0.1, 0.9)
    assert {"value", "probability", "error", "k_hat", "ess"} <= set(one.curve)
    assert {"value", "probability", "error"} <= set(one.refits)
    assert toy.result_of_two_keys().key == "returns.rate x force.other_exits"


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"axes": []}]'])
def test_a_file_that_is_something_else_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "breakeven.json").write_text(content)
    if content == "{}":
        assert read_break_evens(tmp_path) == []
        return
    with pytest.raises(OutputError, match="cannot be read"):
        read_break_evens(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        publish_break_evens([toy.result()], tmp_path / "file")


def test_the_table_holds_crossings_curve_and_fits_with_where_they_come_from() -> None:
    table = tidy_table([toy.result(), toy.result_of_two_keys()])
    counts = table.groupby(["key", "kind"]).size()
    one, two = "returns.rate", "returns.rate x force.other_exits"
    assert counts[one].to_dict() == {"crossing": 1, "curve": 9, "refit": 2, "check": 1}
    assert counts[two].to_dict() == {
        "curve": 25,
        "refit": 2,
        "contour: level": 2,
        "contour: lower": 2,
        "contour: upper": 2,
    }
    assert set(table["assumption_set_id"]) == {"0123456789abcdef"}
    crossing = table[table["kind"] == "crossing"].iloc[0]
    assert (crossing["value"], crossing["low"], crossing["high"]) == (0.51, 0.48, 0.53)


def test_names_of_sets_are_harmless_in_csv_and_markdown(tmp_path: Path) -> None:
    one = replace(
        toy.result(), assumption_set="=cmd()", sentence="Under `=cmd()` <script>x</script> | y"
    )
    publish_break_evens([one], tmp_path)
    rows = list(csv.DictReader((tmp_path / "breakeven.csv").read_text().splitlines()))
    assert len(rows) > 10
    assert {row["assumption_set"] for row in rows} == {"'=cmd()"}
    text = (tmp_path / "breakeven.md").read_text()
    assert "<script>" not in text.replace("\\<script>", "")


def test_the_document_has_sentence_tables_notes_failures_and_provenance(tmp_path: Path) -> None:
    publish_break_evens([replace(toy.result(), failures=("R-hat 1.2 > 1.01",))], tmp_path)
    text = (tmp_path / "breakeven.md").read_text(encoding="utf-8")
    for part in (
        "falls under 0.50",
        "| 0.51 | [0.48, 0.53] | falls | 1 |",
        "One note.",
        "FAILED its diagnostics: R-hat 1.2",
        "0123456789abcdef",
        "data abc",
        "seed 1",
    ):
        assert part in text


def test_rows_say_direction_values_and_why_a_fit_is_not_used() -> None:
    one = toy.result()
    assert crossing_rows(one) == [("0.51", "[0.48, 0.53]", "falls", "1")]
    assert refit_rows(one)[2][-1] == "R-hat 1.2 > 1.01"
    assert refit_rows(toy.result_of_two_keys())[0][1] == "0.300 x 2,000"


def test_an_end_that_only_the_range_sets_is_marked() -> None:
    open_end = Crossing(0.8, 0.7, 0.9, True, 0, False, open_high=True)
    assert open_end.interval_text == "[0.7, > 0.9]"
