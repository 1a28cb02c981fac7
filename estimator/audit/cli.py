"""`estimator audit`: hold the claims against the posterior of each set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.audit.run import Audit

FOLDER = "audit"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "audit", help="claims against the posterior: verdicts, contradictions, statements"
    )
    parser.add_argument("outputs", nargs="+", type=Path, metavar="OUTPUT", help="outputs/NAME")
    parser.add_argument("--sets", help="labels of sets, with commas; without it all")
    parser.add_argument("--output", type=Path, help="folder of the tables (OUTPUT/audit)")
    parser.add_argument("--no-plots", action="store_true", help="draw no picture")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option, e.g. audit.refit=none or audit=claims_only",
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Audit, print the tables and write the files."""
    from estimator.audit.tables import audit_tables

    folder = options.output or options.outputs[0] / FOLDER
    labels = options.sets.split(",") if options.sets else None
    found = make_audit(options.outputs, labels, options.overrides, folder, console)
    if not options.no_plots:
        draw(found, folder)
    for table in audit_tables(found):
        console.print(table)
    console.print(f"Audit: {folder}")
    return 0


def make_audit(
    outputs: list[Path],
    labels: list[str] | None,
    overrides: list[str],
    folder: Path,
    console: Console,
) -> Audit:
    """Audit with a progress bar, and write the tables."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from estimator.audit.options import AuditOptions
    from estimator.audit.run import PARTS, audit
    from estimator.audit.tables import markdown
    from estimator.compare.sets import Sets
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

        found = audit(
            Sets.open(outputs), checked, labels=labels, parts=folder / PARTS, progress=tell
        )
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
