"""A real browser for the pages.

Debian's Chromium is installed where it is missing and can be; else the tests are skipped, but for
continuous integration (environment variable CI), where they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

FLAGS = (
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


def _without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _installed() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def chromium() -> str:
    found = _installed()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            command = ["apt-get", "--quiet", *words]
            subprocess.run(command, check=False, capture_output=True, timeout=900)  # noqa: S603
        found = _installed()
    if found is None:
        _without("no chromium: `apt-get install chromium` is needed, as root")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _without("no playwright: `pip install playwright` is needed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield opened
        opened.close()
