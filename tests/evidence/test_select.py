from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.assumptions.compose import assumption_set
from estimator.assumptions.fields import Names
from estimator.errors import EvidenceError
from estimator.evidence import load_evidence, read_claims
from estimator.evidence.periods import Window
from estimator.evidence.select import select_claims
from tests.evidence.tables import claims, evidence_options, row, select, write

SHIPPED = read_claims()
WAR = Window(pd.Timestamp("2022-02-24"), pd.Timestamp("2026-01-31"), 31)


def reason(selected: pd.DataFrame, name: str) -> str:
    text = str(selected["reason"].to_dict()[name])
    assert selected["used"].to_dict()[name] == (text == "")
    return text


def test_a_claim_that_no_rule_excludes_is_used(tmp_path: Path) -> None:
    selected = select(claims(tmp_path, row()))
    assert selected["used"].tolist() == [True, True]
    assert selected["reason"].tolist() == ["", ""]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    as_of=st.none() | st.dates(dt.date(2025, 12, 1), dt.date(2026, 3, 1)).map(str),
    drop=st.lists(st.sampled_from(sorted(set(SHIPPED["id"]) - {"S02"})), max_size=5, unique=True),
    killed=st.just("all") | st.lists(st.sampled_from(["csis", "kobak"])).map(tuple),
    losses=st.lists(st.sampled_from(["csis", "iiss"])).map(
        lambda o: ("video_verified_ukraine", *o)
    ),
    populations=st.sampled_from(["all", ("russian_forces",)]),
)
def test_every_claim_is_either_used_or_has_a_reason_and_none_is_lost(
    as_of: str | None,
    drop: list[str],
    killed: Names,
    losses: tuple[str, ...],
    populations: Names,
) -> None:
    options = evidence_options(
        origins={"losses": losses}, populations=populations, as_of=as_of, drop=tuple(drop)
    )
    try:
        selected = select_claims(SHIPPED, options, killed, WAR)
    except EvidenceError as error:
        assert "No claim counts" in str(error)
        return
    assert selected["id"].tolist() == SHIPPED["id"].tolist()
    assert (selected["used"] == (selected["reason"] == "")).all()
    assert 0 < selected["used"].sum() < len(SHIPPED)
    assert not selected.loc[selected["id"].isin(drop), "used"].any()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"status": "goal"}, "not a figure for the likelihood (status or quantity)"),
        (
            {"quantity": "unconfirmed", "status": "context"},
            "not a figure for the likelihood (status or quantity)",
        ),
        ({"period_start": "2024-12-31"}, "outside the window"),
        ({"period_end": "2026-02-01"}, "outside the window"),
    ],
    ids=str,
)
def test_a_claim_of_another_kind_or_time_does_not_count(
    tmp_path: Path, cells: dict[str, str], expected: str
) -> None:
    assert reason(select(claims(tmp_path, row(**cells))), "A") == expected


def test_a_period_may_reach_into_the_overhang(tmp_path: Path) -> None:
    assert reason(select(claims(tmp_path, row(period_end="2026-01-31"))), "A") == ""


def test_a_dropped_claim_says_so(tmp_path: Path) -> None:
    selected = select(claims(tmp_path, row()), evidence_options(drop=("A",)))
    assert reason(selected, "A") == "dropped by evidence.drop"


def test_dropping_an_unknown_id_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"evidence.drop: 'S1' is in no claim; did you mean"):
        select_claims(SHIPPED, evidence_options(drop=("S1",)), "all", WAR)


def test_as_of_leaves_out_what_was_published_later(tmp_path: Path) -> None:
    table = claims(tmp_path, row(published="2025-03-02"), row(id="B", unit="persons/month"))
    selected = select(table, evidence_options(as_of="2025-03-01"))
    assert reason(selected, "A") == "published after 2025-03-01"
    assert reason(selected, "B") == ""


