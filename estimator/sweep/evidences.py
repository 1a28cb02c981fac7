"""The claims of a sweep's sets, loaded once for all that choose them in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from estimator.errors import EstimatorError
from estimator.evidence import Evidence, load_evidence
from estimator.evidence.load import read_claims
from estimator.sweep.keys import evidence_key
from estimator.sweep.sets import SweepSet


def evidences_of(
    sets: Sequence[SweepSet], fails: Callable[[SweepSet, str], None]
) -> tuple[dict[str, Evidence], list[tuple[SweepSet, str]]]:
    """Load each evidence that any set uses once.

    Parameters
    ----------
    sets
        Of a sweep.
    fails
        Told each set whose claims cannot be used, with the reason.

    Returns
    -------
    evidences
        By key.
    keyed
        The other sets, each with the key of its evidence.
    """
    evidences: dict[str, Evidence] = {}
    problems: dict[str, str] = {}
    keyed = []
    for one in sets:
        if one.assumptions is None:
            fails(one, one.error)
            continue
        key = evidence_key(one.assumptions)
        if key not in evidences and key not in problems:
            try:
                claims = read_claims(one.assumptions.evidence.files)
                evidences[key] = load_evidence(one.assumptions, claims)
            except EstimatorError as error:
                problems[key] = str(error)
        if key in problems:
            fails(one, problems[key])
        else:
            keyed.append((one, key))
    return evidences, keyed
