"""Forecasts from every month of the past, held against what was reported later."""
