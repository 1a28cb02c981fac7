from __future__ import annotations

import dataclasses
import re

import pytest
from matplotlib.colors import to_rgb

from estimator.quantities.answers import Answer
from estimator.show.figures._axes import shorten
from estimator.show.figures._look import PAGE, SEEN_ON_BOTH, frame, new_figure
from estimator.show.figures.files import inline_svg
from estimator.studies.compare.drivers.table import NEGLIGIBLE
from estimator.studies.report import ReportData, pictures
from estimator.studies.report.pictures import Picture
from tests.studies.report.conftest import (
    one_key,
    rendered,
    report_data,
    specification,
    tables,
    trees,
    two_keys,
)
from tests.studies.report.parsing import Element, parse

pytestmark = pytest.mark.slow

GROUNDS = ("#ffffff", "#14181c")  # of style.css, light and dark
LOSSES = Answer.parse("losses[2026-01]")


def luminance(color: str) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def svg_of(picture: Picture | None) -> Element:
    assert picture is not None
    return parse(str(picture.svg)).all("svg")[0]


def description(picture: Picture | None) -> str:
    [text] = svg_of(picture).all("desc")
    return text.words.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def found() -> ReportData:
    return report_data()


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("color", SEEN_ON_BOTH)
def test_colours_can_be_seen_on_light_and_on_dark(color: str, ground: str) -> None:
    assert contrast(color, ground) >= 3.0


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    page = rendered("bare").report
    assert tuple(re.findall(r"--ground: (#\w+)", page)) == GROUNDS


@pytest.mark.parametrize("pair", [("ink", "ground"), ("muted", "ground"), ("bad", "ground"),
                                  ("link", "ground"), ("ink", "fits"), ("ink", "strained"),
                                  ("ink", "conflict"), ("ink", "plain"), ("ink", "tint"),
                                  ("bad", "tint")])  # fmt: skip
def test_text_can_be_read_on_light_and_on_dark(pair: tuple[str, str]) -> None:
    page = rendered("bare").report
    light, dark = (re.findall(rf"--{name}: (#\w+)", page) for name in pair)
    assert len(light) == len(dark) == 2
    for front, back in zip(light, dark, strict=True):
        assert contrast(front, back) >= 4.5


def test_a_picture_takes_ink_and_font_from_the_page_and_shares_no_id(found: ReportData) -> None:
    first, same, other = (pictures.forest(found, LOSSES, name) for name in ("one", "one", "other"))
    svg = str(first.svg)  # type: ignore[union-attr]
    assert svg == str(same.svg)  # type: ignore[union-attr]
    assert "currentColor" in svg
    for foreign in ("#000000", "#ffffff", "font-family"):
        assert foreign not in svg
    element = svg_of(first)
    assert element.all("metadata", "style", "script") == []
    assert element.attributes["width"] == "100%"
    assert element.attributes["fill"] == "currentColor"
    assert "viewbox" in element.attributes
    assert "height" not in element.attributes
    ids = [{e.attributes["id"] for e in svg_of(one).all() if "id" in e.attributes}
           for one in (first, other)]  # fmt: skip
    assert ids[0]
    assert ids[1]
    assert not ids[0] & ids[1]


def test_no_formula_and_no_control_character_is_read_in_a_name() -> None:
    figure = new_figure(1.0, PAGE)
    figure.subplots().set_xlabel("a$b$c <d> \x01損失")
    svg = inline_svg(frame(figure, "", look=PAGE), "x", "t", "d\x02")
    assert "a$b$c &lt;d&gt; 損失" in svg


def test_a_set_that_failed_looks_different_without_colour() -> None:
    passed, failed = (
        pictures.forest(report_data(failed=names), LOSSES, "one") for names in ((), ("registry",))
    )
    dashes = [
        sum("stroke-dasharray" in str(e.attributes.get("style")) for e in svg_of(one).all("path"))
        for one in (passed, failed)
    ]
    assert dashes == [0, 1]
    assert "✗ Registries" in [e.words for e in svg_of(failed).all("text")]
    assert "Registries – FAILED its checks" in description(failed)


def test_the_forest_says_each_set_s_numbers(found: ReportData) -> None:
    text = description(pictures.forest(found, LOSSES, "one"))
    for part in ("Central: ", "Registries: ", f"{pictures.POOLED}: 32,700 (27,100 to 38,200)"):
        assert part in text


def test_an_answer_that_no_set_has_is_not_drawn(found: ReportData) -> None:
    assert pictures.forest(found, Answer.parse("losses[1999-01]"), "one") is None


