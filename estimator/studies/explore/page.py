"""The page: draws packed, facts as JSON, and the script that weights the draws."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.priors import Prior
from estimator.errors import ConfigError, nearest
from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.quantity import PER_MONTH, QUANTITIES, SUMMED, TOTAL
from estimator.show import number
from estimator.studies.explore.answers import event_of
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.world import MASS, World, range_of
from estimator.studies.report import words
from estimator.studies.report.options import ReportOptions

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_FIGURES = (
    (
        "fan",
        "By month",
        "Band: 5 to 95 and 25 to 75 of 100; line: the median. Dashed: the set as it is. Diamonds: "
        "what was said; triangles: confirmed figures; bars: figures of more than a month, per "
        "month.",
    ),
    ("balance", "Recruits against losses, persons/month", "Bands: 5 to 95 of 100."),
    (
        "histogram",
        "One month",
        "Filled: now, dark where the event happens. Dashed: the set as it is.",
    ),
)
_SCRIPTS = ("weights.js", "pictures.js", "explore.js")
_STYLES = ("studies/report/templates/style.css", "studies/explore/templates/explore.css")


def render(
    worlds: Sequence[World],
    options: ExploreOptions,
    report: ReportOptions,
) -> str:
    """Make the page.

    Parameters
    ----------
    worlds
        At least one; the first is shown first.
    options
        What is shown, and bounds of the lamp.
    report
        Title, subject, sentences on sets, names of origins.

    Returns
    -------
    str
        HTML that needs no other file and no network.
    """
    months = _months(worlds, options)
    rows = [_rows(world, options, months) for world in worlds]
    facts = {
        "months": months,
        "quantities": [_quantity(name) for name in options.quantities],
        "balance": {"losses", "recruits"} <= set(options.quantities),
        "bounds": options.model_dump(include={"good_k_hat", "good_ess", "max_k_hat", "min_ess"}),
        "event": _event("explore.event", options.event, worlds[0], options, months),
        "worlds": [
            _world(world, list(packed), options, months, report)
            for world, packed in zip(worlds, rows, strict=True)
        ],
        "presets": _presets(worlds, options, months, report),
    }
    script, style = ("\n".join(map(_shipped, names)) for names in (_paths(_SCRIPTS), _STYLES))
    figures = _FIGURES if facts["balance"] else (_FIGURES[0], _FIGURES[2])
    environment = Environment(
        loader=PackageLoader("estimator.studies.explore"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filled = environment.get_template("explore.html.j2").render(
        title=report.title,
        subject=report.subject,
        quantities=facts["quantities"],
        worlds=facts["worlds"],
        figures=figures,
        facts=_as_json(facts),
        packed=[pack(list(packed.values())) for packed in rows],
        script=script,
        style=style,
        hashes={"script": _hash(script), "style": _hash(style)},
    )
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", filled)


def pack(rows: Sequence[np.ndarray]) -> str:
    """Pack rows of numbers as text: single precision, byte by byte of all, deflated, base64."""
    numbers = np.stack([np.asarray(row, dtype="<f4") for row in rows])
    planes = numbers.reshape(-1).view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()


def _months(worlds: Sequence[World], options: ExploreOptions) -> list[str]:
    """Last whole months of the window of the first world."""
    months = [str(month) for month in worlds[0].data["month"].values]
    end = months.index(worlds[0].last_month) + 1
    return months[max(end - options.months, 0) : end]


def _rows(world: World, options: ExploreOptions, months: Sequence[str]) -> dict[str, np.ndarray]:
    """Rows that the page holds of a world, by name."""
    keys = [key for key in options.sliders if key in world.priors]
    rows = {f"linear {key}": world.flat("linear", assumption=key) for key in keys}
    rows["own"] = world.flat("own")
    rows |= {f"without {name}": world.flat("without", evidence_group=name) for name in world.groups}
    for name in options.quantities:
        periods = [*months, *([TOTAL] if name in SUMMED else [])]
        rows |= {f"{name} {period}": world.draws(name, period) for period in periods}
    return rows


def _quantity(name: str) -> dict[str, Any]:
    quantity = QUANTITIES[name]
    total = quantity.unit_of_total if name in SUMMED else None
    return {"name": name, "words": quantity.words, "unit": quantity.unit, "total": total}


def _event(
    key: str, text: str, world: World, options: ExploreOptions, months: Sequence[str]
) -> dict[str, Any]:
    """Read an event of the options, which must be one of what the page shows.

    Raises
    ------
    ConfigError
        If the page does not have its quantity or its month.
    """
    event = event_of(text, world)
    if event.quantity not in options.quantities:
        allowed = nearest(event.quantity, options.quantities)
        raise ConfigError(f"{key}: {event.quantity} is not in explore.quantities; {allowed}")
    if event.period not in (*months, TOTAL):
        raise ConfigError(
            f"{key}: {event.period} is not on the page, which has {months[0]} to {months[-1]} "
            "(explore.months)"
        )
    return {
        "quantity": event.quantity,
        "month": event.period,
        "below": event.below,
        "threshold": event.threshold,
    }


def _world(
    world: World,
    rows: Sequence[str],
    options: ExploreOptions,
    months: Sequence[str],
    report: ReportOptions,
) -> dict[str, Any]:
    sliders = [key for key in options.sliders if key in world.priors]
    claims = world.claims
    return {
        "label": world.label,
        "words": report.belief(world.label),
        "overrides": world.own_overrides,
        "failures": world.failures,
        "relative_ess": world.relative_ess,
        "n": world.data.sizes["chain"] * world.data.sizes["draw"],
        "rows": list(rows),
        "sliders": [_slider(world, key, options) for key in sliders],
        "groups": [
            {"name": name, "words": words.plain(name), "claims": _said(claims, name, report)}
            for name in world.groups
        ],
        "refused": [[words.plain(name), why] for name, why in world.refused_groups.items()],
        "apart": world.apart,
        "claims": [
            _mark(claim, months, report)
            for claim in claims
            if claim["quantity"] in options.quantities
        ],
        "fixed": [
            _assumed(key, prior) for key, prior in world.assumptions.priors() if key not in sliders
        ],
    }


def _slider(world: World, key: str, options: ExploreOptions) -> dict[str, Any]:
    prior, spec = world.priors[key], ASSUMPTIONS[key]
    low, high = range_of(prior)
    at = list(world.priors).index(key)
    own = [float(world.data[part].values[at]) for part in ("location", "scale")]
    track = options.sliders[key]
    return {
        "key": key,
        "own": own,
        "words": words.capital(words.assumption(key)),
        "unit": spec.unit,
        "per": spec.per_model_unit,
        "share": spec.support == "share",
        "range": [low, high],
        "track": [min(track.low, low), max(track.high, high)],
        "source": prior.source or "No source given.",
        "by_range": prior.is_range,
        "other_mass": prior.mass != MASS,
    }


def _assumed(key: str, prior: Prior) -> dict[str, str]:
    if prior.is_fixed:
        value = f"held at {number.significant(prior.value or 0.0)}"
    else:
        value = " to ".join(number.significant(end, 3) for end in range_of(prior))
    return {
        "key": key,
        "words": words.capital(words.assumption(key)),
        "value": value,
        "unit": ASSUMPTIONS[key].unit,
        "source": prior.source or "No source given.",
    }


def _said(claims: Sequence[Mapping[str, Any]], group: str, report: ReportOptions) -> list[str]:
    return [_sentence(claim, report) for claim in claims if claim["evidence_group"] == group]


def _sentence(claim: Mapping[str, Any], report: ReportOptions) -> str:
    """Who said what of which days, e.g. ``NATO: 30,000 losses, January 2026 (P07)``."""
    origin = report.origins.get(claim["origin"], words.plain(claim["origin"]))
    ends = [claim[name] for name in ("low", "value", "high") if claim[name] is not None]
    figures = " to ".join(dict.fromkeys(number.significant(end) for end in (ends[:1] + ends[-1:])))
    hedge = {"exact": "", "range": "", "about": "about "}.get(
        claim["hedge"], f"{words.plain(claim['hedge'])} "
    )
    what = words.quantity(claim["quantity"])
    days = number.dates(claim["first"], claim["last"])
    unit = f" {claim['unit']}" if claim["unit"] != "persons" else ""
    return f"{origin}: {hedge}{figures}{unit}, {what}, {days} ({claim['id']})"


def _mark(claim: Mapping[str, Any], months: Sequence[str], report: ReportOptions) -> dict[str, Any]:
    """Place of a claim on an axis of months: its figures as those of a month."""
    first, last = pd.Timestamp(claim["first"]), pd.Timestamp(claim["last"])
    start = pd.Timestamp(f"{months[0]}-01")

    def place(day: pd.Timestamp) -> float:
        whole = (day.year - start.year) * 12 + day.month - start.month
        return whole + (day.day - 1) / day.days_in_month

    factor = 1.0
    if QUANTITIES[claim["quantity"]].unit == PER_MONTH:
        days = (last - first).days + 1
        by_unit = {"persons/month": 1.0, "persons/day": DAYS_PER_MONTH}
        whole_months = round(place(last + pd.Timedelta(days=1)) - place(first), 3)
        factor = by_unit.get(claim["unit"], 1.0 / (whole_months or days / DAYS_PER_MONTH))
    low, value, high = (
        None if claim[name] is None else claim[name] * factor for name in ("low", "value", "high")
    )
    ends = [end for end in (low, high) if end is not None]
    return {
        "quantity": claim["quantity"],
        "group": claim["evidence_group"],
        "confirmed": claim["confirmed"],
        "begin": place(first),
        "end": place(last + pd.Timedelta(days=1)),
        "low": low,
        "high": high,
        "middle": sum(ends) / len(ends) if value is None else value,
        "text": _sentence(claim, report),
    }


def _presets(
    worlds: Sequence[World],
    options: ExploreOptions,
    months: Sequence[str],
    report: ReportOptions,
) -> list[dict[str, Any]]:
    """Ready-made positions: the worlds as they are, sets within reach, and events."""
    labels = [world.label for world in worlds]
    nothing: dict[str, Any] = {"event": None, "ranges": {}, "without": []}
    found = [
        nothing | {"words": label, "world": at, "note": report.belief(label)}
        for at, label in enumerate(labels)
    ]
    for at, world in enumerate(worlds):
        found += [
            nothing
            | {
                "words": preset["label"],
                "world": at,
                "note": report.belief(preset["label"]),
                # As a slider shows them, so that a sent address names the same numbers.
                "ranges": {
                    key: [float(f"{end:.3g}") for end in ends]
                    for key, ends in preset["ranges"].items()
                },
                "without": preset["without"],
            }
            for preset in world.presets
            if set(preset["ranges"]) <= set(options.sliders) and preset["label"] not in labels
        ]
    for text, button in options.events.items():
        if button.world in labels:
            at = labels.index(button.world)
            event = _event(f"explore.events.{text}", button.event, worlds[at], options, months)
            found.append(nothing | {"words": text, "world": at, "note": "", "event": event})
    return found


def _paths(names: Sequence[str]) -> list[str]:
    return [f"studies/explore/templates/{name}" for name in names]


def _shipped(path: str) -> str:
    return files("estimator").joinpath(path).read_text(encoding="utf-8")


def _as_json(facts: Mapping[str, Any]) -> str:
    """Write as JSON that no text in it can end, or turn into markup."""
    text = json.dumps(facts, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