def test_an_earlier_as_of_brings_back_the_figure_that_a_later_one_repeats(tmp_path: Path) -> None:
    table = claims(tmp_path, row(), row(id="B", published="2025-06-01", value="31000"))
    assert reason(select(table), "A") == "repeats B"
    selected = select(table, evidence_options(as_of="2025-05-31"))
    assert reason(selected, "A") == ""


def test_sources_origins_and_populations_can_be_chosen(tmp_path: Path) -> None:
    table = claims(
        tmp_path,
        row(source="blog"),
        row(id="B", origin="other"),
        row(id="C", period_end="2025-02-28", population="allies"),
        row(id="D", period_end="2025-03-31", population=""),
    )
    options = evidence_options(
        sources=("paper",), origins={"losses": ("counter", "video")}, populations=("army",)
    )
    selected = select(table, options)
    assert reason(selected, "A") == "source not in evidence.sources"
    assert reason(selected, "B") == "origin not in evidence.origins.losses"
    assert reason(selected, "C") == "population not in evidence.populations"
    assert reason(selected, "D") == ""


@pytest.mark.parametrize("quantity", ["killed", "killed_share"])
def test_whose_killed_count_is_chosen_apart(tmp_path: Path, quantity: str) -> None:
    unit = "share" if quantity == "killed_share" else "persons"
    value = "0.3" if quantity == "killed_share" else "9000"
    table = claims(tmp_path, row(quantity=quantity, unit=unit, value=value), row(id="B"))
    selected = select(table, killed_origins=("registry",))
    assert reason(selected, "A") == "origin not in killed_share.origins"
    assert reason(selected, "B") == ""


def test_a_name_in_no_claim_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        select(claims(tmp_path, row()), evidence_options(origins={"losses": ("vidoe", "video")}))
    assert caplog.messages == [
        "evidence.origins.losses: 'vidoe' is in no claim; did you mean 'video'?"
    ]


