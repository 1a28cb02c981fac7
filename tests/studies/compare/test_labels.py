from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.assumptions import AssumptionSet
from estimator.errors import ConfigError
from estimator.store.sets import Sets
from estimator.studies.compare.cli import split_labels, split_weights
from estimator.studies.compare.labels import Naming
from tests.studies.compare.made import alone
from tests.studies.compare.on_disk import posterior, write_whole

RANGE = "central,returns.rate.low=0.2153399825,returns.rate.high=0.5432179825"


def swept(count: int, **keys: list[object]) -> Sets:
    """A sweep whose labels are mere numbers."""
    varied = {key.replace("__", "."): values for key, values in keys.items()}
    rows = [{f"assumed.{key}": values[n] for key, values in varied.items()} for n in range(count)]
    return Sets([alone(f"central #{n + 1}", n, **row) for n, row in enumerate(rows)])


def test_sets_of_no_sweep_keep_their_labels():
    naming = Naming.of(Sets([alone("central", 1), alone("western", 2)]))
    assert naming.keys == ()
    assert [naming.text(label) for label in naming.parts] == ["central", "western"]
    assert [column.heading.text for column in naming.columns()] == ["set"]


def test_few_varied_keys_are_columns_and_both_are_named_where_no_heading_is():
    sets = swept(
        4, returns__rate=[0.2, 0.2, 0.4, 0.4], killed_share=["all", "western", "all", "western"]
    )
    naming = Naming.of(sets)
    assert naming.heading == "returns.rate · killed_share"
    assert naming.name("central #2") == "0.2 · western"
    assert naming.text("central #2") == "returns.rate 0.2, killed_share western"
    assert [column.heading.text for column in naming.columns()] == ["returns.rate", "killed_share"]
    assert [cell.text for cell in naming.cells("central #2", failed=True)] == [
        "0.2 (FAILED)",
        "western",
    ]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("central", "slow_return"), ["central", "slow_return"]),
        (("returns.delay=3", "returns.delay=9"), ["3", "9"]),
    ],
)
def test_sets_written_whole_that_somebody_named_keep_their_names_though_one_key_tells_them_apart(
    labels: tuple[str, str], names: list[str], tmp_path: Path, central: AssumptionSet
) -> None:
    draws = posterior(np.random.default_rng(1), 60)
    for label, months in zip(labels, (3.0, 9.0), strict=True):
        write_whole(tmp_path / "run", label, central.replace("returns.delay", months), draws)
    naming = Naming.of(Sets.open([tmp_path / "run"]))
    assert [naming.name(label) for label in labels] == names


def test_of_many_keys_a_name_has_what_is_not_as_in_most_sets_and_ranges_in_words():
    changed = {f"key_{n}__low": [1.0, *[1.0] * n, 2.0, *[1.0] * (3 - n)] for n in range(4)}
    highs = {key.replace("low", "high"): [5.0 * v for v in own] for key, own in changed.items()}
    naming = Naming.of(swept(5, **changed, **highs))
    assert naming.heading == ""
    assert list(naming.parts.values()) == [
        ("central",),
        ("key_0 2 to 10",),
        ("key_1 2 to 10",),
        ("key_2 2 to 10",),
        ("key_3 2 to 10",),
    ]


def test_every_key_is_named_where_none_has_a_usual_value():
    keys = {f"key_{n}": [float(n), n + 0.5, n + 0.7] for n in range(4)}
    naming = Naming.of(swept(3, **keys))
    assert naming.text("central #2") == "key_0 0.5, key_1 1.5, key_2 2.5, key_3 3.5"


def test_a_set_that_varies_too_much_keeps_its_number_and_a_note_says_where_its_keys_are():
    keys = {f"a_rather_long_key_{n}": [float(n), n + 0.5, n + 0.7] for n in range(6)}
    naming = Naming.of(swept(3, **keys))
    assert naming.text("central #2") == "central #2"
    assert naming.numbered == {"central #1", "central #2", "central #3"}
    assert naming.notes(["central #2"], "sets.csv") == ["What each set assumes: sets.csv."]


def test_a_sweep_beside_a_run_is_named_by_its_keys_and_the_run_by_its_labels():
    swept_set = {"run": "sweep", "folder": "sweep"}
    sets = Sets(
        [
            alone("central", 0),
            alone("central #1", 1, **swept_set, **{"assumed.losses": "walk"}),
            alone("central #2", 2, **swept_set, **{"assumed.losses": "local"}),
        ]
    )
    naming = Naming.of(sets)
    assert list(naming.parts.values()) == [("central",), ("losses walk",), ("losses local",)]


def test_two_sets_never_have_one_name():
    sweep = {"run": "sweep", "folder": "sweep"}
    keys = [{"assumed.a": "x"}, {"assumed.a": "x"}, {"assumed.a": "y"}]
    sets = Sets(
        [
            alone("a y", 0),
            *(alone(f"central #{n}", n, **sweep, **own) for n, own in enumerate(keys, start=1)),
        ]
    )
    assert len({naming_parts for naming_parts in Naming.of(sets).parts.values()}) == 4


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True))
def test_no_name_moves_a_cursor_and_no_two_are_alike(labels):
    naming = Naming.of(Sets([alone(label, n) for n, label in enumerate(labels)]))
    names = [naming.text(label) for label in labels]
    assert all(name.isprintable() for name in names)
    assert len(set(names)) == len(labels)


KNOWN = ["central", "central,returns=none", "western", "a=b", RANGE]


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["central,western"], ["central", "western"]),
        (["central,returns=none,western"], ["central,returns=none", "western"]),
        (["western", "central"], ["western", "central"]),
        ([RANGE], [RANGE]),
        (["central,nobody"], ["central", "nobody"]),
    ],
)
def test_labels_with_commas_are_told_from_lists_of_labels(texts, labels):
    assert split_labels(texts, KNOWN) == labels


@pytest.mark.parametrize(
    ("texts", "weights"),
    [
        (["central=1,western=2.5"], {"central": 1.0, "western": 2.5}),
        (["central,returns=none=2", "western=0"], {"central,returns=none": 2.0, "western": 0.0}),
        (["a=b=3"], {"a=b": 3.0}),
        ([f"{RANGE}=1e-3"], {RANGE: 0.001}),
        (["nobody=1"], {"nobody": 1.0}),
    ],
)
def test_weights_of_labels_with_commas_and_equal_signs_are_read(texts, weights):
    assert split_weights(texts, KNOWN) == weights


@pytest.mark.parametrize("text", ["central", "central=many", "=1", "central=nan", "central=1,,"])
def test_weights_without_a_number_are_told(text):
    with pytest.raises(ConfigError, match="must be LABEL=NUMBER"):
        split_weights([text], KNOWN)


def test_a_label_with_two_weights_is_told():
    with pytest.raises(ConfigError, match="named twice"):
        split_weights(["central=1", "central=2"], KNOWN)
