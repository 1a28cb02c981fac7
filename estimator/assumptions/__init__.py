"""The typed assumption set: one fully resolved configuration, checked, with an identity.

`AssumptionSet.from_config` collects every problem of a configuration and raises them at once, each
with its key, what was found, and what is allowed. `ASSUMPTIONS` lists the scalar assumptions that
the model samples (or holds fixed), with unit and support.
"""

from estimator.assumptions.assumption_set import AssumptionSet
from estimator.assumptions.groups import ASSUMPTIONS

__all__ = ["ASSUMPTIONS", "AssumptionSet"]
