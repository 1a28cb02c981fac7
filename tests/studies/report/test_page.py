from __future__ import annotations

import dataclasses
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import estimator.studies.report
from estimator.assumptions.compose import plain_config
from estimator.assumptions.priors import Prior
from estimator.show import number
from estimator.studies.report import ReportData, ReportOptions, render, whatif, words, write_report
from estimator.studies.report.claims import ClaimRows
from estimator.studies.report.page import BRIEF, IN_DETAIL, PICTURES
from estimator.studies.report.sets import sets_table
from estimator.studies.report.text import how_it_was_made, how_many
from estimator.studies.report.verdicts import verdict_table
from tests.studies.report.conftest import (
    CLAIMS,
    FAILURE,
    LABELS,
    Change,
    bare_tables,
    claims_table,
    configuration,
    one_key,
    rendered,
    report_data,
    trees,
    two_keys,
)
from tests.studies.report.parsing import Element, parse

pytestmark = pytest.mark.slow

PAGES = [(name, page) for name in ("full", "bare", "failed") for page in ("report", "details")]
SECTIONS = {"report": BRIEF, "details": IN_DETAIL}
MEGABYTES = 1_000_000
NAMES = {"central": "Central", "registry": "Registries"}


def document(name: str, page: str) -> Element:
    return parse(str(getattr(rendered(name), page)))


def section(name: str, place: str) -> str:
    page = "report" if place in BRIEF else "details"
    return document(name, page).by_id(place).words.replace("\N{NO-BREAK SPACE}", " ")


def rows(name: str, place: str) -> list[list[str]]:
    page = "report" if place in BRIEF else "details"
    found = document(name, page).by_id(place).all("tr")
    return [[cell.words for cell in row.all("th", "td")] for row in found]


def plain(html: str) -> str:
    """Text as a reader sees it."""
    return unescape(re.sub("<[^>]+>", "", html)).replace("\N{NO-BREAK SPACE}", " ")


def verdicts(data: ReportData) -> dict[str, tuple[str, list[str]]]:
    """Headlines with what stands below them, and the numbers of the sets."""
    table = verdict_table(data, ClaimRows(data))
    return {
        plain(row[0].text): (plain(row[0].below), [cell.text for cell in row[1:]])
        for row in table.rows
    }


