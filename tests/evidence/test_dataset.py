from __future__ import annotations

import logging
from pathlib import Path

import pytest

from estimator.assumptions.compose import assumption_set
from estimator.evidence import Evidence, load_evidence
from estimator.evidence.pieces import pieces
from estimator.evidence.schema import LIKELIHOOD_STATUSES
from estimator.quantity import MODELLED
from tests.evidence.tables import FLOOR, claims, row, write

YEAR = ["window.start=2025-01-01", "window.end=2025-12-31"]


@pytest.fixture(scope="module")
def shipped() -> Evidence:
    return load_evidence(assumption_set())


def test_used_claims_stand_in_the_dataset_once_each(shipped: Evidence) -> None:
    data = shipped.dataset
    used = data["claim"].values[data["used"].values].tolist()
    used += data["confirmed_claim"].values[data["confirmed_used"].values].tolist()
    used += data["registry_figure"].values[data["registry_used"].values].tolist()
    assert sorted(used) == sorted(shipped.claims.loc[shipped.claims["used"], "id"])
    assert len(used) > 90


def test_floors_and_other_claims_stand_apart(shipped: Evidence) -> None:
    assert set(shipped.dataset["confirmed_status"].values.tolist()) == {"confirmed"}
    assert set(shipped.dataset["status"].values.tolist()) <= set(LIKELIHOOD_STATUSES) - {
        "confirmed"
    }
    assert set(shipped.dataset["quantity"].values.tolist()) <= set(MODELLED)


def test_the_dataset_keeps_its_shape_under_other_choices_of_claims(shipped: Evidence) -> None:
    other = load_evidence(assumption_set(["assumptions=article", "evidence.drop=[S11]"]))
    assert other.dataset["claim"].equals(shipped.dataset["claim"])
    assert other.dataset["weight"].equals(shipped.dataset["weight"])
    assert 0 < other.dataset["used"].sum() < shipped.dataset["used"].sum()


def test_a_confirmed_sum_is_read_as_what_its_confirmed_months_leave(shipped: Evidence) -> None:
    weight = shipped.dataset["confirmed_weight"].sel(confirmed_claim="S02")
    assert weight["month"].values[weight.values > 0].tolist() == ["2025-11"]
    floors = shipped.dataset["confirmed_floor"].to_series()
    assert floors["P02"] == 90_000 - 25_000 - 35_000
    assert floors["S02"] == pytest.approx(95_000 - 35_000 - 30_618)
    assert shipped.dataset["confirmed_used"].to_series()[["S02", "P02"]].tolist() == [False, True]


def test_a_day_s_rate_and_a_month_s_sum_agree_on_the_same_month(tmp_path: Path) -> None:
    table = claims(
        tmp_path,
        row(),
        row(id="B", unit="persons/day", origin="b"),
        row(id="C", unit="persons/month", origin="c"),
    )
    weight = load_evidence(assumption_set(YEAR), table).dataset["weight"].sel(month="2025-01")
    assert weight.sel(claim="A").item() == pytest.approx(1.0)
    assert weight.sel(claim="B").item() == pytest.approx(1 / 31)
    assert weight.sel(claim="C").item() == pytest.approx(365.25 / 12 / 31)


def test_claims_on_one_period_have_each_its_own_unit_and_what_its_origin_could_know(
    tmp_path: Path,
) -> None:
    early, late, registry = "2025-02-01", "2025-06-01", "mediazona_meduza"
    rows = [
        row(id=f"{unit} {published} {origin}", quantity="killed", unit=unit)
        | {"published": published, "origin": origin}
        for unit in ("persons", "persons/day")
        for published in (early, late)
        for origin in ("counter", registry)
    ]
    options = [*YEAR, "killed_share=all", "reporting=registry_delay", "registries=last_vintage"]
    weight = load_evidence(assumption_set(options), claims(tmp_path, *rows)).dataset["weight"]
    shares = {(early, registry): 0.03, (late, registry): 0.55}
    for one in rows:
        known = shares.get((one["published"], one["origin"]), 1.0)
        days = 31 if one["unit"] == "persons/day" else 1
        found = weight.sel(claim=one["id"]).sum().item() * days
        assert found == pytest.approx(known, abs=0.05), one["id"]


