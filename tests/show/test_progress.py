from __future__ import annotations

import io

from rich.console import Console

from estimator.show.progress import counting_bar


def shown(*, terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80)
    with counting_bar(console, "read") as tell:
        tell("fit", 3, 7)
    return written.getvalue()


def test_a_terminal_is_shown_what_is_done_and_how_far_it_is() -> None:
    text = shown(terminal=True)
    assert "fit" in text
    assert "3/7" in text


def test_output_that_is_no_terminal_gets_no_bar() -> None:
    assert shown(terminal=False).strip() == ""
