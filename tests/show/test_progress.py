from __future__ import annotations

import io

from rich.console import Console

from estimator.show.progress import counting_bar


def shown(*, terminal: bool, what: str = "fit") -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=120)
    with counting_bar(console, "read") as tell:
        tell(what, 3, 7)
    return written.getvalue()


def test_a_terminal_is_shown_what_is_done_and_how_far_it_is() -> None:
    text = shown(terminal=True)
    assert "fit" in text
    assert "3/7" in text


def test_brackets_in_what_is_done_are_shown_and_not_read_as_markup() -> None:
    text = shown(terminal=True, what="evidence.files=[/home/me/claims.csv],origins=[bold]")
    assert "[/home/me/claims.csv]" in text
    assert "[bold]" in text


def test_output_that_is_no_terminal_gets_no_bar() -> None:
    assert shown(terminal=False).strip() == ""
