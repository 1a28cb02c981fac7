from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from estimator.show.grid import Grid
from estimator.show.part import Part, publish


def part(title: str) -> Part:
    def figures() -> Iterator[tuple[str, Figure]]:
        yield f"plots/{title}", Figure()

    return Part(
        title=title,
        sentences=["It is [bold]so[/] | <b>."],
        grids=[Grid.of("a table", ("set", "x"), [("central", "1")])],
        tables={title: pd.DataFrame({"set": ["=cmd()"], "x": [1]})},
        figures=figures,
    )


def test_every_part_is_printed_as_it_is_written(tmp_path: Path) -> None:
    file = io.StringIO()
    written = publish(
        map(part, ("first", "second")),
        tmp_path,
        document="all",
        heading="A study",
        console=Console(file=file, width=80),
        formats=("png",),
    )
    names = ("first.csv", "second.csv", "all.md", "plots/first.png", "plots/second.png")
    assert written == [tmp_path / name for name in names]
    assert all(path.stat().st_size for path in written)
    printed = file.getvalue()
    assert printed.count("It is [bold]so[/] | <b>.") == 2
    assert printed.index("first") < printed.index("a table") < printed.index("second")
    assert (tmp_path / "first.csv").read_text() == "set,x\n'=cmd(),1\n"
    lines = (tmp_path / "all.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# A study",
        "## first",
        "## a table",
        "## second",
        "## a table",
    ]
    assert "It is [bold]so[/] \\| \\<b>." in lines


def test_a_part_is_printed_before_the_next_is_worked_out(tmp_path: Path) -> None:
    file = io.StringIO()

    def parts() -> Iterator[Part]:
        yield Part(sentences=["one"])
        assert "one" in file.getvalue()
        yield Part(sentences=["two"])

    publish(parts(), tmp_path, document="all", heading="A study", console=Console(file=file))
    assert "two" in file.getvalue()


def test_without_pictures_none_is_drawn(tmp_path: Path) -> None:
    def figures() -> Iterator[tuple[str, Figure]]:
        pytest.fail("was drawn")

    publish([Part(figures=figures)], tmp_path, document="all", heading="A study", plots=False)
    assert [path.name for path in tmp_path.iterdir()] == ["all.md"]
