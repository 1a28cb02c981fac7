from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

from estimator import batch, cache, cli, distribution, run
from estimator.cli import COMMANDS, main
from estimator.fitting.diagnostics import Diagnostics
from estimator.store.crate import CRATE
from tests.evidence import tables
from tests.store.crates import FILES, entities

pytestmark = pytest.mark.slow

QUICK = ("sampler=prior_only", "sampler.prior_draws=20", "plots=false", "name=mine")


def estimator(folder: Path, *overrides: str, multirun: bool = False) -> int:
    flags = ["-m"] if multirun else []
    return main(["run", *flags, *QUICK, f"output_dir={folder}", *overrides])


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert text.count("estimator:") == 1
    assert "Traceback" not in text
    return text


def test_a_run_from_the_prior_writes_all_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert estimator(tmp_path, "label=quick") == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "command.txt",
        CRATE,
        "quick",
        "summary.csv",
        "summary.md",
    }
    assert {path.name for path in (tmp_path / "mine" / "quick").iterdir()} == FILES
    assert (tmp_path / "latest" / "summary.csv").is_file()
    assert "Results:" in capsys.readouterr().out
    crate = entities(tmp_path / "mine")
    assert "estimator run sampler=prior_only" in crate["#estimation"]["description"]
    assert str(tmp_path) not in (tmp_path / "mine" / CRATE).read_text(encoding="utf-8")
    assert "quick/" in crate


