from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from estimator.errors import OutputError
from estimator.show.figures import save_figure


def picture() -> Figure:
    figure = Figure(figsize=(2, 2), layout="constrained")
    figure.subplots().set_ylabel("persons per month")
    return figure


def test_each_format_is_a_file_of_its_kind_and_nothing_else_is_left(tmp_path: Path) -> None:
    png, svg = save_figure(picture(), tmp_path / "new", "mine")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()[:2000]
    assert "<dc:date>" not in svg.read_text()
    assert sorted((tmp_path / "new").iterdir()) == [png, svg]
    assert save_figure(picture(), tmp_path, "one", formats=("png",)) == [tmp_path / "one.png"]


def test_the_same_figure_makes_the_same_files(tmp_path: Path) -> None:
    written = [save_figure(picture(), tmp_path / name, "mine") for name in ("first", "second")]
    assert [p.read_bytes() for p in written[0]] == [p.read_bytes() for p in written[1]]


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"mine\.png: cannot be written"):
        save_figure(picture(), tmp_path / "file", "mine")


def test_a_setting_of_another_library_changes_no_file(tmp_path: Path) -> None:
    (plain,) = save_figure(picture(), tmp_path / "plain", "mine", formats=("png",))
    with mpl.rc_context({"savefig.bbox": "tight"}):  # as PreliZ leaves it
        (cut,) = save_figure(picture(), tmp_path / "cut", "mine", formats=("png",))
    assert plain.read_bytes() == cut.read_bytes()