def test_a_stock_adds_up_all_months_before_its_day(tmp_path: Path) -> None:
    day = {"period_start": "2025-07-01", "period_end": "2025-07-01"}
    table = claims(tmp_path, row(quantity="force_size", value="600000", **day))
    weight = load_evidence(assumption_set(YEAR), table).dataset["weight"].sel(claim="A")
    assert weight.values.tolist() == [1.0] * 6 + [0.0] * 6


def test_a_share_weighs_the_months_of_its_period(tmp_path: Path) -> None:
    cells = {"quantity": "killed_share", "unit": "share", "value": "0.3"}
    table = claims(tmp_path, row(period_end="2025-02-28", **cells))
    weight = load_evidence(assumption_set(YEAR), table).dataset["weight"].sel(claim="A")
    assert weight.values.tolist() == [1.0, 1.0] + [0.0] * 10


def test_figures_texts_and_days_are_those_of_the_table(tmp_path: Path) -> None:
    table = claims(tmp_path, row(low="29000", high="31000"))
    data = load_evidence(assumption_set(YEAR), table).dataset.sel(claim="A")
    assert [data[name].item() for name in ("low", "value", "high")] == [29000, 30000, 31000]
    assert data["source"].item() == "counter:losses"
    assert data["published_in"].item() == "paper"
    assert data["period_end"].item() == "2025-01-31"
    assert data["month_days"].values.sum() == 365


def test_claims_outside_the_window_are_counted_in_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = claims(tmp_path, row(period_start="2024-12-01"))
    with caplog.at_level(logging.WARNING):
        evidence = load_evidence(assumption_set(YEAR), table)
    assert "1 claims lie outside the window and do not count" in caplog.messages
    assert evidence.not_used.to_dict() == {"outside the window": 1}
    assert "A" not in evidence.dataset["claim"].values


def test_a_table_with_floors_only_gives_an_empty_claim_dim(tmp_path: Path) -> None:
    data = load_evidence(assumption_set(YEAR), claims(tmp_path)).dataset
    assert dict(data.sizes) == {
        "claim": 0,
        "confirmed_claim": 1,
        "rounded_claim": 0,
        "registry_figure": 0,
        "month": 12,
    }
    assert data["weight"].shape == (0, 12)


def test_a_file_beside_the_shipped_one_adds_its_claims(shipped: Evidence, tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", [row(id="MINE")])
    both = load_evidence(assumption_set([f"evidence.files=[shipped,'{own}']"]))
    assert "MINE" in both.dataset["claim"].values
    assert "S03" in both.dataset["confirmed_claim"].values
    assert both.data_hash != shipped.data_hash


def test_a_file_in_place_of_the_shipped_one_stands_alone(tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", [row(**FLOOR), row()])
    alone = load_evidence(assumption_set([f"evidence.files=['{own}']", "evidence.populations=all"]))
    assert alone.claims["id"].tolist() == ["F", "A"]
    assert alone.claims["used"].all()


def test_as_of_shows_only_what_could_have_been_known(shipped: Evidence) -> None:
    then = load_evidence(assumption_set(["evidence.as_of=2026-02-01", "evidence.sources=all"]))
    used = then.claims[then.claims["used"]]
    assert 0 < len(used) < int(shipped.claims["used"].sum())
    assert (used["published"] <= "2026-02-01").all()


def test_claims_of_one_group_are_one_piece_of_evidence_and_all_others_are_each_their_own(
    tmp_path: Path,
) -> None:
    floor = row(**FLOOR) | {"id": "G", "evidence_group": "count", "period_end": "2025-02-28"}
    table = claims(
        tmp_path,
        row(evidence_group="count"),
        row(id="B", origin="other", evidence_group="count"),
        row(id="C", origin="third"),
        row(id="D", origin="fourth"),
        row(id="E", origin="fifth", status="context", evidence_group="unused"),
        floor,
    )
    evidence = load_evidence(assumption_set([*YEAR, "evidence.other_groups=all"]), table)
    assert pieces(evidence.dataset) == (6, 4)