@pytest.mark.parametrize(("name", "page"), PAGES)
def test_a_page_is_whole_closed_and_loads_nothing(name: str, page: str) -> None:
    found = document(name, page)
    sections = {e.attributes["id"]: e for e in found.all("section")}
    assert list(sections) == list(SECTIONS[page])
    for place, heading in SECTIONS[page].items():
        assert [e.words for e in sections[place].all("h2")] == [heading]
        assert len(sections[place].words) > len(heading) + 60
    assert len(found.all("h1")) == len(found.all("main")) == 1
    assert found.all("script", "img", "link", "iframe", "object", "embed", "form", "base") == []
    for element in found.all():
        for attribute, value in element.attributes.items():
            assert not attribute.startswith("on")
            assert attribute not in ("src", "srcset", "action", "data", "xlink:href")
            assert attribute in ("content", "href") or not re.search(r"https?:", str(value))
    (style,) = found.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    assert [
        e.attributes["content"]
        for e in found.all("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    ] == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert found.all("html")[0].attributes["lang"] == "en"
    for wanted in ("color-scheme: light dark", "prefers-color-scheme: dark", "@media print"):
        assert wanted in style.text


@pytest.mark.parametrize("name", ["full", "bare", "failed"])
def test_ids_are_unique_and_every_link_leads_somewhere_in_both_directions(name: str) -> None:
    pages = {page: document(name, page) for page in SECTIONS}
    ids = {
        page: [e.attributes["id"] for e in found.all() if "id" in e.attributes]
        for page, found in pages.items()
    }
    files = {f"{PICTURES}/{p.name}.{end}" for drawn in rendered(name).drawn.values()
             for p in drawn for end in ("png", "csv")}  # fmt: skip
    crossing = dict.fromkeys(pages, 0)
    for page, found in pages.items():
        assert len(ids[page]) == len(set(ids[page]))
        for element in found.all("a"):
            target, _, place = str(element.attributes["href"]).partition("#")
            if target in files:
                continue
            to = target.removesuffix(".html") or page
            crossing[page] += to != page
            assert not place or place in ids[to], element.attributes["href"]
    assert min(crossing.values()) >= len(BRIEF)


@pytest.mark.parametrize(("name", "page"), PAGES)
def test_pictures_and_tables_can_be_read_out(name: str, page: str) -> None:
    found = document(name, page)
    assert found.all("svg")
    for picture in found.all("svg"):
        assert picture.attributes["role"] == "img"
        title, description = (picture.all(tag)[0] for tag in ("title", "desc"))
        assert picture.attributes["aria-labelledby"] == title.attributes["id"]
        assert picture.attributes["aria-describedby"] == description.attributes["id"]
        assert title.words
        assert re.search(r"\d", description.words)
        own = {e.attributes.get("id") for e in picture.all()}
        values = [v for e in picture.all() for v in e.attributes.values() if v]
        used = [one for value in values for one in re.findall(r"url\(#([^)]+)\)", value)]
        used += [str(e.attributes["href"]).removeprefix("#") for e in picture.all("use")]
        assert set(used) <= own
    for table in found.all("table"):
        assert table.all("caption")[0].words
        head = table.all("thead")[0].all("th")
        assert all(cell.attributes["scope"] == "col" for cell in head)
        assert table.all("tbody")[0].all("tr")
        for row in table.all("tbody")[0].all("tr"):
            assert [cell.tag for cell in row.children] == ["th"] + ["td"] * (len(head) - 1)
            assert row.children[0].attributes["scope"] == "row"


def test_a_headline_is_true_in_as_many_draws_as_each_set_has() -> None:
    found = verdicts(report_data())
    for quantity, says in words.BELOW_ZERO.items():
        shares = [
            float((tree["posterior"].to_dataset()[quantity].sel(month="2026-01") < 0).mean())
            for tree in trees().values()
        ]
        _, chances = found[words.capital(f"{says} in January 2026")]
        assert chances == [words.hundred(share) for share in shares]
    # Of several months all together count; a statement that is not asked about has no verdict.
    assert found["9,000 more were lost"][1] == ["97", "64"]
    assert found["Over 65 % are killed"][1] == ["<1", "<1"]
    assert not any("recruits" in says for says in found)
    assert [says for says in found if "lost" in says][-1] == "9,000 more were lost"


def test_a_headline_says_on_which_disputes_it_depends() -> None:
    found = verdicts(report_data())
    assert "Depends on who counts the dead (64)." in found["9,000 more were lost"][0]
    assert "True in no set." in found["Over 65 % are killed"][0]
    said, chances = found["A million were lost"]
    assert said.startswith("Cannot be answered: no month '2026-02'")
    assert chances == [number.NOTHING] * 2


def test_a_set_that_moves_a_headline_on_its_side_of_one_half_is_named_too(changed: Change) -> None:
    statements = report_data().audit.statements
    near = statements.assign(probability=statements["probability"].replace({0.97: 0.92, 0.64: 0.7}))
    for moved, named in ((0.2, True), (0.3, False)):
        options = report_data().options.model_copy(update={"moved": moved})
        audit = dataclasses.replace(report_data().audit, statements=near)
        below, _ = verdicts(changed(audit=audit, options=options))["9,000 more were lost"]
        assert ("Depends on who counts the dead (70)." in below) is named
        assert ("More likely than not in every set." in below) is not named


def test_what_a_single_piece_of_evidence_carries_is_said_where_it_was_worked_out() -> None:
    below, _ = verdicts(report_data())["The force shrank in January 2026"]
    assert "without the statement on the gap of January 2026 it goes from 99 to 57 in" in below
    assert "All but certain only with it" in below
    assert "Kluge" not in below  # too few effective draws
    assert "RUSI" not in below  # moves nothing
    assert "without" not in section("bare", "verdicts").partition("In numbers")[0]


def test_what_an_origin_would_say_comes_after_the_verdict_and_never_from_too_few_draws() -> None:
    found = verdicts(report_data())
    below, _ = found["9,000 more were lost"]
    assert below.index("Depends") < below.index("Published: about -9,000 persons (Ukr")
    assert "Expected: 31,700 to 31,700 (29,100 to 35,300); in conflict in 2 of 2 sets." in below
    below, _ = found["Over 65 % are killed"]
    assert "Published: more than 65 %" in below
    assert "Whether it fits was not worked out" in below
    assert "Expected" not in below


def test_nothing_is_shown_whose_effective_size_is_under_its_bound() -> None:
    table = {row[0].partition(" ·")[0]: row[1:] for row in rows("full", "audit") if " ·" in row[0]}
    assert table["S09"] == ["not knownneeds a fit"] * 2
    assert table["S11"] == ["✗ in conflictunder 1 %"] * 2
    influences = [row for row in rows("full", "audit") if row[0] == "S09"]
    assert influences == []
    groups = [row for row in rows("full", "audit") if row[0].startswith("Kluge")]
    assert groups
    assert all(set(row[1:]) == {number.NOTHING} for row in groups)


def test_numbers_reach_from_set_to_set_and_of_one_set_are_its_own(changed: Change) -> None:
    losses = [
        np.quantile(tree["posterior"]["losses"].sel(month="2026-01"), [0.05, 0.5, 0.95])
        for tree in trees().values()
    ]
    low, high = (end(q[1] for q in losses) for end in (min, max))
    reach = number.span(min(q[0] for q in losses), max(q[2] for q in losses))
    said = f"In January 2026, Russian forces lost {number.span(low, high)} people ({reach})"
    assert said in section("full", "verdicts")
    tree = {"central": trees()["central"]}
    alone = changed(trees=tree, **bare_tables(tree))
    (first, *_, bracket) = how_many(alone)
    assert "about " in first
    assert "First comes the middle value" in bracket
    assert "For each of the 1 set" in " ".join(how_it_was_made(alone, ClaimRows(alone)))


def test_every_set_stands_with_its_name_its_dispute_and_its_own_numbers() -> None:
    table = rows("full", "disputes")
    for label, tree in trees().items():
        draws = tree["posterior"]["losses"].sel(month="2026-01")
        low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
        (cells,) = [row for row in table if row[0].startswith(f"{NAMES[label]}{label}")]
        assert cells[1] == f"{number.rounded(middle)}{number.span(low, high)}"
    assert any("Disputes who counts the dead." in row[0] for row in table)
    (pooled,) = [row for row in table if row[0].startswith("All sets alike")]
    assert pooled[1].startswith("32,700")
    assert "Net change, January 2026: other exits mean two things" in section("full", "sets")


def test_sets_of_a_sweep_stand_beside_whole_ones_up_to_a_number(changed: Change) -> None:
    data = report_data()
    more = data.comparison[data.comparison["assumption_set"] == "registry"].assign(
        assumption_set="central,returns.rate=0.2", failures=FAILURE
    )
    swept = changed(comparison=pd.concat([data.comparison, more]))
    assert sum("returns.rate=0.2 – FAILED" in row[0].text for row in sets_table(swept).rows) == 1
    few = changed(options=data.options.model_copy(update={"most_sets": 1}))
    assert [row[0].style for row in sets_table(few).rows] == ["", "pooled"]
    assert len(verdict_table(few, ClaimRows(few)).columns) == 2


def test_a_set_that_is_not_described_is_told_by_what_differs(changed: Change) -> None:
    silent = changed(options=report_data().options.model_copy(update={"sets": {}}))
    told = {str(row[0].text): row[0].below for row in sets_table(silent).rows}
    assert any("registry" in name and "killed_share.origins" in text for name, text in told.items())
    below, _ = verdicts(silent)["9,000 more were lost"]
    assert "Depends on the set “registry” (64)." in below


def test_a_set_that_failed_is_marked_wherever_it_heads_a_row_or_column_and_left_out_of_words() -> (
    None
):
    headings = [
        cell.words
        for page in SECTIONS
        for cell in document("failed", page).all("th")
        if re.match(r"Registries(?!\.)", cell.words)
    ]
    assert len(headings) >= 11
    assert [heading for heading in headings if "FAILED" not in heading] == []
    assert FAILURE in section("failed", "diagnostics")
    captions = [e.words for e in document("failed", "details").by_id("months").all("figcaption")]
    assert captions == ["Central", "✗ Registries – FAILED its checks"]
    for page in SECTIONS:
        text = document("failed", page).by_id("verdicts" if page == "report" else "sets")
        assert text
        assert "Not all numbers here can be relied on" in document("failed", page).words
    assert "1 set failed the checks of the computation (Registries)" in section("failed", "made")
    assert "Depends on who" not in section("failed", "verdicts")
    assert "FAILED" not in document("full", "report").words + document("full", "details").words
    everything = report_data(bare=True, failed=LABELS)
    assert "rest on them all the same" in " ".join(
        how_it_was_made(everything, ClaimRows(everything))
    )


def test_three_what_ifs_are_told_as_a_newspaper_would(changed: Change) -> None:
    told = [plain(text) for text in whatif.what_ifs(report_data())]
    assert len(told) == 3
    assert told[0].startswith(
        "Under “Central”, the force shrank in January 2026 more likely than not if the share of "
        "the wounded who come back to duty is below 42 % (40 % to 44 %). The set itself assumes 30 "
    )
    assert "together" in told[1]
    assert re.search(
        r"With no change of pace, the force is smaller .* in \d+ of 100 draws of “Central”, and in",
        told[2],
    )
    nowhere = dataclasses.replace(one_key(), crossings=(), failures=("R-hat 1.02",))
    said = whatif.sentence(changed(breakeven=[nowhere]), nowhere)
    assert "no share of the wounded who come back to duty from" in said
    assert "(FAILED its checks.)" in said
    assert len(whatif.what_ifs(changed(breakeven=[one_key(), one_key(), two_keys()]))) == 3


def test_words_are_those_of_readers_and_keys_stand_in_code() -> None:
    for page, ends in (("report", 0), ("details", 0)):
        html = str(getattr(rendered("full"), page))
        for tag in ("style", "code", "pre", "svg"):
            html = re.sub(rf"<{tag}[ >].*?</{tag}>", " ", html, flags=re.DOTALL)
        found = parse_prose(html, {"priors", "claims", "reproduce"})
        keys = set(re.findall(r"\b[a-z]+_[a-z_]+\b", found)) - {"a_note"}
        assert len(keys) <= ends, keys
    for word in ("posterior", "bayes", "quantile", "median", "mcmc", "likelihood", "credible"):
        assert word not in section("full", "verdicts").casefold()


def parse_prose(html: str, without: set[str]) -> str:
    """Text of a page less some sections, and less tags."""
    for name in without:
        html = re.sub(rf'<section id="{name}".*?</section>', " ", html, flags=re.DOTALL)
    return re.sub("<[^>]+>", " ", html)


def test_the_words_for_other_wars_name_no_article_and_no_side(changed: Change) -> None:
    config = plain_config(["report=plain"])["report"]
    data = changed(options=ReportOptions.from_config(config), command="")
    table = data.claims_table.assign(citation="A paper", origin="somebody")
    pages = render(dataclasses.replace(data, claims_table=table))
    side = r"russia|ukrain|soviet|kremlin|kyiv|moscow|2022-02-24|seed article"
    text = re.sub(r"<style>.*?</style>", "", pages.report, flags=re.DOTALL)
    assert not re.search(side, text, re.IGNORECASE)
    assert "the force lost" in text
    folder = Path(estimator.studies.report.__file__).parent
    files = [*folder.rglob("*.py"), *folder.rglob("*.j2"), *folder.rglob("*.css")]
    assert len(files) > 20
    for path in files:
        code = path.read_text(encoding="utf-8")
        assert not re.search(side, code, re.IGNORECASE), path
        assert "2022" not in code, path


def test_a_section_that_the_results_do_not_fill_says_what_would() -> None:
    for place, texts in {
        "drivers": ("estimator report 'outputs/a run' SWEEP", "compare.sensitivity_sets is 0"),
        "audit": ("audit.statements", "No claims were found", "No two sizes"),
        "breakeven": ("report.breakeven",),
    }.items():
        for text in texts:
            assert text in section("bare", place)
            assert text not in section("full", place)


def test_every_prior_stands_with_its_range_its_distribution_and_its_source() -> None:
    text = section("full", "priors")
    in_table = set(claims_table()["origin"])
    found = 0

    def walk(node: object) -> None:
        nonlocal found
        if isinstance(node, dict) and "family" in node:
            prior = Prior.model_validate(node)
            assert (prior.source or "").replace("\N{NO-BREAK SPACE}", " ") in text
            assert prior.is_fixed or prior.describe().replace("\N{NO-BREAK SPACE}", " ") in text
            found += 1
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)

    for label in LABELS:
        written = json.loads(configuration(label))
        every = written["reporting"]["origins"]
        written["reporting"]["origins"] = {k: v for k, v in every.items() if k in in_table}
        walk(written)
        assert not any(f"reporting.origins.{name}." in text for name in set(every) - in_table)
    assert found > 40
    table = rows("full", "priors")
    # Alike priors of several sets are one row.
    assert [row[-1] for row in table if row[0].endswith("returns.rate")] == ["all sets"]
    origins = {row[-1] for row in table if row[0].startswith("killed_share.origins")}
    assert origins == set(NAMES.values())


def test_every_claim_stands_with_citation_and_whether_it_counts() -> None:
    found = {row[0].partition(" ·")[0]: row for row in rows("full", "claims")}
    for claim in CLAIMS:
        row = found[claim[0]]
        assert f"{claim[11]}, page 3; published 2026-02-15" in row[1]
        assert claim[13] in row[2]
    # What the results say stands before what the table says.
    assert found["P04"][2] == found["S11"][2] == "all sets"
    assert found["P99"][2].startswith("no set (")
    assert "killed: about 47,000 (40,000 to 55,000) persons" in found["P99"][0]
    folded = " ".join(e.words for e in document("full", "details").by_id("claims").all("details"))
    assert "14 claims by General Staff of Ukraine on losses" in folded
    assert "G01 ·" in folded
    assert "P04 ·" not in folded


def test_an_address_in_a_citation_is_a_link(changed: Change) -> None:
    table = report_data().claims_table
    table.loc[table["id"] == "P04", "citation"] = "A paper, https://example.org/a?b=1. Page 3"
    grids = [grid for _, grid in ClaimRows(changed(claims_table=table)).tables()]
    cells = [row[1].below for grid in grids for row in grid.rows if "P04" in row[0].text]
    assert cells[0].startswith(
        'A paper, <a href="https://example.org/a?b=1">https://example.org/a?b=1</a>. Page 3'
    )
    assert (
        words.linked("javascript:alert(1) http://x <b>") == "javascript:alert(1) http://x &lt;b&gt;"
    )


def test_claims_in_conflict_are_never_folded() -> None:
    audit = document("full", "details").by_id("audit")
    folded = " ".join(e.words for e in audit.all("details"))
    assert "✗ in conflict" in audit.words
    assert "✗ in conflict" not in folded
    assert "S11, P04: They cannot both be right." in audit.words
    assert "have to give: S11 alone would have to be above -600." in audit.words


def test_it_says_how_to_make_it_again_and_explains_its_words() -> None:
    text = section("full", "reproduce")
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
    linked = {
        str(e.attributes["href"]).partition("#")[2]
        for page in SECTIONS
        for e in document("full", page).all("a")
        if "#term-" in str(e.attributes["href"])
    }
    terms = {e.attributes["id"] for e in document("full", "details").by_id("glossary").all("dt")}
    assert len(linked) >= 8
    assert linked <= terms


def test_it_is_written_as_a_whole_with_the_files_of_its_pictures(
    changed: Change, tmp_path: Path
) -> None:
    data = changed(breakeven=[one_key()], asked=report_data().asked[:1])
    path = write_report(data, tmp_path / "new")
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "details.html",
        PICTURES,
        "report.html",
    ]
    assert all(p.stat().st_size < 3 * MEGABYTES for p in path.parent.glob("*.html"))
    html = path.read_text(encoding="utf-8") + (path.parent / "details.html").read_text("utf-8")
    files = set(re.findall(rf'href="{PICTURES}/([^"]+)"', html))
    assert files == {p.name for p in (path.parent / PICTURES).iterdir()}
    numbers = pd.read_csv(path.parent / PICTURES / "balance.csv")
    draws = trees()["registry"]["posterior"]["recruits"].sel(month="2024-05")
    (row,) = numbers.query(
        "set == 'registry' and quantity == 'recruits' and month == '2024-05'"
    ).to_dict("records")
    assert row["q50"] == pytest.approx(float(draws.median()), rel=1e-5)


def test_the_same_data_make_the_same_pages_and_unknown_columns_do_not_disturb(
    changed: Change,
) -> None:
    again = render(changed(pooled=report_data().pooled.assign(more=1)))
    assert (again.report, again.details) == (rendered("full").report, rendered("full").details)


@pytest.mark.parametrize(
    ("believed", "said"),
    [
        (("central", "sceptical"), "“Registries” allows that some of it is false"),
        (("sceptical", "sceptical"), "Every set allows that some of it is false"),
    ],
)
def test_a_floor_that_may_give_way_is_said_to(
    changed: Change, believed: tuple[str, str], said: str
) -> None:
    assert "No set goes below it" in section("full", "made")
    assert "30,618 persons for January 2026, by Ukrainian officials" in section("full", "made")
    found = {}
    for (label, tree), name in zip(trees().items(), believed, strict=True):
        found[label] = tree.copy()
        found[label].attrs = tree.attrs | {"configuration": configuration(name)}
    data = changed(trees=found)
    made = " ".join(how_it_was_made(data, ClaimRows(data)))
    assert said in made
    assert "No set goes below it" not in made
