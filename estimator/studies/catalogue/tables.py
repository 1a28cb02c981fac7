"""Tables of what ships and what a user adds: groups, options, priors, quantities, evidence."""

from __future__ import annotations

from collections.abc import Iterable

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.catalogue import belief, config_groups, defaults, options
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.priors import Prior
from estimator.evidence.load import read_claims
from estimator.quantity import QUANTITIES
from estimator.show.assumed import as_written
from estimator.show.grid import Cell, Grid, column
from estimator.show.number import listed


def groups(config_dir: str | None) -> Grid:
    """Every group: its options, the default first, and what the default believes."""
    chosen = defaults()
    rows = []
    for group in [*chosen, *sorted(config_groups(config_dir) - set(chosen))]:
        found = options(group, config_dir)
        first = [name for name in chosen.get(group, ()) if name in found]
        others = [name for name in found if name not in first]
        believed = belief(found[first[0]]) if len(first) == 1 else ""
        rows.append((Cell(group), Cell(listed(first, 3) or "none", _others(others)), believed))
    return Grid.of(
        "Groups of options: estimator run GROUP=OPTION",
        ("group", column("option", "long", below="others"), column("believes", "long")),
        rows,
        [
            "estimator list GROUP says what each option believes. Beside the groups: "
            "estimator list priors, quantities, evidence_groups."
        ],
    )


def _others(names: list[str]) -> str:
    return f"({', '.join(names)})" if names else ""


def one_group(group: str, config_dir: str | None) -> list[Grid]:
    """Options of a group with what each believes, and the priors that it holds."""
    chosen = defaults().get(group, ())
    rows = [
        (Cell(name, "(default)" if name in chosen else ""), belief(path))
        for name, path in options(group, config_dir).items()
    ]
    head = ("option", column("believes", "long"))
    more = f"The file of an option with all its comments: estimator show {group}=OPTION"
    grids = [Grid.of(f"Options of {group}", head, rows, [more])]
    keys = [key for key in ASSUMPTIONS if _group(key) == group]
    if keys:
        priors = dict(assumption_set().priors())
        title = f"Priors of {group}, as {listed(chosen)} has them"
        grids.append(_prior_grid(title, {key: priors[key] for key in keys}.items()))
    return grids


def every_prior() -> Grid:
    """Every scalar assumption with its unit and its range in the default set."""
    order = list(defaults())
    priors = sorted(assumption_set().priors(), key=lambda prior: order.index(_group(prior[0])))
    return _prior_grid("Priors, as the default set has them", priors)


def _group(key: str) -> str:
    return key.partition(".")[0]


def _prior_grid(title: str, priors: Iterable[tuple[str, Prior]]) -> Grid:
    rows = [
        (Cell(key, ASSUMPTIONS[key].description), as_written(prior), ASSUMPTIONS[key].unit)
        for key, prior in priors
    ]
    return Grid.of(
        title,
        (column("assumption", "name"), column("prior", "text"), column("unit", "text")),
        rows,
        ["estimator show KEY has its source, and what every option says of it."],
    )


def quantities() -> Grid:
    """Every quantity: its unit, and what claims on it may be given in."""
    rows = [
        (
            Cell(name, "" if row.words == name.replace("_", " ") else row.words),
            row.unit if row.computed_from else "",
            ", ".join(row.claim_units),
            row.equation if row.computed_from and len(row.parts) > 1 else "",
        )
        for name, row in QUANTITIES.items()
        if row.claim_units or (row.computed_from and row.dim == "month")
    ]
    return Grid.of(
        "Quantities",
        (
            "quantity",
            column("unit", "text"),
            column("units of claims", "long"),
            column("made of", "long"),
        ),
        rows,
        [
            "Answers are quantity[period]: losses[2026-01], killed[total], "
            "P(net_change[2026-01] < 0). Those without a unit are not estimated; on those without "
            "units of claims there are none."
        ],
    )


def evidence_groups() -> Grid:
    """Every evidence group of the shipped claims: how many, whose, and which of them count."""
    counting = assumption_set().evidence
    claims = read_claims(counting.files)
    rows = []
    for name, members in claims[claims["evidence_group"] != ""].groupby("evidence_group"):
        rule = counting.groups.get(str(name), counting.other_groups)
        rows.append(
            (
                Cell(str(name)),
                str(len(members)),
                Cell(rule),
                Cell(listed(members["id"], 4), listed(dict.fromkeys(members["origin"]), 3)),
            )
        )
    return Grid.of(
        "Evidence groups: claims of one underlying count are one piece of evidence",
        (
            "group",
            "claims",
            column("which count", "text"),
            column("ids", "long", below="origins"),
        ),
        rows,
        [
            "Which count in the default set: all; original (those that derive from no other); one; "
            "none; or the id of one claim. estimator run evidence.groups.GROUP=none leaves a group "
            "out."
        ],
    )
