"""Linear algebra that draws hang on takes one thread, however many the process has."""

from __future__ import annotations

import subprocess
import sys

import pytest

INPUTS = """
import hashlib
from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.model.inputs import model_inputs
assumptions = assumption_set()
inputs = model_inputs(load_evidence(assumptions), assumptions)
digest = hashlib.sha256(inputs.structure.identity.encode())
for name, array in sorted(inputs.data.items()):
    digest.update(name.encode() + array.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_inputs_of_the_model_do_not_hang_on_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = set()
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        command = [sys.executable, "-c", INPUTS]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        found.add(ended.stdout)
    assert len(found) == 1
