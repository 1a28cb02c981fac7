"""How much of the spread of each answer each assumption explains."""

from estimator.compare.drivers.attribute import drivers
from estimator.compare.drivers.design import recognise, why_not
from estimator.compare.drivers.shifts import shifts
from estimator.compare.drivers.statement import statement
from estimator.compare.drivers.table import COLUMNS

__all__ = ["COLUMNS", "drivers", "recognise", "shifts", "statement", "why_not"]
