"""The pages in a real browser: light, dark, on a phone, printed, offline.

`tests.studies.conftest` says what happens where there is no Chromium.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estimator.show.figures._look import SMALL_SIZE
from estimator.studies.report.page import BRIEF, IN_DETAIL
from tests.studies.browser import DESKTOP, PHONE, closing_contexts
from tests.studies.report.conftest import rendered

pytestmark = pytest.mark.slow

NAMES = ("full", "failed", "hostile")
PAGES = {"report": BRIEF, "details": IN_DETAIL}
WHITE, BLACK = "rgb(255, 255, 255)", "rgb(20, 24, 28)"


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


@pytest.fixture
def show(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Open a page offline, and watch it."""
    with closing_contexts(browser) as opened:
        yield lambda name, page="report", width=DESKTOP: opened(
            pages[name].with_name(f"{page}.html"), width
        )


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
    upper = {"x": 0, "y": 0, "width": PHONE, "height": 8000}  # all would be too high to draw
    opened.page.screenshot(path=str(shot), full_page=True, clip=upper)
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
    opened.page.locator("#verdicts tbody a").filter(has_text="about -9,000").click()
    opened.page.wait_for_url("**/details.html#claim-*")
    top = opened.run("document.querySelector(':target').getBoundingClientRect().top")
    assert -5 <= top <= 800
    assert "S11" in opened.page.locator(":target").inner_text()
    opened.page.locator("#claims .back a").click()
    opened.page.wait_for_url("**/report.html#verdicts")
    assert opened.complaints == []
