from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set, check_once
from estimator.errors import ConfigError, OutputError
from estimator.fitting.reweighting import Mixture
from estimator.fitting.smoothing import Weights
from estimator.run import Estimate
from estimator.studies.explore.answers import answer_at, event_of
from estimator.studies.explore.planning import Planning
from estimator.studies.explore.results import world_of_result
from estimator.studies.explore.whatif_cli import find_world
from estimator.studies.explore.world import Position, World, range_of
from tests.studies.explore.made import Recorded, options

pytestmark = pytest.mark.slow

POSITIONS = (
    Position(),
    Position({"returns.rate": (0.1, 0.3)}),
    Position({"unconfirmed.ratio": (0.05, 0.2), "force.other_exits": (4000, 9000)}),
    Position({"returns.delay": (2.0, 5.0)}, ("january_gap",)),
    Position({}, ("january_gap", "stocks_ukrainian_officials")),
)


@pytest.fixture(scope="module")
def planning() -> Planning:
    return Planning(None)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_position_has_the_weights_of_the_set_that_its_command_makes(
    recorded: Recorded, planning: Planning, position: Position
) -> None:
    command = shlex.split(recorded.world.command(position))
    assert command[:2] == ["estimator", "run"]
    planned = planning.plan(command[2:]).set
    differs = np.any([planned.hyper.differs(hyper) for hyper in recorded.fitted], axis=0)
    differs[len(ASSUMPTIONS) :] = False
    sweeps = Mixture(recorded.natural, recorded.fitted, differs, claims_vary=True)
    wanted, found = sweeps.weights(planned.hyper), recorded.world.weights(position)
    assert wanted.kish > 50
    assert found.k_hat == pytest.approx(wanted.k_hat, abs=1e-3)
    assert found.kish == pytest.approx(wanted.kish, rel=1e-4)
    np.testing.assert_allclose(np.exp(found.log_weights), np.exp(wanted.log_weights), rtol=1e-3)


def test_shipped_sets_within_reach_are_positions_and_others_are_not(central: World) -> None:
    found = {preset["label"].partition(",")[0]: preset for preset in central.presets}
    assert set(found) == {"few_return", "no_january_gap"}
    assert found["few_return"]["ranges"]["returns.rate"] == pytest.approx([0.05, 0.25])
    assert found["no_january_gap"]["without"] == ["january_gap"]


def test_a_narrower_range_moves_what_hangs_on_it(central: World) -> None:
    event = event_of("net_change[last] < 0", central)
    few = answer_at(central, Position({"returns.rate": (0.1, 0.2)}), event, options())
    many = answer_at(central, Position({"returns.rate": (0.5, 0.6)}), event, options())
    assert few.probability - many.probability > 5 * (few.error + many.error)
    assert few.ranges["net_change"][1] < many.ranges["net_change"][1]


def test_a_position_that_cannot_be_is_refused_with_every_problem(central: World) -> None:
    position = Position(
        {"returns.rte": (0.1, 0.3), "returns.delay": (3.0, 2.0), "foreign.step": (0.1, 0.2)},
        ("january_gaps",),
    )
    with pytest.raises(ConfigError) as error:
        central.check(position)
    text = str(error.value)
    assert "returns.rte: no scalar assumption; did you mean 'returns.rate'?" in text
    assert "returns.delay: low and high must rise" in text
    assert "foreign.step: held fixed" in text
    assert "january_gaps: no such evidence group; did you mean 'january_gap'?" in text


@pytest.mark.parametrize(
    ("k_hat", "share", "lamp"),
    [
        (0.3, 0.5, "good"),
        (0.6, 0.5, "rough"),
        (0.3, 0.05, "rough"),
        (0.8, 0.5, "refused"),
        (0.3, 0.01, "refused"),
        (np.inf, 0.5, "refused"),
    ],
)
def test_the_lamp_tells_good_weights_from_rough_and_refused(
    central: World, k_hat: float, share: float, lamp: str
) -> None:
    n_draws = 4000
    weights = Weights(np.zeros(n_draws), k_hat, share * n_draws)
    assert central.lamp(weights, options()) == lamp


def test_a_fit_that_missed_a_bound_is_never_good(central: World) -> None:
    failed = World(central.data.assign_attrs(failures="3 divergences > 0"))
    assert failed.lamp(Weights(np.zeros(4000), 0.1, 3000.0), options()) == "rough"


def test_a_world_is_the_same_when_it_is_read_back(central: World, tmp_path: Path) -> None:
    back = World.read(central.write(tmp_path / "central" / "world.nc"))
    position = POSITIONS[3]
    assert back.data.attrs == central.data.attrs
    np.testing.assert_array_equal(
        back.weights(position).log_weights, central.weights(position).log_weights
    )


def test_a_whole_result_is_a_world_of_its_own_priors(from_prior: Estimate) -> None:
    world = world_of_result(from_prior.tree)
    assert world.weights(Position()).kish == pytest.approx(60)
    assert "january_gap" in world.groups
    assert "video_verified" in world.refused_groups
    moved = world.weights(Position({"returns.rate": (0.35, 0.6)}))
    rates = world.flat("linear", assumption="returns.rate")
    spread = np.sqrt(np.exp(moved.log_weights) @ (rates - np.exp(moved.log_weights) @ rates) ** 2)
    assert spread < 0.85 * rates.std()


def test_a_set_without_draws_is_an_error_that_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no draws of such a set .* `estimator explore nothing`"):
        find_world("nothing", tmp_path)


def test_a_command_keeps_every_range_once_whichever_way_a_prior_was_written() -> None:
    own = [
        *("++returns.delay.mu=1.1", "++returns.delay.sigma=0.4", "returns.rate.low=0.2"),
        *("returns.delay.low=null", "returns.delay.high=null"),
    ]
    config = json.dumps(assumption_set(own).model_dump(mode="json"))
    data = xr.Dataset(coords={"assumption": ["returns.rate", "returns.delay"]})
    attrs = {"label": "own", "overrides": json.dumps(own), "configuration": config}
    ranges = {"returns.rate": (0.1, 0.3), "returns.delay": (1.0, 4.0)}
    command = shlex.split(World(data.assign_attrs(attrs)).command(Position(ranges)))
    check_once(command[2:])
    priors = dict(assumption_set(command[2:]).priors())
    for key, ends in ranges.items():
        assert range_of(priors[key]) == pytest.approx(ends, rel=1e-6)
