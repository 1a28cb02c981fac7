"""`estimator discover`: boxes in sweeps whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimator.assumptions.compose import plain_config
from estimator.cli import main
from estimator.errors import ConfigError
from estimator.store.sets import Sets
from estimator.studies.breakeven.event import Event
from estimator.studies.compare.drivers.levels import NoSweep
from estimator.studies.discover.boxes import chances
from estimator.studies.discover.options import DiscoverOptions
from estimator.studies.discover.parts import discovery
from tests.studies.compare.drivers.sweeps import CHANCE, NET, write_sweep
from tests.studies.compare.made import GAP, alone

EVENT = Event.parse("net_change[2026-01] < 0")
RATES = np.repeat(np.arange(20) / 20, 3)
COUNTS = np.tile(["all_wounded", "irrecoverable", "killed"], 20)


@pytest.fixture(scope="module")
def options() -> DiscoverOptions:
    return DiscoverOptions.from_config(plain_config()["discover"])


def sweep(folder: Path, holds: np.ndarray) -> Sets:
    """Sets over a rate, what figures count and a number without effect."""
    noise = np.random.default_rng(1).uniform(size=len(RATES)).round(3)
    keys = {"returns.rate": RATES, "definitions": COUNTS, "force.start": noise}
    values = {CHANCE: np.where(holds, 0.9, 0.1), NET: np.where(holds, -1.0, 1.0)}
    return write_sweep(folder, keys, values)


def test_the_region_that_was_put_in_is_found_with_its_density_and_coverage(
    tmp_path: Path, options: DiscoverOptions
) -> None:
    holds = (RATES < 0.3) & (COUNTS != "killed")
    part = discovery(sweep(tmp_path, holds), EVENT, options)
    (box,) = part.grids[0].texts
    assert "returns.rate is at most 0.25" in box[0]
    assert "definitions is all_wounded or irrecoverable" in box[0]
    assert "force.start" not in box[0]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in box[1:]] == ["12", "100 %", "100 %"]
    assert part.sentences[0].startswith(
        "P(net change in 2026-01 < 0) is at least 0.5 in 12 of 60 sets. Where returns.rate is"
    )
    assert part.figures is not None
    assert [name for name, _ in part.figures()] == ["boxes"]


def test_regions_apart_are_boxes_of_their_own_that_cover_all(
    tmp_path: Path, options: DiscoverOptions
) -> None:
    holds = (RATES < 0.2) | (RATES >= 0.8)
    part = discovery(sweep(tmp_path, holds), EVENT, options)
    where = part.tables["boxes"]
    assert set(where["where"]) == {"returns.rate is at most 0.15", "returns.rate is at least 0.8"}
    assert where["coverage"].sum() == pytest.approx(1.0)
    assert (where["density"] == 1.0).all()


@pytest.mark.parametrize("everywhere", [True, False])
def test_what_holds_everywhere_or_nowhere_has_no_box(
    everywhere: bool, tmp_path: Path, options: DiscoverOptions
) -> None:
    part = discovery(sweep(tmp_path, np.full(len(RATES), everywhere)), EVENT, options)
    assert part.grids == []
    assert f"in {'every' if everywhere else 'none'} of 60 sets." in part.sentences[0]


def test_chance_alone_makes_no_box(tmp_path: Path, options: DiscoverOptions) -> None:
    holds = np.random.default_rng(3).uniform(size=len(RATES)) < 0.4
    sure = options.model_copy(update={"density": 1.0, "least_sets": 0.15})
    part = discovery(sweep(tmp_path, holds), EVENT, sure)
    assert part.grids == []
    assert "in no region of at most 3 conditions" in part.sentences[0]


def test_a_few_sets_are_no_region(tmp_path: Path, options: DiscoverOptions) -> None:
    part = discovery(sweep(tmp_path, RATES < 0.05), EVENT, options)  # three of 60 sets
    assert part.grids == []
    wide = options.model_copy(update={"fewest_sets": 3})
    assert discovery(Sets.open([tmp_path]), EVENT, wide).grids[0].texts[0][1] == "3"


def test_sets_that_differ_in_whole_bundles_are_refused(
    tmp_path: Path, options: DiscoverOptions
) -> None:
    keys = {"killed_share": ["variant 1", "variant 2"], "returns": ["variant 1", "variant 2"]}
    bundles = write_sweep(tmp_path, keys, {CHANCE: np.array([0.1, 0.9])})
    with pytest.raises(NoSweep, match="whole bundles"):
        discovery(bundles, EVENT, options)


def test_an_event_beside_any_number_is_worked_out_from_the_draws() -> None:
    sets = Sets([alone("a", 1), alone("b", 2)])
    chunks = list(sets.chunks([GAP]))
    bound = float(np.quantile(chunks[0].values[0], 0.3))
    found = chances(sets, Event.parse(f"{GAP.quantity}[2026-01] > {bound!r}"))
    expected = [float(chunk.weights[0] @ (chunk.values[0] > bound)) for chunk in chunks]
    assert 0.0 < min(expected) < max(expected) < 1.0
    np.testing.assert_allclose(found, expected)
    with pytest.raises(ConfigError, match="sweeps keep no scenarios"):
        chances(sets, Event.parse("scenario.status_quo.losses[2026-08] > 1"))


def test_the_command_writes_boxes_probabilities_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path / "sweep", RATES < 0.3)
    words = ["discover", str(tmp_path / "sweep"), "--event", "net_change[2026-01] < 0"]
    assert main([*words, "discover.level=0.6"]) == 0
    assert "at least 0.6 in 18 of 60 sets" in " ".join(capsys.readouterr().out.split())
    folder = tmp_path / "sweep" / "discover" / "net_change-2026-01-below-0"
    names = {path.name for path in folder.iterdir()}
    assert names == {"boxes.csv", "boxes.png", "boxes.svg", "discover.md", "probabilities.csv"}
    table = pd.read_csv(folder / "probabilities.csv")
    assert table["probability"].tolist() == np.where(RATES < 0.3, 0.9, 0.1).round(6).tolist()
    assert main(["discover", str(tmp_path / "none"), *words[2:]]) == 2
