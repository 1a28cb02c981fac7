from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from estimator.cli import main
from estimator.completion import SHELLS

BASH = shutil.which("bash")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH whose `estimator` is this package."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "estimator"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m estimator "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("estimator brea", {"breakeven "}),
        ("estimator run returns=", {"central", "few", "none", "wide"}),
        ("estimator run -m killed_share=all,reg", {"all,registry "}),
        ("estimator run returns.r", {"returns.rate="}),
        ("estimator show scept", {"sceptical "}),
        ("estimator run --config", {"--config-dir "}),
    ],
)
def test_bash_completes_what_is_typed(line: str, expected: set[str], commands: str) -> None:
    words = " ".join(f"'{word}'" for word in line.split(" "))
    code = (
        'eval "$(estimator completion bash)"; complete -p estimator > /dev/null; '
        f"COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_TYPE=9; COMP_WORDS=({words}); "
        '_python_argcomplete estimator; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ended = subprocess.run(  # noqa: S603
        [str(BASH), "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": commands},
        cwd=Path(__file__).parents[1],
    )
    assert set(ended.stdout.splitlines()) == expected


def test_each_shell_has_its_code_and_another_is_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes = set()
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        codes.add(capsys.readouterr().out)
    assert all("estimator" in code for code in codes)
    assert main(["completion", "fish"]) == 2
    assert "fish: unknown shell; " in capsys.readouterr().err
