"""The documents: links lead somewhere, and notebooks run from the first cell to the last."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from matplotlib import pyplot

from estimator.cli import main

TOP = Path(__file__).parents[1]
NOTEBOOKS = sorted(TOP.glob("docs/notebooks/*.md"))
assert NOTEBOOKS
DOCUMENTS = [*TOP.glob("*.md"), *TOP.glob("docs/*.md"), *TOP.glob("data/*.md"), *NOTEBOOKS]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")

CELL = re.compile(r"^```\{code-cell\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^told = !(.*)$", re.MULTILINE)
# What makes a notebook short, and what makes it shorter here: draws from the prior need no sampler,
# and where ArviZ needs a posterior a few draws are enough. The site is built as it is written.
SHORT = "window=since_2025"
FROM_PRIOR = [SHORT, "sampler=prior_only", "sampler.prior_draws=100"]
FEW_DRAWS = [
    *(SHORT, "sampler.draws=100", "sampler.tune=200", "sampler.chains=2"),
    *("sampler.max_rhat=9", "sampler.min_ess=1", "sampler.max_divergences=200"),
]
SHORTER = {"inside_the_model": FEW_DRAWS}


def program(notebook: Path) -> str:
    """Return the code cells of a notebook as Python, each line where it stands in the file."""
    text = notebook.read_text(encoding="utf-8")
    assert SHORT in text, f"{notebook.name} takes long"
    shorter = SHORTER.get(notebook.stem, FROM_PRIOR)
    lines = [""] * text.count("\n")
    for cell in CELL.finditer(text):
        code = cell[1].replace(f'"{SHORT}"', str(shorter)[1:-1]).replace("%matplotlib inline", "")
        code = code.replace("print(told.n)", "")
        for typed in TYPED.findall(code):
            ours = typed.replace(SHORT, " ".join(shorter))
            code = code.replace(f"told = !{typed}", f"command({ours!r})")
        first = text.count("\n", 0, cell.start(1))
        lines[first : first + code.count("\n")] = code.splitlines()
    return "\n".join(lines)


def command(line: str) -> None:
    """Do what a notebook has typed in a shell."""
    program, *words = shlex.split(line)
    assert program == "estimator"
    assert main(words) == 0, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(TOP).as_posix())
def test_links_of_a_document_lead_to_files_that_are_there(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


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