def test_no_shipped_set_names_what_no_shipped_claim_has(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("article", "registry", "western"):
        assumptions = assumption_set([f"assumptions={name}"])
        assert load_evidence(assumptions).claims["used"].any()
    assert caplog.messages == []


def test_of_repeats_the_most_exact_of_the_last_published_counts(tmp_path: Path) -> None:
    table = claims(
        tmp_path,
        row(id="A", hedge="exact"),
        row(id="B", hedge="about", published="2025-04-01"),
        row(id="C", hedge="exact", published="2025-04-01"),
        row(id="D", hedge="at_least", published="2025-04-01"),
    )
    selected = select(table)
    assert [reason(selected, name) for name in "ABCD"] == [
        "repeats C",
        "repeats C",
        "",
        "repeats C",
    ]


@pytest.mark.parametrize(
    "cells",
    [
        {"origin": "other"},
        {"quantity": "recruits"},
        {"population": "allies"},
        {"period_end": "2025-01-30"},
        {"status": "confirmed", "value": "100"},
    ],
    ids=str,
)
def test_another_origin_quantity_population_period_or_a_floor_is_no_repeat(
    tmp_path: Path, cells: dict[str, str]
) -> None:
    table = claims(tmp_path, row(population="army"), row(id="B", population="army") | cells)
    selected = select(table)
    assert reason(selected, "A") == reason(selected, "B") == ""


def test_the_repeats_of_the_shipped_table_are_those_of_its_data_card() -> None:
    selected = select_claims(SHIPPED, evidence_options(), "all", WAR).set_index("id")
    repeats = selected["reason"][selected["reason"].str.match(r"repeats [A-Z]")]
    assert repeats.to_dict() == {
        "P03": "repeats S03",
        "S04": "repeats P04",
        "P05": "repeats S18",
        "P14": "repeats P15",
    }


def months(first: int, last: int, **cells: str) -> list[dict[str, str]]:
    ends = pd.period_range("2025-01", periods=12, freq="M").end_time
    return [
        row(
            id=f"M{month}",
            period_start=f"2025-{month:02d}-01",
            period_end=f"{ends[month - 1]:%Y-%m-%d}",
            **cells,
        )
        for month in range(first, last + 1)
    ]


def test_a_sum_that_shorter_claims_of_its_origin_cover_is_a_repeat(tmp_path: Path) -> None:
    table = claims(tmp_path, row(period_end="2025-06-30", value="180000"), *months(1, 6))
    selected = select(table)
    assert reason(selected, "A") == "repeats the sum of shorter claims of counter"
    assert selected["used"].sum() == 7


@pytest.mark.parametrize("covered", [(1, 5), (2, 6)])
def test_a_sum_with_a_gap_in_its_parts_counts(tmp_path: Path, covered: tuple[int, int]) -> None:
    table = claims(tmp_path, row(period_end="2025-06-30", value="180000"), *months(*covered))
    assert reason(select(table), "A") == ""


def test_a_sum_is_no_repeat_of_a_claim_more_than_half_as_long(tmp_path: Path) -> None:
    table = claims(
        tmp_path, row(period_end="2025-03-31"), row(id="B", period_end="2025-02-28"), *months(3, 3)
    )
    assert reason(select(table), "A") == ""


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from([1, 1, 2, 5, 12, 30])),
        min_size=1,
        max_size=25,
        unique=True,
    )
)
def test_a_sum_is_a_repeat_if_each_of_its_days_is_in_a_claim_of_at_most_half_its_length(
    periods: list[tuple[int, int]],
) -> None:
    first = pd.Timestamp("2025-02-01")
    table = pd.DataFrame(
        [
            {**SHIPPED.iloc[0].to_dict(), "id": f"R{n}", "status": "claimed", "hedge": "about"}
            | {"quantity": "losses", "evidence_group": "", "derived_from": ""}
            | {"period_start": first + pd.Timedelta(days=begin)}
            | {"period_end": first + pd.Timedelta(days=begin + more)}
            for n, (begin, more) in enumerate(periods)
        ]
    )
    repeats = [text.startswith("repeats the sum") for text in select(table)["reason"]]
    days = [set(range(begin, begin + more + 1)) for begin, more in periods]
    for (_, more), own, repeated in zip(periods, days, repeats, strict=True):
        parts = [of for (_, other), of in zip(periods, days, strict=True) if 2 * other < more]
        assert repeated == (own <= set().union(*parts))


def test_a_sum_that_another_origin_s_months_cover_counts(tmp_path: Path) -> None:
    table = claims(tmp_path, row(period_end="2025-03-31"), *months(1, 3, origin="other"))
    assert reason(select(table), "A") == ""


def test_a_confirmed_sum_counts_beside_its_parts(tmp_path: Path) -> None:
    cells = {"status": "confirmed", "hedge": "exact"}
    table = claims(
        tmp_path,
        row(period_end="2025-03-31", value="90000", **cells),
        *months(1, 3, **cells),
    )
    selected = select(table)
    assert selected["used"].all()
    assert len(selected) == 5


def test_a_table_without_a_confirmed_figure_has_no_floor_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    selected = select(SHIPPED[SHIPPED["status"] != "confirmed"], window=WAR)
    assert selected["used"].any()
    assert "holds no confirmed figure" in caplog.text


def test_if_options_leave_no_confirmed_figure_each_is_named_with_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    select(SHIPPED, evidence_options(as_of="2025-02-01"), window=WAR)
    assert "no floor under the losses" in caplog.text
    assert "S03: published after 2025-02-01" in caplog.text


def test_if_nothing_counts_the_reasons_are_named(tmp_path: Path) -> None:
    options = evidence_options(as_of="2025-02-01")
    with pytest.raises(EvidenceError, match=r"(?s)No claim counts.*published after 2025-02-01.*F"):
        select(claims(tmp_path, row()), options)


