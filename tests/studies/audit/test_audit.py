"""Claims judged on draws of the prior: no sampler, no refits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions.compose import plain_config
from estimator.cli import main
from estimator.errors import OutputError
from estimator.run import Estimate, write_estimate
from estimator.show.figures.audit import plot_verdicts
from estimator.store.journal import Journal
from estimator.store.sets import Sets
from estimator.studies.audit.audit import _BY_FITS, FILE, audit, read_audit
from estimator.studies.audit.bases import AuditedSet, Basis
from estimator.studies.audit.claims import REPEAT, judge_claims
from estimator.studies.audit.leave_out import LeaveOneOut, LeftOut
from estimator.studies.audit.options import AuditOptions
from estimator.studies.audit.parts import (
    WRITTEN,
    claims_grid,
    origin_counts,
    publish_audit,
    verdict_rows,
)

pytestmark = pytest.mark.slow

HOSTILE = '=HYPERLINK("x")<script>alert(1)</script>|_[a](b)'


def options(*overrides: str) -> AuditOptions:
    overrides = ("audit.refit=none", *overrides)
    return AuditOptions.from_config(plain_config(overrides)["audit"])


@pytest.fixture(scope="module")
def judged(from_prior: Estimate) -> pd.DataFrame:
    return judge_claims(LeaveOneOut(AuditedSet.of("from prior", from_prior.tree), options()))


@pytest.fixture(scope="module")
def run(from_prior: Estimate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    outputs = tmp_path_factory.mktemp("outputs")
    write_estimate(from_prior, outputs, "run", {}, None)
    return outputs / "run"


def test_every_claim_inside_the_window_is_judged(
    judged: pd.DataFrame, from_prior: Estimate
) -> None:
    data = from_prior.evidence.dataset
    wanted = {*data["claim"].values.tolist(), *data["confirmed_claim"].values.tolist()}
    assert set(judged["claim"]) == wanted
    assert judged["tail_probability"].between(0, 1).all()
    assert judged["tail_probability"].is_monotonic_increasing


def test_predictions_are_in_the_claims_unit(judged: pd.DataFrame) -> None:
    by_claim = judged.set_index("claim")
    assert 1e3 < by_claim.at["P16", "predicted_q50"] < 1e6  # not counted: no weights of prior draws
    assert 0 < by_claim.at["S09", "predicted_q50"] < 1
    assert 5 < by_claim.at["P08", "predicted_q50"] < 20_000  # persons/day
    sound = judged[judged["failures"] == ""]  # weights of prior draws may be all on one of them
    assert len(sound) > 10
    assert (sound["predicted_q05"] <= sound["predicted_q95"]).all()


def test_claims_of_one_count_name_each_other(judged: pd.DataFrame) -> None:
    same = judged.set_index("claim")["same_as"]
    assert same["S04"] == "P04" and same["P04"] == "S04"
    assert same["P16"] == ""


def test_a_repeat_gets_no_verdict_of_its_own(judged: pd.DataFrame) -> None:
    by_claim = judged.set_index("claim")
    assert by_claim.at["S04", "verdict"] == REPEAT
    assert not by_claim.at["S04", "counted"]
    assert "P04" in by_claim.at["S04", "reason"]


def test_a_confirmed_sum_is_predicted_as_a_whole(judged: pd.DataFrame) -> None:
    # Read as the remainder after its confirmed months, shown with them.
    row = judged.set_index("claim").loc["P02"]
    assert row["predicted_q05"] > 60_000


def test_verdicts_follow_the_bounds_of_the_options(from_prior: Estimate) -> None:
    audited = AuditedSet.of("from prior", from_prior.tree)
    asked = options("audit.strained=0.9", "audit.in_conflict=0.8")
    strict = judge_claims(LeaveOneOut(audited, asked))
    told = strict[strict["verdict"] != REPEAT]
    assert (told["verdict"] == "in conflict").equals(told["tail_probability"] < 0.8)
    assert ((told["verdict"] == "consistent") == (told["tail_probability"] >= 0.9)).all()


def test_verdicts_on_weights_that_cannot_be_trusted_are_marked(judged: pd.DataFrame) -> None:
    doubtful = judged["counted"] & (judged["k_hat"] > 0.7)
    assert doubtful.any()
    assert (judged.loc[doubtful, "failures"] != "").all()


def test_doubtful_weights_decide_no_verdict_beside_a_limit(
    from_prior: Estimate, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = AuditedSet.of("from prior", from_prior.tree)
    # Draws of the prior know nothing of the claims, and their weights are bad: so are the bounds.
    trusting = options().model_copy(update={"max_k_hat": np.inf, "min_ess": 0.0})
    by_weights = judge_claims(LeaveOneOut(audited, trusting))
    sound = by_weights[by_weights["counted"] & (by_weights["failures"] == "")]
    factor = 3.0
    beside = np.logical_or.reduce(
        [
            (sound["tail_probability"] < limit * factor)
            & (sound["tail_probability"] > limit / factor)
            for limit in (trusting.strained, trusting.in_conflict)
        ]
    )
    at_most = float(sound.loc[beside, "k_hat"].median())
    fitted: list[str] = []

    def fit(
        self: LeaveOneOut, name: str, data: object, watched: object, *, is_near: bool = True
    ) -> LeftOut:
        fitted.append(name)
        basis = Basis(audited, audited.posterior, self.answers)
        weights = np.full(basis.n_draws, 1.0 / basis.n_draws)
        return LeftOut(basis, weights, "refit", np.nan, 400.0, "")

    monkeypatch.setattr(LeaveOneOut, "_fit", fit)
    settings = trusting.model_copy(
        update={"refit": "all", "doubtful_k_hat": at_most, "doubtful_factor": factor}
    )
    judge_claims(LeaveOneOut(audited, settings))
    doubtful = sound.loc[beside & (sound["k_hat"] > at_most), "claim"]
    assert 0 < len(doubtful) < beside.sum()
    assert set(fitted) & set(sound["claim"]) == set(doubtful)


def test_an_audit_is_read_back_as_it_was_written(run: Path, tmp_path: Path) -> None:
    made = audit(Sets.open([run]), options(), cores=1)
    publish_audit(made, tmp_path)
    again = read_audit(tmp_path)
    for name, table in made.tables.items():
        assert list(table.columns) == list(again.tables[name].columns)
        assert len(table) == len(again.tables[name]), name
    assert len(made.conflicts) > 5


def test_a_finished_set_is_not_judged_again(run: Path, tmp_path: Path, monkeypatch) -> None:
    with Journal(tmp_path / FILE, "audit") as journal:
        first = audit(Sets.open([run]), options(), cores=1, journal=journal)

    def fail(*_: object) -> None:
        raise AssertionError("judged again")

    for name in ("claims", "groups"):
        monkeypatch.setitem(_BY_FITS, name, fail)
    with Journal(tmp_path / FILE, "audit") as journal:
        again = audit(Sets.open([run]), options(), cores=1, journal=journal)
    pd.testing.assert_frame_equal(first.claims, again.claims)
    pd.testing.assert_frame_equal(first.groups, again.groups)


def test_sets_without_draws_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no result"):
        Sets.open([tmp_path])


def test_the_command_writes_tables_and_pictures(run: Path, tmp_path: Path, capsys) -> None:
    status = main(["audit", str(run), "audit.refit=none", "--output", str(tmp_path)])
    assert status == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"claims.csv", "statements.csv", "conflicts.csv", "balance.csv"}
    assert names >= {"resolutions.csv", "audit.md", "audit.png", "audit.svg"}
    printed = capsys.readouterr().out
    assert "Stock and flow" in printed and "cannot all be true" in printed


def test_an_unknown_set_is_named_with_the_nearest(run: Path, capsys) -> None:
    assert main(["audit", str(run), "--sets", "from prioor"]) == 2
    assert "from prior" in capsys.readouterr().err


def test_texts_of_a_hostile_table_do_no_harm(from_prior: Estimate, tmp_path: Path) -> None:
    tree = from_prior.tree.copy()
    data = tree["constant_data"].to_dataset()
    citation = data["citation"].values.astype(object)
    origin = data["origin"].values.astype(object)
    citation[:], origin[0] = HOSTILE, HOSTILE
    tree["constant_data"] = xr.DataTree(
        data.assign(citation=("claim", citation), origin=("claim", origin))
    )
    tree.attrs = from_prior.tree.attrs | {"assumption_set": HOSTILE}
    audited = AuditedSet.of(HOSTILE, tree)
    claims = judge_claims(LeaveOneOut(audited, options()))
    sets = Sets.open([_written(from_prior, tmp_path)])
    made = audit(sets, options(), cores=1)
    made = type(made)(**{**made.__dict__, "claims": claims})
    publish_audit(made, tmp_path / "audit")
    with (tmp_path / "audit" / "claims.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(HOSTILE in cell for cell in cells)
    assert not any(cell.startswith(("=", "@")) for cell in cells)
    document = (tmp_path / "audit" / "audit.md").read_text(encoding="utf-8")
    assert "<script>" not in document.replace("\\<script>", "")
    assert plot_verdicts(claims_grid(claims, made.facts)).axes


def _written(found: Estimate, folder: Path) -> Path:
    write_estimate(found, folder, "run", {}, None)
    return folder / "run"


def test_rows_put_the_sets_that_count_a_claim_first(judged: pd.DataFrame) -> None:
    other = judged.assign(assumption_set="other", counted=False, tail_probability=0.0)
    other["verdict"] = "in conflict"
    labels, rows = verdict_rows(pd.concat([judged, other]))
    assert labels == ["from prior", "other"]
    counted = [row for row in rows if row[1].text and not row[1].text.startswith("(")]
    assert len(counted) == judged["counted"].sum()
    assert rows[: len(counted)] == counted
    assert any(row[0].text == "P04 = S04" for row in rows)


def made_verdicts(n: int) -> pd.DataFrame:
    """Verdicts on n claims of three origins; each tenth claim of the first is in conflict."""
    rows = [
        {"assumption_set": "a", "claim": f"c{i}", "figure": "about 5 persons", "quantity": "losses",
         "origin": f"o{i % 3}", "counted": True, "same_as": "", "failures": "",
         "tail_probability": 0.001 if i % 30 == 0 else 0.5,
         "verdict": "in conflict" if i % 30 == 0 else "consistent"}
        for i in range(n)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_thousands_of_claims_are_summed_up_by_origin_the_worst_first() -> None:
    counts = origin_counts(made_verdicts(3000))
    assert counts["origin"].iloc[0] == "o0"
    assert counts["claims"].tolist() == [1000, 1000, 1000]
    assert counts["in conflict"].tolist() == [100, 0, 0]


def test_a_table_of_thousands_of_claims_is_cut_and_says_where_the_rest_is() -> None:
    claims = made_verdicts(3000)
    facts = pd.DataFrame({"failures": [""]}, index=pd.Index(["a"], name="label"))
    text = claims_grid(claims, facts).markdown()
    assert text.count("losses: about 5 persons") == WRITTEN
    assert f"The {WRITTEN} that fit worst of 3,000; all of them: claims.csv." in text
    few = claims_grid(claims.head(200), facts).markdown()
    assert few.count("losses: about 5 persons") == 200
    assert "all of them" not in few
