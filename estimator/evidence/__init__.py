"""Claims: from tables to a checked dataset with design matrices."""

from estimator.evidence.dataset import Evidence, load_evidence
from estimator.evidence.load import read_claims
from estimator.evidence.select import quiet_evidence

__all__ = ["Evidence", "load_evidence", "quiet_evidence", "read_claims"]