def test_an_origin_that_speaks_from_two_sides_is_refused(tmp_path: Path) -> None:
    table = claims(tmp_path, *months(1, 2, speaker="own"))
    table.loc[table.index[-1], "speaker"] = "enemy"
    with pytest.raises(EvidenceError, match=r"speaker is enemy .M2., own .M1."):
        select(table)


def floors(tmp_path: Path, whole: str, hedge: str = "exact", part: str = "30000") -> pd.DataFrame:
    cells = {"status": "confirmed"}
    return claims(
        tmp_path,
        row(period_end="2025-03-31", value=whole, hedge=hedge, **cells),
        *months(1, 3, hedge="exact", value=part, **cells),
    )


def test_confirmed_parts_that_sum_to_more_than_their_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        select(floors(tmp_path, whole="80000"))
    assert (
        "A: 80,000 confirmed from 2025-01-01 to 2025-03-31, but its parts M1, M2, M3 sum to 90,000"
        in str(caught.value)
    )


def test_confirmed_parts_may_exceed_their_whole_by_rounding(tmp_path: Path) -> None:
    assert select(floors(tmp_path, whole="82000"))["used"].all()


@pytest.mark.parametrize("hedge", ["at_least", "more_than"])
def test_an_open_ended_whole_does_not_contradict_its_parts(tmp_path: Path, hedge: str) -> None:
    assert select(floors(tmp_path, whole="50000", hedge=hedge))["used"].all()


def test_overlapping_parts_are_not_added_up(tmp_path: Path) -> None:
    cells = {"status": "confirmed", "hedge": "exact"}
    table = claims(
        tmp_path,
        row(period_end="2025-03-31", value="80000", **cells),
        row(id="B", period_end="2025-02-28", value="60000", **cells),
        row(id="C", period_start="2025-02-01", period_end="2025-03-31", value="60000", **cells),
    )
    assert select(table)["used"].all()


def test_forces_that_nobody_chose_to_join_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = claims(tmp_path, *months(1, 2, population="ours"))
    select(table)
    assert "several populations" not in caplog.text
    table.loc[table.index[-1], "population"] = "theirs"
    select(table)
    assert "several populations count as one force: ours (1 claims), theirs (1 claims)" in (
        caplog.text
    )


def in_group(name: str, *, of: str = "count", **cells: str) -> dict[str, str]:
    """A claim of an evidence group, of an origin of its own so that it repeats nothing."""
    return row(**{"id": name, "origin": f"origin_{name}", "evidence_group": of} | cells)


@pytest.mark.parametrize(
    ("choice", "counting"),
    [
        ("all", ["A", "B", "C"]),
        ("original", ["A", "C"]),
        ("one", ["C"]),
        ("none", []),
        ("B", ["B"]),
    ],
)
def test_of_a_group_those_count_that_the_options_choose(
    tmp_path: Path, choice: str, counting: list[str]
) -> None:
    table = claims(
        tmp_path,
        in_group("A"),
        in_group("B", derived_from="A"),
        in_group("C", published="2025-03-02"),
        row(id="X"),
    )
    selected = select(table, evidence_options(groups={"count": choice}))
    assert selected.index[selected["used"]].tolist() == ["F", *counting, "X"]
    if choice != "B":  # an id is of one group
        others = select(table, evidence_options(other_groups=choice))
        assert others.equals(selected)


def test_one_is_the_last_published_then_the_most_exact_then_the_last_of_the_table(
    tmp_path: Path,
) -> None:
    cells = (
        in_group("A", published="2025-03-01"),
        in_group("B", published="2025-04-01", hedge="at_least"),
        in_group("C", published="2025-04-01", hedge="about"),
        in_group("D", published="2025-04-01", hedge="about"),
        in_group("E", published="2025-04-01", hedge="nearly"),
        in_group("G", published="2025-05-01", derived_from="A"),
    )
    options = evidence_options(groups={"count": "one"})
    selected = select(claims(tmp_path, *cells), options)
    assert reason(selected, "D") == ""
    assert reason(selected, "A") == "one claim of count counts: D"
    assert reason(selected, "G") == "derived from A"
    assert reason(select(claims(tmp_path, *cells[:3], cells[4]), options), "C") == ""


