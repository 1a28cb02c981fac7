"""`estimator audit`: hold the claims against the posterior of each set."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estimator.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.audit.run import Audit
    from estimator.compare.sets import Sets

FOLDER = "audit"
_OVERRIDES = ("audit.", "audit=")
_DESCRIPTION = """\
Holds every claim against what each set predicts for it without having seen it; asks what was said
in words as probabilities; finds claims that cannot all be true, and what would resolve them; and
holds recruits, losses and returns against the published sizes of the force.

  estimator audit outputs/shipped
  estimator audit outputs/shipped --sets central,article audit.refit=no_series
  estimator audit outputs/mine audit=claims_only
"""


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command to the parsers of a command line, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "audit",
        help="hold the claims against the posterior of each set",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "outputs",
        nargs="+",
        metavar="OUTPUT",
        help="folder of a run or a set; or audit=OPTION, audit.KEY=VALUE (see conf/audit)",
    )
    parser.add_argument("--sets", action="append", metavar="LABEL,...", help="these sets alone")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder (first OUTPUT/audit)")
    parser.add_argument("--no-plots", action="store_true", help="no pictures")
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Audit, print the tables and write the files; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If an output, set or option cannot be used.
    """
    from estimator.audit.tables import audit_tables
    from estimator.compare.cli import split_labels
    from estimator.compare.sets import Sets

    overrides = [text for text in options.outputs if text.startswith(_OVERRIDES)]
    outputs = [Path(text) for text in options.outputs if text not in overrides]
    if not outputs:
        raise ConfigError("audit needs the folder of at least one run. Got none")
    sets = Sets.open(outputs)
    if options.sets is not None:
        sets = sets.only(split_labels(options.sets, sets.labels))
    folder = options.output or outputs[0] / FOLDER
    found = make_audit(sets, overrides, folder, console)
    if not options.no_plots:
        draw(found, folder)
    for table in audit_tables(found):
        console.print(table)
    console.print(f"Audit of {len(found.facts)} sets: {folder}", markup=False)
    return 0


def make_audit(sets: Sets, overrides: Sequence[str], folder: Path, console: Console) -> Audit:
    """Audit with a progress bar, and write the tables.

    Parameters
    ----------
    sets
        Of which those that were written whole are audited.
    overrides
        Of the group ``audit``.
    folder
        Where the tables go; verdicts of sets that are there already are taken.
    console
        For the progress bar.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from estimator.audit.options import AuditOptions
    from estimator.audit.run import PARTS, audit
    from estimator.audit.tables import markdown
    from estimator.compose import compose_config, to_plain
    from estimator.export import write_text
    from estimator.results import check_writable

    checked = AuditOptions.from_config(to_plain(compose_config(overrides))["audit"])
    check_writable(folder)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("read", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        found = audit(sets, checked, parts=folder / PARTS, progress=tell)
    found.write(folder)
    write_text(folder / "audit.md", markdown(found))
    return found


def draw(found: Audit, folder: Path) -> None:
    """Draw the verdicts as PNG and SVG."""
    from estimator.export import atomically
    from estimator.plots import DPI
    from estimator.plots.audit import plot_audit

    figure = plot_audit(found.claims)
    for ending in ("png", "svg"):
        atomically(folder / f"audit.{ending}", lambda path: figure.savefig(path, dpi=DPI))
