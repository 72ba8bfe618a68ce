"""Measurements, as ratios within one run: no figure here depends on the machine alone."""
