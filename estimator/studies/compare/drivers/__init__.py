"""How much of the spread of each answer each assumption explains."""

from estimator.studies.compare.drivers.attribute import drivers
from estimator.studies.compare.drivers.design import recognise, why_not
from estimator.studies.compare.drivers.shifts import shifts
from estimator.studies.compare.drivers.statement import statement
from estimator.studies.compare.drivers.table import COLUMNS

__all__ = ["COLUMNS", "drivers", "recognise", "shifts", "statement", "why_not"]