TWO_SETS = ("assumptions=article,registry", "plots=true")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of two sets with their pictures, made from an empty folder, and what it printed."""
    base = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as told:
        patch.chdir(base)
        assert estimator(base / "out", *TWO_SETS, multirun=True) == 0
    return base / "out" / "mine", told.getvalue()


@pytest.fixture
def multirun(printed: tuple[Path, str]) -> Path:
    return printed[0]


def test_a_multirun_writes_every_set_and_one_summary(multirun: Path) -> None:
    sets = [path for path in multirun.iterdir() if path.is_dir()]
    assert len(sets) == 2
    assert all({path.name for path in folder.iterdir()} == {*FILES, "plots"} for folder in sets)
    labels = set(pd.read_csv(multirun / "summary.csv", dtype=str)["assumption_set"])
    assert len(labels) == 2
    assert {label.split(",")[0] for label in labels} == {"article", "registry"}
    assert all(entities(folder) for folder in (*sets, multirun))
    base = multirun.parents[1]
    assert [path.name for path in base.iterdir()] == ["out"]  # Hydra leaves nothing behind


def test_a_multirun_draws_its_sets_and_compares_them(multirun: Path) -> None:
    assert (multirun / "forest.png").stat().st_size > 10_000
    drawn = [{path.name for path in found.iterdir()} for found in multirun.glob("*/plots")]
    assert len(drawn) == 2
    assert drawn[0] == drawn[1]
    assert "monthly_losses.png" in drawn[0]


def test_two_sets_of_one_label_are_both_kept(tmp_path: Path) -> None:
    assert estimator(tmp_path, "label=same", "seed=1,2", multirun=True) == 0
    folders = {path.parent.name for path in (tmp_path / "mine").glob("*/result.nc")}
    assert folders == {"same,seed=1", "same,seed=2"}
    table = pd.read_csv(tmp_path / "mine" / "summary.csv", dtype=str)
    assert set(table["assumption_set"]) == {"same,seed=1", "same,seed=2"}


def test_a_multirun_that_is_done_writes_nothing_again(
    printed: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, first = printed
    results = [path for path in folder.rglob("*") if path.suffix in (".nc", ".csv", ".parquet")]
    assert len(results) == 2 * 4 + 3  # four files of each set, and three of the run
    written = {path: path.stat().st_mtime_ns for path in results}
    assert estimator(folder.parent, *TWO_SETS, multirun=True) == 0
    assert capsys.readouterr().out == first
    assert {path: path.stat().st_mtime_ns for path in results} == written


def test_an_error_in_one_set_of_a_multirun_keeps_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = estimator(tmp_path, "evidence.files=[shipped],[missing.csv]", multirun=True)
    assert status == 2
    assert "missing.csv" in complaint(capsys)
    assert len(list((tmp_path / "mine").glob("*/result.nc"))) == 1


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("assumptions=article2", "did you mean 'article'?"),
        ("unconfirmed.ratoi=1", "unconfirmed.ratoi: unknown key"),
        ("unconfirmed.ratio.low=9", "low must be below high"),
        ("evidence.files=[missing.csv]", "missing.csv"),
        ("evidence.drop=[P999]", "'P999' is in no claim; there are P01 to P57"),
        ("assumptions=[central,few_return]", "-m assumptions=central,few_return"),
        ("label=früh", """write 'label="früh"'"""),
    ],
)
@pytest.mark.parametrize("multirun", [False, True])
def test_bad_input_ends_with_status_2_and_one_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    override: str,
    named: str,
    multirun: bool,
) -> None:
    assert estimator(tmp_path, override, multirun=multirun) == 2
    assert named in complaint(capsys)
    assert not list(tmp_path.iterdir())


def test_a_run_is_never_written_outside_its_folder_of_outputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "outputs"
    assert main(["run", "name=../elsewhere", f"output_dir={folder}", *QUICK[:3]]) == 2
    assert "must name a folder below" in complaint(capsys)
    assert not list(tmp_path.iterdir())


def test_a_multirun_without_a_name_is_named_by_what_varies_the_same_each_time() -> None:
    command = ["killed_share=registry,western", "seed=3", "evidence.drop=[S11,P16]"]
    name = batch._sweep_name(command, None)
    assert name.startswith("killed_share-")
    assert batch._sweep_name(command[::-1], None) == name
    assert batch._sweep_name([*command, "returns=few"], None) != name
    assert batch._sweep_name(["experiment=tornado"], None).startswith("tornado-")


@pytest.mark.parametrize(
    "words", [["run", "label=\udcff"], ["run", "-m", "seed=\udcff"], ["\udcff"]]
)
def test_a_word_that_is_not_utf8_is_told(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert r"\udcff': not UTF-8" in complaint(capsys)


def test_bad_rows_of_a_claims_file_are_all_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tables.write(
        tmp_path / "bad.csv",
        [tables.row(**tables.FLOOR), tables.row(hedge="maybe"), tables.row(id="B", value="many")],
    )
    assert estimator(tmp_path, f"evidence.files=['{table}']") == 2
    text = complaint(capsys)
    assert "bad.csv" in text
    assert "maybe" in text
    assert "many" in text


def test_an_output_folder_that_cannot_be_written_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    assert estimator(blocked) == 2
    assert "cannot be written" in complaint(capsys)


def test_failed_diagnostics_end_with_status_3_and_everything_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Diagnostics(1.08, 100.0, 90.0, {}, 2, ("R-hat 1.080 > 1.01 (losses[2026-01])",))
    monkeypatch.setattr(run, "diagnose", lambda *_: failed)
    assert estimator(tmp_path, "label=poor") == 3
    assert "poor: R-hat 1.080" in complaint(capsys)
    assert {path.name for path in (tmp_path / "mine" / "poor").iterdir()} == FILES
    assert "failed" in (tmp_path / "mine" / "summary.md").read_text()


def in_new_process(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_help_answers_without_importing_anything_heavy(words: list[str]) -> None:
    ended = in_new_process(
        "import sys; from estimator.cli import main\n"
        f"try:\n    main({[*words, '--help']})\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'pymc', 'numpy', 'pandas', 'hydra', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert ended.returncode == 0, ended.stderr
    assert f"usage: {' '.join(['estimator', *words])}" in ended.stdout


@pytest.mark.parametrize("words", [["run"], ["run", "-m"]])
def test_an_unknown_key_is_named_without_importing_what_estimates(words: list[str]) -> None:
    ended = in_new_process(
        "import sys; from estimator.cli import main\n"
        f"assert main({[*words, 'typo=1']}) == 2\n"
        "heavy = {'pymc', 'arviz', 'nutpie', 'scipy.stats', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert ended.returncode == 0, ended.stderr
    assert "typo: unknown key; allowed: name, output_dir, " in ended.stderr
    assert "losses.level" not in ended.stderr


def test_python_runs_the_package_and_says_its_version() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "estimator", "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == f"estimator {distribution.version()}\n"


def test_an_unknown_command_is_an_error_that_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["reportt"])
    assert "reportt: unknown command; did you mean 'report'?" in capsys.readouterr().err


def test_the_cache_tells_where_it_is_and_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "kept"))
    cache.save("key", b"code")
    assert main(["cache"]) == 0
    assert f"{tmp_path / 'kept'}: 1 files kept" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert cache.load("key") is None
    (tmp_path / "kept").chmod(0o755)
    assert main(["cache"]) == 2
    assert "open to others (mode 755" in complaint(capsys)


def test_no_command_is_an_error_of_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("compare", "{}", "--no-plots", "compare.shownn=3"), "compare.shownn"),
        (("run", "seed=1", "--config-dir", "{}", "returns.ratee=0.5"), "returns.ratee"),
    ],
)
def test_an_override_after_an_option_is_read(
    words: tuple[str, ...], key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(tmp_path) for word in words]) == 2
    assert key in complaint(capsys)


def test_an_option_that_does_not_exist_is_an_error_of_the_parser(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["compare", str(tmp_path), "--nonsense", "compare.shown=3"])
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


def test_output_to_no_terminal_is_plain_even_where_a_notebook_forces_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["list", "returns"]) == 0
    told = capsys.readouterr().out
    assert "few" in told
    assert "\x1b" not in told


def test_a_command_that_stops_beside_a_thread_at_work_ends_with_its_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from estimator.sweep import executors

    def leave(status: int) -> None:
        raise SystemExit(100 + status)

    monkeypatch.setattr(cli, "main", lambda: 2)
    monkeypatch.setattr("os._exit", leave)
    for at_work, status in ((True, 102), (False, 2)):
        monkeypatch.setattr(executors, "are_at_work", lambda at_work=at_work: at_work)
        with pytest.raises(SystemExit) as ended:
            cli.entry()
        assert ended.value.code == status
