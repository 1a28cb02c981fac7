"""Tables of estimates and of what came: what is read, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from estimator.errors import ScoreError
from estimator.run import Estimate
from estimator.store.model_out import COLUMNS, model_out, read_tables
from estimator.store.summary import dated_estimates
from tests.studies.score.made import LATER, quantiles, tables, write


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    keys = {"model_id": "a-b", "reference_date": "2026-01-10", "target": "losses"}
    wide = pd.DataFrame([{**keys, "target_end_date": "2026-01-31", "q95": 2e6, "q5": 1.5}])
    long = model_out(wide, {"q5": 0.05, "q95": 0.95})
    assert tuple(long) == COLUMNS
    assert long["output_type_id"].tolist() == [0.05, 0.95]
    rows = long.astype(str).agg(",".join, axis=1)
    found = tables(tmp_path, rows.tolist())
    assert found.estimates["level"].tolist() == [0.05, 0.95]
    assert found.estimates["value"].tolist() == [1.5, 2e6]


def test_other_separators_names_of_hubs_and_columns_in_any_order_are_read(tmp_path: Path) -> None:
    header = "value;target;target_date;origin_date;output_type_id;output_type;model_id;location"
    mine = write(
        tmp_path / "mine.csv", "10;losses;2026-01-31;2026-01-10;NA;median;a-b;UA", header=header
    )
    came = write(tmp_path / "later.csv", "12\tlosses\t2026-01-31",
                 header="oracle_value\ttarget\ttarget_end_date")  # fmt: skip
    found = read_tables([mine], came)
    assert found.estimates[["level", "value"]].to_numpy().tolist() == [[0.5, 10.0]]
    assert found.later["observation"].tolist() == [12.0]
    assert found.remarks == (f"{mine}: unknown column, not used: 'location'",)


def test_of_several_versions_the_last_counts_and_the_first_says_since_when_it_was_known(
    tmp_path: Path,
) -> None:
    later = (
        "target,target_end_date,as_of,observation\n"
        "losses,2026-01-31,2026-03-01,13\nlosses,2026-01-31,2026-02-01,12\n"
        "losses,2026-02-28,2026-03-01,NA\n"
    )
    (row,) = tables(tmp_path, quantiles(), later).later.to_dict("records")
    assert (row["observation"], f"{row['known_since']:%Y-%m-%d}") == (13.0, "2026-02-01")


def test_a_median_that_repeats_the_middle_quantile_is_one_number(tmp_path: Path) -> None:
    rows = [*quantiles(), "a-b,2026-01-10,losses,2026-01-31,median,,10"]
    assert len(tables(tmp_path, rows).estimates) == 5


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",2026-01-10,losses,2026-01-31,median,,1", "'model_id': found ''; allowed: not empty"),
        ("a,10.1.2026,losses,2026-01-31,median,,1", "a date as YYYY-MM-DD"),
        ("a,2026-01-10,loses,2026-01-31,median,,1", "did you mean 'losses'"),
        ("a,2026-01-10,:losses,2026-01-31,median,,1", "or origin:quantity"),
        ("a,2026-01-10,losses,2026-01-01,median,,1", "the last day of a month"),
        ("a,2026-01-10,losses,2026-01-31,pmf,x,1", "one of: quantile, median, mean"),
        ("a,2026-01-10,losses,2026-01-31,quantile,95,1", "a level between 0 and 1"),
        ("a,2026-01-10,losses,2026-01-31,quantile,,1", "a level between 0 and 1"),
        ("a,2026-01-10,losses,2026-01-31,mean,0.5,1", "empty or NA, for a mean"),
        ("a,2026-01-10,losses,2026-01-31,median,,1_000", "a number in plain notation"),
        ("a,2026-01-10,losses,2026-01-31,median,,", "a number in plain notation"),
        ("a,2026-01-10,losses,2026-01-31,median,,inf", "a number in plain notation"),
        ("a,2026-01-10,losses,2026-01-31,median,,-1", "0 or more, for losses"),
        ("a,2026-01-10,x:killed_share,2026-01-31,median,,30", "from 0 to 1, for killed_share"),
        ("a,2026-01-10,losses,2026-01-31,median,1", "not as many cells as the header has"),
    ],
)
def test_a_bad_cell_is_told_with_its_place_and_what_is_allowed(
    row: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ScoreError, match=re.escape(says)) as caught:
        tables(tmp_path, [*quantiles(), row])
    assert f"{tmp_path / 'estimates.csv'}: row 7" in str(caught.value)


def test_what_may_be_below_0_may(tmp_path: Path) -> None:
    row = "a,2026-01-10,net_change,2026-01-31,median,,-5e3"
    assert tables(tmp_path, [row]).estimates["value"].tolist() == [-5000.0]


def test_quantiles_that_fall_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match=r"row 5, .*found 9 at level 0.75; .* at least 10, .* 0.5"):
        tables(tmp_path, quantiles((5, 8, 10, 9, 15)))


def test_two_numbers_for_one_estimate_are_an_error_across_files(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", *quantiles())
    two = write(tmp_path / "two.csv", "a-b,2026-01-10,losses,2026-01-31,median,,9")
    came = tmp_path / "later.csv"
    came.write_text(LATER + "losses,2026-01-31,13\n", encoding="utf-8")
    with pytest.raises(ScoreError) as caught:
        read_tables([one, two], came)
    assert "two.csv: row 2, column 'value': found 9; " in str(caught.value)
    assert "one.csv: row 4 has 10" in str(caught.value)
    assert "later.csv: row 4, column 'observation': found 13; " in str(caught.value)


def test_all_problems_of_all_files_are_told_at_once_and_many_are_counted(tmp_path: Path) -> None:
    bad = [f"a,2026-01-10,losses,2026-01-31,quantile,{n},1" for n in range(1, 31)]
    mine = write(tmp_path / "mine.csv", *bad)
    with pytest.raises(ScoreError) as caught:
        read_tables([tmp_path / "none.csv", mine], tmp_path / "gone.csv")
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert "none.csv: cannot be read" in lines[1]
    assert lines[-1] == "  and 12 more"


def test_missing_columns_are_named(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine.csv", "1,2", header="model,value")
    with pytest.raises(ScoreError, match="column 'model_id' is missing"):
        read_tables([mine], write(tmp_path / "later.csv", header="target,target_end_date"))


def test_a_result_is_written_as_whole_months_as_of_the_last_claim(from_prior: Estimate) -> None:
    found = dated_estimates(from_prior.tree, from_prior.summary, from_prior.evidence.claims)
    losses = found[found["target"] == "losses"]
    assert losses["target_end_date"].iloc[0] == "2022-03-31"  # the war's first month is cut
    assert "2026-02-28" not in set(losses["target_end_date"])
    assert losses["target_end_date"].iloc[-1] > "2026-03-01"  # as it went on
    claims = from_prior.evidence.claims
    last = claims.loc[claims["used"], "published"].max()
    assert set(found["reference_date"]) == {f"{last:%Y-%m-%d}"}
    summary = from_prior.summary
    january = summary[(summary["month"] == "2026-01") & (summary["quantity"] == "losses")]
    values = losses.loc[losses["target_end_date"] == "2026-01-31", "value"]
    assert values.tolist() == january[["q05", "q25", "q50", "q75", "q95"]].iloc[0].tolist()
