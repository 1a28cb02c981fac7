"""Names of sets that are made by changing another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

LABEL_MAXIMUM = 80


def label_of_changes(base: str, changes: Iterable[str]) -> str:
    """Name a set by what is changed of another, told apart by a hash where that is long."""
    label = ",".join([base, *changes])
    if len(label) <= LABEL_MAXIMUM:
        return label
    ending = "…" + hashlib.sha256(label.encode()).hexdigest()[:8]
    return label[: LABEL_MAXIMUM - len(ending)] + ending
