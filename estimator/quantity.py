"""Words that all quantities share."""

from __future__ import annotations

TOTAL = "total"
"""The period that is the whole window."""
