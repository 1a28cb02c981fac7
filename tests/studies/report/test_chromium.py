"""The pages in a real browser: light, dark, on a phone, printed, offline.

Debian's Chromium is installed where it is missing and can be; else the tests are skipped, but for
continuous integration (environment variable CI), where they fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from estimator.show.figures._look import SMALL_SIZE
from estimator.studies.report.page import BRIEF, IN_DETAIL
from tests.studies.report.conftest import rendered

pytestmark = pytest.mark.slow

PHONE, DESKTOP = 360, 1280
FLAGS = (
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
NAMES = ("full", "failed", "hostile")
PAGES = {"report": BRIEF, "details": IN_DETAIL}
WHITE, BLACK = "rgb(255, 255, 255)", "rgb(20, 24, 28)"


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


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages in brief, each with its details beside it."""
    found = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name)
        for page in ("report", "details"):
            text = str(getattr(rendered(name), page))
            (folder / f"{page}.html").write_text(text, encoding="utf-8")
        found[name] = folder / "report.html"
    return found


@dataclass
class Opened:
    """A page in the browser, and all that it did."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)


@pytest.fixture
def show(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Open a page offline, and watch it."""
    contexts = []

    def opened(
        name: str, page: str = "report", width: int = DESKTOP, scheme: str = "light"
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        one = Opened(context.new_page())
        one.page.on("request", lambda request: one.requests.append(request.url))
        one.page.on("console", lambda message: one.complaints.append(message.text))
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.on("dialog", lambda dialog: one.complaints.append(f"dialog: {dialog.message}"))
        one.page.goto(pages[name].with_name(f"{page}.html").as_uri())
        return one

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", NAMES)
def test_it_opens_offline_silently_and_nothing_sticks_out(
    show: Any, tmp_path: Path, name: str, page: str
) -> None:
    opened = show(name, page)
    for width in (DESKTOP, PHONE):
        opened.page.set_viewport_size({"width": width, "height": 800})
        for section in PAGES[page]:
            box = opened.page.locator(f"#{section}").bounding_box()
            assert box["width"] > 0.8 * width - 210
            assert box["height"] > 60
            assert opened.page.locator(f"#{section} h2").is_visible()
        assert opened.run("document.documentElement.scrollWidth") == width
    shot = tmp_path / f"{name}-{page}.png"
    opened.page.screenshot(path=str(shot), full_page=True)
    assert shot.stat().st_size > 50_000
    opened.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.run("document.querySelectorAll('script, img, base, iframe').length") == 0
    if name == "hostile":
        assert "<script>alert(1)</script>" in opened.page.locator("h1").inner_text()
    assert opened.complaints == []
    assert len(opened.requests) == 1
    assert opened.run("performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("page", PAGES)
def test_on_a_phone_letters_in_pictures_can_be_read_and_wide_tables_scroll_by_keyboard(
    show: Any, page: str
) -> None:
    opened = show("full", page, PHONE)
    sizes = opened.run(
        """[...document.querySelectorAll('svg')]
        .filter(svg => svg.getBoundingClientRect().width > 0)
        .map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    )
    assert sizes
    assert min(sizes) * SMALL_SIZE >= 9
    wide = opened.run(
        """[...document.querySelectorAll('.scroll')]
        .filter(box => box.scrollWidth > box.clientWidth + 1)
        .map(box => [getComputedStyle(box).overflowX, box.tabIndex])"""
    )
    assert wide
    assert all(found == ["auto", 0] for found in wide)


@pytest.mark.parametrize("page", PAGES)
def test_ground_and_ink_follow_the_reader_s_scheme_and_paper_is_white(show: Any, page: str) -> None:
    opened = show("full", page)
    for scheme, ground in (("light", WHITE), ("dark", BLACK)):
        opened.page.emulate_media(color_scheme=scheme)
        assert opened.run("getComputedStyle(document.body).backgroundColor") == ground
        inks = opened.run(
            """[getComputedStyle(document.body).color,
            ...[...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill)]"""
        )
        assert len(set(inks)) == 1
    folded = "[...document.querySelectorAll('details .scroll')].map(e => e.checkVisibility())"
    assert True not in opened.run(folded)
    opened.page.emulate_media(media="print")
    assert False not in opened.run(folded)
    assert opened.run("getComputedStyle(document.body).backgroundColor") == WHITE
    assert not opened.page.locator("nav").is_visible()


def test_the_page_in_brief_fits_on_four_printed_pages(show: Any) -> None:
    paper = show("full").page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 4


def test_a_screen_reader_is_told_of_every_picture_and_table_that_is_seen(show: Any) -> None:
    for page, least in (("report", 2), ("details", 15)):
        opened = show("full", page)
        opened.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        pictures, tables = (opened.page.get_by_role(role) for role in ("img", "table"))
        seen = "[...document.querySelectorAll('svg')].filter(e => e.checkVisibility()).length"
        assert pictures.count() == opened.run(seen) >= 1
        assert tables.count() == opened.page.locator("table").count() >= least
        assert opened.page.get_by_role("navigation", name="Sections").count() == 1


def test_links_lead_from_a_verdict_to_its_claim_and_back(show: Any) -> None:
    opened = show("full")
    opened.page.locator("#verdicts tbody a").filter(has_text="9,000").first.click()
    opened.page.wait_for_url("**/details.html#claim-*")
    top = opened.run("document.querySelector(':target').getBoundingClientRect().top")
    assert -5 <= top <= 800
    assert "S11" in opened.page.locator(":target").inner_text()
    opened.page.locator("#claims .back a").click()
    opened.page.wait_for_url("**/report.html#verdicts")
    assert opened.complaints == []
