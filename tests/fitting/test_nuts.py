from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from estimator.fitting.nuts import nutpie
assert "arviz_plots" not in sys.modules and "arviz" not in sys.modules
import arviz
assert arviz.__name__ == "arviz" and arviz.plot_forest
"""


def test_the_sampler_comes_without_pictures_and_arviz_can_be_imported_after_it() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
