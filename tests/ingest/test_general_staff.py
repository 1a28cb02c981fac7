from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from estimator.errors import IngestError
from estimator.ingest.settings import Settings
from tests.ingest.made import json_file, read, reasons, records, remarks

DAILY = Settings(every="day")
TOTALS: dict[str, object] = {
    "2022-02-25": 2800,
    "2022-02-26": 4300,
    "2022-02-28": 5300,
    "2022-03-01": 5710,
    "2022-03-31": 17500,
}


def test_differences_of_neighbouring_days_become_losses_of_those_days(tmp_path: Path) -> None:
    claims, _ = read("general-staff", json_file(tmp_path / "a.json", records(TOTALS)), DAILY)
    assert list(claims["value"]) == [2800, 1500, 1000, 410, 11790]
    assert list(claims["period_start"].dt.strftime("%m-%d")) == [
        "02-24",
        "02-26",
        "02-27",
        "03-01",
        "03-02",
    ]
    assert set(claims["hedge"]) == {"exact"}
    assert set(claims["status"]) == {"claimed"}
    assert set(claims["origin"]) == {"general_staff_ukraine"}
    assert set(claims["speaker"]) == {"enemy"}
    assert set(claims["population"]) == {"russian_forces"}
    assert (claims["published"] == claims["period_end"]).all()
    assert claims["id"].iloc[0] == "general_staff_ukraine-losses-2022-02-25"


def test_months_are_as_in_the_shipped_table(tmp_path: Path) -> None:
    path = json_file(tmp_path / "a.json", records(TOTALS))
    claims, ingested = read("general-staff", path, Settings(every="month"))
    assert list(claims["value"]) == [5300, 12200]  # GS-2022-02, GS-2022-03
    assert list(claims["period_start"].dt.strftime("%m-%d")) == ["02-24", "03-01"]
    assert ingested.ledger.used == [1, 2, 3, 4, 5]


def test_a_gap_is_covered_by_the_next_difference_and_told(tmp_path: Path) -> None:
    _, ingested = read("general-staff", json_file(tmp_path / "a.json", records(TOTALS)), DAILY)
    gaps = [entry for entry in ingested.ledger.remarks if "days without a total" in entry.reason]
    assert [(entry.row, entry.detail) for entry in gaps] == [
        (3, "1 after 2022-02-26"),
        (5, "29 after 2022-03-01"),
    ]


def test_a_fall_leaves_out_as_few_records_as_possible(tmp_path: Path) -> None:
    totals = TOTALS | {"2022-03-01": 57100}  # a typing error upwards
    claims, ingested = read("general-staff", json_file(tmp_path / "a.json", records(totals)), DAILY)
    assert list(claims["value"]) == [2800, 1500, 1000, 12200]
    assert list(reasons(ingested)) == [4]
    assert "would have to fall" in reasons(ingested)[4]


def test_days_without_a_rise_go_with_the_next_rise(tmp_path: Path) -> None:
    totals: dict[str, object] = {
        "2022-03-10": 12000,
        "2022-03-11": 12000,
        "2022-03-12": 12000,
        "2022-03-13": 13500,
        "2022-03-14": 13500,
    }
    claims, ingested = read("general-staff", json_file(tmp_path / "a.json", records(totals)), DAILY)
    assert list(claims["value"]) == [12000, 1500]
    assert claims["period_start"].iloc[1].strftime("%m-%d") == "03-11"
    assert list(reasons(ingested)) == [5]


def test_equal_repeats_are_dropped_and_contradicting_ones_both_left_out(tmp_path: Path) -> None:
    found = records(TOTALS)
    found += [found[1], {**found[2], "personnel": 9999}]
    claims, ingested = read("general-staff", json_file(tmp_path / "a.json", found), DAILY)
    assert reasons(ingested) == {
        6: "repeats another row",
        3: "contradicts another total of the same day",
        7: "contradicts another total of the same day",
    }
    assert claims["value"].sum() == 17500


def test_without_day_numbers_the_first_record_is_only_reckoned_from(tmp_path: Path) -> None:
    found = [{k: v for k, v in r.items() if k != "day"} for r in records(TOTALS)]
    path = json_file(tmp_path / "a.json", found)
    claims, ingested = read("general-staff", path, DAILY)
    assert claims["value"].sum() == 17500 - 2800
    assert 1 in ingested.ledger.used
    claims, _ = read("general-staff", path, Settings(every="day", war_start=pd_date("2022-02-24")))
    assert claims["value"].sum() == 17500


