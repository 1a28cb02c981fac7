"""One self-contained page on a run: the question, the answer, and all that it rests on."""

from estimator.report.data import ReportData
from estimator.report.options import ReportOptions
from estimator.report.page import render, write_report

__all__ = ["ReportData", "ReportOptions", "render", "write_report"]
