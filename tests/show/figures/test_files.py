from __future__ import annotations

from pathlib import Path

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


def test_a_figure_keeps_the_layout_of_its_first_file_where_that_is_asked(tmp_path: Path) -> None:
    for one_layout in (False, True):
        figure = picture()
        save_figure(figure, tmp_path, "mine", one_layout=one_layout)
        assert (figure.get_layout_engine().__class__.__name__ == "PlaceHolderLayoutEngine") == (
            one_layout
        )


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"mine\.png: cannot be written"):
        save_figure(picture(), tmp_path / "file", "mine")
