"""The command: from a run on disk to a page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from estimator.cli import main
from estimator.errors import OutputError
from estimator.run import Estimate, write_estimate
from estimator.studies.report import gather as gathering

pytestmark = pytest.mark.slow

LABEL = "from prior"
ASKED = (
    "report.breakeven=[{keys:[scenario.plan_share],level:0.5,assumption_set:'from prior',"
    "scenarios:[status_quo]}]"
)


@pytest.fixture(scope="module")
def written(from_prior: Estimate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    write_estimate(from_prior, folder, "run", {}, None)
    (folder / "run" / "command.txt").write_text("estimator run name=run\n")
    return folder / "run"


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "run"))


def test_the_command_makes_both_pages_of_a_run_with_all_that_needs_no_fit(
    run: Path, capsys
) -> None:
    assert main(["report", str(run), ASKED]) == 0
    assert "report.html" in capsys.readouterr().out
    report, details = ((run / name).read_text() for name in ("report.html", "details.html"))
    assert "hold the force at its level" in report
    assert "estimator run name=run" in details
    assert "S11" in details
    assert (run / "pictures" / "balance.png").exists()
    assert (run / "audit" / "claims.csv").exists()


def test_an_audit_of_the_same_sets_is_taken_as_it_is(run: Path, monkeypatch) -> None:
    assert main(["audit", str(run), "audit.refit=none", "--no-plots"]) == 0

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("audited again")

    monkeypatch.setattr(gathering, "make_audit", fail)
    assert main(["report", str(run), ASKED]) == 0


def test_statements_that_an_audit_was_not_asked_for_are_judged_without_a_new_one(
    run: Path, monkeypatch
) -> None:
    assert main(["audit", str(run), "audit=claims_only", "audit.refit=none", "--no-plots"]) == 0
    monkeypatch.setattr(gathering, "make_audit", None)
    assert main(["report", str(run), ASKED]) == 0
    assert "true in" in (run / "report.html").read_text().casefold()
    assert "over 65 % of the losses" in (run / "report.html").read_text().casefold()


def test_a_run_on_another_war_is_asked_nothing_of_the_article(tmp_path: Path) -> None:
    claim = {"quantity": "losses", "low": "", "value": 900, "high": "", "unit": "persons"}
    claim |= {"hedge": "about", "status": "estimated", "origin": "counter", "source": "list"}
    claim |= {"published": "2024-08-01", "citation": "Somebody", "population": "my_forces"}
    months = pd.period_range("2024-01", "2024-04", freq="M")
    rows = [
        {"id": f"L{month}", "period_start": month.start_time, "period_end": month.end_time, **claim}
        for month in months
    ]
    table = tmp_path / "claims.csv"
    pd.DataFrame(rows).to_csv(table, index=False, date_format="%Y-%m-%d")
    words = ["experiment=other_war", f"evidence.files=['{table}']", "window.start=2024-01-01"]
    words += ["window.end=2024-04-30", "sampler=prior_only", "plots=false", "name=w"]
    assert main(["run", *words, f"output_dir={tmp_path}"]) == 0
    run = tmp_path / "w"
    assert main(["audit", str(run), "audit.refit=none"]) == 0
    assert pd.read_csv(run / "audit" / "statements.csv").empty
    assert main(["report", str(run), "--no-fits"]) == 0
    for name in ("report.html", "details.html"):
        page = (run / name).read_text()
        assert "Russia" not in page
        assert "1.25 million" not in page


def test_options_of_a_user_count_in_every_command_on_outputs(run: Path, tmp_path: Path) -> None:
    own = {
        "report": "defaults: [plain]\ntitle: A title of my own\n",
        "audit": "defaults: [claims_only]\nrefit: none\n",
        "compare": 'defaults: [default]\nanswers: ["killed[total]"]\n',
    }
    for group, text in own.items():
        (tmp_path / "mine" / group).mkdir(parents=True)
        (tmp_path / "mine" / group / "mine.yaml").write_text(text)
    words = ["--config-dir", str(tmp_path / "mine")]
    assert main(["audit", str(run), "audit=mine", "--no-plots", *words]) == 0
    assert pd.read_csv(run / "audit" / "statements.csv").empty
    assert main(["compare", str(run), "compare=mine", "--no-plots", *words]) == 0
    compared = pd.read_csv(run / "compare" / "comparison.csv")
    assert set(compared["answer"]) == {"killed[total]"}
    chosen = ["report=mine", "audit=mine", "--no-fits"]
    assert main(["report", str(run), *chosen, *words]) == 0
    assert "A title of my own" in (run / "report.html").read_text()


def test_an_audit_of_other_sets_is_made_anew(run: Path, monkeypatch) -> None:
    assert main(["audit", str(run), "audit.refit=none", "--no-plots"]) == 0
    path = run / "audit" / "sets.csv"
    pd.read_csv(path).assign(set_id="another").to_csv(path, index=False)
    made = []
    real = gathering.make_audit

    def note(*given, **more):
        made.append(given)
        return real(*given, **more)

    monkeypatch.setattr(gathering, "make_audit", note)
    assert main(["report", str(run), ASKED]) == 0
    assert len(made) == 1


def test_no_fit_is_made_where_none_is_wanted(run: Path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("fitted")

    monkeypatch.setattr(gathering, "break_even", fail)
    asked = ASKED.replace("scenario.plan_share", "returns.rate").replace(
        "level:", "event:'losses[last] > 1',level:"
    )
    assert main(["report", str(run), asked, "--no-fits"]) == 0


def test_claims_that_cannot_be_read_are_told_before_anything_is_worked_out(
    run: Path, capsys
) -> None:
    (path,) = run.glob("*/claims.csv")
    path.write_bytes(b"id,value\nL\xcf,1\n")
    assert main(["report", str(run), "--no-fits"]) == 2
    assert f"{path}: cannot be read" in capsys.readouterr().err
    assert not (run / "audit").exists()


def test_an_override_that_is_none_is_told_before_a_folder_is_opened(capsys) -> None:
    assert main(["report", "nowhere", "report.subjekt=x"]) == 2
    assert "report.subjekt: unknown key; did you mean 'report.subject'?" in capsys.readouterr().err


def test_a_sweep_that_is_none_is_refused_before_anything_is_worked_out(run: Path, capsys) -> None:
    assert main(["report", str(run), str(run / "none"), "--no-fits"]) == 2
    assert str(run / "none") in capsys.readouterr().err
    assert not (run / "audit").exists()


def test_a_folder_without_a_result_is_refused(tmp_path: Path, capsys) -> None:
    assert main(["report", str(tmp_path)]) == OutputError("").exit_status
    assert "holds no result.nc" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()
