"""Pages in a real browser, offline, and all that they do there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PHONE, DESKTOP = 360, 1280


@dataclass
class Opened:
    """A page in the browser, and all that it did."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)


@contextmanager
def closing_contexts(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open pages offline and watch them; close all at the end."""
    contexts = []

    def open_(path: Path, width: int = DESKTOP, scheme: str = "light", address: str = "") -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        one = Opened(context.new_page())
        one.page.on("request", lambda request: one.requests.append(request.url))
        one.page.on("console", lambda message: one.complaints.append(message.text))
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.on("dialog", lambda dialog: one.complaints.append(f"dialog: {dialog.message}"))
        one.page.goto(path.as_uri() + address)
        return one

    yield open_
    for context in contexts:
        context.close()
