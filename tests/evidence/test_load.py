from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.errors import EvidenceError
from estimator.evidence import read_claims
from estimator.evidence.load import claims_paths
from estimator.evidence.schema import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from estimator.paths import data_dir
from tests.evidence.tables import FLOOR, GOOD, row, write


def failure(*paths: Path) -> str:
    with pytest.raises(EvidenceError) as caught:
        read_claims([str(path) for path in paths])
    return str(caught.value)


def failure_of(folder: Path, content: bytes) -> str:
    path = folder / "claims.csv"
    path.write_bytes(content)
    return failure(path)


HEADER = ",".join(REQUIRED_COLUMNS)
LINE = ",".join(GOOD.values())


def test_the_shipped_table_is_read_whole_and_typed() -> None:
    claims = read_claims()
    assert len(claims) == 134
    assert list(claims.columns) == [*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS]
    assert claims["published"].notna().all()
    assert {claims[name].dtype for name in ("low", "value", "high")} == {np.dtype(float)}
    assert (
        claims[["id", "origin", "note", "locator"]]
        .map(lambda cell: isinstance(cell, str))
        .all(axis=None)
    )


def test_the_hash_is_that_of_the_file_s_bytes() -> None:
    content = (data_dir() / "claims.csv").read_bytes()
    assert read_claims().attrs["data_hash"] == hashlib.sha256(content).hexdigest()


def test_the_hash_changes_with_one_character(tmp_path: Path) -> None:
    one = read_claims([str(write(tmp_path / "one.csv", [row()]))])
    two = read_claims([str(write(tmp_path / "two.csv", [row(value="30001")]))])
    assert one.attrs["data_hash"] != two.attrs["data_hash"]


def test_shipped_stands_for_the_shipped_table() -> None:
    assert claims_paths(["shipped", "mine.csv"]) == [data_dir() / "claims.csv", Path("mine.csv")]


