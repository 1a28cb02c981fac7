"""Claims, options and tables that somebody else wrote stay text, whatever is in them."""

from __future__ import annotations

import re

import pytest

from estimator.studies.report.page import BRIEF, IN_DETAIL
from tests.studies.report.conftest import rendered
from tests.studies.report.hostile import HOSTILE
from tests.studies.report.parsing import Element, parse

pytestmark = pytest.mark.slow

PAGES = ("report", "details")
QUIET = ("glossary",)  # holds no text but its own


def html(page: str) -> str:
    return str(getattr(rendered("hostile"), page))


@pytest.fixture(params=PAGES)
def document(request: pytest.FixtureRequest) -> Element:
    return parse(html(request.param))


def test_no_text_becomes_an_element_an_attribute_or_a_class(document: Element) -> None:
    known = {e.tag for page in PAGES for e in parse(str(getattr(rendered("full"), page))).all()}
    assert {e.tag for e in document.all()} <= known
    assert document.all("script", "img", "base") == []
    for element in document.all():
        assert not any(name.startswith("on") for name in element.attributes)
        assert not any("example.org" in str(v) for k, v in element.attributes.items()
                       if k != "aria-label")  # fmt: skip
        names = str(element.attributes.get("class") or "").split()
        assert all(name.replace("-", "").isalpha() for name in names)


def test_it_stands_as_text_where_it_belongs() -> None:
    for page, sections in zip(PAGES, (BRIEF, IN_DETAIL), strict=True):
        document = parse(html(page))
        assert "<script>alert(1)</script>" in document.all("head")[0].all("title")[0].words
        assert HOSTILE[1] in document.all("h1")[0].words
        for name in [name for name in sections if name not in QUIET]:
            text = document.by_id(name).words
            for piece in HOSTILE[:5]:
                assert piece in text, (page, name)


@pytest.mark.parametrize("page", PAGES)
def test_no_template_is_carried_out_and_no_text_turns_the_direction(page: str) -> None:
    text = html(page)
    assert "{{ 7 * 7 }}" in text
    assert "{% raw %}" in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u0007]", text)
    assert "\N{REPLACEMENT CHARACTER}reversed" in text
    assert "\N{REPLACEMENT CHARACTER}" not in getattr(rendered("full"), page)


def test_pictures_hold_it_as_text_and_draw_no_formulas() -> None:
    descriptions = [e.text for e in parse(html("details")).all("desc")]
    assert any("<script>alert(1)</script>" in text for text in descriptions)
    assert any("$x_1$" in text for text in descriptions)
    assert all("\u0007" not in text for text in descriptions)
