"""The page with sliders in a real browser: numbers, controls, the address, hostile texts."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator.fitting.smoothing import weighted_quantiles
from estimator.quantity import QUANTILES
from estimator.studies.explore.answers import answer_at, event_of
from estimator.studies.explore.page import render
from estimator.studies.explore.world import Position, World
from tests.studies.browser import DESKTOP, PHONE, Opened, closing_contexts
from tests.studies.explore.made import options, report_options
from tests.studies.report.hostile import ALL, HOSTILE

pytestmark = pytest.mark.slow

WORLD = "central,window=since_2025"
EVENT = "net_change[2026-01]<0"


def hostile_world(world: World) -> World:
    """Let every text be written by somebody who means harm."""
    attrs = dict(world.data.attrs)
    written = json.loads(attrs["configuration"])
    for group in ("returns", "force"):
        for prior in written[group].values():
            if isinstance(prior, dict) and "source" in prior:
                prior["source"] = ALL
    claims = [claim | {"origin": ALL, "citation": ALL, "id": ALL} for claim in world.claims]
    presets = [preset | {"label": ALL} for preset in world.presets]
    texts = {
        "label": ALL,
        "failures": ALL,
        "overrides": json.dumps([f"label={ALL}"]),
        "configuration": json.dumps(written),
        "claims": json.dumps(claims),
        "presets": json.dumps(presets),
        "refused": json.dumps({"video_verified": ALL}),
    }
    return World(world.data.assign_attrs(texts))


@pytest.fixture(scope="module")
def pages(recorded: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, central = tmp_path_factory.mktemp("pages"), recorded.world
    other = {"label": "another", "overrides": json.dumps(["seed=1"]), "presets": "[]"}
    another = World(central.data.assign_attrs(other))
    made = {"plain": [central, another], "hostile": [hostile_world(central)]}
    for name, worlds in made.items():
        text = render(worlds, options(), report_options())
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture
def show(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    with closing_contexts(browser) as opened:

        def ready(
            name: str = "plain", width: int = DESKTOP, scheme: str = "light", address: str = ""
        ) -> Opened:
            one = opened(pages[name], width, scheme, address)
            one.page.wait_for_function("() => document.getElementById('lamp').className !== ''")
            return one

        yield ready


def chance(opened: Opened) -> str:
    return str(opened.page.locator("#chance strong").inner_text())


def settled_address(opened: Opened, text: str) -> None:
    opened.page.wait_for_function("text => location.hash.includes(text)", arg=text)


def random_positions(world: World, count: int) -> list[Position]:
    rng = np.random.default_rng(14)
    found = []
    for _ in range(count):
        ranges = {}
        for key in rng.permutation(list(options().sliders))[: rng.integers(0, 4)].tolist():
            track = options().sliders[key]
            low, high = np.sort(np.exp(rng.uniform(np.log(track.low), np.log(track.high), 2)))
            ranges[key] = (float(f"{low:.3g}"), float(f"{high * 1.02:.3g}"))
        without = tuple(name for name in world.groups if rng.random() < 0.3)
        found.append(Position(ranges, without))
    return found


def test_every_number_is_that_of_the_sweep_s_weights(show: Any, central: World) -> None:
    positions = random_positions(central, 30)
    events = [
        "net_change[2026-01]<0",
        "losses[2025-06]>33000",
        "replacement_gap[2026-01]<-3000",
        "killed[total]>150000",
    ]
    asked = [
        {
            "world": WORLD,
            "event": events[n % len(events)],
            "ranges": position.ranges,
            "without": position.without,
        }
        for n, position in enumerate(positions)
    ]
    found = show().run(
        "async asked => Promise.all(asked.map(one => explorer.at(one)))", asked
    )  # fmt: skip
    finite = 0
    for question, position, numbers in zip(asked, positions, found, strict=True):
        event = event_of(str(question["event"]), central)
        wanted = answer_at(central, position, event, options())
        draws = central.draws(event.quantity, event.period)
        quantiles = weighted_quantiles(
            draws, np.exp(wanted.weights.log_weights), list(QUANTILES.values())
        )
        assert numbers["lamp"] == wanted.lamp
        assert numbers["p"] == pytest.approx(wanted.probability, rel=1e-6, abs=1e-12)
        assert numbers["error"] == pytest.approx(wanted.error, rel=1e-6, abs=1e-12)
        assert numbers["quantiles"] == pytest.approx(quantiles.tolist(), rel=1e-6)
        if np.isfinite(wanted.weights.k_hat):
            finite += 1
            assert numbers["k"] == pytest.approx(wanted.weights.k_hat, abs=1e-3)
            assert numbers["ess"] == pytest.approx(wanted.ess, rel=1e-6)
    assert finite >= 25


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_it_opens_offline_without_a_complaint_and_nothing_sticks_out(
    show: Any, pages: dict[str, Path], name: str, width: int
) -> None:
    opened = show(name, width)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [pages[name].as_uri()]
    assert opened.run("document.documentElement.scrollWidth") == width
    assert opened.page.locator(".place svg").count() == 3
    hidden = "[...document.querySelectorAll('svg *')].filter(e => !e.checkVisibility()).length"
    assert opened.run(hidden) == 0


def test_hostile_texts_are_shown_and_run_nothing(show: Any) -> None:
    opened = show("hostile", address="#<img src onerror>=1:2&world=<script>")
    opened.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.run("document.querySelectorAll('img, base, iframe, a').length") == 0
    assert opened.run("document.querySelectorAll('script').length") == 2
    assert HOSTILE[0] in opened.page.locator("#sliders").inner_text()
    assert HOSTILE[1] in opened.page.locator("#presets").inner_text()
    assert HOSTILE[0] in opened.page.locator("#missed").inner_text()
    assert "onerror" in opened.page.locator("#said").inner_text()
    assert opened.complaints == []


def test_a_slider_moves_by_keyboard_the_answer_the_command_and_the_address(show: Any) -> None:
    opened = show()
    before = chance(opened)
    slider = opened.page.get_by_role("slider", name="come back to duty: high end, 95 %")
    slider.focus()
    for _ in range(2):
        opened.page.keyboard.press("PageDown")
    settled_address(opened, "returns.rate=")
    assert chance(opened) != before
    assert before in opened.page.locator("#was").inner_text()
    assert "returns.rate.high=" in opened.page.locator("#command").inner_text()
    assert "share of the wounded" in opened.page.locator("#movers").inner_text().lower()
    assert not opened.page.locator("#unmoved").is_visible()
    low, high = opened.run(
        "[...document.querySelectorAll('.slider.moved input')].map(i => Number(i.value))"
    )
    assert low < high
    opened.page.get_by_role("button", name="as it is", exact=True).click()
    assert chance(opened) == before
    assert opened.complaints == []


def test_an_address_that_is_sent_shows_the_same_view(show: Any) -> None:
    opened = show()
    opened.page.get_by_role("button", name=f"few_return,{WORLD.partition(',')[2]}").click()
    opened.page.get_by_role("checkbox", name="january gap").uncheck()
    opened.page.locator("#threshold").fill("2500")
    settled_address(opened, "2500")
    again = show(address=opened.run("location.hash"))
    for place in ("#answer", "#command", "#fan .reading"):
        assert again.page.locator(place).inner_text() == opened.page.locator(place).inner_text()
    assert not again.page.get_by_role("checkbox", name="january gap").is_checked()


def test_what_the_draws_do_not_reach_draws_nothing_and_names_the_fit(show: Any) -> None:
    opened = show(address=f"#world={WORLD}&event={EVENT}&returns.rate=0.985:0.99")
    assert chance(opened) == "This needs a fit"
    assert opened.page.locator(".place svg").count() == 0
    assert opened.page.locator("#error, #range").all_inner_texts() == ["", ""]
    assert opened.page.locator("#lamp").inner_text().startswith("Refused")
    assert opened.page.locator("#command").inner_text() == (
        "estimator run assumptions=central window=since_2025 "
        "returns.rate.low=0.985 returns.rate.high=0.99"
    )


def test_one_button_finds_what_breaks_the_answer(show: Any) -> None:
    opened = show(address=f"#world={WORLD}&event=net_change[2026-01]<4000")
    assert int(chance(opened).split()[0]) < 50
    opened.page.get_by_role("button", name="What breaks it?").click()
    assert int(chance(opened).split()[0]) >= 50
    assert opened.page.locator(".slider.moved").count() == 1


def test_another_world_begins_as_it_is(show: Any) -> None:
    opened = show(address=f"#world={WORLD}&returns.rate=0.1:0.2")
    opened.page.get_by_role("radio", name="another").check()
    # A function and no expression: that would be evaluated in the page, which forbids it.
    opened.page.wait_for_function(
        "text => document.getElementById('command').textContent === text",
        arg="estimator run seed=1",
    )
    assert opened.page.locator(".slider.moved").count() == 0


def test_pictures_are_saved_as_tables_and_files(show: Any, tmp_path: Path) -> None:
    opened = show()
    saved = {}
    for kind in ("CSV", "PNG", "SVG"):
        with opened.page.expect_download() as download:
            opened.page.locator("#fan").get_by_role("button", name=kind).click()
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    head, *rows = saved["CSV"].read_text().splitlines()
    numbers = opened.run("one => explorer.at(one)", {"world": WORLD, "event": EVENT})
    assert head.startswith("month,now_q05,now_q25,now_q50")
    assert rows[-1].split(",")[0] == "2026-01"
    assert [float(cell) for cell in rows[-1].split(",")[1:6]] == numbers["quantiles"]
    assert saved["PNG"].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in saved["SVG"].read_text()
    assert saved["PNG"].name == "fan-net_change-2026-01.png"
    assert opened.complaints == []


def test_values_are_read_by_arrow_keys_and_pointer(show: Any) -> None:
    opened = show()
    fan, reading = opened.page.locator("#fan"), opened.page.locator("#fan .reading")
    assert reading.inner_text().startswith("January 2026")
    fan.focus()
    opened.page.keyboard.press("ArrowLeft")
    assert reading.inner_text().startswith("December 2025")
    opened.page.locator("#fan .place").hover(position={"x": 70, "y": 60})
    assert reading.inner_text().startswith("January 2025")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_and_each_scheme_have_all_of_it(show: Any, scheme: str) -> None:
    opened = show(scheme=scheme)
    inks = opened.run(
        "[...document.querySelectorAll('svg text:not(.name)')].map(t => getComputedStyle(t).fill)"
    )
    assert set(inks) == {opened.run("getComputedStyle(document.body).color")}
    assert opened.page.get_by_role("img").count() == 3
    assert opened.page.get_by_role("slider").count() == 2 * len(options().sliders)
    unnamed = opened.run(
        "[...document.querySelectorAll('input, select, button')]"
        ".filter(e => !(e.labels?.length || e.ariaLabel || e.textContent)).length"
    )
    assert unnamed == 0


def test_a_slider_redraws_within_60_ms_at_the_median(show: Any) -> None:
    page = show()
    passes = []
    for _ in range(3):  # other work on the machine can only make it slower
        passes.append(statistics.median(_redraws(page)))
        if passes[-1] <= 60:
            break
    assert min(passes) <= 60


def _redraws(page: Any) -> list[float]:
    """Milliseconds from moving a slider until the page is drawn."""
    found: list[float] = page.run(
        """async () => {
            const input = document.querySelector('.slider input'), found = [];
            for (let n = 0; n < 41; n++) {
                input.value = 10 + 3 * (n % 30);
                const begin = performance.now();
                input.dispatchEvent(new Event('input'));
                await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
                found.push(performance.now() - begin);
            }
            return found;
        }"""
    )
    return found


def test_a_page_of_four_worlds_stays_under_6_megabytes(pages: dict[str, Path]) -> None:
    two, one = (pages[name].stat().st_size for name in ("plain", "hostile"))
    assert one + 3 * (two - one) < 6e6
