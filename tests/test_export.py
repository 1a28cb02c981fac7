from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estimator.errors import OutputError
from estimator.export import read_csv, read_text, write_csv


def test_a_table_comes_back_and_text_that_looks_like_nothing_stays_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"label": ["None", ""], "value": [1.5, 2.0]})
    pd.testing.assert_frame_equal(read_csv(write_csv(table, tmp_path / "a.csv")), table)


@pytest.mark.parametrize("content", [b"", b"\xbc\xff\n1,2\n", b'a,"b\n1,2\n'])
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"a\.csv: cannot be read .*; it is damaged: delete it"):
        read_csv(path)


def test_text_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        read_text(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"\xbc")
    with pytest.raises(OutputError, match=r"a\.txt: not text in UTF-8"):
        read_text(tmp_path / "a.txt")
