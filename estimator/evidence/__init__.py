"""Claims: from tables to a checked dataset with design matrices."""

from estimator.evidence.dataset import Evidence, load_evidence
from estimator.evidence.load import read_claims

__all__ = ["Evidence", "load_evidence", "read_claims"]
