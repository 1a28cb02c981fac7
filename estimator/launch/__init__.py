"""Hydra plugins of the estimator.

Hydra takes plugins from the namespace package `hydra_plugins` alone; importing this package makes
the part of it that lies here known.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from hydra.core.plugins import Plugins

_FOLDER = str(Path(__file__).parent)
if _FOLDER not in sys.path:
    sys.path.append(_FOLDER)

# Hydra scans for plugins once in a process, and may have done so before.
_plugins = importlib.import_module("hydra_plugins.estimator_sweep")
for _name in ("DesignSweeper", "PlanningLauncher"):
    Plugins.instance().register(getattr(_plugins, _name))
