from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import estimator.studies.report
from estimator.assumptions.priors import Prior
from estimator.show import number
from estimator.studies.report import ReportData, render, write_report
from estimator.studies.report.page import SECTIONS
from tests.studies.report.conftest import (
    ANSWERS,
    CLAIMS,
    FAILURE,
    LABELS,
    Change,
    bare_tables,
    configuration,
    one_key,
    report_data,
    trees,
)
from tests.studies.report.parsing import Element, parse

pytestmark = pytest.mark.slow

PAGES = ("page", "bare_page", "failed_page")
MEGABYTES = 1_000_000


@pytest.fixture(params=PAGES)
def any_page(request: pytest.FixtureRequest) -> Element:
    return parse(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def document(page: str) -> Element:
    return parse(page)


def section(document: Element, name: str) -> str:
    return document.by_id(name).words


def rows(document: Element, name: str) -> list[list[str]]:
    return [[cell.words for cell in row.all("th", "td")] for row in document.by_id(name).all("tr")]


def test_every_section_is_there_with_its_heading_and_text(any_page: Element) -> None:
    found = {e.attributes["id"]: e for e in any_page.all("section")}
    assert list(found) == list(SECTIONS)
    for name, heading in SECTIONS.items():
        assert [e.words for e in found[name].all("h2")] == [heading]
        assert len(found[name].words) > len(heading) + 60
    assert len(any_page.all("h1")) == len(any_page.all("main")) == 1


def test_ids_are_unique_and_links_lead_to_one_of_them(any_page: Element) -> None:
    ids = [e.attributes["id"] for e in any_page.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids)) > len(SECTIONS)
    targets = [str(e.attributes["href"]) for e in any_page.all("a")]
    assert len(targets) >= len(SECTIONS)
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    assert {e.attributes["href"] for e in any_page.all("nav")[0].all("a")} == {
        f"#{name}" for name in SECTIONS
    }


def test_every_picture_has_a_title_and_says_in_numbers_what_it_shows(any_page: Element) -> None:
    pictures = any_page.all("svg")
    assert len(pictures) >= 9
    for picture in pictures:
        assert picture.attributes["role"] == "img"
        title, description = (picture.all(tag)[0] for tag in ("title", "desc"))
        assert picture.attributes["aria-labelledby"] == title.attributes["id"]
        assert picture.attributes["aria-describedby"] == description.attributes["id"]
        assert title.words
        assert re.search(r"\d", description.words)


def test_references_inside_pictures_lead_to_their_own_parts(any_page: Element) -> None:
    for picture in any_page.all("svg"):
        own = {e.attributes.get("id") for e in picture.all()}
        values = [v for e in picture.all() for v in e.attributes.values() if v]
        used = [name for value in values for name in re.findall(r"url\(#([^)]+)\)", value)]
        used += [str(e.attributes["href"]).removeprefix("#") for e in picture.all("use")]
        assert used
        assert set(used) <= own


