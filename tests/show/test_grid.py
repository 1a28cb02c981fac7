from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from estimator.show.grid import Cell, Grid, column


def printed(grid: Grid, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(grid)
    return file.getvalue()


def test_markup_and_control_characters_in_a_text_are_printed_as_they_are_read() -> None:
    row = ("[bold]a[/]", "1\x1b[31m")
    text = printed(Grid.of("[red]t[/]", ("[b]", "x"), [row], ["[i]note"]), 100)
    assert all(part in text for part in ("[red]t[/]", "[b]", "[bold]a[/]", "1 [31m", "[i]note"))


def test_markdown_has_all_cells_with_what_could_be_markup_escaped() -> None:
    columns = ("set", "x", column("why", "long"))
    rows = [("a|b", Cell("1", "[0, 2]"), "<b>"), ("c", "2", "")]
    assert Grid.of("losses_total", columns, rows, ["a_note"]).markdown().splitlines() == [
        "## losses\\_total",
        "",
        "| set | x | why |",
        "|---|---:|---|",
        "| a\\|b | 1 [0, 2] | \\<b> |",
        "| c | 2 |  |",
        "",
        "a\\_note",
    ]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="table 't': each row must have 2 cells"):
        Grid.of("t", ("a", "b"), [("1",)])


@given(
    width=st.integers(24, 120),
    label=st.text("abc,=.", min_size=1, max_size=120),
    numbers=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=12),
)
def test_no_width_and_no_long_name_takes_a_number_away(
    width: int, label: str, numbers: list[int]
) -> None:
    cells = [Cell(f"{number:,}", f"[{number - 7:,}, {number + 7:,}]") for number in numbers]
    columns = ["set", *(f"heading of {n}" for n in range(len(numbers)))]
    lines = printed(Grid.of("title", columns, [[label, *cells]]), width).splitlines()
    assert max(map(len, lines)) <= width
    words = "\n".join(lines).split()
    for number in numbers:
        for text in (f"{number:,}", f"[{number - 7:,},", f"{number + 7:,}]"):
            assert text in words, (text, lines)


def test_a_range_stands_beside_its_median_where_there_is_room_and_below_it_where_not() -> None:
    grid = Grid.of("t", ("set", "a", "b"), [("x", Cell("1", "[0, 2]"), Cell("3", "[1, 5]"))])
    assert "1 [0, 2]  3 [1, 5]" in printed(grid, 60)
    assert [line.split() for line in printed(grid, 22).splitlines()[4:6]] == [
        ["x", "1", "3"],
        ["[0,", "2]", "[1,", "5]"],
    ]


def test_where_names_do_not_fit_each_stands_whole_on_a_line_above_its_row() -> None:
    numbers = [Cell("1,234.5", "[1,000.0, 2,000.0]"), Cell("2"), Cell("3")]
    names = ["a_name,that=[is,longer],than=the.table.is.wide", "b_name,that=too", ""]
    grid = Grid.of("t", ("set", "a", "b", "c"), [[name, *numbers] for name in names])
    lines = printed(grid, 46).splitlines()
    assert max(map(len, lines)) <= 46
    assert [line for line in lines if line in names[:2]] == names[:2]
    assert sum("1,234.5" in line for line in lines) == len(names)
    starts = {line.index("1,234.5") for line in lines if "1,234.5" in line}
    assert len(starts) == 1  # in one column, whatever the name