def pd_date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_a_day_number_that_disagrees_is_told(tmp_path: Path) -> None:
    found = records(TOTALS)
    found[2]["day"] = 77
    _, ingested = read("general-staff", json_file(tmp_path / "a.json", found), DAILY)
    assert "day number and date disagree; the date is used" in remarks(ingested)


def test_totals_can_be_kept_as_sums(tmp_path: Path) -> None:
    path = json_file(tmp_path / "a.json", records(TOTALS))
    claims, _ = read("general-staff", path, Settings(every="day", cumulative="keep"))
    assert list(claims["value"]) == list(TOTALS.values())
    assert claims["period_start"].nunique() == 1


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("12 00", "personnel: not a number in plain notation"),
        (-5, "personnel: negative"),
        (None, "personnel: empty"),
        (True, "personnel: not a number in plain notation"),
        ([1], "personnel: not a number in plain notation"),
        ({"a": 1}, "personnel: not a number in plain notation"),
        (10**40, "personnel: more than all people"),
        (float("nan"), "personnel: empty"),
        (float("inf"), "personnel: not a number in plain notation"),
    ],
)
def test_a_bad_count_is_skipped_with_its_reason(tmp_path: Path, cell: object, reason: str) -> None:
    found = records(TOTALS)
    found[3]["personnel"] = cell
    claims, ingested = read("general-staff", json_file(tmp_path / "a.json", found), DAILY)
    assert reasons(ingested) == {4: reason}
    assert claims["value"].sum() == 17500


def test_unknown_keys_are_told_and_known_ones_are_not(tmp_path: Path) -> None:
    found = [r | {"personnel*": "about", "POW": 0, "tank": 1} for r in records(TOTALS)]
    _, ingested = read("general-staff", json_file(tmp_path / "a.json", found), DAILY)
    unknown = [e.detail for e in ingested.ledger.remarks if "unknown column" in e.reason]
    assert unknown == ["'tank'"]


def test_other_records_and_doubled_keys_are_skipped(tmp_path: Path) -> None:
    text = json.dumps([*records(TOTALS), 5, "x", None])
    twice = '{"date": "2022-04-01", "date": "2022-04-02", "personnel": 18000}'
    path = tmp_path / "a.json"
    path.write_text(f"{text[:-1]}, {twice}]", encoding="utf-8")
    _, ingested = read("general-staff", path, DAILY)
    assert [reasons(ingested)[n] for n in (6, 7, 8, 9)] == [
        "not a record",
        "not a record",
        "not a record",
        "a key stands twice in the record",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("[]", "the list is empty"),
        ('{"2022-02-25": 2800}', "found a record with keys '2022-02-25'; expected a list"),
        ("[1, 2]", "no row became a claim"),
        ("[{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (
            '[{"date": "2022-02-25", "personnel_": 5}]',
            "column 'personnel' is missing; did you mean",
        ),
        ('[{"date": "25.02.2022", "personnel": 5}]', "has the format changed?"),
        ('[{"date": "0001-01-01", "personnel": 5}]', "year not from 1900 to 2199"),
    ],
)
def test_what_is_no_such_file_is_one_clear_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IngestError, match=r"a\.json") as caught:
        read("general-staff", path, DAILY)
    assert said in str(caught.value)


def test_a_byte_order_mark_is_read_and_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(records(TOTALS)).encode())
    assert len(read("general-staff", path, DAILY)[0]) == 5
    path.write_bytes(json.dumps(records(TOTALS)).encode("utf-16"))
    assert len(read("general-staff", path, DAILY)[0]) == 5
    path.write_bytes(b'[{"date": "\xe9"}]')
    with pytest.raises(IngestError, match="not UTF-8"):
        read("general-staff", path, DAILY)


def test_a_start_later_than_that_of_the_totals_is_refused(tmp_path: Path) -> None:
    path = json_file(tmp_path / "t.json", records({"2023-01-31": 127_500, "2023-02-28": 150_000}))
    with pytest.raises(IngestError, match="found 2023-01-01; allowed: up to 2022-02-24"):
        read("general-staff", path, Settings(war_start=dt.date(2023, 1, 1)))


def test_days_of_rounded_totals_are_told_and_months_are_not(tmp_path: Path) -> None:
    totals: dict[str, object] = {f"2022-03-{day:02d}": 5000 + 200 * day for day in range(1, 32)}
    path = json_file(tmp_path / "a.json", records(totals))
    _, daily = read("general-staff", path, Settings(every="day"))
    assert [reason for reason in remarks(daily) if "rounding" in reason]
    assert remarks(read("general-staff", path, Settings(every="month"))[1]) == []