def test_nothing_is_loaded_and_nothing_runs(any_page: Element) -> None:
    active = ("script", "img", "link", "iframe", "object", "embed", "form", "base", "video")
    assert any_page.all(*active) == []
    for element in any_page.all():
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "action", "data", "xlink:href")
            assert name != "href" or str(value).startswith("#")
            assert name == "content" or not re.search(r"https?:", str(value))
    (style,) = any_page.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    policy = [
        e.attributes["content"]
        for e in any_page.all("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_tables_have_a_caption_and_headings_for_every_row_and_column(any_page: Element) -> None:
    tables = any_page.all("table")
    assert len(tables) >= 9
    for table in tables:
        assert table.all("caption")[0].words
        head = table.all("thead")[0].all("th")
        assert all(cell.attributes["scope"] == "col" for cell in head)
        body = table.all("tbody")[0].all("tr")
        assert body
        for row in body:
            assert [cell.tag for cell in row.children] == ["th"] + ["td"] * (len(head) - 1)
            assert row.children[0].attributes["scope"] == "row"


def test_the_language_and_both_colour_schemes_are_declared(any_page: Element) -> None:
    assert any_page.all("html")[0].attributes["lang"] == "en"
    (style,) = any_page.all("style")
    assert "color-scheme: light dark" in style.text
    assert "prefers-color-scheme: dark" in style.text
    assert "@media print" in style.text


def test_the_answer_gives_the_pooled_range_and_names_its_weights(document: Element) -> None:
    answer = section(document, "answer")
    assert "In January 2026, Russian forces lost about 32,700 people (27,100 to 38,200)" in answer
    assert "2 sets together (each counted alike)" in answer


def test_without_a_pool_the_answer_reaches_from_set_to_set(bare_page: str) -> None:
    answer = section(parse(bare_page), "answer")
    losses = [
        np.quantile(tree["posterior"]["losses"].sel(month="2026-01"), [0.05, 0.5, 0.95])
        for tree in trees().values()
    ]
    low, high = (end(q[1] for q in losses) for end in (min, max))
    reach = number.span(min(q[0] for q in losses), max(q[2] for q in losses))
    assert f"lost {number.span(low, high)} people, depending on the set ({reach})" in answer


def test_the_answer_says_who_what_is_sure_and_what_would_change_it(document: Element) -> None:
    answer = section(document, "answer")
    for heading in ("How many?", "How sure?", "Says who?", "What if?"):
        assert heading in answer
    assert "30,618 persons for January 2026, by Ukrainian officials" in answer
    assert "(P04; An official, in a paper" in answer
    assert "No set goes below it" in answer
    assert "1 claim is in conflict" in answer
    assert "31,900 if it is 0.02 to 0.18; 36,400 if it is 0.05 to 0.50" in answer
    assert "the chance that net change in January 2026 is below 0 passes 50 % at" in (
        answer.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert "holds in 64 to 97 of 100 draws, depending on the set" in answer


def test_what_hangs_on_one_piece_of_evidence_is_said_beside_the_answer(
    document: Element, bare_page: str
) -> None:
    assert "would not be all but certain" in section(document, "answer")
    assert "without january_gap central" in section(document, "answer")
    assert "without stocks_rusi" not in section(document, "answer")
    assert "hangs on one piece" not in section(parse(bare_page), "answer")
    assert "all evidence" in section(document, "audit")


def test_no_word_of_statistics_stands_in_the_answer_unexplained(document: Element) -> None:
    answer = section(document, "answer").casefold()
    for word in ("posterior", "bayes", "quantile", "median", "mcmc", "likelihood", "credible"):
        assert word not in answer


def test_the_figures_asked_about_get_a_verdict(document: Element) -> None:
    found = {row[0].rpartition("; ")[2]: row[2] for row in rows(document, "answer")[1:]}
    assert found == {"S03": "↺ repeats in 2 of 2", "S11": "✗ in conflict in 2 of 2"}


def test_every_set_stands_in_the_table_of_answers_with_its_own_numbers(document: Element) -> None:
    for label, tree in trees().items():
        draws = tree["posterior"]["losses"].sel(month="2026-01")
        low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
        cells = [row[1] for row in rows(document, "sets") if row[0] == label]
        assert f"{number.rounded(middle)}{number.span(low, high)}" in cells


def test_every_pool_is_a_row_and_the_one_of_equal_weights_is_the_answer(
    document: Element, changed: Change
) -> None:
    found = {row[0]: row[1] for row in rows(document, "sets")}
    assert found["all sets alike"].startswith("32,700")
    assert found["sets weighted (central 0.8)"].startswith("31,700")
    other = render(changed(pooled=report_data().pooled[::-1]))
    assert "about <strong>32,700</strong>" in other


def test_what_is_not_pooled_says_why(document: Element) -> None:
    assert "Net change, January 2026: other exits mean two things" in section(document, "sets")


def test_a_set_that_failed_is_marked_wherever_it_heads_a_row_or_column(failed_page: str) -> None:
    document = parse(failed_page)
    headings = [
        cell.words
        for name in ("sets", "months", "drivers", "audit", "diagnostics", "reproduce")
        for cell in document.by_id(name).all("th")
        if cell.words.startswith("registry")
    ]
    assert len(headings) >= 9
    assert all("FAILED" in heading for heading in headings)
    assert FAILURE in section(document, "diagnostics")
    captions = [e.words for e in document.by_id("months").all("figcaption")]
    assert captions == ["central", "✗ registry – FAILED its checks"]


def test_a_set_that_failed_is_left_out_of_the_sentences(failed_page: str) -> None:
    answer = parse(failed_page).by_id("answer")
    text = answer.words
    assert "1 set failed the check of the computation (registry)" in text
    assert "holds in 97 of 100 draws." in text
    assert "those that failed their checks among them" in text
    assert "Not all numbers here can be relied on" in text
    assert "1 of 1" in " ".join(cell.words for cell in answer.all("td"))


def test_a_set_that_passed_is_marked_nowhere(document: Element) -> None:
    assert "FAILED" not in document.words


def test_if_all_sets_failed_their_numbers_are_still_shown_marked() -> None:
    document = parse(render(report_data(bare=True, failed=LABELS)))
    answer = section(document, "answer")
    assert "2 sets failed" in answer
    assert "rest on them all the same" in answer
    assert "(central – FAILED its checks)" in answer


def test_a_section_that_the_results_do_not_fill_says_what_would(bare_page: str, page: str) -> None:
    bare = parse(bare_page)
    for name, words in {
        "drivers": ("estimator report 'outputs/a run' SWEEP", "compare.sensitivity_sets is 0"),
        "audit": ("audit.statements", "No claims were found", "No two sizes"),
        "breakeven": ("report.breakeven",),
    }.items():
        for text in words:
            assert text in section(bare, name)
            assert text not in section(parse(page), name)


def test_every_prior_stands_with_its_range_its_distribution_and_its_source(
    document: Element,
) -> None:
    text = section(document, "priors")
    found = 0

    def walk(node: object) -> None:
        nonlocal found
        if isinstance(node, dict) and "family" in node:
            prior = Prior.model_validate(node)
            assert prior.source in text
            assert prior.is_fixed or prior.describe() in text
            found += 1
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)

    for label in LABELS:
        walk(json.loads(configuration(label)))
    assert found > 60


def test_alike_priors_of_several_sets_are_one_row(document: Element) -> None:
    found = rows(document, "priors")
    assert [row[-1] for row in found if row[0].startswith("returns.rate")] == ["all sets"]
    origins = {row[-1] for row in found if row[0].startswith("killed_share.origins")}
    assert origins == set(LABELS)


def test_every_claim_stands_with_citation_and_whether_it_counts(document: Element) -> None:
    found = {row[0].partition(" ·")[0]: row for row in rows(document, "claims")}
    for claim in CLAIMS:
        row = found[claim[0]]
        assert f"{claim[11]}, page 3; published 2026-02-15" in row[1]
        assert claim[13] in row[2]
    # What the results say stands before what the table says.
    assert found["P04"][2] == found["S11"][2] == "all sets"
    assert found["P99"][2].startswith("no set (")
    assert "killed: about 47,000 (40,000 to 55,000) persons" in found["P99"][0]


def test_long_series_are_folded_and_nothing_else_of_the_claims(document: Element) -> None:
    claims = document.by_id("claims")
    folded = " ".join(e.words for e in claims.all("details"))
    assert "14 claims by General Staff of Ukraine on losses" in folded
    assert "G01 ·" in folded
    assert "P04 ·" not in folded


def test_claims_in_conflict_are_never_folded(document: Element) -> None:
    audit = document.by_id("audit")
    folded = " ".join(e.words for e in audit.all("details"))
    assert "✗ in conflict" in audit.words
    assert "✗ in conflict" not in folded
    assert "S11, P04: They cannot both be right." in audit.words
    assert "have to give: S11 alone would have to be above -600." in audit.words


def test_it_says_how_to_make_it_again(document: Element) -> None:
    text = section(document, "reproduce")
    for wanted in (
        "estimator run -m 'assumptions=central,registry'",
        "estimator report 'outputs/a run'",
        "hash-of-the-claims",
        "id-of-central",
        "structure-hash",
        "20260215",
        "6.4.0",
    ):
        assert wanted in text


def test_every_term_that_is_linked_is_in_the_glossary(document: Element) -> None:
    linked = {
        str(e.attributes["href"])
        for e in document.all("a")
        if "#term-" in str(e.attributes["href"])
    }
    terms = {f"#{e.attributes['id']}" for e in document.by_id("glossary").all("dt")}
    assert len(linked) >= 8
    assert linked <= terms
    assert len(document.by_id("glossary").all("dfn")) >= len(terms)


def test_the_same_data_make_the_same_page(full: ReportData, page: str) -> None:
    assert render(full) == page
    assert len(page.encode()) < 3 * MEGABYTES


def test_it_is_written_as_a_whole(bare_page: str, tmp_path: Path) -> None:
    path = write_report(report_data(bare=True), tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8") == bare_page
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_columns_that_the_report_does_not_know_do_not_disturb(changed: Change, page: str) -> None:
    assert render(changed(pooled=report_data().pooled.assign(more=1))) == page


def test_a_single_set_is_not_spoken_of_as_many(changed: Change) -> None:
    tree = {"central": trees()["central"]}
    alone = changed(command="", trees=tree, **bare_tables(tree))
    document = parse(render(alone))
    answer = section(document, "answer")
    assert "lost about" in answer
    assert "depending on the set" not in answer
    assert "1 set is compared here" in answer


def test_sets_of_a_sweep_stand_beside_whole_ones(changed: Change) -> None:
    data = report_data()
    more = data.comparison[data.comparison["assumption_set"] == "registry"].assign(
        assumption_set="central,returns.rate=0.2", failures=FAILURE
    )
    document = parse(render(changed(comparison=pd.concat([data.comparison, more]))))
    found = [row for row in rows(document, "sets") if row[0].startswith("central,returns.rate=0.2")]
    assert found
    assert all("FAILED" in row[0] for row in found)


def test_no_more_sets_are_listed_than_the_options_allow(changed: Change) -> None:
    data = report_data()
    few = data.options.model_copy(update={"most_sets": 1})
    document = parse(render(changed(options=few)))
    assert "Not listed here: 1 more set (" in section(document, "sets")
    assert all(row[0] != "registry" for row in rows(document, "sets"))


def test_a_set_that_is_not_described_is_told_by_what_differs(changed: Change) -> None:
    data = report_data()
    silent = data.options.model_copy(update={"sets": {}})
    beliefs = rows(parse(render(changed(options=silent))), "sets")
    assert any(row[0] == "registry" and "killed_share.origins" in row[1] for row in beliefs)


def test_no_side_and_no_year_stands_in_the_code() -> None:
    folder = Path(estimator.studies.report.__file__).parent
    files = [*folder.rglob("*.py"), *folder.rglob("*.j2"), *folder.rglob("*.css")]
    assert len(files) > 20
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"russia|ukrain|soviet|kremlin|kyiv|moscow", text, re.IGNORECASE), path
        assert "2022" not in text, path


def test_answers_asked_for_are_those_of_the_options(document: Element) -> None:
    captions = [e.words for e in document.by_id("sets").all("figcaption")]
    assert "Losses, January 2026" in captions
    assert "Killed, February 2022 to January 2026" in captions
    assert len(captions) == len(report_data().options.answers)
    assert {answer.quantity for answer in ANSWERS} == {"losses", "net_change"}


@pytest.mark.parametrize(
    ("believed", "said"),
    [
        (("central", "sceptical"), "registry allows that some of it is false"),
        (("sceptical", "sceptical"), "Every set allows that some of it is false"),
    ],
)
def test_a_floor_that_may_give_way_is_said_to(
    changed: Change, believed: tuple[str, str], said: str
) -> None:
    found = {}
    for (label, tree), name in zip(trees().items(), believed, strict=True):
        found[label] = tree.copy()
        found[label].attrs = tree.attrs | {"configuration": configuration(name)}
    answer = section(parse(render(changed(trees=found))), "answer")
    assert said in answer
    assert "No set goes below it" not in answer


def test_of_many_statements_the_answer_names_a_few_and_links_to_the_rest(changed: Change) -> None:
    audit = report_data().audit
    table = audit.statements
    many = pd.concat([table.assign(statement=f"s{n}", says=f"said {n}") for n in range(7)])
    document = parse(render(changed(audit=dataclasses.replace(audit, statements=many))))
    assert "“said 3”" in section(document, "answer")
    assert "“said 4”" not in section(document, "answer")
    assert "3 more statements are worked out below" in section(document, "answer")
    assert "“said 6”" in section(document, "audit")


def test_a_break_even_that_is_nowhere_says_so(changed: Change) -> None:
    nowhere = dataclasses.replace(one_key(), crossings=(), failures=("R-hat 1.02",))
    document = parse(render(changed(breakeven=[nowhere])))
    answer = section(document, "answer").replace("\N{NO-BREAK SPACE}", " ")
    assert "does not pass 50 % for any share of the wounded who come back to duty" in answer
    assert "(FAILED its checks.)" in answer
    assert any("nowhere" in row[-1] for row in rows(document, "breakeven"))
