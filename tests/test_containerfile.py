"""The Containerfile, by its steps: no engine is needed to see that they fit together."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
TEXT = re.sub(r"^#.*\n", "", (TOP / "Containerfile").read_text(), flags=re.MULTILINE)
STEPS = [step.split(maxsplit=1) for step in TEXT.replace("\\\n", "").splitlines() if step.strip()]


def steps(name: str) -> list[str]:
    return [rest for word, rest in STEPS if word == name]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the Containerfile copies, and nothing else."""
    folder: Path = tmp_path_factory.mktemp("container")
    for step in steps("COPY"):
        *sources, target = [word for word in shlex.split(step) if not word.startswith("--")]
        for source in sources:
            path = TOP / source
            if path.is_dir():
                shutil.copytree(path, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, folder / target)
    return folder


def told(folder: Path, *words: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(  # noqa: S603 - the words are ours
        words, cwd=folder, env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_as_a_user_of_its_own_and_estimates_all_sets() -> None:
    names = [word for word, _ in STEPS]
    assert names[0] == "FROM"
    assert names.index("USER") < names.index("COPY")
    assert steps("USER") == ["estimator"]
    assert [json.loads(step) for step in steps("CMD")] == [["make", "estimate"]]


def test_what_is_copied_is_enough_for_the_steps_of_the_makefile(copied: Path) -> None:
    assert steps("RUN")[-1] == "make .venv/.installed"
    installing = told(copied, "make", "--dry-run", ".venv/.installed")
    assert installing.count("--require-hashes") == 2
    assert "-r requirements.txt" in installing
    assert "estimator run -m" in told(copied, "make", "--dry-run", "estimate")


def test_what_is_copied_is_enough_to_be_installed(copied: Path) -> None:
    metadata = json.loads(told(copied, sys.executable, "-m", "hatchling", "metadata"))
    assert metadata["name"] == "loss-ranges"


def test_what_is_copied_is_enough_to_read_claims_and_options(copied: Path) -> None:
    code = "import estimator as e; a = e.assumption_set([]); print(len(e.load_evidence(a).claims))"
    assert int(told(copied, sys.executable, "-c", code)) > 100
