"""Two pages on a run: the verdicts in brief, and in detail all that they rest on."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Pages": "estimator.studies.report.page",
    "ReportData": "estimator.studies.report.data",
    "ReportOptions": "estimator.studies.report.options",
    "render": "estimator.studies.report.page",
    "write_report": "estimator.studies.report.page",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: the command line need not draw."""
    if name not in _HOME:
        raise AttributeError(f"module 'estimator.studies.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