def test_all_months_are_drawn_on_one_scale() -> None:
    made = pictures.fans(report_data(failed=("registry",)))
    ticks = [
        [e.words for e in svg_of(one).all("text") if e.words.isdigit() and len(e.words) < 4]
        for one in made
    ]
    assert len(made) == len(trees()) == 2
    assert ticks[0] == ticks[1] != []
    assert "P04 30,600 a month" in description(made[0])
    assert [one.failed for one in made] == [False, True]
    assert made[1].caption == "✗ Registries – FAILED its checks"


def test_the_tornado_tells_low_from_high_without_colour_and_names_assumptions_in_words() -> None:
    rows = tables(trees())["drivers"].query("method == 'one_at_a_time'")
    [one] = pictures.drivers(report_data(), rows, "losses", "alone", 1)
    assert len(svg_of(one).all("pattern")) >= 1
    words = [e.words for e in svg_of(one).all("text")]
    assert {"at its lower level", "at its higher level"} <= set(words)
    assert {"Typical unconfirmed / confirmed", "General Staff of Ukraine on losses: bias"} <= set(
        words
    )
    assert "31,900 at 0.02 to 0.18, 36,400 at 0.05 to 0.50" in description(one)


def test_a_sweep_is_drawn_in_the_order_of_an_answer_with_all_its_sets_in_the_table() -> None:
    one = pictures.specification(report_data(), specification(), 1)
    assert one.caption == "Net change in January 2026 in each of 3 sets of a sweep"
    assert "from -3,000" in description(one).replace("−", "-")
    assert "killed_share all" in description(one)
    texts = {e.words for e in parse(str(one.narrow)).all("text")}
    assert {"returns.rate", "killed_share", "all", "western"} <= texts
    assert one.table["killed_share"].tolist() == ["all", "western", "all", "western"]


def test_drivers_that_are_negligible_are_called_so_below_their_picture() -> None:
    rows = tables(trees())["drivers"].query("method == 'one_at_a_time'")
    for table, noted in ((rows, False), (rows.assign(note=NEGLIGIBLE), True)):
        [one] = pictures.drivers(report_data(), table, "losses", "alone", 1)
        assert (NEGLIGIBLE in one.note) is noted


def test_shares_of_the_variance_are_drawn_apart() -> None:
    rows = tables(trees())["drivers"].query("method == 'sobol'")
    [one] = pictures.drivers(report_data(), rows, "losses", "alone", 1)
    assert one.caption == "Share of the variance of losses by assumption (alone)"
    assert "alone 31 %, with others 44 %" in description(one)


def test_recruits_are_drawn_against_losses_wide_and_narrow_for_the_first_sound_set() -> None:
    one = pictures.balance(report_data(failed=("central",)))
    assert "(Registries)" in one.caption
    assert not one.failed
    assert re.search(
        r"January 2026: losses [\d,]+ \(.*recruits .*replacement gap", description(one)
    )
    narrow = parse(str(one.narrow)).all("svg")[0]
    widths = [str(svg.attributes["viewbox"]).split()[2] for svg in (svg_of(one), narrow)]
    assert float(widths[0]) > 2 * float(widths[1])
    assert set(one.table["quantity"]) == {"losses", "recruits", "replacement_gap"}
    assert "Central" not in one.note


@pytest.mark.parametrize("failed", [False, True])
def test_a_break_even_of_one_assumption_says_where_it_lies(failed: bool) -> None:
    item = dataclasses.replace(one_key(), failures=("R-hat 1.02",) if failed else ())
    one = pictures.breakeven(dataclasses.replace(report_data(), breakeven=[item]), 1)
    assert "crosses 50 % at 42 % (40 % to 44 %)" in description(one)
    assert one.failed is failed
    assert ("FAILED" in one.caption) is failed


def test_a_break_even_of_two_assumptions_is_a_line() -> None:
    one = pictures.breakeven(dataclasses.replace(report_data(), breakeven=[two_keys()]), 1)
    assert "10 % and 4,000; 30 % and 3,000; 50 % and 2,000" in description(one)
    paths = svg_of(one).all("path")
    assert any("stroke-dasharray" in str(e.attributes.get("style")) for e in paths)


def test_long_names_keep_what_tells_them_apart() -> None:
    names = [f"central,unconfirmed.ratio.high={value}" for value in (0.4, 0.6)]
    cut = [shorten(name, 22) for name in names]
    assert len(set(cut)) == 2
    assert all(len(name) == 22 for name in cut)
