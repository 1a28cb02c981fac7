"""Claims, options and tables that somebody else wrote stay text, whatever is in them."""

from __future__ import annotations

import re

import pytest

from estimator.studies.report import render
from tests.studies.report.hostile import HOSTILE, hostile_data
from tests.studies.report.parsing import Element, parse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hostile() -> str:
    return render(hostile_data())


@pytest.fixture(scope="module")
def document(hostile: str) -> Element:
    return parse(hostile)


def test_no_text_becomes_an_element_or_an_attribute(document: Element, page: str) -> None:
    found = document.all()
    assert {e.tag for e in found} <= {e.tag for e in parse(page).all()}
    assert document.all("script", "img", "base") == []
    for element in found:
        assert not any(name.startswith("on") for name in element.attributes)
        assert not any("example.org" in str(v) for k, v in element.attributes.items()
                       if k != "aria-label")  # fmt: skip


@pytest.mark.parametrize(
    "place",
    ["question", "answer", "sets", "months", "drivers", "audit", "breakeven", "priors", "claims",
     "diagnostics", "reproduce"],
)  # fmt: skip
def test_it_stands_as_text_where_it_belongs(document: Element, place: str) -> None:
    text = document.by_id(place).words
    for piece in HOSTILE[:5]:
        assert piece in text


def test_the_title_of_the_page_is_text(document: Element) -> None:
    (title,) = document.all("head")[0].all("title")
    assert "<script>alert(1)</script>" in title.words
    (heading,) = document.all("h1")
    assert HOSTILE[1] in heading.words


def test_no_template_in_a_text_is_carried_out(hostile: str) -> None:
    assert "{{ 7 * 7 }}" in hostile
    assert "{% raw %}" in hostile


def test_no_text_turns_the_direction_of_what_follows(hostile: str, page: str) -> None:
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u0007]", hostile)
    assert "\N{REPLACEMENT CHARACTER}reversed" in hostile
    assert "\N{REPLACEMENT CHARACTER}" not in page


def test_pictures_hold_it_as_text_and_draw_no_formulas(document: Element) -> None:
    descriptions = [e.text for e in document.all("desc")]
    assert any("<script>alert(1)</script>" in text for text in descriptions)
    assert any("$x_1$" in text for text in descriptions)
    assert all("\u0007" not in text for text in descriptions)


def test_classes_come_from_the_page_and_not_from_texts(document: Element) -> None:
    classes = {
        name for e in document.all() for name in str(e.attributes.get("class") or "").split()
    }
    assert classes
    assert all(name.replace("-", "").isalpha() for name in classes)
