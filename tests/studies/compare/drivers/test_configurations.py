from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.store.netcdf import write_netcdf
from estimator.studies.compare.drivers.configurations import keys_of_results
from estimator.studies.compare.drivers.levels import Levels, varied_keys


def written(run: Path, *sets: AssumptionSet) -> pd.Series:
    """Write the attributes of results; return the ids by label."""
    for one in sets:
        folder = run / one.identity("")
        folder.mkdir(parents=True)
        attrs = {
            "assumption_set": one.label,
            "assumption_set_id": one.identity(""),
            "configuration": json.dumps(one.model_dump(mode="json")),
        }
        write_netcdf(xr.Dataset(attrs=attrs), folder / "result.nc")
    return pd.Series({one.label: one.identity("") for one in sets})


@pytest.fixture(scope="module")
def grid() -> list[AssumptionSet]:
    return [
        assumption_set([f"returns={returns}", f"unconfirmed={unconfirmed}"])
        for returns in ("central", "none")
        for unconfirmed in ("central", "wide")
    ]


def test_options_have_their_groups_and_the_names_that_labels_give(
    tmp_path: Path, grid: list[AssumptionSet]
) -> None:
    keys = keys_of_results(tmp_path, written(tmp_path, *grid))
    assert keys.to_dict("list") == {
        "unconfirmed": ["central", "wide", "central", "wide"],
        "returns": ["central", "central", "none", "none"],
    }
    assert keys.index.tolist() == [one.label for one in grid]


def test_each_evidence_group_is_an_assumption_of_its_own(tmp_path: Path) -> None:
    sets = [
        assumption_set(changes)
        for changes in (
            [],
            ["evidence.groups.january_gap=none"],
            ["evidence.groups.registries=none"],
            ["evidence.as_of=2026-01-31"],
        )
    ]
    keys = keys_of_results(tmp_path, written(tmp_path, *sets))
    assert keys["evidence.groups.january_gap"].tolist() == ["one", "none", "one", "one"]
    assert keys["evidence.groups.registries"].tolist() == ["all", "all", "none", "all"]
    assert keys.shape[1] == 3


def test_varied_keys_of_whole_sets_are_those_of_their_configurations(
    tmp_path: Path, grid: list[AssumptionSet]
) -> None:
    ids = written(tmp_path, *grid)
    facts = pd.DataFrame({"set_id": ids, "run": str(tmp_path)})
    assert list(varied_keys(facts)) == ["unconfirmed", "returns"]


def test_a_planned_sweep_comes_before_sets_that_were_written_whole(
    tmp_path: Path, grid: list[AssumptionSet]
) -> None:
    ids = written(tmp_path / "whole", *grid)
    whole = pd.DataFrame({"set_id": ids, "run": str(tmp_path / "whole")})
    planned = pd.DataFrame(
        {"set_id": ["a", "b"], "run": str(tmp_path / "planned"), "assumed.foreign": ["one", "two"]},
        index=["a", "b"],
    )
    keys = varied_keys(pd.concat([whole, planned]))
    assert keys.to_dict("list") == {"foreign": ["one", "two"]}


def test_without_names_the_innermost_key_that_differs_is_found(
    tmp_path: Path, grid: list[AssumptionSet]
) -> None:
    moved = assumption_set(["unconfirmed.ratio.low=0.06", "unconfirmed.ratio.high=0.6"])
    exits = assumption_set(["force.other_exits=0"])
    named = [one.model_copy(update={"label": name})
             for one, name in ((grid[0], "a"), (moved, "b"), (exits, "c"))]  # fmt: skip
    keys = keys_of_results(tmp_path, written(tmp_path, *named))
    levels = Levels.of(keys)
    assert levels.names == ("unconfirmed.ratio", "force.other_exits")
    assert levels.texts[0] == ("0.03 to 0.3", "0.06 to 0.6")
    assert set(levels.texts[1]) == {"variant 1", "variant 2"}


def test_a_single_number_is_its_own_level(tmp_path: Path) -> None:
    sets = [
        assumption_set([f"killed_share.persistence={value}"]).model_copy(update={"label": name})
        for value, name in ((0.9, "a"), (1.0, "b"))
    ]
    keys = keys_of_results(tmp_path, written(tmp_path, *sets))
    assert keys.to_dict("list") == {"killed_share.persistence": [0.9, 1.0]}


def test_a_name_that_stands_for_two_contents_is_not_taken(tmp_path: Path) -> None:
    """As where a folder of a user's options changed between two runs."""
    one, other = assumption_set(["returns=none"]), assumption_set(["returns=wide"])
    sets = [one, other.model_copy(update={"label": one.label})]
    ids = pd.Series([s.identity("") for s in sets], index=["a", "b"])
    written(tmp_path, *sets)
    assert keys_of_results(tmp_path, ids)["returns"].tolist() == ["variant 1", "variant 2"]


def test_a_key_that_one_set_alone_has_differs(tmp_path: Path) -> None:
    sets = [assumption_set([f"assumptions={name}"]) for name in ("central", "western")]
    ids = written(tmp_path, *sets)
    keys = varied_keys(pd.DataFrame({"set_id": ids, "run": str(tmp_path)}))
    assert set(keys) == {"killed_share.origins", "evidence.origins.losses", "losses"}
    texts = dict(zip(keys, Levels.of(keys).texts, strict=True))
    assert texts["evidence.origins.losses"][0] == "as it is"


def test_a_key_that_is_null_in_one_set_differs(tmp_path: Path) -> None:
    ids = written(tmp_path, assumption_set([]), assumption_set(["evidence.as_of=2025-06-30"]))
    keys = varied_keys(pd.DataFrame({"set_id": ids, "run": str(tmp_path)}))
    assert keys.to_dict("list") == {"evidence.as_of": ["null", "2025-06-30"]}


def test_words_about_a_prior_are_no_difference(tmp_path: Path) -> None:
    one = assumption_set([])
    said = one.model_dump(mode="json")
    said["returns"]["rate"]["source"] = "somebody else"
    other = AssumptionSet.from_config(
        {key: value for key, value in said.items() if key != "label"}, label="said"
    )
    assert keys_of_results(tmp_path, written(tmp_path, one, other)).columns.empty


def test_a_set_that_is_not_there_leaves_nothing_to_say(
    tmp_path: Path, grid: list[AssumptionSet]
) -> None:
    ids = written(tmp_path, *grid)
    ids.iloc[0] = "another"
    assert keys_of_results(tmp_path, ids).columns.empty
