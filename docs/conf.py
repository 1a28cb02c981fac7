"""The site: `make docs` builds it from the folder of the code.

The source folder is the top of the repository, so that the links of README, docs/ and data/ are the
same files on the site and on a code host. What code says of itself is taken from the code: a page a
command from its parser, the API from docstrings.
"""

from __future__ import annotations

import argparse
import logging
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

from estimator.cli import COMMANDS, command_parser

project = "estimator"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# What is read. README is the first page; its table of contents is not for a code host.
root_doc = "README"
include_patterns = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "data/README.md",
    "docs/**.md",
    "outputs/example/*.md",
]
exclude_patterns = [".*", "build", "dist", "docs/_build", "estimator", "conf", "tests"]
CONTENTS = {
    "Notebooks": [
        f"docs/notebooks/{name}"
        for name in ("first_answer", "my_claims", "my_assumptions", "inside_the_model")
    ],
    "What it says": ["docs/disputes", "docs/trust", "docs/registries"],
    "How to": ["docs/explore", "docs/sweeps", "docs/scale", "docs/ingest", "docs/score"],
    "Reference": ["docs/commands/index", "docs/api", "data/README", "ARCHITECTURE", "CHANGELOG"],
    "The project": ["CONTRIBUTING", "SECURITY"],
    "Tables in full": [
        "The shipped sets <outputs/example/summary>",
        "outputs/example/calibration",
        "outputs/example/backtest",
    ],
}

# Markdown and notebooks. Every notebook is executed, and an error in one fails the build.
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # of a network

# Docstrings.
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
default_role = "py:obj"

smartquotes = False  # -- is an option

# Look. The first page of a site is index.html, which leads to README.html.
html_theme = "furo"
html_title = project
html_additional_pages = {"index": "redirect.html"}
html_show_copyright = False
html_copy_source = False
templates_path = ["_templates"]


def setup(app: Sphinx) -> None:
    """Let pages that are made of the code be made when Sphinx begins."""
    logging.getLogger().setLevel(logging.WARNING)  # one of furo's packages lets everybody speak
    app.connect("builder-inited", write_commands)
    app.connect("source-read", complete_page)


def complete_page(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the table of contents below the first page, and a title over a table that has none."""
    if name == "outputs/example/summary":
        source[0] = f"# The shipped sets\n\n{source[0]}"
    if name == root_doc:
        source[0] += "".join(
            f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{'\n'.join(pages)}\n```\n"
            for caption, pages in CONTENTS.items()
        )


def write_commands(app: Sphinx) -> None:
    """Write a page for each command, and their list, into docs/commands (which git ignores)."""
    folder = Path(app.confdir, "commands")
    shutil.rmtree(folder, ignore_errors=True)  # a command may be gone
    folder.mkdir()
    rows = [f"| [`{name}`]({name}.md) | {summary} |" for name, (_, summary) in COMMANDS.items()]
    pages = {name: "\n".join(command_page(name)) for name in COMMANDS}
    listed = ["# Commands", "", "| `estimator` … | |", "|---|---|", *rows, ""]
    contents = ["```{toctree}", ":hidden:", "", *COMMANDS, "```", ""]
    pages["index"] = "\n".join([*listed, *contents])
    for name, text in pages.items():
        Path(folder, f"{name}.md").write_text(text, encoding="utf-8")


def command_page(name: str) -> Iterator[str]:
    """Yield the lines of a command's page: what `--help` says, as headings, text and tables."""
    module, parser = command_parser(name)
    usage = parser.format_usage().removeprefix("usage: ").replace("\n       ", "\n")
    yield from (f"# estimator {name}", "", "```console", usage.rstrip(), "```", "")
    for paragraph in re.split(r"\n{2,}", module.DESCRIPTION.strip("\n")):
        is_listing = paragraph.startswith("  ")
        text = textwrap.dedent(paragraph)
        yield from ("```console", text, "```", "") if is_listing else (_escaped(text), "")
    yield from ("## Arguments", "", "| | |", "|---|---|")
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            said = parser._get_formatter()._expand_help(action)
            yield f"| {_written(action)} | {_escaped(said)} |"
    yield ""


def _escaped(text: str) -> str:
    """Escape what Markdown would read, but for the code between backticks."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([<*|_])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _written(action: argparse.Action) -> str:
    metavar = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return f"`{metavar}`"
    return ", ".join(f"`{option} {metavar}`".replace(" `", "`") for option in action.option_strings)
