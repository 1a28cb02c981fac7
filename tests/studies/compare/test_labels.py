from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import ConfigError
from estimator.store.sets import Sets
from estimator.studies.compare.cli import split_labels, split_weights
from estimator.studies.compare.labels import names_of, shown
from tests.studies.compare.made import alone

RANGE = "central,returns.rate.low=0.2153399825,returns.rate.high=0.5432179825"


def test_what_all_have_in_front_is_left_out_and_ranges_are_said_in_words():
    assert shown(["central", RANGE, "central #7"], 40) == [
        "central",
        "returns.rate 0.215 to 0.543",
        "#7",
    ]


def test_names_of_different_bundles_keep_their_bundle():
    assert shown(["central,returns=none", "western"], 40) == ["central,returns=none", "western"]


def test_thousands_are_written_whole():
    label = "central,force.start.low=130029.8885,force.start.high=208047.8216"
    assert shown([label, "x"], 60)[0] == "central,force.start 130030 to 208048"


def test_names_that_would_be_cut_alike_stay_different():
    names = shown([f"a{'x' * 50}{n}{'y' * 50}" for n in range(12)], 20)
    assert len(set(names)) == 12
    assert max(map(len, names)) <= 22


@given(st.lists(st.text(min_size=1), min_size=1, max_size=12, unique=True), st.integers(12, 40))
def test_no_name_is_long_or_moves_a_cursor(labels, width):
    names = shown(labels, width)
    assert len(names) == len(labels)
    assert all(name.isprintable() for name in names)
    assert all(len(name) <= width + 4 for name in names)


def test_a_number_of_a_sweep_becomes_what_sets_it_apart_if_that_is_short():
    column = "assumed.returns.rate.low"
    sets = Sets(
        [
            alone(f"central #{n}", n, **{column: 0.3 if n != 2 else 0.1, "assumed.losses": "walk"})
            for n in range(5)
        ]
    )
    assert names_of(sets, sets.labels, 40) == ["#0", "#1", "returns.rate.low=0.1", "#3", "#4"]


def test_a_key_that_a_set_of_another_folder_does_not_have_is_no_part_of_its_name():
    swept = alone("central #1", 1, **{"assumed.losses": "walk"})
    whole = alone("whole #2", 2)
    assert names_of(Sets([swept, whole]), ["central #1", "whole #2"], 40) == [
        "central,losses=walk",
        "whole #2",
    ]


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
