"""Progress bars: gone when all is done, and never there where output is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def progress_bar(console: Console, *columns: ProgressColumn) -> Bar:
    """Make a bar of some columns; it is not started yet."""
    from rich.progress import Progress as Bar

    return Bar(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def counting_bar(console: Console, first: str) -> Iterator[Progress]:
    """Show what is being done and how far it is.

    Parameters
    ----------
    console
        Where to.
    first
        What is being done before anything is told.

    Yields
    ------
    callable
        To be told.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    bar = progress_bar(
        console,
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with bar:
        task = bar.add_task(first, total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield tell
