"""The page in a real browser: light, dark, on a phone, printed, offline.

`tests.studies.conftest` says what happens where there is no Chromium.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estimator.show.figures._look import SMALL_SIZE
from estimator.studies.report import render
from estimator.studies.report.page import SECTIONS
from tests.studies.browser import DESKTOP, PHONE, closing_contexts
from tests.studies.report.conftest import report_data
from tests.studies.report.hostile import hostile_data

pytestmark = pytest.mark.slow

NAMES = ("full", "bare", "failed", "hostile")
WHITE, BLACK = "rgb(255, 255, 255)", "rgb(20, 24, 28)"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    data = {
        "full": report_data(),
        "bare": report_data(bare=True),
        "failed": report_data(failed=("registry",)),
        "hostile": hostile_data(),
    }
    for name, one in data.items():
        (folder / f"{name}.html").write_text(render(one), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in NAMES}


@pytest.fixture
def show(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Open a page offline, and watch it."""
    with closing_contexts(browser) as opened:
        yield lambda name, width=DESKTOP, scheme="light": opened(pages[name], width, scheme)


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_offline_without_a_complaint_or_a_request(
    show: Any, pages: dict[str, Path], name: str
) -> None:
    opened = show(name)
    assert opened.complaints == []
    assert opened.requests == [pages[name].as_uri()]
    assert opened.run("performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", NAMES)
def test_all_sections_are_seen_and_nothing_sticks_out(
    show: Any, tmp_path: Path, name: str, width: int
) -> None:
    opened = show(name, width)
    for section in SECTIONS:
        box = opened.page.locator(f"#{section}").bounding_box()
        assert box["width"] > 0.8 * width - 210
        assert box["height"] > 60
        assert opened.page.locator(f"#{section} h2").is_visible()
    assert opened.run("document.documentElement.scrollWidth") == width
    shot = tmp_path / f"{name}-{width}.png"
    opened.page.screenshot(path=str(shot), full_page=True)
    assert shot.stat().st_size > 50_000


def test_letters_in_pictures_can_be_read_on_a_phone(show: Any) -> None:
    sizes = show("full", PHONE).run(
        """[...document.querySelectorAll('svg')]
        .filter(svg => svg.getBoundingClientRect().width > 0)
        .map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    )
    assert len(sizes) >= 9
    assert min(sizes) * SMALL_SIZE >= 9


def test_wide_tables_scroll_in_their_own_box_by_keyboard_too(show: Any) -> None:
    opened = show("full", PHONE)
    wide = opened.run(
        """[...document.querySelectorAll('.scroll')]
        .filter(box => box.scrollWidth > box.clientWidth + 1)
        .map(box => [getComputedStyle(box).overflowX, box.tabIndex])"""
    )
    assert len(wide) >= 3
    assert all(found == ["auto", 0] for found in wide)


@pytest.mark.parametrize(("scheme", "ground"), [("light", WHITE), ("dark", BLACK)])
def test_ground_and_ink_follow_the_reader_s_scheme(
    show: Any, tmp_path: Path, scheme: str, ground: str
) -> None:
    opened = show("full", DESKTOP, scheme)
    assert opened.run("getComputedStyle(document.body).backgroundColor") == ground
    inks = opened.run(
        """[getComputedStyle(document.body).color,
        ...[...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill)]"""
    )
    assert len(set(inks)) == 1
    opened.page.screenshot(path=str(tmp_path / f"{scheme}.png"), full_page=True)


def test_paper_is_white_and_shows_what_is_folded(show: Any, tmp_path: Path) -> None:
    opened = show("full", DESKTOP, "dark")
    folded = "[...document.querySelectorAll('details .scroll')].map(e => e.checkVisibility())"
    assert set(opened.run(folded)) == {False}
    opened.page.emulate_media(media="print")
    assert set(opened.run(folded)) == {True}
    assert opened.run("getComputedStyle(document.body).backgroundColor") == WHITE
    assert not opened.page.locator("nav").is_visible()
    paper = tmp_path / "paper.pdf"
    opened.page.pdf(path=str(paper), format="A4")
    assert paper.read_bytes().startswith(b"%PDF")


def test_a_screen_reader_is_told_of_every_picture_and_table(show: Any) -> None:
    opened = show("full")
    opened.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    pictures, tables = (opened.page.get_by_role(role) for role in ("img", "table"))
    assert pictures.count() == opened.page.locator("svg").count() >= 9
    assert tables.count() == opened.page.locator("table").count() >= 15
    assert opened.page.get_by_role("img", name="Losses, January 2026").count() >= 1
    assert opened.page.get_by_role("navigation", name="Sections").count() == 1


def test_links_lead_to_their_section(show: Any) -> None:
    opened = show("full")
    opened.page.get_by_role("navigation").get_by_role("link", name="Every claim").click()
    top = opened.run("document.getElementById('claims').getBoundingClientRect().top")
    assert -5 <= top <= 60
    assert opened.complaints == []


def test_hostile_texts_run_nothing(show: Any) -> None:
    opened = show("hostile")
    opened.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.run("document.querySelectorAll('script, img, base, iframe').length") == 0
    assert "<script>alert(1)</script>" in opened.page.locator("h1").inner_text()
    assert opened.complaints == []
    assert len(opened.requests) == 1
