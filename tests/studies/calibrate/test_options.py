from __future__ import annotations

import functools
from pathlib import Path

import pytest

from estimator.assumptions.compose import assumption_set, plain_config
from estimator.errors import ConfigError
from estimator.studies.calibrate.calibration import calibrate
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.calibrate.reweighted import check_moves
from estimator.studies.calibrate.worlds import Worlds


@functools.cache
def shipped() -> CalibrateOptions:
    return CalibrateOptions.from_config(plain_config()["calibrate"])


@pytest.mark.slow
def test_every_structure_and_break_is_a_valid_set() -> None:
    every = [
        spec.overrides for spec in (*shipped().structures.values(), *shipped().broken.values())
    ]
    every += [(*spec.overrides, *spec.world) for spec in shipped().broken.values()]
    assert len(every) >= 15
    labels = {assumption_set([*overrides]).label for overrides in every}
    assert len(labels) >= 15


def test_every_shipped_set_is_among_the_structures() -> None:
    from estimator.paths import conf_dir

    sets = {path.stem for path in (conf_dir() / "assumptions").glob("*.yaml")}
    overrides = {text for spec in shipped().structures.values() for text in spec.overrides}
    missing = {name for name in sets if f"assumptions={name}" not in overrides}
    assert missing <= {"central"}


def test_every_shipped_move_can_be_made() -> None:
    chosen = shipped()
    base = Worlds.of("base", [], "replicate", chosen.seed, chosen.fit, None)
    check_moves(base, chosen)


def test_a_world_that_is_not_broken_gives_the_rate_of_false_alarms() -> None:
    none = shipped().broken["none"].model_dump(exclude={"says", "overrides", "sims"})
    assert not any(none.values())


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("calibrate.coverage.level=0.7", "level must be one of"),
        ("calibrate.coverage.structure=centrl", "did you mean 'central'"),
        ("calibrate.coverage.structure=open", "must be of kind prior. Got open"),
        ("+calibrate.broken.none.bias=0.3", "bias and bias_of go together"),
        ("+calibrate.broken.none.killed_share_jump=1", "jump_from go together"),
        ("+calibrate.broken.none.world=['definitions=killed']", "world and about go together"),
        ("+calibrate.reweighting.moves.returns.drop=[S11]", "either shift or drop"),
        ("calibrate.fit.attempts=99", "calibrate.fit.attempts"),
        ("calibrate.sbc.kept_draws=1001", "must be at most fit.chains x fit.draws, 1000"),
    ],
)
def test_options_that_contradict_each_other_are_refused(override: str, problem: str) -> None:
    config = plain_config([override])["calibrate"]
    with pytest.raises(ConfigError, match=problem):
        CalibrateOptions.from_config(config)


@pytest.mark.parametrize(
    ("part", "override", "problem"),
    [
        ("coverage", "coverage.reporter=general_staf", "did you mean 'general_staff_ukraine'"),
        ("coverage", "coverage.quantities=[loses]", "did you mean 'losses'"),
        ("broken", "broken.none.invents=general_staf", "did you mean 'general_staff_ukraine'"),
        ("broken", "broken.none.copies=registriesx", "did you mean 'registries'"),
        ("broken", "broken.wrong_definition.world=['window=since_2025']", "its month, claim"),
        (
            "reweighting",
            "reweighting.moves.dropped.drop=[S01]",
            "dropped: claim S01 does not count",
        ),
        ("broken", "noticing.quantities=['loses[total]']", r"did you mean 'losses\[total\]'"),
    ],
)
def test_a_name_that_nothing_has_is_refused_before_anything_is_fitted(
    part: str, override: str, problem: str, tmp_path: Path
) -> None:
    plus = "+" if ".none." in override else ""
    words = [f"{plus}calibrate.{override}", f"calibrate.parts=[{part}]"]
    chosen = CalibrateOptions.from_config(plain_config(words)["calibrate"])
    with pytest.raises(ConfigError, match=problem):
        calibrate(chosen, [], tmp_path, lambda *_: None)
