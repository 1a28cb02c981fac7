from __future__ import annotations

from pathlib import Path

import pytest

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.catalogue import belief, config_groups, defaults, options
from estimator.cli import main
from estimator.quantity import CLAIMED


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return " ".join(capsys.readouterr().out.split())


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 2
    return capsys.readouterr().err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "returns").mkdir()
    text = "# Nearly [all] of them return. Nobody said so.\ndefaults: [central]\nrate: 0.9\n"
    (tmp_path / "returns" / "mine.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("group", sorted(config_groups()))
def test_every_shipped_option_says_in_its_first_comment_what_it_believes(group: str) -> None:
    beliefs = {name: belief(path) for name, path in options(group).items()}
    assert beliefs
    assert {name for name, text in beliefs.items() if not 10 < len(text) < 260} == set()


def test_every_group_is_listed_with_its_default() -> None:
    chosen = defaults()
    assert set(chosen) == config_groups()
    assert chosen["returns"] == ("central",)
    assert all(set(names) <= set(options(group)) for group, names in chosen.items())


def test_the_list_names_all_groups_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "list")
    for group in config_groups():
        assert group in text
    assert "(few, none, wide)" in text


def test_a_group_is_listed_with_beliefs_priors_and_a_user_s_options(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    text = said(capsys, "list", "returns", "--config-dir", str(folder))
    assert "mine Nearly [all] of them return." in text
    assert "Nobody said so" not in text
    assert "returns.rate 30 % to 65 %" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_all_priors_quantities_and_evidence_groups_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "list", "priors")
    assert {key for key in ASSUMPTIONS if key not in text} == set()
    text = said(capsys, "list", "quantities")
    assert {name for name in CLAIMED if name not in text} == set()
    text = said(capsys, "list", "evidence_groups")
    assert "january_gap 4 one S11, S12, S28 and P16" in text


def test_a_set_is_shown_with_every_prior_and_its_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "show", "few_return", "seed=3")
    assert "Options other than the defaults: returns=few, seed=3." in text
    assert {key for key in ASSUMPTIONS if key not in text} == set()
    assert "S10: fewer wounded can return" in text
    assert "general_staff" in text  # how origins report is a prior too


def test_two_sets_are_shown_where_they_differ_and_nowhere_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "show", "few_return", "--diff", "central")
    assert "returns.rate" in text
    assert "returns.delay" not in text  # of another source, but the same prior
    assert "losses" not in text
    assert "the same" in said(capsys, "show", "central", "--diff", "central")


def test_a_key_is_shown_in_every_option_of_its_group(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    text = said(capsys, "show", "returns.rate", "--config-dir", str(folder))
    assert "Share of the wounded who come back to duty, in share: 0 to 1." in text
    for option in options("returns", folder):
        assert option in text
    assert "mine 90 % share, held fixed no source given" in text.replace("\xa0", " ")


def test_the_file_of_an_option_that_is_not_utf8_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "returns" / "mine.yaml"
    path.parent.mkdir()
    path.write_bytes(b"# fr\xfch\nrate: 0.5\n")
    assert main(["list", "returns", "--config-dir", str(tmp_path)]) == 0
    for words in (["show", "returns=mine"], ["show", "central", "returns=mine"]):
        assert main([*words, "--config-dir", str(tmp_path)]) == 2
        assert f"{path}: not " in capsys.readouterr().err


def test_the_file_of_an_option_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert main(["show", "returns=mine", "--config-dir", str(folder)]) == 0
    path = folder / "returns" / "mine.yaml"
    assert capsys.readouterr().out == f"{path.read_text()}# {path}\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("list", "return"), "return: no such group; did you mean 'returns'?"),
        (("show", "scepitcal"), "scepitcal: no set and no key of one; did you mean 'sceptical'?"),
        (("show", "returns.rat"), "did you mean 'returns.rate'?"),
        (("show", "returns=wid"), "returns=wid: no such option; did you mean 'wide'?"),
        (("show", "central", "--diff", "wester"), "did you mean 'western'?"),
        (("show", "returns.rate", "--diff", "central"), "returns.rate is none"),
        (("list", "--config-dir", "nowhere"), "--config-dir nowhere: no such folder"),
    ],
)
def test_what_is_not_there_is_an_error_that_names_the_nearest(
    words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named in complaint(capsys, *words)
