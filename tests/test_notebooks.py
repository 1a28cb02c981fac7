"""The notebooks of docs/ run from the first cell to the last, without Jupyter."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from matplotlib import pyplot

from estimator.cli import main

NOTEBOOKS = sorted(Path(__file__).parents[1].glob("docs/notebooks/*.md"))
assert NOTEBOOKS

CELL = re.compile(r"^```\{code-cell\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What Jupyter reads and Python does not.
TRANSLATED = {r"^%matplotlib inline$": "", r"^!estimator (.*)$": r"command(f'\1')"}
# The one line of a notebook that is another here: draws from the prior need no sampler, and where
# ArviZ needs a posterior a few draws are enough. The site is built with the line as it stands.
FROM_PRIOR = ["window=since_2025", "sampler=prior_only", "sampler.prior_draws=100"]
FEW_DRAWS = [
    *("window=since_2025", "sampler.draws=100", "sampler.tune=200", "sampler.chains=2"),
    *("sampler.max_rhat=9", "sampler.min_ess=1", "sampler.max_divergences=200"),
]
QUICK = {"inside_the_model": FEW_DRAWS}


def program(notebook: Path) -> str:
    """Return the code cells of a notebook, each line where it stands in the file."""
    text = notebook.read_text(encoding="utf-8")
    quick = QUICK.get(notebook.stem, FROM_PRIOR)
    lines = [""] * text.count("\n")
    for cell in CELL.finditer(text):
        code = re.sub(r"^QUICK = .*$", f"QUICK = {quick}", cell[1], flags=re.MULTILINE)
        for pattern, python in TRANSLATED.items():
            code = re.sub(pattern, python, code, flags=re.MULTILINE)
        first = text.count("\n", 0, cell.start(1))
        lines[first : first + code.count("\n")] = code.splitlines()
    return "\n".join(lines)


def command(words: str) -> None:
    """Do what a notebook does by ``!estimator WORDS``."""
    assert main(shlex.split(words)) == 0, f"estimator {words}"


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")  # of ArviZ, on few draws from the prior
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_the_first_cell_to_the_last(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = compile(program(notebook), notebook, "exec")
    exec(code, {"__name__": "__main__", "command": command})  # noqa: S102 - it is ours
    pyplot.close("all")
