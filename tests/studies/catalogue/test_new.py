from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set, plain_config
from estimator.cli import main
from estimator.evidence import load_evidence
from estimator.studies.catalogue.new_cli import KINDS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(kind: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Words of the command that is printed."""
    assert main(["new", kind, "mine"]) == 0
    return shlex.split(capsys.readouterr().out.splitlines()[-1])


def composed(command: list[str]) -> tuple[list[str], str | None]:
    words = command[2:]
    return (words[2:], words[1]) if words[0] == "--config-dir" else (words, None)


def test_a_new_set_is_central_until_something_is_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = assumption_set(*composed(begin("set", capsys)))
    assert made.label == "mine"
    assert made.identity("") == assumption_set().identity("")


def test_every_line_of_a_new_set_can_be_used_by_taking_its_sign_away(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides, config_dir = composed(begin("set", capsys))
    path = folder / "my_conf" / "assumptions" / "mine.yaml"
    text = path.read_text(encoding="utf-8")
    options = re.findall(r"^#   - override (.+?) +#", text, re.MULTILINE)
    assert len(options) > 10
    head, numbers = text.split("# 2. Single")
    used = "\n".join(re.findall(r"^# ( *[a-z_]+:(?: .*)?)$", numbers, re.MULTILINE))
    written = yaml.safe_load(used.split("evidence:")[0])
    assert {f"{group}.{name}" for group in written for name in written[group]} == set(ASSUMPTIONS)
    lines = ["# @package _global_", "defaults:", *(f"  - override {line}" for line in options)]
    path.write_text("\n".join([*lines, "evidence:", used.split("evidence:\n")[1]]), "utf-8")
    changed = assumption_set(overrides, config_dir)
    assert changed.returns.rate.high == 0.25
    assert changed.evidence.groups["january_gap"] == "none"
    path.write_text(f"{head}\n{used}", encoding="utf-8")
    assert assumption_set(overrides, config_dir).evidence.drop == ("P53",)


def test_a_new_scenario_is_worked_out(capsys: pytest.CaptureFixture[str]) -> None:
    made = assumption_set(*composed(begin("scenario", capsys)))
    assert list(made.scenario) == ["status_quo", "mine"]
    assert made.scenario["mine"].losses is not None


def test_a_new_claim_counts_for_nothing_until_its_status_is_changed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides, _ = composed(begin("claim", capsys))
    used = load_evidence(assumption_set(overrides)).claims.set_index("id")["used"]
    assert not used["mine1"]
    path = folder / "mine.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",context,", ",claimed,"), "utf-8")
    assert load_evidence(assumption_set(overrides)).claims.set_index("id")["used"]["mine1"]


def test_a_new_mapping_reads_its_table_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(begin("mapping", capsys)[1:]) == 0
    said = capsys.readouterr().out
    assert "civilians are not counted" in said
    (command,) = re.findall(r"estimator run .*", said)
    assert plain_config(shlex.split(command)[2:])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_there_is_overwritten(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(kind, capsys)
    written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["new", kind, "mine"]) == 2
    assert "there already" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == written


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("set", "central"), "assumptions=central ships already"),
        (("set", "a b"), "'a b': must begin with a letter"),
        (("claim", "../up"), "'../up': must begin with a letter"),
        (("claim", "x" * 300), "digits and _ alone, at most 100"),
        (("claims", "mine"), "claims: unknown kind; did you mean 'claim'?"),
    ],
)
def test_names_that_cannot_be_used_are_errors_and_write_nothing(
    words: tuple[str, str], named: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *words]) == 2
    assert named in capsys.readouterr().err
    assert not list(folder.iterdir())
