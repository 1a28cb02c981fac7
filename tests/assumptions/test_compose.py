from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from estimator import cache
from estimator.assumptions import by_hydra, catalogue, compose, composed
from estimator.assumptions.compose import (
    assumption_set,
    compose_config,
    label_of,
    plain_config,
    to_plain,
)
from estimator.errors import ConfigError
from estimator.paths import conf_dir


def failure(*overrides: str, config_dir: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        assumption_set(list(overrides), config_dir)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder whose name has everything that Hydra's grammar gives a meaning."""
    folder = tmp_path / "my 'conf', (a)=[b] {c}"
    (folder / "unconfirmed").mkdir(parents=True)
    text = "# mine\ndefaults: [central]\nratio: {high: 0.9}\n"
    (folder / "unconfirmed" / "mine.yaml").write_text(text, encoding="utf-8")
    return folder


def test_an_override_reaches_the_typed_set() -> None:
    assumptions = assumption_set(["unconfirmed.ratio.high=1.5", "evidence.as_of=2026-01-31"])
    assert assumptions.unconfirmed.ratio.high == 1.5
    assert str(assumptions.evidence.as_of) == "2026-01-31"


def test_a_bare_number_holds_an_assumption_fixed() -> None:
    assert assumption_set(["unconfirmed.ratio=0.1"]).unconfirmed.ratio.is_fixed


def test_a_bundle_gives_way_to_the_command_line() -> None:
    assumptions = assumption_set(["assumptions=article", "evidence.sources=all"])
    assert assumptions.evidence.sources == "all"
    assert assumptions.returns.rate.value == 0.0


def test_the_label_is_the_bundle_and_what_was_changed_on_it() -> None:
    assert assumption_set(["assumptions=registry", "seed=3"]).label == "registry,seed=3"


def test_a_label_can_be_given() -> None:
    assert assumption_set(["label=mine", "seed=3"]).label == "mine"


def test_where_results_go_is_no_part_of_the_label() -> None:
    assert label_of(["name=x", "output_dir=y", "plots=false", "hydra.run.dir=z"]) == "central"
    assert label_of(["report.title=x", "report=mine"]) == "central"
    assert label_of(["reporting=wide"]) == "central,reporting=wide"  # only begins like `report`


def test_a_long_label_is_cut_says_so_and_differs_from_others() -> None:
    label, other = (label_of([f"losses.level.high={'9' * 100}{last}"]) for last in "12")
    assert len(label) == len(other) == 80
    assert "…" in label
    assert label != other


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("unconfirmed=centrl", "unconfirmed=centrl: unknown option; did you mean 'central'?"),
        ("assumptions=wester", "assumptions=wester: unknown option; did you mean 'western'?"),
        ("scenario=[plan_10]", "scenario=plan_10: unknown option; did you mean 'plan_"),
        ("unconfirmd=central", "unconfirmd: unknown key; did you mean unconfirmed=central?"),
        ("assumption=sceptical", "assumption: unknown key; did you mean assumptions=sceptical?"),
        ("returns=sceptical", "unknown option; did you mean assumptions=sceptical?"),
        ("returns.rate=few", "Got 'few'; did you mean returns=few?"),
        ("sceptical", "must be GROUP=OPTION or KEY=VALUE; did you mean assumptions=sceptical?"),
        ("sceptcal", "did you mean assumptions=sceptical?"),
        ("returns.rate=0.1,0.2", "estimator run -m returns.rate=0.1,0.2; a list is written"),
        ("~recruitment=nan", "~recruitment=nan: found nan; allowed: ~recruitment, or the option"),
        ("label=old, new", """a text with a comma is written 'label="old, new"'"""),
        ("returns=[few,wide]", "run each: estimator run -m returns=few,wide"),
        ("returns.rate=[1,[2]", "brackets and quotes must come in pairs"),
        ("unconfirmd@x=central", "unconfirmd: unknown group; did you mean 'unconfirmed'?"),
        (
            "unconfirmed.ratio.hgh=2",
            "unconfirmed.ratio.hgh: unknown key; did you mean 'unconfirmed.ratio.high'?",
        ),
        ("sweep.fit_draws=900", "sweep.fit_draws: unknown key; it is sweep.fit.draws now"),
        (
            "reporting.default.losses={delay: {median_days: 90, spread: 1}}",
            "(a key that the file does not have: +reporting.default.losses.delay=…)",
        ),
        ("+unconfirmed.ratio.hgh=2", "unconfirmed.ratio.hgh: unknown key; did you mean 'high'?"),
        ("+unconfirmd.ratio=2", "unconfirmd: unknown key; did you mean 'unconfirmed'?"),
        ("unconfirmed.ratio.low=???", "unconfirmed.ratio.low: Missing mandatory value"),
        (
            "unconfirmed.ratio.low=${nope}",
            "unconfirmed.ratio.low: Interpolation key 'nope' not found",
        ),
        ("unconfirmed.ratio=[1,2]", "unconfirmed.ratio: Error merging override"),
        ("~unconfirmed", "unconfirmed: missing; no option is chosen, such as unconfirmed=central"),
        ("scenario=[]", "scenario: missing; no option is chosen, such as scenario=goal_50000"),
        ("unconfirmed=null", "Config group override must be a string or a list"),
    ],
)
def test_an_impossible_override_is_refused_with_key_and_nearest_name(
    override: str, expected: str
) -> None:
    assert expected in failure(override)