def test_a_table_beside_the_shipped_one_follows_it(tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", [row(id="MINE")])
    both = read_claims(["shipped", str(own)])
    assert len(both) == 135
    assert both["id"].iloc[-1] == "MINE"


def test_optional_columns_may_be_left_out_and_are_empty_then(tmp_path: Path) -> None:
    claims = read_claims([str(write(tmp_path / "own.csv", [row()]))])
    optional = claims[list(OPTIONAL_COLUMNS)]
    assert ((optional == "") | optional.isna()).all(axis=None)


def test_empty_figures_are_nan_and_empty_dates_nat(tmp_path: Path) -> None:
    cells = row(
        quantity="front_length", unit="km", status="context", period_start="", period_end=""
    )
    claims = read_claims([str(write(tmp_path / "own.csv", [cells]))])
    assert np.isnan(claims["low"].iloc[0])
    assert pd.isna(claims["period_start"].iloc[0])


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{LINE}\r\n".encode())
    assert read_claims([str(path)])["id"].tolist() == ["A"]


def test_quoted_cells_keep_commas_line_ends_and_unicode_separators(tmp_path: Path) -> None:
    text = 'a, "b"\nc\u2028d\x0be'
    claims = read_claims([str(write(tmp_path / "own.csv", [row(note=text)]))])
    assert claims["note"].iloc[0] == text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'no.csv'}: cannot be read (No such file" in failure(tmp_path / "no.csv")


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    assert f"{tmp_path}: cannot be read" in failure(tmp_path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    names = [name for name in REQUIRED_COLUMNS if name not in ("origin", "hedge")]
    text = failure_of(tmp_path, f"{','.join(names)}\n".encode())
    assert "column 'origin' is missing" in text
    assert "column 'hedge' is missing" in text


def test_an_unknown_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    text = failure_of(tmp_path, f"{HEADER},populaton\n{LINE},x\n".encode())
    assert "unknown column 'populaton'; did you mean 'population'?" in text


def test_a_column_that_stands_twice_is_named(tmp_path: Path) -> None:
    text = failure_of(tmp_path, f"{HEADER},note,note\n{LINE},x,y\n".encode())
    assert "column 'note' stands 2 times" in text


def test_a_row_of_another_length_is_named_by_its_number(tmp_path: Path) -> None:
    text = failure_of(tmp_path, f"{HEADER}\n{LINE}\n\n{LINE},x\n".encode())
    assert "row 4: 15 cells, the header has 14" in text


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "the file is empty; its first row must be the header" in failure_of(tmp_path, content)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    assert "the table has no rows" in failure_of(tmp_path, f"{HEADER}\n\n".encode())


def test_a_file_that_is_not_utf_8_is_refused_with_its_row(tmp_path: Path) -> None:
    content = f"{HEADER}\n{LINE}\n{LINE.replace('paper', 'Zürich')}\n".encode("latin-1")
    assert "row 3: not UTF-8 (byte 0xfc); save it as UTF-8" in failure_of(tmp_path, content)


def test_an_unclosed_quote_is_refused(tmp_path: Path) -> None:
    text = failure_of(tmp_path, f'{HEADER}\n{LINE}\n"B,losses\n'.encode())
    assert "not a CSV table (unexpected end of data)" in text


def test_a_bad_cell_is_named_by_file_row_id_column_found_and_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "own.csv", [row(), row(id="B", value="many")])
    assert failure(path).splitlines()[1:] == [
        f"  - {path}: row 3 (id 'B'), column 'value': found 'many'; "
        "allowed: a number in plain notation, or empty"
    ]


def test_an_empty_line_does_not_shift_the_row_numbers(tmp_path: Path) -> None:
    bad = LINE.replace("30000", "many").replace("A,", "B,", 1)
    text = failure_of(tmp_path, f"{HEADER}\n{LINE}\n\n{bad}\n".encode())
    assert "row 4 (id 'B'), column 'value'" in text


def test_an_id_twice_in_one_file_is_named_where_it_comes_again(tmp_path: Path) -> None:
    text = failure(write(tmp_path / "own.csv", [row(), row(id="B"), row()]))
    assert "row 4 (id 'A'), column 'id': found 'A'; allowed: an id that no other row has" in text
    assert "row 2" not in text


def test_an_id_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", [row()])
    two = write(tmp_path / "two.csv", [row(id="B"), row()])
    assert f"{two}: row 3 (id 'A'), column 'id': found 'A', which {one} has too" in failure(
        one, two
    )


def test_an_id_of_the_shipped_table_is_taken(tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", [row(id="S01")])
    with pytest.raises(EvidenceError, match=r"found 'S01', which .*claims\.csv has too"):
        read_claims(["shipped", str(own)])


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    one = write(
        tmp_path / "one.csv",
        [row(quantity="loses"), row(id="B", value="-1"), row(id="C", published="soon")],
    )
    two = write(tmp_path / "two.csv", [row(hedge="aboutt")])
    text = failure(one, tmp_path / "none.csv", two)
    for expected in (
        f"{one}: row 2 (id 'A'), column 'quantity': found 'loses'",
        "(did you mean 'losses'?)",
        f"{one}: row 3 (id 'B'), column 'value': found '-1'; allowed: 0 or more",
        f"{one}: row 4 (id 'C'), column 'published': found 'soon'",
        f"{tmp_path / 'none.csv'}: cannot be read",
        f"{two}: row 2 (id 'A'), column 'hedge': found 'aboutt'",
        "(did you mean 'about'?)",
        f"{two}: row 2 (id 'A'), column 'id': found 'A', which {one} has too",
    ):
        assert expected in text
    assert len(text.splitlines()) == 1 + 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(column=st.sampled_from(REQUIRED_COLUMNS), cell=st.text(max_size=12))
def test_whatever_stands_in_a_cell_it_is_read_or_refused_by_an_evidence_error(
    folder: Path, column: str, cell: str
) -> None:
    path = write(folder / "cell.csv", [row(**FLOOR), row(**{column: cell})])
    try:
        claims = read_claims([str(path)])
    except EvidenceError as error:
        assert str(path) in str(error)
    else:
        assert len(claims) == 2
        assert claims["published"].notna().all()
        assert claims["period_start"].notna().all()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_bytes_a_file_has_it_is_refused_by_an_evidence_error(
    folder: Path, content: bytes
) -> None:
    assert "bytes.csv" in failure_of_bytes(folder / "bytes.csv", content)


def failure_of_bytes(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return failure(path)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                name: st.sampled_from(["", "0", "1", "2.5", "-3", "1e400"])
                for name in ("low", "high")
            }
            | {"value": st.sampled_from(["", "1", "2", "nan", "٣", "1_000"])}
            | {"hedge": st.sampled_from(["about", "range", "", "up_to"])}
            | {"status": st.sampled_from(["claimed", "confirmed", "goal", "fact"])}
            | {"quantity": st.sampled_from(["losses", "killed_share", "force_size", "statement"])}
            | {"unit": st.sampled_from(["persons", "share", "", "men"])}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_rows_of_any_make_are_read_or_refused_by_an_evidence_error(
    folder: Path, rows: list[dict[str, str]]
) -> None:
    path = write(folder / "rows.csv", [row(id=f"R{i}", **cells) for i, cells in enumerate(rows)])
    try:
        claims = read_claims([str(path)])
    except EvidenceError as error:
        assert f"{path}: row" in str(error)
    else:
        assert len(claims) == len(rows)
        assert not (claims["low"] > claims["high"]).any()


def test_claims_may_derive_from_claims_of_another_table(tmp_path: Path) -> None:
    first = write(tmp_path / "first.csv", [row()])
    second = write(tmp_path / "second.csv", [row(id="B", derived_from="A;C"), row(id="C")])
    claims = read_claims([str(first), str(second)]).set_index("id")
    assert claims.loc["B", "derived_from"] == "A;C"


def test_all_that_cannot_be_derived_from_is_told_at_once(tmp_path: Path) -> None:
    rows = [
        row(derived_from="C"),
        row(id="B", derived_from="A"),
        row(id="C", derived_from="B"),
        row(id="D", derived_from="D"),
        row(id="E", derived_from="A BB"),
    ]
    with pytest.raises(EvidenceError) as error:
        read_claims([str(write(tmp_path / "own.csv", rows))])
    text = str(error.value)
    for line, (name, found) in enumerate([("A", "C"), ("B", "A"), ("C", "B"), ("D", "D")], start=2):
        assert (
            f"row {line} (id {name!r}), column 'derived_from': found {found!r}; "
            "allowed: claims that are not derived from this one" in text
        )
    assert "row 6 (id 'E'), column 'derived_from': found 'A BB'; allowed: ids of other" in text


def test_a_group_is_a_name_that_configuration_can_have_as_a_key(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"'evidence_group': found 'the gap'; allowed: a name"):
        read_claims([str(write(tmp_path / "own.csv", [row(evidence_group="the gap")]))])
