from __future__ import annotations

import re

import pytest
from matplotlib.colors import to_rgb

from estimator.quantities.answers import Answer
from estimator.studies.report import breakeven_charts, charts, driver_charts
from estimator.studies.report._axes import COLORS, new_figure, short
from estimator.studies.report._svg import INK, Chart, drawing, inline_svg
from estimator.studies.report.answers import Answers
from tests.studies.report.conftest import one_key, report_data, tables, trees, two_keys
from tests.studies.report.parsing import Element, parse

GROUNDS = ("#ffffff", "#14181c")  # of style.css, light and dark
LOSSES = Answer.parse("losses[2026-01]")


def luminance(color: str) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def picture(chart: Chart | None) -> Element:
    assert chart is not None
    return parse(str(chart.svg)).all("svg")[0]


@pytest.fixture
def found() -> Answers:
    return Answers(report_data())


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("color", COLORS)
def test_colours_can_be_seen_on_light_and_on_dark(color: str, ground: str) -> None:
    assert contrast(color, ground) >= 3.0


def test_the_grounds_are_those_of_the_style_sheet(page: str) -> None:
    assert tuple(re.findall(r"--ground: (#\w+)", page)) == GROUNDS


@pytest.mark.parametrize("pair", [("ink", "ground"), ("muted", "ground"), ("bad", "ground"),
                                  ("link", "ground"), ("ink", "fits"), ("ink", "strained"),
                                  ("ink", "conflict"), ("ink", "plain"), ("ink", "tint"),
                                  ("bad", "tint")])  # fmt: skip
def test_text_can_be_read_on_light_and_on_dark(page: str, pair: tuple[str, str]) -> None:
    light, dark = (re.findall(rf"--{name}: (#\w+)", page) for name in pair)
    assert len(light) == len(dark) == 2
    for front, back in zip(light, dark, strict=True):
        assert contrast(front, back) >= 4.5


def test_a_picture_takes_its_ink_from_the_page(found: Answers) -> None:
    svg = str(charts.forest(found, LOSSES, "one").svg)  # type: ignore[union-attr]
    assert "currentColor" in svg
    assert INK not in svg
    assert "#000000" not in svg
    assert "#ffffff" not in svg
    assert "font-family" not in svg


def test_a_picture_has_no_date_no_metadata_and_no_style_sheet(found: Answers) -> None:
    one = picture(charts.forest(found, LOSSES, "one"))
    assert one.all("metadata", "style", "script") == []
    assert "viewbox" in one.attributes
    assert one.attributes["width"] == "100%"
    assert "height" not in one.attributes


def test_two_pictures_share_no_id_and_one_is_always_the_same(found: Answers) -> None:
    one, same, other = (charts.forest(found, LOSSES, name) for name in ("one", "one", "other"))
    assert one == same
    ids = [{e.attributes["id"] for e in picture(c).all() if "id" in e.attributes}
           for c in (one, other)]  # fmt: skip
    assert ids[0]
    assert ids[1]
    assert not ids[0] & ids[1]


def test_no_formula_is_read_in_a_name() -> None:
    with drawing():
        figure, ax = new_figure(1.0)
        ax.set_xlabel("a$b$c <d> 損失")
        svg = inline_svg(figure, "x", "t", "d")
    assert "a$b$c &lt;d&gt; 損失" in svg


def test_a_set_that_failed_looks_different_without_colour() -> None:
    def shown(*failed: str) -> Element:
        return picture(charts.forest(Answers(report_data(failed=failed)), LOSSES, "one"))

    passed, failed = shown(), shown("registry")
    dashes = [
        sum("stroke-dasharray" in str(e.attributes.get("style")) for e in one.all("path"))
        for one in (passed, failed)
    ]
    assert dashes == [0, 1]
    assert "✗ registry" in [e.words for e in failed.all("text")]
    assert "registry – FAILED its checks" in failed.all("desc")[0].words


def test_the_forest_says_each_set_s_numbers(found: Answers) -> None:
    (description,) = picture(charts.forest(found, LOSSES, "one")).all("desc")
    for name in ("central: ", "registry: ", f"{charts.POOLED}: 32,700 (27,100 to 38,200)"):
        assert name in description.words


def test_an_answer_that_no_set_has_is_not_drawn(found: Answers) -> None:
    assert charts.forest(found, Answer.parse("losses[1999-01]"), "one") is None


def test_all_months_are_drawn_on_one_scale() -> None:
    made = charts.fans(trees(), {}, "months")
    ticks = [
        [e.words for e in picture(chart).all("text") if e.words.isdigit() and len(e.words) < 4]
        for chart in made
    ]
    assert len(made) == len(trees()) == 2
    assert ticks[0] == ticks[1] != []
    assert "P04 30,600 a month" in picture(made[0]).all("desc")[0].words


def test_the_tornado_tells_low_from_high_without_colour() -> None:
    rows = tables(trees())["drivers"].query("method == 'one_at_a_time'")
    one = picture(driver_charts.tornado(rows, "losses", "one"))
    assert len(one.all("pattern")) >= 1
    words = [e.words for e in one.all("text")]
    assert {"at its low", "at its high", "Typical unconfirmed / confirmed"} <= set(words)
    assert "General staff ukraine on losses: bias" in words
    assert "31,900 at 0.02 to 0.18, 36,400 at 0.05 to 0.50" in one.all("desc")[0].words


def test_shares_of_the_variance_are_drawn_apart() -> None:
    rows = tables(trees())["drivers"].query("method == 'sobol'")
    assert driver_charts.tornado(rows, "losses", "one") is None
    description = picture(driver_charts.shares(rows, "losses", "one")).all("desc")[0].text
    assert "alone 31\N{NO-BREAK SPACE}%, with others 44\N{NO-BREAK SPACE}%" in description


def test_a_parameter_is_drawn_before_and_after_the_claims() -> None:
    rows = tables(trees())["prior_or_data"].query("parameter == 'returns.rate'")
    one = picture(driver_charts.intervals(rows, "one"))
    words = [e.words for e in one.all("text")]
    assert {"before the claims", "after", "central", "registry"} <= set(words)


@pytest.mark.parametrize("failed", [False, True])
def test_a_break_even_of_one_assumption_says_where_it_lies(failed: bool) -> None:
    chart = breakeven_charts.breakeven(one_key(), failed, "one")
    description = picture(chart).all("desc")[0].text.replace("\N{NO-BREAK SPACE}", " ")
    assert "crosses 50 % at 42 % (40 % to 44 %)" in description
    assert chart.failed is failed
    assert ("FAILED" in chart.caption) is failed


def test_a_break_even_of_two_assumptions_is_a_line() -> None:
    chart = breakeven_charts.breakeven(two_keys(), False, "one")
    one = picture(chart)
    description = one.all("desc")[0].text.replace("\N{NO-BREAK SPACE}", " ")
    assert "10 % and 4,000; 30 % and 3,000; 50 % and 2,000" in description
    assert any("stroke-dasharray" in str(e.attributes.get("style")) for e in one.all("path"))


def test_long_names_keep_what_tells_them_apart() -> None:
    names = [f"central,unconfirmed.ratio.high={value}" for value in (0.4, 0.6)]
    cut = [short(name) for name in names]
    assert len(set(cut)) == 2
    assert all(len(name) == 22 for name in cut)