def test_an_own_option_stands_beside_the_shipped_ones(folder: Path) -> None:
    ratio = assumption_set(["unconfirmed=mine"], folder).unconfirmed.ratio
    assert (ratio.low, ratio.high) == (0.03, 0.9)
    assert assumption_set(["unconfirmed=small"], folder).unconfirmed.ratio.high == 0.12


def test_an_own_option_is_among_the_nearest_names(folder: Path) -> None:
    assert "did you mean 'mine'?" in failure("unconfirmed=mien", config_dir=folder)


def test_a_bundle_of_one_s_own_with_an_unknown_key_is_refused(folder: Path) -> None:
    (folder / "assumptions").mkdir()
    text = "# @package _global_\nunconfirmd: {ratio: 3}\n"
    (folder / "assumptions" / "mine.yaml").write_text(text, encoding="utf-8")
    expected = "unconfirmd: unknown key; did you mean 'unconfirmed'?"
    assert expected in failure("assumptions=mine", config_dir=folder)


def test_an_own_file_that_is_no_yaml_is_named(folder: Path) -> None:
    (folder / "unconfirmed" / "broken.yaml").write_text("a: [", encoding="utf-8")
    assert "broken.yaml" in failure("unconfirmed=broken", config_dir=folder)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\xbc\xff", "not UTF-8"),
        (b"a: " + b"[" * 5000, "nested too deeply"),
        (b"3", "options are a mapping"),
        (b"a: !!int x", "options are a mapping"),
    ],
)
def test_an_own_file_that_cannot_be_read_is_named(folder: Path, content: bytes, named: str) -> None:
    path = folder / "unconfirmed" / "broken.yaml"
    path.write_bytes(content)
    found = failure("unconfirmed=broken", config_dir=folder)
    assert found.startswith(f"{path}: ")
    assert named in found


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no"
    assert failure(config_dir=missing) == f"--config-dir {missing}: no such folder"


def test_composing_leaves_hydra_as_if_it_had_not_been() -> None:
    compose_config()
    assert not GlobalHydra.instance().is_initialized()


def test_a_shipped_file_that_has_changed_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "conf"
    shutil.copytree(conf_dir(), copied)
    for module in (by_hydra, catalogue, compose, composed):
        monkeypatch.setattr(module, "conf_dir", lambda: copied)
    for config in (compose_config(), plain_config()):
        config["unconfirmed"]["ratio"]["high"] = 0.9  # what is handed out is a copy
    for config in (compose_config(), plain_config()):
        assert config["unconfirmed"]["ratio"]["high"] == 0.3
    option = copied / "unconfirmed" / "central.yaml"
    text = option.read_text(encoding="utf-8")
    option.write_text(text.replace("high: 0.30", "high: 0.35"), encoding="utf-8")
    for config in (compose_config(), plain_config()):
        assert config["unconfirmed"]["ratio"]["high"] == 0.35


def test_what_the_shipped_files_make_is_composed_once_for_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "kept"))
    overrides = ["assumptions=western", "returns.rate.high=0.4"]
    made = compose.Composer(None).plain(overrides)
    own = compose.Composer(tmp_path).plain(overrides)
    monkeypatch.setattr(compose, "compose_config", None)
    assert compose.Composer(None).plain(overrides) == made == own
    with pytest.raises(TypeError):  # a user's files may change
        compose.Composer(tmp_path).plain(overrides)


def test_composing_again_gives_the_same(tmp_path: Path) -> None:
    first, again = plain_config((), tmp_path), to_plain(compose_config((), tmp_path))
    assert first == again == plain_config()


@pytest.mark.parametrize("text", ["${oc.env:HOME}", "as ${ oc.env:SECRET,none }", "${now:%Y}"])
def test_nothing_is_looked_up_outside_the_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "returns").mkdir()
    (tmp_path / "returns" / "mine.yaml").write_text(
        f'rate: {{family: Uniform, low: 0.1, high: 0.3, unit: share, source: "{text}"}}\n'
    )
    with pytest.raises(ConfigError, match=r"mine\.yaml: line 1: found \$\{"):
        assumption_set(["returns=mine"], tmp_path)
    with pytest.raises(ConfigError, match=r"returns\.rate\.source=.*: found \$\{"):
        assumption_set([f"returns.rate.source='{text}'"])


@pytest.mark.parametrize("end", ["low: *a9", "low: *itself"])
def test_a_file_that_repeats_parts_of_itself_is_refused_at_once(tmp_path: Path, end: str) -> None:
    (tmp_path / "returns").mkdir()
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (tmp_path / "returns" / "mine.yaml").write_text("\n".join([*lines, f"rate: &itself {{{end}}}"]))
    begin = time.process_time()
    with pytest.raises(ConfigError, match=r"mine\.yaml: line 2: found \*a0; allowed: values"):
        assumption_set(["returns=mine"], tmp_path)
    assert time.process_time() - begin < 5.0
