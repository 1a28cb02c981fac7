"""Questions asked of results: compare, audit, break-even, back-test, calibration, report."""
