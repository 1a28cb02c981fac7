"""What has to be equal for sets to share their claims, or to be reweighted into each other.

Both keys hash the whole configuration but for the fields named here. A field that nobody names sets
configurations apart: they are fitted each for itself, which costs time and no truth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.reporting import ReportingOptions
from estimator.evidence import Evidence
from estimator.fitting.reweighting import Hyperparameters


def _nested(paths: Iterable[str]) -> dict[str, Any]:
    """Write dotted paths as pydantic wants them; ``*`` stands for any key."""
    nested: dict[str, Any] = {}
    for path in paths:
        *groups, last = path.replace("*", "__all__").split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = True
    return nested


_NOT_IN_CLAIMS = _nested(
    [
        # Priors, definitions and dynamics say nothing of which claims there are.
        *(
            "definitions",
            "losses",
            "confirmed",
            "unconfirmed",
            "returns",
            "recruitment",
            "foreign",
            "force",
        ),
        *(f"killed_share.{field}" for field in ("persistence", "level", "step")),
        *(
            f"reporting.{table}.{field}"
            for table in ("default.*", "origins.*.*")
            for field in ("bias", "undercount", "drift", "noise", "wander")
        ),
        "reporting.hierarchy",
        "reporting.noise_growth",
        # How the set is called and sampled.
        "label",
        "seed",
        "sampler",
        # Computed from its draws.
        "scenario",
        "derived",
    ]
)

_KNOWN_TO_WEIGHTS = _nested(
    [
        # In `Hyperparameters`: the priors, and how the claims' figures are read.
        *ASSUMPTIONS,
        "reporting.noise_growth",
        *(f"hedging.{word}" for word in ("about", "nearly", "more_than", "share_band", "minimum")),
        # Hashed as the claims that they lead to.
        *(
            f"evidence.{field}"
            for field in (
                *("files", "sources", "origins", "populations", "as_of", "drop"),
                *("groups", "other_groups"),
            )
        ),
        "killed_share.origins",
        # Hashed source by source.
        "reporting.default",
        "reporting.origins",
        # A name, and for how long the set's own fit would run.
        "label",
        *(
            f"sampler.{field}"
            for field in (
                *("chains", "draws", "tune", "cores", "target_accept", "adaptation"),
                *("prior_draws", "min_ess"),
            )
        ),
        # A sweep projects nothing.
        "scenario",
        "losses.projection",
        "window.horizon_months",
    ]
)

# Of a source: in `Hyperparameters`, but for the delay, which is hashed with the claims' weights.
_KNOWN_OF_A_SOURCE = {"bias", "undercount", "drift", "noise", "delay"}


def evidence_key(assumptions: AssumptionSet) -> str:
    """Equal for sets that choose the same claims in the same way."""
    return _hash(assumptions.model_dump(mode="json", exclude=_NOT_IN_CLAIMS))[:16]


def claims_key(evidence: Evidence) -> str:
    """Hash of all claims, but for which of them count: that is in `Hyperparameters`."""
    data = evidence.dataset.drop_vars("used")
    content = {
        str(name): [variable.dims, variable.values.tolist()]
        for name, variable in data.variables.items()
    }
    return _hash([content, data.attrs, evidence.data_hash])


def sources_key(reporting: ReportingOptions, sources: Mapping[str, str]) -> str:
    """Hash of how the sources report, but for what is in `Hyperparameters`.

    Parameters
    ----------
    reporting
        The group `reporting`.
    sources
        As `estimator.model.hyperparameters.sources_of` gives them.
    """
    of_sources = [
        [name, own.undercount is not None, own.model_dump(mode="json", exclude=_KNOWN_OF_A_SOURCE)]
        for name in sources
        for own in [reporting.of(*name.rsplit(":", 1))]
    ]
    if not reporting.hierarchy:
        return _hash(of_sources)
    with_entry = {origin: sorted(table) for origin, table in reporting.origins.items()}
    return _hash([of_sources, with_entry, dict(sources)])  # decides who shares a bias with whom


def group_key(assumptions: AssumptionSet, hyper: Hyperparameters, *parts: str) -> str:
    """Equal for sets whose posteriors differ only in factors that weights know.

    Parameters
    ----------
    assumptions, hyper
        The set, and what weights know of it.
    *parts
        Its `claims_key` and `sources_key`.
    """
    rest = assumptions.model_dump(mode="json", exclude=_KNOWN_TO_WEIGHTS)
    fixed = hyper.scale == 0
    return _hash([rest, fixed.tolist(), hyper.location[fixed].tolist(), *parts])[:12]


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
