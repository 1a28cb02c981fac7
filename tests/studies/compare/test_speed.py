"""What a comparison of many sets takes; `tests/benchmarks/compare.py` measures 10,000."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from estimator.store.sets import Sets
from estimator.studies.compare.pool import pooled
from estimator.studies.compare.table import compare_sets
from tests.studies.compare.made import CHANCE, GAP, LOSSES, TOTAL
from tests.studies.compare.on_disk import write_sweep

pytestmark = pytest.mark.slow

SIZE = 2_000
ANSWERS = [LOSSES, GAP, CHANCE, TOTAL]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("many") / "sweep", SIZE, draws=500, fitted=3)


def test_two_thousand_sets_are_compared_and_pooled_in_seconds(many):
    compare_sets(Sets.open([many]).only(["central #1", "central #9"]), ANSWERS)  # compiles once
    begin = time.process_time()
    sets = Sets.open([many])
    table = compare_sets(sets, ANSWERS, "central #1000")
    mixture = pooled(sets, ANSWERS)
    took = time.process_time() - begin
    assert len(table) == SIZE * len(ANSWERS)
    assert np.isfinite(table["difference_mcse"]).all()
    assert table.loc[table["answer"] == str(LOSSES), "p_above"].between(0, 1).all()
    assert mixture["refused"].tolist() == [""] * len(ANSWERS)
    assert took < 15.0  # 2 s where nothing else runs


def test_draws_of_two_thousand_sets_are_never_in_memory_at_once(many):
    """All draws of all sets and answers would take 2,000 × 2,000 × 4 × 8 bytes = 128 MB."""
    code = (
        "import resource\n"
        "from pathlib import Path\n"
        "from estimator.quantities.answers import Answer\n"
        "from estimator.studies.compare.pool import pooled\n"
        "from estimator.store.sets import Sets\n"
        "from estimator.studies.compare.table import compare_sets\n"
        f"answers = [Answer.parse(text) for text in {[str(a) for a in ANSWERS]!r}]\n"
        f"sets = Sets.open([Path({str(many)!r})])\n"
        "few = sets.only(sets.labels[:20])\n"
        "compare_sets(few, answers), pooled(few, answers)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "compare_sets(sets, answers), pooled(sets, answers)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    root = Path(__file__).parents[3]
    found = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    grown = int(found.stdout) / (1024 if sys.platform != "darwin" else 1024**2)
    assert grown < 60.0, f"{grown:.0f} MB"
