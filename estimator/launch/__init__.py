"""Hydra plugins of the estimator.

Hydra takes plugins from the namespace package `hydra_plugins` alone; importing this package makes
the part of it that lies here known.
"""

from __future__ import annotations

import sys
from pathlib import Path

_FOLDER = str(Path(__file__).parent)
if _FOLDER not in sys.path:
    sys.path.append(_FOLDER)