def test_what_is_derived_from_a_claim_that_does_not_count_is_the_original_that_is_left(
    tmp_path: Path,
) -> None:
    table = claims(
        tmp_path,
        in_group("A"),
        in_group("B", derived_from="A"),
        in_group("C", derived_from="B"),
        in_group("D", derived_from="F", of="other"),
    )
    options = evidence_options(other_groups="original")
    assert reason(select(table, options), "B") == "derived from A"
    assert reason(select(table, options), "C") == "derived from A, B"
    assert reason(select(table, options), "D") == ""  # F is of no group
    left = select(table, evidence_options(other_groups="original", drop=("A",)))
    assert reason(left, "B") == ""
    assert reason(left, "C") == "derived from B"


def test_a_member_that_is_named_counts_over_the_one_that_repeats_it(tmp_path: Path) -> None:
    table = claims(
        tmp_path,
        row(evidence_group="count"),
        row(id="B", published="2025-06-01", value="31000", evidence_group="count"),
    )
    selected = select(table, evidence_options(groups={"count": "A"}))
    assert reason(selected, "A") == ""
    assert reason(selected, "B") == "of its evidence group A counts"


def test_all_that_is_wrong_with_the_chosen_groups_is_told_at_once(tmp_path: Path) -> None:
    table = claims(tmp_path, in_group("A"), in_group("B", of="other", status="context"))
    with pytest.raises(EvidenceError) as error:
        select(table, evidence_options(groups={"cont": "one", "count": "B", "other": "B"}))
    text = str(error.value)
    assert "evidence.groups: 'cont' is the group of no claim; did you mean 'count'?" in text
    assert "evidence.groups.count: 'B' is no figure of the group; allowed: all, original," in text
    assert "evidence.groups.other: 'B' is no figure of the group" in text


def test_groups_of_the_shipped_table_may_be_named_beside_another_table(tmp_path: Path) -> None:
    table = claims(tmp_path, row())
    selected = select(table, evidence_options(groups={"january_gap": "S11"}))
    assert reason(selected, "A") == ""


def test_the_shipped_configuration_names_every_group_of_the_shipped_table() -> None:
    assert set(assumption_set().evidence.groups) == set(SHIPPED["evidence_group"]) - {""}


def test_the_january_gap_is_one_piece_of_evidence() -> None:
    """What S11 says as a difference, P16 says with P04, and S12 as a sign."""
    table = SHIPPED.set_index("id")["value"]
    assert table["P16"] - table["P04"] == pytest.approx(table["S11"], abs=500)
    used = load_evidence(assumption_set()).claims.set_index("id")["used"]
    assert used[["S11", "S12", "P16"]].tolist() == [True, False, False]


def test_sets_that_leave_a_group_out_share_one_structure() -> None:
    from estimator.model.inputs import model_inputs

    structures = set()
    for choice in ("one", "none", "all", "P16"):
        assumptions = assumption_set([f"evidence.groups.january_gap={choice}"])
        structures.add(model_inputs(load_evidence(assumptions), assumptions).structure.identity)
    for name in assumption_set().evidence.groups:
        assumptions = assumption_set([f"evidence.groups.{name}=none"])
        structures.add(model_inputs(load_evidence(assumptions), assumptions).structure.identity)
    assert len(structures) == 1


@pytest.mark.parametrize(("hedge", "told"), [("at_least", True), ("about", False)])
def test_that_bounds_alone_say_nothing_of_how_many_more_is_told(
    hedge: str, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [row(id="A", hedge="at_least"), row(id="B", origin="b", hedge=hedge)]
    table = read_claims([str(write(tmp_path / "claims.csv", rows))])
    with caplog.at_level(logging.WARNING):
        select(table)
    assert any("told by the priors alone" in line for line in caplog.messages) is told
